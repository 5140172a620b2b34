"""Finds tables from rulings, whose cells are certain, and, in clear cases only, from columns of short segments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from rayocr.engines.layout.lines import LayoutLine
from rayocr.engines.layout.rows import Row, rows_of
from rayocr.engines.layout.tables.bands import divided
from rayocr.engines.layout.tables.cell_text import cell_texts
from rayocr.engines.layout.tables.grid import Grid

_MAX_CELL_LINES = 14  # a "cell" with more lines is a frame around a part of the page
_MAX_OPEN_CELL_LINES = 3  # a cell with more lines is several rows, since open tables often lack rulings between rows
_HEAD_AND_BODY = 2  # number of rows of a grid without rulings between the rows of the table
_MIN_FILLED = 0.3
_MIN_UNRULED_ROWS = 4
_MIN_UNRULED_COLUMNS = 3
_COLUMN_GAP_EM = 0.7
_LINE_NUMBER = re.compile(r"\d{1,3} ?[a-z]{0,2}|[a-z]")  # numbers of a form: 7, 10b
_NUMBER = re.compile(r"[<>\u2264\u2265\u00b1+\-\u2212\u2013$\u20ac\u00a3(]{0,3} ?\d[\d.,' ]{0,20}[%)]{0,2}")
_MIDDLE = 0.15  # largest distance of a number from the middle of its merged cell, as a share of the cell's width
_NUMBERED, _QUESTION_CHARS = 0.6, 8  # least share of cells that are such numbers; least letters of the text beside them


@dataclass(slots=True)
class RuledTable:
    """A grid with its text. The reading order treats it as one box."""

    grid: Grid
    contents: dict[tuple[int, int], list[LayoutLine]] = field(default_factory=dict)

    @property
    def x0(self) -> float:
        return self.grid.xs[0]

    @property
    def x1(self) -> float:
        return self.grid.xs[-1]

    @property
    def y0(self) -> float:
        return self.grid.ys[0]

    @property
    def y1(self) -> float:
        return self.grid.ys[-1]

    def cells(self, known_words: frozenset[str]) -> list[list[str]]:
        """Returns rows of texts. A merged cell has its text in the first cell. Empty rows and columns are omitted."""
        table = cell_texts([list(map(_texts, cells)) for cells in self.text_rows()], known_words)
        table = [row for row in table if any(row)]
        used = [column for column in range(self.grid.columns) if any(row[column] for row in table)]
        return [[row[column] for column in used] for row in table]

    def text_rows(self) -> list[list[list[LayoutLine]]]:
        """Returns the rows of the table, each with the lines of its cells."""
        return [cells for row in range(self.grid.rows) for cells in self._rows(row)]

    def _rows(self, row: int) -> list[list[list[LayoutLine]]]:
        """Returns the rows of the table within a row of the grid."""
        cells = [self.contents.get((row, column), []) for column in range(self.grid.columns)]
        if any(self.grid.spans_rows(row, column) for column in range(self.grid.columns)):
            return [cells]
        return divided(cells, is_body=self.grid.rows == _HEAD_AND_BODY and row == 1)


def take_ruled_tables(lines: Sequence[LayoutLine], grids: Sequence[Grid]) -> tuple[list[RuledTable], list[LayoutLine]]:
    """Returns the tables and the lines outside them. Lines of a grid that is not a table (a frame, an empty form) are outside."""
    tables: list[RuledTable] = []
    rest = list(lines)
    for grid in sorted(grids, key=lambda grid: grid.area):
        for form in (grid, grid.drawn) if grid.drawn is not None else (grid,):
            table, inside = _filled(form, rest)
            if _is_table(table) and not _holds_answers(table, lines):
                tables.append(table)
                taken = {id(line) for line in inside}
                rest = [line for line in rest if id(line) not in taken]
                break
    return tables, rest


def _filled(grid: Grid, lines: Sequence[LayoutLine]) -> tuple[RuledTable, list[LayoutLine]]:
    """Returns the grid with its text, and the lines of this text."""
    inside = [line for line in lines if grid.contains((line.x0 + line.x1) / 2, line.center_y) and _fits(line, grid)]
    table = RuledTable(grid)
    for line in inside:
        for part in _split_at_borders(line, grid):
            table.contents.setdefault(_cell_of(part, grid), []).append(part)
    return table, inside


def unruled_tables(rows: Sequence[Row], em: float) -> list[tuple[int, int, list[list[str]]]]:
    """Returns (first row, row after the last, cells) of each range of rows that is certainly a table."""
    found: list[tuple[int, int, list[list[str]]]] = []
    start = 0
    while start < len(rows):
        end = start
        while end < len(rows) and len(rows[end].segments) >= _MIN_UNRULED_COLUMNS and rows[end].is_tabular(em):
            end += 1
        if end - start >= _MIN_UNRULED_ROWS and (cells := _aligned_cells(rows[start:end], em)):
            found.append((start, end, cells))
        start = max(end, start + 1)
    return found


def _aligned_cells(rows: Sequence[Row], em: float) -> list[list[str]] | None:
    """Returns the cells if the segments of all rows fall into the same columns, separated by white space."""
    columns: list[list[float]] = []
    for segment in sorted((segment for row in rows for segment in row.segments), key=lambda segment: segment.x0):
        if columns and segment.x0 < columns[-1][1] + _COLUMN_GAP_EM * em:
            columns[-1][1] = max(columns[-1][1], segment.x1)
        else:
            columns.append([segment.x0, segment.x1])
    if len(columns) < _MIN_UNRULED_COLUMNS:
        return None
    table: list[list[str]] = []
    for row in rows:
        cells = [""] * len(columns)
        for segment in row.segments:
            index = next(index for index, (x0, x1) in enumerate(columns) if x0 <= segment.x0 <= x1)
            if cells[index]:
                return None
            cells[index] = segment.text.strip().replace("\u00ad", "")
        if sum(map(bool, cells)) < max(_MIN_UNRULED_COLUMNS, len(columns) - 1):
            return None
        table.append(cells)
    return table


def _fits(line: LayoutLine, grid: Grid) -> bool:
    """Returns whether a line that runs up the page, as heads of narrow columns do, is inside a cell. All other lines may be in a
    table."""
    x = (line.x0 + line.x1) / 2
    return not line.is_vertical or (
        grid.contains(x, line.y0) and grid.contains(x, line.y1) and grid.cell_at(x, line.y0 + 1) == grid.cell_at(x, line.y1 - 1)
    )


def _cell_of(line: LayoutLine, grid: Grid) -> tuple[int, int]:
    """Returns the cell of a line. A number in a merged cell belongs to the column in which it is printed, since cells without a
    value often lack borders. A number in the middle of a merged cell applies to all its columns."""
    x = (line.x0 + line.x1) / 2
    cell = grid.cell_at(x, line.center_y)
    if not _NUMBER.fullmatch(line.text.strip()):
        return cell
    own = [other for other in range(grid.columns) if grid.root[cell[0], other] == cell]
    start, end = grid.xs[own[0]], grid.xs[own[-1] + 1]
    if len(own) < 2 or abs(x - (start + end) / 2) < _MIDDLE * (end - start):
        return cell
    inside = [other for other in own if grid.xs[other] <= line.x0 and line.x1 <= grid.xs[other + 1]]
    return (cell[0], inside[0]) if inside else cell


def _is_table(table: RuledTable) -> bool:
    filled = len(table.contents)
    occupied_rows = len({row for row, _ in table.contents})
    occupied_columns = len({column for _, column in table.contents})
    if occupied_rows < 2 or occupied_columns < 2 or filled < _MIN_FILLED * table.grid.cell_count:
        return False
    if not table.grid.is_open:
        return all(len(rows_of(lines)) <= _MAX_CELL_LINES for lines in table.contents.values())
    if all(len(rows_of(lines)) <= _MAX_OPEN_CELL_LINES for lines in table.contents.values()):
        return True
    cells = [rows_of(lines) for row in table.text_rows() for lines in row]  # the rows may lack rulings between them
    return all(len(rows) <= _MAX_OPEN_CELL_LINES and all(len(row.segments) == 1 for row in rows) for rows in cells)


def _texts(lines: Sequence[LayoutLine]) -> list[str]:
    """Returns the texts of a cell's lines, those that run up the page first."""
    turned = sorted((line for line in lines if line.is_vertical), key=lambda line: line.x0)
    level = rows_of([line for line in lines if not line.is_vertical])
    return [*(line.text for line in turned), *(row.text for row in level)]


