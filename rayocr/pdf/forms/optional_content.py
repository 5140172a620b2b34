"""Decides whether optional content (a layer) is visible. PDFium does this for page content, but draws annotations of all layers.

ISO 32000-1, 8.11. Only the default configuration counts, as when a viewer opens the file.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pikepdf

_MAX_DEPTH = 16
_MEMBERSHIP = re.compile(rb"<<[^<>]{0,300}/OCMD\b[^<>]{0,300}>>")
_SPACES = re.compile(rb"\s+")
_DELIMITED = re.compile(rb" ?([/<>\[\]]) ?")
_ONE_GROUP = re.compile(rb"/OCGs\s+(\d+ \d+ R)\b")
_OFF_POLICY = re.compile(rb"/P\s*/A(?:ll|ny)Off\b")
_MAX_OPERANDS = 1_000  # maximum number of nodes per visibility expression; one that contains itself has 3^16 or more


def with_listed_groups(data: Any) -> Any:
    """Returns the file (a uint8 array), in which every membership dictionary lists its group in an array, even a single one.
    Without the array, PDFium ignores the policies AllOff and AnyOff, which show the content where the group is off.

    Keeps the byte offsets of all objects. Dictionaries in object streams, and those without a superfluous space, are not
    changed."""
    changed = data
    for match in _MEMBERSHIP.finditer(data.data):
        dictionary = match.group()
        if not _OFF_POLICY.search(dictionary):
            continue
        listed = _ONE_GROUP.sub(rb"/OCGs[\1]", _DELIMITED.sub(rb"\1", _SPACES.sub(b" ", dictionary)))
        if b"/OCGs[" in listed and b"[" not in dictionary and len(listed) <= len(dictionary):
            changed = data.copy() if changed is data else changed
            changed[match.start() : match.end()] = np.frombuffer(listed.ljust(len(dictionary)), dtype=np.uint8)
    return changed


class OptionalContent:
    """The layers of a document. Reads the lists of its configuration once: each can name a million layers."""

    def __init__(self, root: Any) -> None:
        """`root`: the document's catalog."""
        properties = root.get("/OCProperties")
        configuration = properties.get("/D") if isinstance(properties, pikepdf.Dictionary) else None
        known = configuration if isinstance(configuration, pikepdf.Dictionary) else pikepdf.Dictionary()
        self._base = str(known.get("/BaseState", "/ON")) != "/OFF"
        self._on, self._off = _identities(known.get("/ON")), _identities(known.get("/OFF"))
        usages = known.get("/AS")
        self._automatic: set[tuple[int, int]] = set()
        for usage in usages if isinstance(usages, pikepdf.Array) else ():
            if usage.get("/Event") == "/View":
                self._automatic |= _identities(usage.get("/OCGs"))

    def is_visible(self, content: Any) -> bool:
        """Returns whether content is visible. `content`: the value of an /OC entry, a group or a membership dictionary."""
        if not isinstance(content, pikepdf.Dictionary):
            return True
        if content.get("/Type") != "/OCMD":
            return self.is_on(content)
        expression = content.get("/VE")
        if isinstance(expression, pikepdf.Array):
            return _Expression(self).value(expression, 0)
        groups = content.get("/OCGs")
        listed: Any = groups if isinstance(groups, pikepdf.Array) else [groups]
        states = [self.is_on(group) for group in listed if isinstance(group, pikepdf.Dictionary)]
        if not states:
            return True
        policy = str(content.get("/P", "/AnyOn"))
        return {"/AllOn": all(states), "/AnyOff": not all(states), "/AllOff": not any(states)}.get(policy, any(states))

    def is_on(self, group: Any) -> bool:
        """Returns whether a group is switched on."""
        identity = group.objgen
        state = self._base or identity in self._on
        if identity in self._off:
            state = False
        if identity in self._automatic:
            wanted = group.get("/Usage", {}).get("/View", {}).get("/ViewState")
            state = wanted == "/ON" if wanted is not None else state
        return state


class _Expression:
    """Evaluates one visibility expression: [/And …], [/Or …], [/Not x], nested. Beyond the limits, content counts as visible."""

    def __init__(self, layers: OptionalContent) -> None:
        self._layers = layers
        self._left = _MAX_OPERANDS

    def value(self, expression: Any, depth: int) -> bool:
        self._left -= 1
        if not isinstance(expression, pikepdf.Array):
            return self._layers.is_on(expression) if isinstance(expression, pikepdf.Dictionary) else True
        if depth > _MAX_DEPTH or self._left < 0 or len(expression) < 2:
            return True
        operator, *operands = expression
        values = []
        for operand in operands:
            if self._left < 0:
                break
            values.append(self.value(operand, depth + 1))
        if operator == "/Not":
            return not (values and values[0])
        return any(values) if operator == "/Or" else all(values)


def _identities(groups: Any) -> set[tuple[int, int]]:
    return {group.objgen for group in groups} if isinstance(groups, pikepdf.Array) else set()
