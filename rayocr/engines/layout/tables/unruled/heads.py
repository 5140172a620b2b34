"""Adds heads to a table without a grid, if they do not fit its columns: heads over several columns, heads that the engine read as
one line, and the head of a group of rows below the heads. Example:

Region          2019               2020
            Units    Value     Units    Value
Kendal      3,514  7,501.52    3,062  4,730.95
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

from rayocr.engines.layout.lines import LayoutLine
from rayocr.engines.layout.rows import Row, rows_of
from rayocr.engines.layout.tables.alignment import AlignedTable
from rayocr.engines.layout.tables.table_rules import Column, is_figure

_MOST_ROWS = 3  # rows of heads
_GAP = 1.0  # largest white space above the table, as a multiple of the distance of its rows
_LONGEST = 30  # maximum number of characters of a head
_REACH_EM = 1.5  # largest distance of a head from its column
_BALANCED = 2.0  # largest ratio of the distances of a head in the middle between two columns
_FIGURES = 0.6  # least share of figures in a column that shows that the rows below are a table
_SENTENCE_END = (".", ";", ",", ":")
_FIELD = re.compile(r"[^\W\d]: ?\S")  # a label with its value, as in the header of a page

_Cells = list[list[LayoutLine]]


def with_heads(
    tables: Sequence[AlignedTable], lines: Sequence[LayoutLine], em: float
) -> tuple[list[AlignedTable], list[LayoutLine]]:
    """Returns the tables with such rows above them, and the lines that remain."""
    found: list[AlignedTable] = []
    rest = list(lines)
    for table in tables:
        rows = [] if table.by_columns else _heads(table, rest, em)
        taken = {id(line) for row in rows for line in row.segments}
        cells = [row for row in (_cells(row, _columns(table), em) for row in rows) if row is not None]
        found.append(replace(table, rows=[*cells, *table.rows]) if cells else table)
        rest = [line for line in rest if id(line) not in taken]
    return found, rest


def _columns(table: AlignedTable) -> list[Column]:
    columns = [[line for row in table.rows for line in row[n]] for n in range(len(table.rows[0]))]
    return [Column(min(line.x0 for line in lines), max(line.x1 for line in lines)) for lines in columns if lines]


def _heads(table: AlignedTable, lines: Sequence[LayoutLine], em: float) -> list[Row]:
    """Returns the rows of heads above the table, from top to bottom."""
    columns = _columns(table)
    if len(columns) < 2 or len(columns) < len(table.rows[0]) or not _has_figures(table):
        return []
    pitch = _pitch(table)
    near = [line for line in lines if line.x1 > table.x0 - em and line.x0 < table.x1 + em]
    near = [line for line in near if 0 < table.y0 - line.y0 < (_MOST_ROWS + 1) * (pitch + em)]
    found: list[Row] = []
    top, group = table.y0, None
    for row in reversed(rows_of(near)[-_MOST_ROWS - 1 :]):
        if top - row.y1 > _GAP * pitch or len(found) == _MOST_ROWS:
            break
        if group is None and not found and _is_group(row, columns, em):
            group = row
        elif _cells(row, columns, em) is None or (group is not None and not found and len(row.segments) < len(columns) - 1):
            break
        else:
            found = [row, *([group] if group is not None and not found else []), *found]
        top = row.y0
    return found


def _has_figures(table: AlignedTable) -> bool:
    for number in range(1, len(table.rows[0])):
        filled = [row[number] for row in table.rows if row[number]]
        if len(filled) > 1 and sum(map(is_figure, filled)) >= _FIGURES * len(filled):
            return True
    return False


def _pitch(table: AlignedTable) -> float:
    centers = [min(line.center_y for cell in row for line in cell) for row in table.rows if any(row)]
    return median(below - above for above, below in pairwise(centers)) if len(centers) > 1 else 0.0


def _is_group(row: Row, columns: Sequence[Column], em: float) -> bool:
    """Returns whether the row is the head of a group of rows: a short text at the beginning of the first column."""
    only = row.segments[0]
    return len(row.segments) == 1 and abs(only.x0 - columns[0].x0) < em and only.x1 < columns[1].x0 and len(only.text) <= _LONGEST


def _cells(row: Row, columns: Sequence[Column], em: float) -> _Cells | None:
    """Returns the cells of a row of heads; None if it is not one. A head over several columns is in the first of them."""
    cells: _Cells = [[] for _ in columns]
    if _is_group(row, columns, em):
        cells[0] = [row.segments[0]]
        return cells
    if len(row.segments) < 2 or any(not _may_be_head(segment.text) for segment in row.segments):
        return None
    done = -1
    for segment in row.segments:
        for part in _parts(segment, columns, em):
            over = _over(part, columns, em)
            if not over or over[0] <= done:
                return None
            cells[over[0]] = [part]
            done = over[-1]
    return cells


def _may_be_head(text: str) -> bool:
    return 1 < len(text) <= _LONGEST and not text.rstrip().endswith(_SENTENCE_END) and not _FIELD.search(text)


def _over(line: LayoutLine, columns: Sequence[Column], em: float) -> list[int]:
    """Returns the columns below a head; for a head in the middle between two columns, both; else the nearest one."""
    over = [n for n, column in enumerate(columns) if line.x0 < column.x1 and line.x1 > column.x0]
    if over:
        return over
    gaps = [max(column.x0 - line.x1, line.x0 - column.x1) for column in columns]
    for n, (one, other) in enumerate(pairwise(gaps)):
        if columns[n].x1 <= line.x0 and line.x1 <= columns[n + 1].x0 and max(one, other) < _BALANCED * min(one, other):
            return [n, n + 1]
    return [gaps.index(min(gaps))] if min(gaps) < _REACH_EM * em else []


def _parts(line: LayoutLine, columns: Sequence[Column], em: float) -> list[LayoutLine]:
    """Divides a line that covers two columns, since a head over both is in their middle and hardly ever as wide."""
    over = [column for column in columns if line.x0 < column.x1 and line.x1 > column.x0]
    if len(over) != 2 or line.x0 > over[0].x0 + _REACH_EM * em or line.x1 < over[1].x1 - _REACH_EM * em:
        return [line]
    return list(line.parted_at((over[0].x1 + over[1].x0) / 2) or [line])
