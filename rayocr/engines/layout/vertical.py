"""Handles Japanese and Chinese set vertically: columns from right to left, horizontal lines such as headings in place.

A stack of columns is rotated by a quarter turn counter-clockwise, so its columns become lines from top to bottom, which the rest
of the layout can read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rayocr.engines.layout.lines import LayoutLine

_SET_VERTICALLY = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_LEAST_CHARACTERS = 8  # in columns; fewer are a label beside a figure
_TALL = 1.2  # least height/width of a column of two or more characters


def is_set_vertically(lines: Sequence[LayoutLine]) -> bool:
    """Whether most of the page's Chinese and Japanese characters are in columns."""
    columns = total = 0
    for line in lines:
        found = len(_SET_VERTICALLY.findall(line.text))
        total += found
        columns += found if _is_column(line) else 0
    return columns >= _LEAST_CHARACTERS and 2 * columns > total


def bands(lines: Sequence[LayoutLine]) -> Iterator[tuple[bool, list[LayoutLine]]]:
    """Yields horizontal lines, and the stacks of columns between them (True), from top to bottom."""
    level = sorted((line for line in lines if not _is_column(line)), key=lambda line: line.center_y)
    columns = [line for line in lines if _is_column(line)]
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


def laid_down(column: LayoutLine, page_width: float) -> LayoutLine:
    """Returns the column as a line of the page rotated by a quarter turn counter-clockwise."""
    return replace(column, x0=column.y0, y0=page_width - column.x1, x1=column.y1, y1=page_width - column.x0)


def _is_column(line: LayoutLine) -> bool:
    characters = len(_SET_VERTICALLY.findall(line.text))
    if 2 * characters < len(line.text):
        return False
    return line.height > _TALL * line.width or (len(line.text) == 1 and line.height > 0.8 * line.width)
