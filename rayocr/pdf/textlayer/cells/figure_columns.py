"""Splits lines at columns of figures without rulings: "10 49.00" is a quantity and an amount if both stand in columns.

A column of figures consists of at least three numbers in neighboring rows that begin or end at the same place. White space that
is wider than a blank separates each number from the word before it. The words in the column's head, the row above it, are split
too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from rayocr.pdf.textlayer.lines import TextLine, Word

_FIGURE = re.compile(r"[(\u2212\u2013+-]?[$€£¥₹]?\d[\d.,'\u2019]*%?\)?[$€£¥₹%]?")
_SIGN = re.compile(r"[$€£¥₹%]")
_MARKER = re.compile(r"\(?\w{1,2}[.)]")
_LEAST = 3  # minimum number of figures in a column
_BLANK_EM = 0.6  # the narrowest white space before a figure, and between the words of the head
_USUAL = 1.8  # ratio of this white space to the other blanks of the line, which may be justified
_SAME_PT = 1.5
_NEAR_EM = 3.5  # maximum distance from a figure to the next one of its column
_LEVEL = 0.4  # largest distance of the middles of words in one row, as a share of their height


class _Placed(NamedTuple):
    word: Word
    line: int
    place: int  # index of the word in its line


@dataclass(slots=True)
class _Column:
    """A column of figures. `left`, `right`: the white space before all its figures so far."""

    right: float
    left: float = float("-inf")
    rows: list[int] = field(default_factory=list)
    preceded: int = 0


def split_at_figures(lines: Sequence[TextLine]) -> Iterator[TextLine]:
    """Yields the lines, split before the figures of columns."""
    rows = _rows(lines)
    cuts: dict[int, set[int]] = {}
    for column in [*_columns(rows, lines, by_start=True), *_columns(rows, lines, by_start=False)]:
        first, last = column.rows[0], column.rows[-1]
        em = _height(rows[first])
        head = first - (first > 0 and _middle(rows[first]) - _middle(rows[first - 1]) < _NEAR_EM * em)
        for row in rows[head : last + 1]:
            for left, right in pairwise(row):
                overlap = min(right.word.x0, column.right) - max(left.word.x1, column.left)
                if (
                    left.line == right.line
                    and left.place < right.place
                    and right.word.x0 - left.word.x1 > _BLANK_EM * em
                    and overlap > _BLANK_EM * em / 2
                ):
                    cuts.setdefault(left.line, set()).add(right.place)
    for place, line in enumerate(lines):
        if place not in cuts:
            yield line
            continue
        ends = [0, *sorted(cuts[place]), len(line.words)]
        yield from (line.of_words(line.words[start:end]) for start, end in pairwise(ends))


def _rows(lines: Sequence[TextLine]) -> list[list[_Placed]]:
    """Returns the words of level lines in rows, each from left to right."""
    level = [place for place, line in enumerate(lines) if line.words and not line.vertical and not line.slanted]
    rows: list[list[_Placed]] = []
    base = float("-inf")
    for place in sorted(level, key=lambda place: lines[place].y0 + lines[place].y1):
        line = lines[place]
        middle = (line.y0 + line.y1) / 2
        if middle - base > _LEVEL * (line.y1 - line.y0):
            rows.append([])
            base = middle
        rows[-1] += [_Placed(word, place, number) for number, word in enumerate(line.words)]
    for row in rows:
        row.sort(key=lambda placed: placed.word.x0)
    return rows


def _columns(rows: Sequence[Sequence[_Placed]], lines: Sequence[TextLine], *, by_start: bool) -> list[_Column]:
    found: list[_Column] = []
    open_at: dict[int, _Column] = {}
    for number, row in enumerate(rows):
        for before, placed, behind in zip([None, *row[:-1]], row, [*row[1:], None], strict=True):
            if _FIGURE.fullmatch(placed.word.text) is None:
                continue
            is_signed = behind is not None and behind.line == placed.line and _SIGN.fullmatch(behind.word.text) is not None
            end = behind.word.x1 if behind is not None and is_signed else placed.word.x1
            slot = round((placed.word.x0 if by_start else end) / _SAME_PT)
            column = next((open_at.pop(near) for near in (slot, slot - 1, slot + 1) if near in open_at), None)
            if not _is_set_apart(before, placed, lines) or (not is_signed and _goes_on(placed, behind, lines)):
                continue
            if column is None or not _takes(column, before, placed, rows, number):
                column = _Column(placed.word.x0)
                found.append(column)
            column.rows.append(number)
            column.right = min(column.right, placed.word.x0)
            if before is not None:
                column.left = max(column.left, before.word.x1)
                column.preceded += 1
            open_at[slot] = column
    return [column for column in found if len(column.rows) >= _LEAST and column.preceded >= 2]


def _is_set_apart(before: _Placed | None, figure: _Placed, lines: Sequence[TextLine]) -> bool:
    """Returns whether more than a blank is before the figure, and no leader, end of a sentence or marker of a list item."""
    if before is None:
        return True
    line = lines[figure.line]
    gap = figure.word.x0 - before.word.x1
    text = before.word.text
    is_leader = text.endswith(".") or (not any(map(str.isalnum, text)) and _SIGN.fullmatch(text) is None)
    if is_leader or (before.place == 0 and _MARKER.fullmatch(text)) or gap < _BLANK_EM * (line.y1 - line.y0):
        return False
    blanks = sorted(right.x0 - left.x1 for left, right in pairwise(line.words))
    return before.line != figure.line or len(blanks) < 3 or gap > _USUAL * blanks[len(blanks) // 2]


def _goes_on(figure: _Placed, behind: _Placed | None, lines: Sequence[TextLine]) -> bool:
    """Returns whether the figure is followed by words of its cell, as in "40 m" and "25 Income". A range in brackets may follow
    it."""
    if behind is None or behind.line != figure.line or behind.word.text[0] in "([±":
        return False
    line = lines[figure.line]
    return behind.word.x0 - figure.word.x1 < _BLANK_EM * (line.y1 - line.y0) or not any(map(str.isdigit, behind.word.text))


def _takes(column: _Column, before: _Placed | None, figure: _Placed, rows: Sequence[Sequence[_Placed]], number: int) -> bool:
    """Returns whether the figure continues the column: it is near, and no word since the last figure is in the white space."""
    last = column.rows[-1]
    em = _height(rows[number])
    if _middle(rows[number]) - _middle(rows[last]) > _NEAR_EM * em:
        return False
    left = max(column.left, before.word.x1 if before is not None else column.left)
    right = min(column.right, figure.word.x0)
    if right - left < _BLANK_EM * em:
        return False
    middle = (max(left, right - em) + right) / 2
    return not any(placed.word.x0 < middle < placed.word.x1 for row in rows[last + 1 : number] for placed in row)


def _height(row: Sequence[_Placed]) -> float:
    return row[0].word.y1 - row[0].word.y0


def _middle(row: Sequence[_Placed]) -> float:
    return (row[0].word.y0 + row[0].word.y1) / 2
