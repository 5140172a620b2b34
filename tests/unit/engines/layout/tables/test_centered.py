"""Cells of two lines in rows that are centered on them."""

from __future__ import annotations

from rayocr.engines.layout.tables.centered import join_centered_cells
from tests.unit.engines.layout.pages import column, line
from tests.unit.engines.layout.test_forms_order import markdown

HEAD = [line(text, x, 80) for text, x in zip(("Item", "Description", "Qty", "Amount"), (50, 150, 350, 420), strict=True)]


def row(y: float, item: str, texts: list[str], quantity: str, amount: str) -> list:
    first = y - 7 * (len(texts) - 1)
    cells = [line(text, 150, first + 14 * n) for n, text in enumerate(texts)]
    return [line(item, 50, y), *cells, line(quantity, 350, y), line(amount, 420, y)]


ROWS = [
    *row(100, "HV-20938-7", ["Slate, Welsh"], "12", "1,014.00"),
    *row(127, "HV-11002-1", ["Copper nails, 38 mm,", "box of 500"], "3", "66.45"),
    *row(154, "SRV-1", ["Delivery"], "1", "40.00"),
    *row(174, "SRV-2", ["Storage"], "1", "12.00"),
]


def test_both_lines_of_a_cell_are_in_the_row_that_is_centered_on_them() -> None:
    assert "| HV-11002-1 | Copper nails, 38 mm, box of 500 | 3 | 66.45 |" in markdown([*HEAD, *ROWS])


def test_lines_of_columns_that_are_half_a_line_apart_stay() -> None:
    texts = ["The first words of a column", "and the next words of it", "go on below them"]
    lines = [*column(texts, 50, 80), *column(texts, 250, 87), *column(texts, 420, 87)]
    assert join_centered_cells(lines, 11) == lines
