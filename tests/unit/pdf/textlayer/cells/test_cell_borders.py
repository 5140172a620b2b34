"""Cells of a table whose texts nearly touch."""

from __future__ import annotations

import pytest

from tests.unit.pdf import pdfs
from tests.unit.pdf.forms.test_drawn_boxes import read
from tests.unit.pdf.textlayer.drawings import HEBREW, page_with_font

XS = (72, 100, 128, 200)


def grid(rows: int, top: int = 712) -> bytes:
    level = "".join(f"{XS[0]} {top - 16 * n} m {XS[-1]} {top - 16 * n} l S " for n in range(rows + 1))
    return (level + "".join(f"{x} {top} m {x} {top - 16 * rows} l S " for x in XS)).encode()


def cells(font: str, rows: list[tuple[str, str, str]]) -> bytes:
    drawn = ""
    for n, row in enumerate(rows):
        for x, text in zip(XS, row, strict=False):
            drawn += f"BT /{font} 9 Tf {x + 2} {700 - 16 * n} Td ({text}) Tj ET "
    return drawn.encode()


ROWS = [("12345", "67890", "Bolt M8"), ("99.50", "1,000", "Nut")]


def test_numbers_of_neighboring_cells_stay_apart() -> None:
    text = read(pdfs.pages_of(content=grid(2) + cells("F1", ROWS)))
    assert "| 12345 | 67890 | Bolt M8 |" in text
    assert "| 99.50 | 1,000 | Nut |" in text


def test_cells_of_a_right_to_left_table_keep_their_words_and_their_numbers() -> None:
    rows = [("79.80", "89.90", "K120 cba"), ("50.00", "5.00", "edcba"), ("50.00", "5.00", "edcba")]
    mapping = HEBREW | {n: n for n in "0123456789.K "}
    text = read(page_with_font(grid(3) + cells("F2", rows), mapping))
    assert "| אבג K120 | 89.90 | 79.80 |" in text


@pytest.mark.parametrize("line", ["300 600 m 300 740 l S", ""])
def test_a_ruling_through_a_word_is_not_a_border(line: str) -> None:
    content = f"BT /F1 12 Tf 250 700 Td (The measurements of the keeper) Tj ET {line}".encode()
    assert read(pdfs.pages_of(content=content)) == "The measurements of the keeper"


@pytest.mark.parametrize(("gap", "text"), [(0.8, "| Rod 5 | 111 |"), (0.3, "Rod | 5111"), (0.0, "Rod | 5111")])
def test_numbers_that_nearly_touch_the_border_between_them_stay_apart(gap: float, text: str) -> None:
    """In a word of one cell, no gap between letters is as wide as the border."""
    start = 100.0
    drawn = ""
    for n in range(3):
        y = 700 - 16 * n
        drawn += f"BT /F1 9 Tf {start - 24.02 - gap / 2} {y} Td (Rod 5) Tj ET BT /F1 9 Tf {start + gap / 2} {y} Td (111) Tj ET "
    assert text in read(pdfs.pages_of(content=grid(3) + drawn.encode()))
