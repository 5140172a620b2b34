"""Decides whether optional content (a layer) is visible. PDFium does this for page content, but draws annotations of all layers.

ISO 32000-1, 8.11. Only the default configuration counts, as when a viewer opens the file.
"""

from __future__ import annotations

from typing import Any

import pikepdf

_MAX_DEPTH = 16


def is_visible(root: Any, content: Any) -> bool:
    """`root`: the document's catalog. `content`: the value of an /OC entry, a group or a membership dictionary."""
    properties = root.get("/OCProperties")
    if not isinstance(content, pikepdf.Dictionary) or not isinstance(properties, pikepdf.Dictionary):
        return True
    return _is_visible(properties, content)


def _is_visible(properties: Any, content: Any) -> bool:
    if content.get("/Type") != "/OCMD":
        return _is_on(properties, content)
    expression = content.get("/VE")
    if isinstance(expression, pikepdf.Array):
        return _evaluate(properties, expression, 0)
    groups = content.get("/OCGs")
    groups = list(groups) if isinstance(groups, pikepdf.Array) else [groups]
    states = [_is_on(properties, group) for group in groups if isinstance(group, pikepdf.Dictionary)]
    if not states:
        return True
    policy = str(content.get("/P", "/AnyOn"))
    return {"/AllOn": all(states), "/AnyOff": not all(states), "/AllOff": not any(states)}.get(policy, any(states))


def _evaluate(properties: Any, expression: Any, depth: int) -> bool:
    """A visibility expression: [/And …], [/Or …], [/Not x], nested."""
    if not isinstance(expression, pikepdf.Array):
        return _is_on(properties, expression) if isinstance(expression, pikepdf.Dictionary) else True
    if depth > _MAX_DEPTH or len(expression) < 2:
        return True
    operator, *operands = expression
    values = [_evaluate(properties, operand, depth + 1) for operand in operands]
    if operator == "/Not":
        return not values[0]
    return any(values) if operator == "/Or" else all(values)


def _is_on(properties: Any, group: Any) -> bool:
    configuration = properties.get("/D")
    if not isinstance(configuration, pikepdf.Dictionary):
        return True
    state = str(configuration.get("/BaseState", "/ON")) != "/OFF"
    if _holds(configuration.get("/ON"), group):
        state = True
    if _holds(configuration.get("/OFF"), group):
        state = False
    automatic = configuration.get("/AS")
    for usage in automatic if isinstance(automatic, pikepdf.Array) else ():
        if usage.get("/Event") == "/View" and _holds(usage.get("/OCGs"), group):
            wanted = group.get("/Usage", {}).get("/View", {}).get("/ViewState")
            state = wanted == "/ON" if wanted is not None else state
    return state


def _holds(groups: Any, group: Any) -> bool:
    return isinstance(groups, pikepdf.Array) and any(other.objgen == group.objgen for other in groups)
