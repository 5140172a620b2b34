"""Joins the two lines of a cell if its row is centered between them. Otherwise the first line would become a separate row.
Example:

HV-20938-7   Slate, Welsh, 20 × 10 in   12
             Copper nails, 38 mm,
HV-11002-1                               3
             box of 500
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace

from rayocr.engines.layout.lines import LayoutLine

_LEVEL = 0.2  # largest distance of the middles of a row's texts, in line heights
_PITCH = (0.9, 1.6)  # distance of the two lines, in line heights
_ALIGNED = 0.3
_FREE = 1.3  # least distance of the next line in the columns of the other cells, as a multiple of the distance of the two lines
_LEAST_OTHERS = 2


def join_centered_cells(lines: Sequence[LayoutLine], em: float) -> list[LayoutLine]:
    """Returns the lines, with the two lines of such a cell joined at the height of its row."""
    level = sorted((line for line in lines if not line.is_vertical), key=lambda line: line.center_y)
    middles = [line.center_y for line in level]

    def between(low: float, high: float) -> list[LayoutLine]:
        return level[bisect_left(middles, low) : bisect_right(middles, high)]

    joined = {id(line): line for line in lines}
    for first in level:
        pitches = (low, high) = _PITCH[0] * first.height, _PITCH[1] * first.height
        seconds = [line for line in between(first.center_y + low, first.center_y + high) if _is_below(first, line, em)]
        if not seconds or min(pitches) <= 0 or id(first) not in joined or joined[id(first)] is not first:
            continue
        second = seconds[0]
        pitch, middle = second.center_y - first.center_y, (first.center_y + second.center_y) / 2
        row = between(middle - _LEVEL * em, middle + _LEVEL * em)
        alone = all(len(between(line.center_y - _LEVEL * em, line.center_y + _LEVEL * em)) == 1 for line in (first, second))
        if not alone or len(row) < _LEAST_OTHERS or any(_overlap(other, line) for other in row for line in (first, second)):
            continue
        near = between(middle - _FREE * pitch, middle + _FREE * pitch)
        if any(_overlap(other, line) for other in row for line in near if line is not other):
            continue
        text, half = f"{first.text.strip()} {second.text.strip()}", first.height / 2
        x0, x1 = min(first.x0, second.x0), max(first.x1, second.x1)
        joined[id(first)] = replace(first, text=text, x0=x0, x1=x1, y0=middle - half, y1=middle + half, columns="")
        joined.pop(id(second), None)
    return [joined[id(line)] for line in lines if id(line) in joined]


def _is_below(first: LayoutLine, second: LayoutLine, em: float) -> bool:
    """Returns whether both lines begin or end at the same place."""
    return min(abs(first.x0 - second.x0), abs(first.x1 - second.x1)) < _ALIGNED * em


def _overlap(one: LayoutLine, other: LayoutLine) -> bool:
    return min(one.x1, other.x1) > max(one.x0, other.x0)
