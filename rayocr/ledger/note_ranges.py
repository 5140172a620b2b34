"""Folds equal notes on many pages of a manifest into one, with the page numbers as ranges ("1-99998"). Messages often name their
page ("Page 7 cannot be loaded"); such a number is stored as `{page}`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from rayocr.ledger.runs import format_runs, runs_of

_MAX_NOTES = 1_000_000  # maximum number per manifest, expanded
_MARK = "{page}"
_NUMBERED = re.compile(r"\b([Pp]age )(\d+)\b")
_KEYS = ("message",)


def folded(notes: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns the notes as JSON objects with `page_number`, in order. Notes for several pages also have `pages`."""
    groups: dict[str, tuple[dict[str, Any], dict[str, Any], list[int]]] = {}
    for note in notes:
        number = note["page_number"]
        shared = _with_mark({key: value for key, value in note.items() if key != "page_number"}, number)
        key = json.dumps(shared, default=str, sort_keys=True)
        if _MARK in json.dumps(note, default=str):  # the marker occurs in the message by chance, so do not fold it
            key = str(number)
        groups.setdefault(key, (note, shared, []))[2].append(number)
    return [
        note if len(numbers) == 1 else {"page_number": numbers[0], "pages": format_runs(numbers), **shared}
        for note, shared, numbers in groups.values()
    ]


def unfolded(notes: Any) -> Any:
    """Expands to one note per page, ordered by page. Passes on values that are not folded notes. Raises ValueError for invalid
    or too many page numbers."""
    if not isinstance(notes, list) or not any(isinstance(note, dict) and "pages" in note for note in notes):
        return notes
    single: list[Any] = []
    for note in notes:
        if not isinstance(note, dict) or "pages" not in note:
            single.append(note)
            continue
        runs = runs_of(str(note["pages"]))
        if len(single) + sum(len(run) for run in runs) > _MAX_NOTES:
            raise ValueError("The manifest has notes on more pages than a document can have.")
        shared = {key: value for key, value in note.items() if key not in ("pages", "page_number")}
        single += [{"page_number": number, **_with_number(shared, number)} for run in runs for number in run]
    numbers = [note.get("page_number") if isinstance(note, dict) else None for note in single]
    return sorted(single, key=lambda note: note["page_number"]) if all(isinstance(n, int) for n in numbers) else single


def _with_mark(note: dict[str, Any], number: int) -> dict[str, Any]:
    own = str(number)
    return _mapped(note, lambda text: _NUMBERED.sub(lambda found: found[1] + _MARK if found[2] == own else found[0], text))


def _with_number(note: dict[str, Any], number: int) -> dict[str, Any]:
    return _mapped(note, lambda text: text.replace(_MARK, str(number)))


def _mapped(note: dict[str, Any], change: Any) -> dict[str, Any]:
    """Returns the note with its messages replaced, including those of its attempts."""
    changed = {key: change(value) if key in _KEYS and isinstance(value, str) else value for key, value in note.items()}
    attempts = note.get("attempts")
    if isinstance(attempts, list | tuple):
        changed["attempts"] = [_mapped(attempt, change) if isinstance(attempt, dict) else attempt for attempt in attempts]
    return changed
