"""Joins the characters of comb fields, where each has a separate box or is between two ticks: 2 0 2 3 becomes 2023."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from rayocr.engines.layout.lines import LayoutLine, Ruling

_APART = re.compile(r"[^\W_](?: [^\W_])+")
_PITCH = (0.6, 2.4)  # distance of the middles of two characters, in line heights
_EQUAL = 0.08  # largest difference of the distances, as a share of their mean
_TICK_EM = 3.5  # longest side of a box
_LEVEL = 0.3
# Limits for rows of single characters that are a table: distance, alignment, share of characters with another one below.
_MATRIX_EM, _ALIGNED_EM, _MATRIX = 2.2, 0.06, 0.5
_LEAST_COUNTED, _COUNTED_PITCH = 3, 4.0  # number of digits, and their largest distance in line heights
_MOST_TICKS = 800


def join_combs(lines: Sequence[LayoutLine], rulings: Sequence[Ruling], em: float) -> list[LayoutLine]:
    """Returns the lines, with one line for the characters of each field."""
    ticks = [ruling for ruling in rulings if not ruling.is_horizontal and ruling.y1 - ruling.y0 < _TICK_EM * em]
    if not 0 < len(ticks) <= _MOST_TICKS:
        return list(lines)
    joined = {id(line): line for line in lines}
    for line in lines:
        if _APART.fullmatch(line.text.strip()) and _are_between(_middles(line), line, ticks):
            joined[id(line)] = replace(line, text=line.text.replace(" ", ""), columns="")
    singles = sorted((line for line in lines if len(line.text) == 1 and line.text.isalnum()), key=lambda line: line.x0)
    rows: list[list[LayoutLine]] = []
    for line in singles:
        row = next((row for row in rows if _continues(row, line, ticks)), None)
        if row is None:
            rows.append([line])
        else:
            row.append(line)
    for row in rows:
        if len(row) > 1 and not _is_matrix(row, singles, em) and not _is_counting(row, singles):
            y0, y1 = min(line.y0 for line in row), max(line.y1 for line in row)
            text = "".join(line.text for line in row)
            joined[id(row[0])] = replace(row[0], text=text, x1=row[-1].x1, y0=y0, y1=y1, columns="")
            for line in row[1:]:
                del joined[id(line)]
    return [joined[id(line)] for line in lines if id(line) in joined]


def _middles(line: LayoutLine) -> list[float]:
    """Returns the middles of the characters of a line, which are equally far apart."""
    count = len(line.text.strip()) // 2 + 1
    letter = min(0.55 * line.height, line.width / count)
    return [line.x0 + letter / 2 + n * (line.width - letter) / (count - 1) for n in range(count)]


def _are_between(middles: Sequence[float], line: LayoutLine, ticks: Sequence[Ruling]) -> bool:
    """Returns whether a tick at the height of the line is between each two of its characters."""
    beside = [tick.x0 for tick in ticks if tick.y0 < line.y1 + line.height / 2 and tick.y1 > line.y0]
    return all(any(left < x < right for x in beside) for left, right in pairwise(middles))


def _continues(row: Sequence[LayoutLine], line: LayoutLine, ticks: Sequence[Ruling]) -> bool:
    last = row[-1]
    if abs(last.center_y - line.center_y) > _LEVEL * line.height:
        return False
    middles = [_middle(other, ticks) for other in (*row[-2:], line)]
    pitch = middles[-1] - middles[-2]
    if not _PITCH[0] * line.height < pitch < _PITCH[1] * line.height:
        return False
    if len(middles) > 2 and abs(pitch - (middles[1] - middles[0])) > _EQUAL * pitch:
        return False
    return _are_between(middles[-2:], line, ticks)


def _middle(line: LayoutLine, ticks: Sequence[Ruling]) -> float:
    """Returns the middle of the box of a character; its own middle if no ticks are on both sides of it. Boxes are equally far
    apart, and letters are not: on 3 scanned pages with combs the distances of narrow letters differed by up to 18 %."""
    middle, reach = (line.x0 + line.x1) / 2, _PITCH[1] / 2 * line.height
    beside = [tick.x0 for tick in ticks if tick.y0 < line.center_y < tick.y1 and abs(tick.x0 - middle) < reach]
    left = max((x for x in beside if x < middle), default=None)
    right = min((x for x in beside if x > middle), default=None)
    return middle if left is None or right is None else (left + right) / 2


def _is_matrix(row: Sequence[LayoutLine], singles: Sequence[LayoutLine], em: float) -> bool:
    """Returns whether most characters have another one above or below them, as in a table of digits."""
    stacked = sum(
        any(
            other is not line
            and abs(other.x0 + other.x1 - line.x0 - line.x1) < 2 * _ALIGNED_EM * em
            and 0 < abs(other.center_y - line.center_y) < _MATRIX_EM * em
            for other in singles
        )
        for line in row
    )
    return stacked > _MATRIX * len(row)


def _is_counting(row: Sequence[LayoutLine], singles: Sequence[LayoutLine]) -> bool:
    """Returns whether the characters are part of a row of digits with equal steps, each in its own cell: the numbers of bits or
    pages, or the labels of a scale (7 6 5 4, 2 4 6 8)."""
    first = row[0]
    level = [line for line in singles if abs(line.center_y - first.center_y) <= _LEVEL * first.height]
    place = next(n for n, line in enumerate(level) if line is first)
    start, end = place, place + 1
    while start > 0 and level[start].x0 - level[start - 1].x0 < _COUNTED_PITCH * first.height:
        start -= 1
    while end < len(level) and level[end].x0 - level[end - 1].x0 < _COUNTED_PITCH * first.height:
        end += 1
    texts = [line.text for line in level[start:end]]
    if len(texts) < _LEAST_COUNTED or not all(map(str.isdecimal, texts)):
        return False
    steps = {int(other) - int(one) for one, other in pairwise(texts)}
    return len(steps) == 1 and steps != {0}
