"""Collects the rulings that divide a page. Forms draw the line under a row of fields field by field, so such rulings are
joined."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from rayocr.engines.layout.lines import Ruling

_GAP_PT = 2.0  # largest gap between two rulings that touch, and largest distance of their axes
# Rulings of one article: least length, largest difference of their ends, least number, distance of two articles.
_LONG_PT, _LEVEL_PT, _LEAST_GROUP, _APART_PT, _MOST_APART_PT = 60.0, 6.0, 2, 12.0, 160.0
_BEYOND_PT = 1000.0  # beyond the edges of the page
_PASSES_PT = 3.0  # least length of a ruling on either side of another that it crosses


@dataclass(frozen=True, slots=True)
class Dividers:
    """Level rulings as they are drawn, level rulings made of several, and upright rulings."""

    level: Sequence[Ruling]
    joined: Sequence[Ruling]
    upright: Sequence[Ruling]

    @classmethod
    def of(cls, rulings: Sequence[Ruling]) -> Dividers:
        level = [ruling for ruling in rulings if ruling.is_horizontal]
        drawn = {id(ruling) for ruling in level}
        joined = [ruling for ruling in _joined(level, is_horizontal=True) if id(ruling) not in drawn]
        upright = _joined([it for it in rulings if not it.is_horizontal], is_horizontal=False)
        return cls([*level, *_between_groups(upright, level)], joined, upright)

    def outside(self, is_inside: Callable[[Ruling], bool]) -> Dividers:
        """Returns the rulings without the level ones for which `is_inside` is true."""
        level, joined = ([ruling for ruling in rulings if not is_inside(ruling)] for rulings in (self.level, self.joined))
        return Dividers(level, joined, self.upright)

    def changes(self, reach: float) -> list[float]:
        """Returns the places, in order, where another ruling begins or ends to reach this far to both sides."""
        return sorted(x for ruling in (*self.level, *self.joined) for x in (ruling.x0 + reach, ruling.x1 - reach))

    def across(self, x: float, reach: float) -> list[Ruling]:
        """Returns the level rulings that reach this far to both sides of x. Joined ones end at an upright ruling that continues
        below them, since it divides columns of fields."""
        found = [ruling for ruling in self.level if ruling.x0 < x - reach and ruling.x1 > x + reach]
        joined = [ruling for ruling in self.joined if ruling.x0 < x - reach and ruling.x1 > x + reach]
        near = [ruling for ruling in self.upright if abs(ruling.x0 - x) < reach] if joined else []
        return found + [ruling for ruling in joined if not any(_crosses(other, ruling) for other in near)]


def _between_groups(upright: Sequence[Ruling], level: Sequence[Ruling]) -> list[Ruling]:
    """Returns a level ruling between two groups of rulings that divide columns at the same places, as two articles have. Frames
    in a column, such as those of listings, do not divide columns."""
    groups: dict[tuple[int, int], list[Ruling]] = defaultdict(list)
    for ruling in upright:
        if ruling.y1 - ruling.y0 > _LONG_PT:
            groups[round(ruling.y0 / _LEVEL_PT), round(ruling.y1 / _LEVEL_PT)].append(ruling)
    divide = (group for group in groups.values() if len(group) >= _LEAST_GROUP and not _is_frame(group, level))
    stacked = sorted(divide, key=lambda group: group[0].y0)
    found: list[Ruling] = []
    for above, below in pairwise(stacked):
        same = sum(any(abs(one.x0 - other.x0) < _GAP_PT for other in below) for one in above)
        if same >= _LEAST_GROUP and _APART_PT < below[0].y0 - above[0].y1 < _MOST_APART_PT:
            xs, y = [ruling.x0 for ruling in (*above, *below)], max(ruling.y1 for ruling in above) + 1
            found.append(Ruling(x0=min(xs) - _BEYOND_PT, y0=y, x1=max(xs) + _BEYOND_PT, y1=y))
    return found


def _is_frame(group: Sequence[Ruling], level: Sequence[Ruling]) -> bool:
    """Returns whether a level ruling joins the ends of the outer upright rulings."""
    x0, x1 = min(ruling.x0 for ruling in group), max(ruling.x0 for ruling in group)
    ends = group[0].y0, group[0].y1
    joined = (ruling for ruling in level if abs(ruling.x0 - x0) < _LEVEL_PT and abs(ruling.x1 - x1) < _LEVEL_PT)
    return any(abs(ruling.y0 - end) < _LEVEL_PT for ruling in joined for end in ends)


def _crosses(upright: Ruling, level: Ruling) -> bool:
    return upright.y0 < level.y0 - _PASSES_PT and upright.y1 > level.y0 + _PASSES_PT


def _joined(rulings: Sequence[Ruling], *, is_horizontal: bool) -> list[Ruling]:
    """Returns the rulings, with one for those that touch end to end."""
    found: list[Ruling] = []
    last: dict[int, int] = {}  # index in `found` of the last ruling at each y (level rulings) or x (upright ones)
    for ruling in sorted(rulings, key=lambda ruling: ruling.x0 if is_horizontal else ruling.y0):
        at = int(ruling.y0 if is_horizontal else ruling.x0)
        known = next((last[place] for place in (at, at - 1, at + 1) if place in last), None)
        if known is not None and _touch(found[known], ruling, is_horizontal=is_horizontal):
            before = found[known]
            found[known] = replace(before, x1=max(before.x1, ruling.x1), y1=max(before.y1, ruling.y1))
        else:
            last[at] = len(found)
            found.append(ruling)
    return found


def _touch(before: Ruling, ruling: Ruling, *, is_horizontal: bool) -> bool:
    if is_horizontal:
        return ruling.x0 < before.x1 + _GAP_PT and abs(ruling.y0 - before.y0) < _GAP_PT
    return ruling.y0 < before.y1 + _GAP_PT and abs(ruling.x0 - before.x0) < _GAP_PT
