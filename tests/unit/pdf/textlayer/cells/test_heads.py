"""Heads of columns that are as close as the words of one line."""

from __future__ import annotations

import pytest

from tests.unit.pdf import pdfs
from tests.unit.pdf.forms.test_drawn_boxes import read

ROWS = [("4711", "12.00", "24.00"), ("4712", "7.50", "15.00"), ("4799", "100.00", "100.00")]


def page(head: str, *, places: tuple[float, ...] = (72, 110, 161), rows: list[tuple[str, ...]] = ROWS) -> bytes:
    content = f"BT /F1 10 Tf 72 700 Td {head} ET "
    for n, row in enumerate(rows):
        for x, text in zip(places, row, strict=True):
            content += f"BT /F1 10 Tf {x} {685 - 15 * n} Td ({text}) Tj ET "
    return pdfs.pages_of(content=content.encode())


def test_heads_that_are_closer_than_cells_are_split_at_the_columns() -> None:
    text = read(page("(Item no) Tj 38 0 Td (Price each) Tj 51 0 Td (Total sum) Tj"))
    assert "| Item no | Price each | Total sum |" in text


@pytest.mark.parametrize("spacing", ["0", "1.7", "4"])
def test_a_sentence_above_a_table_stays_whole(spacing: str) -> None:
    assert "The items of the last order of May" in read(page(f"{spacing} Tw (The items of the last order of May) Tj 0 Tw"))
