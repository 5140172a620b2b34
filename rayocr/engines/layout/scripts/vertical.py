"""Handles vertical Japanese and Chinese: columns from right to left, with horizontal lines such as headings in their place."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from rayocr.engines.layout.lines import LayoutLine

_SET_VERTICALLY = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_LEAST_CHARACTERS = 8  # number of characters in columns; fewer are a label beside a figure
_TALL = 1.2  # least height/width of a column of two or more characters
_SAME_COLUMN = 0.5  # least overlap of two pieces of one column, as a share of the smaller width
_JOINED = 0.8  # largest gap between two pieces of a column, in widths of the column
_RUBY = 0.62  # most width of ruby (small letters that show the pronunciation), as a share of the width of the column beside it
_BESIDE_RUBY = 0.5  # gap between a column and its ruby, in widths of the column
_CROSSING = 0.3  # share of a column's width; a column that reaches less far into the next tier does not cross
_SHORT, _INDENT = 1.6, 0.6  # white space at the end of a short column and at the start of an indented one, in widths of a column
_ENDS = frozenset("。．！？」』）…")  # characters that end a sentence or a heading
_APART = 1.6  # a larger distance than this multiple of the usual one separates columns
_OTHER_SIZE = 1.15


def is_set_vertically(lines: Sequence[LayoutLine]) -> bool:
    """Returns whether most of the page's Chinese and Japanese characters are in columns."""
    columns = total = 0
    for line in lines:
        found = len(_SET_VERTICALLY.findall(line.text))
        total += found
        columns += found if _is_column(line) else 0
    return columns >= _LEAST_CHARACTERS and 2 * columns > total


def bands(lines: Sequence[LayoutLine]) -> Iterator[tuple[bool, list[LayoutLine]]]:
    """Yields horizontal lines, and the stacks of columns between them (True), from top to bottom."""
    columns, level = _whole_columns(lines)
    level.sort(key=lambda line: line.center_y)
    waiting: list[LayoutLine] = []
    for line in level:
        above = [column for column in columns if column.center_y < line.center_y]
        if above:
            if waiting:
                yield False, waiting
            yield True, above
            taken = {id(column) for column in above}
            columns, waiting = [column for column in columns if id(column) not in taken], []
        waiting.append(line)
    if waiting and columns:
        yield False, waiting
        waiting = []
    if columns:
        yield True, columns
    if waiting:
        yield False, waiting


def paragraphs_of(columns: Sequence[LayoutLine]) -> Iterator[str]:
    """Yields the paragraphs of a stack: tiers from top to bottom, columns from right to left. Ruby follows its paragraph."""
    begun = ""  # a paragraph that continues in the next tier
    ruby_before: list[str] = []
    for tier in _tiers(list(columns)):
        places = _Places(tier)
        ruby = [
            column for column in tier if any(_is_ruby_of(column, other) for other in places.near(column, reach=places.widest))
        ]
        taken = {id(column) for column in ruby}
        ordered = sorted((column for column in tier if id(column) not in taken), key=lambda column: -column.x1)
        shape = _Shape.of(ordered)
        if begun and ordered[0].y0 > shape.top + _INDENT * ordered[0].width:
            yield from (begun, *ruby_before)
            begun, ruby_before = "", []
        paragraph: list[LayoutLine] = []
        for column in ordered:
            if paragraph and not shape.continues(paragraph[-1], column):
                yield from (begun + _joined(paragraph), *ruby_before, *_ruby_beside(paragraph, ruby))
                begun, ruby_before, paragraph = "", [], []
            paragraph.append(column)
        begun, ruby_before = begun + _joined(paragraph), [*ruby_before, *_ruby_beside(paragraph, ruby)]
        if len(paragraph) < 2 or begun[-1] in _ENDS or paragraph[-1].y1 < shape.bottom - _SHORT * paragraph[-1].width:
            yield from (begun, *ruby_before)
            begun, ruby_before = "", []
    yield from (begun, *ruby_before) if begun else ()