def _holds_answers(table: RuledTable, lines: Sequence[LayoutLine]) -> bool:
    """Returns whether the grid is the part of a form where answers are written: its first column repeats the numbers of the
    questions, which are to the left of the grid."""
    first = min(column for _, column in table.contents)
    cells = [cell for (_, column), cell in table.contents.items() if column == first]
    numbers = [cell[0] for cell in cells if len(cell) == 1 and _LINE_NUMBER.fullmatch(cell[0].text.strip())]
    if len(numbers) < max(2, _NUMBERED * len(cells)):
        return False
    beside = [line for line in lines if line.x1 < table.x0 + 1 and sum(map(str.isalpha, line.text)) >= _QUESTION_CHARS]
    questions = [any(line.y0 < number.y1 and line.y1 > number.y0 for line in beside) for number in numbers]
    return sum(questions) >= max(2, _NUMBERED * len(numbers))


def _split_at_borders(line: LayoutLine, grid: Grid) -> list[LayoutLine]:
    """Splits a line that crosses a border at the space nearest to the border, since the engine read the text of two cells as
    one."""
    parts: list[LayoutLine] = []
    rest = line
    for x in grid.borders_crossed(line.x0, line.x1, line.center_y):
        if (halves := rest.parted_at(x)) is not None:
            parts.append(halves[0])
            rest = halves[1]
    return [*parts, rest]
