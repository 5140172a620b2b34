"""Finds headings in the size and weight of the body by their numbers or capitals: "4. Results", "VI. DISCUSSION".

A line counts only if it is short, stands apart above running text, and has no mark at its end. Capitals without a number need
another such line in the column.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from rayocr.engines.layout.rows import Row

_NUMBERED = re.compile(r"(\d{1,2}(?:\.\d{1,2}){1,3}\.?|\d{1,2}\.)\s+[A-Z\u00c0-\u00de][^\W\d_]+")
_ROMAN = re.compile(r"[IVX]{1,5}\.\s+[^\W\d_a-z]{3}")
_MOST_CHARS, _LEAST_CAPITALS = 80, 5
_LEAST_TEXT = 45  # characters of the line below
_SHORT = 0.85  # largest share of the column's width
_WIDER_PITCH, _NEAR_PITCHES = 0.3, 3.0  # as for bold headings
_INDENT_EM = 2.5  # largest indentation of the text below, or of the heading
_SAME_PLACE_EM = 0.5
_DEEPEST, _LEVEL_OF_CAPITALS = 4, 3


def with_plain_headings(
    rows: Sequence[Row], levels: Sequence[int], is_body: Callable[[Row], bool], pitch: float, em: float
) -> list[int]:
    """Returns the levels, with those of plain headings. `is_body`: whether a row is as large as the body; False for scans.
    `pitch`: the usual distance of lines."""
    found = list(levels)
    if not any(_level(row.text) for row in rows):
        return found
    left, right = min(row.x0 for row in rows), max(row.x1 for row in rows)
    capitals: list[int] = []
    for place in range(len(rows) - 2, -1, -1):
        row, below = rows[place], rows[place + 1]
        level = 0 if found[place] or row.bold or not is_body(row) or row.is_tabular(em) else _level(row.text)
        is_short = row.x1 - row.x0 < _SHORT * (right - left)
        is_apart = place == 0 or found[place - 1] > 0 or row.center_y - rows[place - 1].center_y > pitch + _WIDER_PITCH * em
        follows = place > 0 and _level(rows[place - 1].text) > 0 and not rows[place - 1].text.isupper()
        if not level or not is_short or not (is_apart or follows) or below.center_y - row.center_y > _NEAR_PITCHES * pitch:
            continue
        if not _is_text(below, row, em) and not (found[place + 1] > level and _NUMBERED.match(below.text)):
            continue
        if _is_numbered(row.text):
            found[place] = level
        elif place:
            capitals.append(place)
    for place in capitals:
        if any(other != place and _is_sibling(rows[place], rows[other], em) for other in capitals):
            found[place] = _LEVEL_OF_CAPITALS
    return found


def _level(text: str) -> int:
    """Returns the level that the number or the capitals of a heading suggest; 0 if there are none."""
    if len(text) > _MOST_CHARS or not text[-1:].isalpha():
        return 0
    if match := _NUMBERED.match(text):
        return min(match.group(1).rstrip(".").count(".") + 2, _DEEPEST)
    if not text.isupper() or sum(map(str.isalpha, text)) < _LEAST_CAPITALS:
        return 0
    return 2 if _ROMAN.match(text) else _LEVEL_OF_CAPITALS


def _is_numbered(text: str) -> bool:
    return _NUMBERED.match(text) is not None or _ROMAN.match(text) is not None


def _is_text(below: Row, row: Row, em: float) -> bool:
    """Returns whether the row below is the first line of running text."""
    is_text = len(below.text) >= _LEAST_TEXT and not below.bold and not below.text.isupper() and not below.text[:1].islower()
    is_centered = abs(below.x0 + below.x1 - row.x0 - row.x1) < 2 * em
    is_below = abs(below.x0 - row.x0) < _INDENT_EM * em or is_centered
    return is_text and is_below and not below.is_tabular(em) and not _is_numbered(below.text)


def _is_sibling(one: Row, other: Row, em: float) -> bool:
    is_level = abs(one.x0 - other.x0) < _SAME_PLACE_EM * em
    return is_level or abs(one.x0 + one.x1 - other.x0 - other.x1) < 2 * _SAME_PLACE_EM * em
