"""Divides the rows of a grid that hold several rows of a table, since many tables have rulings between their columns only.

Figures show the rows: in most tables, each row has one below the other in at least one column. Without figures, the rows are
divided only below the head of a table with three columns or more, if every line fills every column.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rayocr.engines.layout.fields.beside import is_address
from rayocr.engines.layout.lines import LayoutLine
from rayocr.engines.layout.rows import rows_of
from rayocr.engines.layout.tables.table_rules import is_figure, runs_on
from rayocr.engines.layout.units.lines import sentences_run_on

_LABELED = 0.7  # least share of rows with text in their first column
_STACKED = 3  # least number of figures below each other
_FIGURES = 0.7  # least share of figures in the column that shows the rows
_LEAST_COLUMNS, _LEAST_ROWS = 3, 4  # for rows without figures
_APART_EM = 3.0  # rows that are further apart are separate parts of a form
_MOST_SHORT = 28  # most characters of a cell in rows without figures

Cells = list[list[LayoutLine]]


def divided(cells: Sequence[Sequence[LayoutLine]], *, is_body: bool) -> list[Cells]:
    """Returns the rows of the table within one row of the grid, each with the lines of its cells; the row itself if it is one.
    `is_body`: the row is below the head and is the only such row."""
    whole = [[list(cell) for cell in cells]]
    most = sorted(map(len, cells))
    if len(most) < 2 or most[-2] < _STACKED or any(line.is_vertical for cell in cells for line in cell):
        return whole
    rows = rows_of([line for cell in cells for line in cell])
    owner = {id(line): number for number, cell in enumerate(cells) for line in cell}
    grid: list[Cells] = []
    for row in rows:
        placed: Cells = [[] for _ in cells]
        for line in row.segments:
            placed[owner[id(line)]].append(line)
        grid.append(placed)
    if any(below.y0 - above.y1 > _APART_EM * above.height for above, below in pairwise(rows)):
        return whole
    begins = _begins_by_figures(grid) or (_begins_of_names(grid) if is_body else None)
    if begins is None:
        return whole
    return joined_rows(grid, begins)


def joined_rows(grid: Sequence[Cells], begins: Sequence[bool]) -> list[Cells]:
    """Joins each row of cells that does not begin a row of the table with the row above it."""
    found: list[Cells] = []
    for placed, begin in zip(grid, begins, strict=True):
        if begin or not found:
            found.append([list(cell) for cell in placed])
        else:
            for cell, more in zip(found[-1], placed, strict=True):
                cell.extend(more)
    return found


def _begins_by_figures(grid: Sequence[Cells]) -> list[bool] | None:
    """Returns for each row of lines whether a row of the table begins with it; None if columns of figures do not show it."""
    shown = [number for number in range(len(grid[0])) if _shows_rows([cells[number] for cells in grid])]
    begins = [any(cells[number] for number in shown) for cells in grid]
    first = next((number for number in range(len(grid[0])) if sum(bool(cells[number]) for cells in grid) >= _STACKED), 0)
    starting = [cells for cells, begin in zip(grid, begins, strict=True) if begin]
    if len(shown) > 1:
        begins = [begin or _is_group_head(cells, first) for cells, begin in zip(grid, begins, strict=True)]
    if not shown or len(starting) < _STACKED or not begins[0]:
        return None
    if any(runs_on([cells[number] for cells in starting]) for number in range(len(grid[0]))):
        return None  # the lines are those of one cell
    labeled = sum(bool(cells[first]) for cells in starting)
    full = sum(sum(map(bool, cells)) > 1 for cells in starting)
    return begins if min(labeled, full) >= _LABELED * len(starting) else None


def _is_group_head(cells: Cells, first: int) -> bool:
    """Returns whether the line is the head of a group of rows: short text in the first column only, not the rest of a label."""
    text = " ".join(line.text for line in cells[first]).strip()
    return sum(map(bool, cells)) == 1 and text[:1].isupper() and len(text) <= _MOST_SHORT


def _shows_rows(cells: Sequence[Sequence[LayoutLine]]) -> bool:
    filled = [cell for cell in cells if cell]
    figures = sum(map(is_figure, filled))
    return figures >= _STACKED and figures >= _FIGURES * len(filled)


def _begins_of_names(grid: Sequence[Cells]) -> list[bool] | None:
    if len(grid) < _LEAST_ROWS or len(grid[0]) < _LEAST_COLUMNS or not all(all(cells) for cells in grid):
        return None
    for number in range(len(grid[0])):
        texts = [line.text.strip() for cells in grid for line in cells[number]]
        if max(map(len, texts)) > _MOST_SHORT or sentences_run_on(texts) or is_address(texts):
            return None
        if any(text[:1].islower() for text in texts):
            return None
    return [True] * len(grid)
