"""Finds the levels of nested lists by the indentation of their markers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from rayocr.engines.layout.rows import Row
from rayocr.engines.layout.units.items import is_certain_item
from rayocr.engines.layout.units.series import list_markers

_INDENT_EM = 0.8  # least indentation of a nested marker; numbers that are set to the right differ by less
_DEEPEST = 5
_ROUND = re.compile(r"o(?:\s+\S|$)")  # Word's second bullet is the letter "o" of Courier
_SAME_EDGE_EM = 0.4
_MARKERS = 0.6  # least share of the rows with the bullet's left edge that begin with it


class Item(NamedTuple):
    """The first line of a list item: its text and its left edge in points."""

    text: str
    x0: float


def nested(items: Sequence[Item], em: float) -> list[int]:
    """Returns the level of each item of a list, 0 for the outermost. An item whose number follows that of an item around it has
    the level of that item, since "9." and "10." may be set to the right."""
    levels: list[int] = []
    around: list[Item] = []
    for item in items:
        while len(around) > 1 and item.x0 < around[-1].x0 - _INDENT_EM * em / 2:
            around.pop()
        sibling = next((place for place, other in enumerate(around) if _is_next(other.text, item.text)), None)
        if sibling is not None:
            del around[sibling:]
        elif around and (item.x0 < around[-1].x0 + _INDENT_EM * em or len(around) > _DEEPEST):
            around.pop()
        levels.append(len(around))
        around.append(item)
    return levels


def _is_next(text: str, following: str) -> bool:
    return any(one.is_before(two) for one in list_markers(text) for two in list_markers(following))


def with_round_bullets(rows: Sequence[Row], em: float) -> list[Row]:
    """Returns the rows with "◦" for the letter "o" where it is the bullet of an indented item."""
    places = [place for place, row in enumerate(rows) if _ROUND.match(row.text)]
    if not places:
        return list(rows)
    result = list(rows)
    left = min(row.x0 for row in rows)
    for place in places:
        row = rows[place]
        beside = [other for other in rows if abs(other.x0 - row.x0) < _SAME_EDGE_EM * em and not is_certain_item(other.text)]
        share = sum(_ROUND.match(other.text) is not None for other in beside) / len(beside)
        is_below = place > 0 and is_certain_item(rows[place - 1].text) and rows[place - 1].x0 < row.x0 - _INDENT_EM * em
        is_alone = len(row.segments) > 1 and row.segments[0].text.strip() == "o"
        is_indented = row.x0 > left + _INDENT_EM * em
        if share >= _MARKERS and ((is_indented and len(beside) > 1) or is_below or (is_alone and len(beside) > 1)):
            first = row.segments[0]
            changed = replace(first, text="◦" + first.text.lstrip()[1:], columns="")
            result[place] = Row((changed, *row.segments[1:]))
    return result
