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


@pytest.mark.parametrize(("height", "bold"), [(22.0, False), (11.0, True)])
def test_headings_of_two_languages_at_the_top_of_the_page_belong_to_their_columns(height: float, bold: bool) -> None:
    english = [f"apply to all deliveries of part {n} and all services" for n in range(6)]
    french = [f"valent pour toutes les livraisons {n} et pour les" for n in range(6)]
    heads = [line("Terms", 60, 50, height=height, bold=bold), line("Conditions", 320, 50, height=height, bold=bold)]
    text = read(*heads, *column(english, 60, 90, width=220), *column(french, 320, 90, width=220))
    assert text.index("Terms") < text.index("part 5") < text.index("Conditions") < text.index("livraisons 0")


def test_a_running_header_of_two_parts_is_read_before_the_columns() -> None:
    left, right = ([f"{word} text that fills the lines of its column {n}" for n in range(6)] for word in ("First", "Second"))
    heads = [line("Water Journal", 60, 50), line("Volume 12", 320, 50)]
    text = read(*heads, *column(left, 60, 90, width=220), *column(right, 320, 90, width=220))
    assert text.index("Volume 12") < text.index("First text")
