"""Detects rows with line numbers in the margin, as in pleadings, bills, transcripts and verse: they keep their lines, so that no
number becomes part of a sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from rayocr.engines.layout.lines import LayoutLine

_NUMBER = re.compile(r"(\d{1,4})\s+(?=(\S))")
_LEAST_ROWS = 4  # with a number, if every row has one
_STEP = 5  # otherwise, every fifth row has one
_RUNS_ON = 0.3  # share of the numbered rows that begin in lower case, unlike the entries of a list
_IN_MARGIN = re.compile(r"\d{0,3}[05]")
_LEVEL = 0.5  # greatest distance of the middles of a number and its line, as a share of the line's height


def join_line_numbers(lines: Sequence[LayoutLine]) -> list[LayoutLine]:
    """Returns the lines, with the numbers of every fifth line, which stand on one side of the text, at the beginning of their
    lines. Exactly five lines are from one number to the next."""
    numbers = sorted((line for line in lines if _IN_MARGIN.fullmatch(line.text.strip())), key=lambda line: line.center_y)
    values = [int(line.text) for line in numbers]
    if len(numbers) < 2 or any(after - before != _STEP for before, after in pairwise(values)) or not values[0]:
        return list(lines)
    taken = {id(line) for line in numbers}
    rows = sorted((line for line in lines if id(line) not in taken and not line.is_vertical), key=lambda line: line.center_y)
    places = [_row_of(number, rows) for number in numbers]
    numbered = [rows[place] for place in places if place is not None]
    is_left = all(number.x1 < row.x0 for number, row in zip(numbers, numbered, strict=False))
    is_right = all(number.x0 > row.x1 for number, row in zip(numbers, numbered, strict=False))
    known = [place for place in places if place is not None]
    if len(known) < len(numbers) or not (is_left or is_right) or any(b - a != _STEP for a, b in pairwise(known)):
        return list(lines)
    joined = {id(row): replace(row, text=f"{value} {row.text}", columns="") for value, row in zip(values, numbered, strict=True)}
    return [joined.get(id(line), line) for line in lines if id(line) not in taken]


def _row_of(number: LayoutLine, rows: Sequence[LayoutLine]) -> int | None:
    """Returns the place of the only line that is level with the number."""
    near = [place for place, row in enumerate(rows) if abs(row.center_y - number.center_y) < _LEVEL * row.height]
    return near[0] if len(near) == 1 else None


def with_line_numbers(texts: Sequence[str]) -> list[bool]:
    """Returns for each row of a column whether it belongs to text with line numbers."""
    counted: dict[int, list[int]] = {}  # indexes of numbered rows, by the difference between number and index
    found = [_NUMBER.match(text) for text in texts]
    for place, match in enumerate(found):
        if match is not None:
            counted.setdefault(int(match.group(1)) - place, []).append(place)
    marked = [False] * len(texts)
    for places in counted.values():
        first, last = places[0], places[-1]
        steps = {after - before for before, after in pairwise(places)}
        is_counted = steps == {_STEP} or (steps == {1} and len(places) >= _LEAST_ROWS)
        lower = sum(match.group(2).islower() for match in (found[place] for place in places) if match is not None)
        if is_counted and lower >= _RUNS_ON * len(places):
            before = min(_STEP - 1, int(texts[first].split()[0]) - 1, first) if steps == {_STEP} else 0
            after = min(_STEP - 1, len(texts) - 1 - last) if steps == {_STEP} else 0
            marked[first - before : last + 1 + after] = [True] * (before + last + 1 - first + after)
    return marked
