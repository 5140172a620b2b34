"""Reads one page of a finished document again, and compares both readings."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rayocr.api.reading import Cancellable, read_with
from rayocr.api.review.account import PageAccount
from rayocr.api.review.source import cut_page
from rayocr.ledger.manifest import Manifest, Spent
from rayocr.messages import PageOutcome
from rayocr.outputs.report.pages import Drawing
from rayocr.storage.base import Storage

_OF_READING = ("engine=", "engine.", "render.", "limits", "budget.", "retry.", "doubt.")
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
_MOST_WORDS = 6000  # maximum number of words of a comparison; longer texts are compared line by line


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReading:
    """The result of a new reading. `reason` and `message` describe the failure of the page. `spent`: tokens and cost, which are
    already recorded."""

    text: str
    outcome: str
    engine: str
    model: str = ""
    reason: str = ""
    message: str = ""
    doubts: tuple[str, ...] = ()
    spent: Spent = Spent()  # noqa: RUF009 - frozen

    @property
    def failed(self) -> bool:
        return self.outcome == PageOutcome.FAILED


def read_page(
    manifest: Manifest,
    page_number: int,
    *,
    drawing: Drawing,
    state: Storage,
    overrides: Sequence[str],
    reading: Cancellable,
    **options: Any,
) -> NewReading:
    """Reads a page. `overrides`: options as on the command line; `options` take precedence. Blocks. The cost is recorded when the
    function returns or raises. Raises RayocrError, like `rayocr.read`."""
    data = cut_page(manifest, page_number, drawing)
    account = PageAccount(state)
    document = read_with(overrides, data, on_child=reading.started, account=account, **options)
    (page,) = document.pages
    return NewReading(
        text=page.text,
        outcome=page.outcome,
        engine=page.engine,
        model=document.models[0] if len(document.models) == 1 else "",
        reason=page.reason,
        message=page.message,
        doubts=page.doubts,
        spent=account.spent,
    )


def options_of_reading(given: Sequence[str]) -> list[str]:
    """Returns the options of a command line that apply to reading a page."""
    return [option for option in given if option.lstrip("+").startswith(_OF_READING)]


def compared(before: str, after: str) -> list[tuple[str, str]]:
    """Returns the parts of both texts in order: ("=", common), ("-", only before), ("+", only after). Both texts can be restored
    from the parts."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    if len(old) + len(new) > _MOST_WORDS:
        old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    parts: list[tuple[str, str]] = []
    for kind, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            parts.append(("=", "".join(old[i1:i2])))
            continue
        if i2 > i1:
            parts.append(("-", "".join(old[i1:i2])))
        if j2 > j1:
            parts.append(("+", "".join(new[j1:j2])))
    return parts


def unified_diff(before: str, after: str, *, old: str, new: str) -> list[str]:
    """Returns the lines of the difference, after the names of both readings; none if the texts are equal."""
    return list(difflib.unified_diff(before.splitlines(), after.splitlines(), old, new, lineterm="", n=1))
