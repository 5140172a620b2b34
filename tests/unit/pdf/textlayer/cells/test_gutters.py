"""Columns so close that PDFium gives their lines as one."""

from __future__ import annotations

import pytest

from tests.unit.pdf import pdfs
from tests.unit.pdf.forms.test_drawn_boxes import read

LEFT = [
    "The keeper of the mill wrote down",
    "the height of the water every day",
    "at noon, and whoever came by read",
    "what it had been a year before and",
    "compared it with what he saw now.",
    "The ledger lay open on the sill,",
    "and nobody had ever written in it",
    "but the miller himself. His sons,",
    "who had left the valley, wrote to",
    "him twice a year and asked about.",
]
RIGHT = [
    "Rain fell in the hills that night",
    "and the river rose by two feet in",
    "an hour, which nobody had seen in",
    "that valley for fifty years.",
    "The miller opened all the gates,",
    "and slept again. In the morning a",
    "neighbor came to tell him that it",
    "had carried away the lower bridge",
    "and two of the boats moored there",
    "at noon.",
]


def side_by_side(gap_pt: float, left: list[str] = LEFT, right: list[str] = RIGHT) -> bytes:
    """Columns whose lines are drawn row by row, up to 161 points wide."""
    drawn = ""
    for n, texts in enumerate(zip(left, right, strict=True)):
        for x, text in zip((72, 233 + gap_pt), texts, strict=True):
            drawn += f"BT /F1 10 Tf {x} {700 - 11 * n} Td ({text}) Tj ET "
    return drawn.encode()


@pytest.mark.parametrize("gap_pt", [6, 10, 14, 18])
def test_a_narrow_gutter_separates_columns(gap_pt: int) -> None:
    text = read(pdfs.pages_of(content=side_by_side(gap_pt)))
    assert text.replace("\n\n", " ") == " ".join(LEFT + RIGHT)


def test_a_heading_in_the_next_column_is_apart_although_it_is_short() -> None:
    right = ["Part II", *RIGHT[1:]]
    text = read(pdfs.pages_of(content=side_by_side(10, right=right)))
    assert "written down" not in text
    assert "wrote down the height" in text.replace("\n\n", " ")


def test_wide_spaces_of_justified_lines_are_not_gutters() -> None:
    drawn = ""
    for n, line in enumerate(LEFT):
        drawn += f"BT /F1 10 Tf 9 Tw 72 {700 - 11 * n} Td ({line}) Tj ET "
    assert read(pdfs.pages_of(content=drawn.encode())) == " ".join(LEFT)


def test_text_that_is_indented_behind_a_marker_stays_with_it() -> None:
    drawn = "".join(f"BT /F1 10 Tf 81 {700 - 11 * n} Td ({line}) Tj ET " for n, line in enumerate(LEFT))
    text = read(pdfs.pages_of(content=b"BT /F1 10 Tf 62 700 Td (1.) Tj ET " + drawn.encode()))
    assert text == "1. " + " ".join(LEFT)


def test_page_numbers_stay_with_their_entries() -> None:
    entries = [
        "General Instructions for Forms ......",
        "Special Situations for Forms .........",
        "Specific Instructions ................",
    ]
    drawn = ""
    for n, entry in enumerate(entries * 2):
        drawn += f"BT /F1 10 Tf 72 {700 - 11 * n} Td ({entry}) Tj ET BT /F1 10 Tf 245 {700 - 11 * n} Td ({21 + n}) Tj ET "
    text = read(pdfs.pages_of(content=drawn.encode()))
    assert [line.split()[-1] for line in text.splitlines()] == ["21", "22", "23", "24", "25", "26"]