@dataclass(frozen=True, slots=True)
class _Shape:
    """Typical measures of a tier."""

    top: float
    bottom: float
    pitch: float

    @classmethod
    def of(cls, ordered: Sequence[LayoutLine]) -> _Shape:
        pitches = [right.x1 - left.x1 for right, left in pairwise(ordered)]
        # The larger half is ignored, since columns of short paragraphs are mostly farther apart.
        pitch = median(sorted(pitches)[: len(pitches) // 2 + 1]) if pitches else 0.0
        ends = sorted((line.y1 for line in ordered), reverse=True)
        bottom = median(ends[: len(ends) // 2 + 1])  # a full stop may hang below a full column
        return cls(top=min(line.y0 for line in ordered), bottom=bottom, pitch=pitch)

    def continues(self, above: LayoutLine, column: LayoutLine) -> bool:
        larger, smaller = max(above.width, column.width), min(above.width, column.width)
        if larger > _OTHER_SIZE * smaller or above.x1 - column.x1 > _APART * self.pitch:
            return False
        if above.text[-1] in "」』" and column.text[0] in "「『":  # the columns are the words of two speakers
            return False
        return above.y1 > self.bottom - _SHORT * larger and column.y0 < self.top + _INDENT * larger


def _joined(paragraph: Sequence[LayoutLine]) -> str:
    text = ""
    for column in paragraph:
        text += " " + column.text if text[-1:].isascii() and text[-1:].isalnum() and column.text[0].isascii() else column.text
    return text


def _ruby_beside(paragraph: Sequence[LayoutLine], ruby: Sequence[LayoutLine]) -> Iterator[str]:
    beside = [small for small in ruby if any(_is_ruby_of(small, column) for column in paragraph)]
    for small in sorted(beside, key=lambda line: (-line.x1, line.y0)):
        yield small.text


def _is_ruby_of(small: LayoutLine, column: LayoutLine) -> bool:
    if small is column or small.width > _RUBY * column.width:
        return False
    beside = -0.3 * column.width < small.x0 - column.x1 < _BESIDE_RUBY * column.width
    return beside and small.y1 > column.y0 and small.y0 < column.y1


def _tiers(columns: list[LayoutLine]) -> list[list[LayoutLine]]:
    """Splits a stack where no column crosses a horizontal line."""
    tiers: list[list[LayoutLine]] = []
    bottom = float("-inf")
    for column in sorted(columns, key=lambda column: column.y0):
        if column.y0 > bottom - _CROSSING * column.width:
            tiers.append([])
            bottom = column.y1
        tiers[-1].append(column)
        bottom = max(bottom, column.y1)
    return tiers


class _Places:
    """Finds columns by their horizontal position, so that a page of thousands of characters takes linear time."""

    def __init__(self, columns: Sequence[LayoutLine]) -> None:
        self.widest = max((column.width for column in columns), default=0.0) or 1.0
        self._cells: dict[int, dict[int, LayoutLine]] = {}
        for number, column in enumerate(columns):
            self.put(number, column)

    def put(self, number: int, column: LayoutLine) -> None:
        """Adds a column, or replaces the one with this number."""
        for cell in self._range(column, 0.0):
            self._cells.setdefault(cell, {})[number] = column

    def near(self, line: LayoutLine, *, reach: float = 0.0) -> list[LayoutLine]:
        found = {number: column for cell in self._range(line, reach) for number, column in self._cells.get(cell, {}).items()}
        return [found[number] for number in sorted(found)]

    def numbered(self, line: LayoutLine) -> list[tuple[int, LayoutLine]]:
        """Returns the columns at this place, with their numbers, and forgets those that end far above the line."""
        for cell in self._range(line, 0.0):
            kept = self._cells.get(cell, {})
            self._cells[cell] = {number: it for number, it in kept.items() if it.y1 > line.y0 - 2 * self.widest}
        found = {number: it for cell in self._range(line, 0.0) for number, it in self._cells[cell].items()}
        return sorted(found.items(), key=lambda item: item[0])

    def _range(self, line: LayoutLine, reach: float) -> range:
        return range(int((line.x0 - reach) // self.widest), int((line.x1 + reach) // self.widest) + 1)


def _whole_columns(lines: Sequence[LayoutLine]) -> tuple[list[LayoutLine], list[LayoutLine]]:
    """Returns the columns, with their pieces joined, and the other lines. Two digits side by side (45) are pieces of a column."""
    columns = sorted((line for line in lines if _is_column(line)), key=lambda line: line.y0)
    level: list[LayoutLine] = []
    places = _Places(columns)
    for piece in sorted((line for line in lines if not _is_column(line)), key=lambda line: (line.y0, line.x0)):
        is_small = len(piece.text) <= 4 and any(_is_within(piece, column) for column in places.near(piece))
        if is_small:
            columns.append(piece)
            places.put(len(columns), piece)
        else:
            level.append(piece)
    tops = sorted(column.y0 for column in columns)
    joined: list[LayoutLine] = []
    places = _Places([])
    places.widest = max((column.width for column in columns), default=0.0) or 1.0
    for column in sorted(columns, key=lambda line: (line.y0, line.x0)):
        slack = 0.2 * column.width
        level_tops = bisect_left(tops, column.y0 + slack) - bisect_right(tops, column.y0 - slack)
        begins_tier = len(column.text) > 2 and level_tops > 1
        above = None if begins_tier else next((it for it in places.numbered(column) if _follows(it[1], column)), None)
        if above is None:
            joined.append(column)
            places.put(len(joined) - 1, column)
            continue
        number, over = above
        joined[number] = replace(
            over,
            text=over.text + column.text,
            x0=min(over.x0, column.x0),
            x1=max(over.x1, column.x1),
            y1=max(over.y1, column.y1),
        )
        places.put(number, joined[number])
    return joined, level


def _is_within(piece: LayoutLine, column: LayoutLine) -> bool:
    """Returns whether the piece is no wider than the column and is in it or continues it."""
    shared = min(piece.x1, column.x1) - max(piece.x0, column.x0)
    near = max(column.y0 - piece.y1, piece.y0 - column.y1) < _JOINED * column.width
    return near and piece.width < 1.3 * column.width and shared > _SAME_COLUMN * piece.width


def _follows(above: LayoutLine, column: LayoutLine) -> bool:
    shared = min(above.x1, column.x1) - max(above.x0, column.x0)
    larger, smaller = max(above.width, column.width), min(above.width, column.width)
    gap = column.y0 - above.y1
    is_piece = len(column.text) <= 2 or above.text[-1].isascii() or column.text[0].isascii()
    if not is_piece or (len(column.text) > 4 and larger > _OTHER_SIZE * smaller):
        return False
    return shared > _SAME_COLUMN * smaller and -1.2 * larger < gap < _JOINED * larger


def _is_column(line: LayoutLine) -> bool:
    characters = len(_SET_VERTICALLY.findall(line.text))
    if 2 * characters < len(line.text):
        return line.height > _TALL * line.width and characters > 0
    return line.height > _TALL * line.width or (len(line.text) == 1 and line.height > 0.8 * line.width)
