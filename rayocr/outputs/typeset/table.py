"""Lays out a table as a grid of cells and writes it as Typst. Spans are cut to fit, since Typst rejects overlapping cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_MAX_COLUMNS = 200
_TOKEN_EM = 0.62  # mean width of a character in a word, in ems; measured as 6.1 pt at 10 pt
_COLUMN_EM = 0.85  # additional width of a column for the inset on both sides and the rule


@dataclass(frozen=True, slots=True)
class Cell:
    """A table cell. `markup`: a Typst code block; `longest`: length of its longest word in characters."""

    markup: str
    longest: int
    columns: int = 1
    rows: int = 1
    header: bool = False
    align: str = ""  # left, center, right, or empty for the text direction


def typeset_table(rows: Sequence[Sequence[Cell]], *, header_rows: int) -> str:
    """Returns a call of the template's `wide-table`, which reduces the font size if the table is wider than the page."""
    placed, columns = _place(rows)
    if not placed:
        return ""
    header_rows = min(header_rows, len(rows))
    head = [_cell(*at) for at in placed if at[0] < header_rows]
    # If a header cell extends into the body, the table has no separate header row.
    if any(y + cell.rows > header_rows for y, _, cell in placed if y < header_rows):
        head, header_rows = [], 0
    body = [_cell(*at) for at in placed if at[0] >= header_rows]
    header = f"table.header({','.join(head)})," if head else ""
    return f"wide-table(w,{_width_em(placed, columns):.2f},{columns},{header}{','.join(body)});"


def _place(rows: Sequence[Sequence[Cell]]) -> tuple[list[tuple[int, int, Cell]], int]:
    """Returns (row, column, cell) for each cell, placed as in HTML, and the number of columns."""
    taken: set[tuple[int, int]] = set()
    placed: list[tuple[int, int, Cell]] = []
    columns = 1
    for y, row in enumerate(rows):
        x = 0
        for cell in row:
            while (y, x) in taken:
                x += 1
            if x >= _MAX_COLUMNS:
                break
            height = max(1, min(cell.rows, len(rows) - y))
            width = 1
            while width < min(cell.columns, _MAX_COLUMNS - x) and (y, x + width) not in taken:
                width += 1
            taken.update((y + dy, x + dx) for dy in range(height) for dx in range(width))
            placed.append((y, x, Cell(cell.markup, cell.longest, width, height, cell.header, cell.align)))
            x += width
            columns = max(columns, x)
    return placed, columns


def _cell(y: int, x: int, cell: Cell) -> str:
    options = f"x:{x},y:{y}"
    if cell.columns > 1:
        options += f",colspan:{cell.columns}"
    if cell.rows > 1:
        options += f",rowspan:{cell.rows}"
    if cell.align:
        options += f",align:{cell.align}"
    body = f"strong({cell.markup})" if cell.header else cell.markup
    return f"table.cell({options},{body})"


def _width_em(placed: Sequence[tuple[int, int, Cell]], columns: int) -> float:
    """Returns the width that the longest words of all columns need; a cell over several columns divides its need among them."""
    longest = [0.0] * columns
    for _, x, cell in placed:
        for column in range(x, x + cell.columns):
            longest[column] = max(longest[column], cell.longest / cell.columns)
    return sum(characters * _TOKEN_EM + _COLUMN_EM for characters in longest)
