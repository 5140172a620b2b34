"""Paragraphs of two or three lines beside each other are read one after the other."""

from __future__ import annotations

import pytest

from rayocr.engines.layout import LayoutLine, layout_markdown
from tests.unit.engines.layout.pages import column, line

LEFT = ["Payment is due within thirty days after", "the date of this invoice."]
RIGHT = ["Questions about this invoice can be sent", "to our office at any time."]
WIDE = "This paragraph reaches over the whole width of the page and is above the two columns. " * 2


def read(*lines: LayoutLine) -> str:
    return layout_markdown(lines, page_width=595, page_height=842)


@pytest.mark.parametrize("above", [[], [line(WIDE[:95], 60, 100), line(WIDE[95:165], 60, 114)]])
def test_two_columns_of_two_lines_are_not_read_across(above: list[LayoutLine]) -> None:
    text = read(*above, *column(LEFT, 60, 150), *column(RIGHT, 320, 150))
    assert text.split("\n\n")[-2:] == [" ".join(LEFT), " ".join(RIGHT)]


def test_short_columns_may_have_bold_lines_above_them() -> None:
    heads = [line("Payment", 60, 136, bold=True), line("Questions", 320, 136, bold=True)]
    text = read(*heads, *column(LEFT, 60, 150), *column(RIGHT, 320, 150))
    assert text.split() == ["Payment", *" ".join(LEFT).split(), "Questions", *" ".join(RIGHT).split()]


def test_rows_of_two_texts_are_read_across() -> None:
    rows = [
        ("The office opens at eight every morning", "It is closed on Sundays in the winter"),
        ("The library opens at nine every morning", "It is closed on Mondays in the summer"),
    ]
    text = read(*column([left for left, _ in rows], 60, 150), *column([right for _, right in rows], 320, 150))
    assert text.index("closed on Sundays") < text.index("The library")
