"""Numbers must not change: fractions with a bar, and numbers that are broken at a hyphen."""

from __future__ import annotations

import pytest

from tests.unit.engines.layout.pages import line
from tests.unit.pdf import pdfs
from tests.unit.pdf.forms.test_drawn_boxes import read

AROUND = b"BT /F1 11 Tf 72 700 Td (Add 1) Tj ET BT /F1 11 Tf 112 700 Td (cups of water) Tj ET "


def stacked(upper: str, lower: str, bar: str = "0.5 w 102.5 702.8 m 109 702.8 l S") -> bytes:
    drawn = f"BT /F1 7 Tf 1 0 0 1 103.5 704.3 Tm ({upper}) Tj 1 0 0 1 103.5 696.3 Tm ({lower}) Tj ET {bar} "
    return pdfs.pages_of(content=AROUND + drawn.encode())


@pytest.mark.parametrize("bar", ["0.5 w 102.5 702.8 m 109 702.8 l S", "102.5 702.6 6.5 0.5 re f"])
def test_the_numbers_of_a_fraction_are_one_number(bar: str) -> None:
    assert read(stacked("3", "4", bar)) == "Add 1 3/4 cups of water"


def test_numbers_without_a_bar_are_not_a_fraction() -> None:
    assert "/" not in read(stacked("3", "4", ""))


def test_a_sum_above_its_line_is_not_a_fraction() -> None:
    content = b"BT /F1 11 Tf 72 700 Td (12) Tj 0 -14 Td (30) Tj 0 -16 Td (42) Tj ET 0.5 w 60 682 m 140 682 l S"
    assert "/" not in read(pdfs.pages_of(content=content))


@pytest.mark.parametrize(
    ("end", "start", "number"), [("555-", "0142", "555-0142"), ("978-3-16-", "148410-0", "978-3-16-148410-0")]
)
def test_a_number_that_is_broken_at_its_hyphen_is_joined(end: str, start: str, number: str) -> None:
    from rayocr.engines.layout import layout_markdown

    lines = [line(f"Call the office in the afternoon under the number {end}", 72, 100), line(f"{start} if you want to.", 72, 114)]
    wide = line("The following sentence is long enough to show the whole width of the column of text.", 72, 128)
    assert number in layout_markdown([*lines, wide], page_width=595, page_height=842)


@pytest.mark.parametrize("underlined", [1, 2])
def test_underlined_page_numbers_below_each_other_are_not_a_fraction(underlined: int) -> None:
    drawn = ""
    for n, entry in enumerate(("Instructions for Form W-2c", "Instructions for Form W-3c")):
        y = 700 - 12 * n
        drawn += f"BT /F1 10 Tf 72 {y} Td ({entry}) Tj ET BT /F1 10 Tf 260 {y} Td ({21 + n}) Tj ET "
        drawn += f"0.5 w 260 {y - 1.5} m 271 {y - 1.5} l S " if n < underlined else ""
    text = read(pdfs.pages_of(content=drawn.encode()))
    assert " ".join(text.split()) == "Instructions for Form W-2c 21 Instructions for Form W-3c 22"
