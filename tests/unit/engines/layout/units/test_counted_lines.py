"""Line numbers in the margin do not become part of sentences."""

from __future__ import annotations

import pytest

from rayocr.engines.layout import LayoutLine, layout_markdown
from rayocr.engines.layout.units.line_numbers import join_line_numbers, with_line_numbers

PLEADING = ["received 250", "dollars on May 6, and", "July, as the court says,", "the clerk shall", "May do."]


@pytest.mark.parametrize("first", [1, 7, 98])
def test_rows_that_are_counted_keep_their_lines(first: int) -> None:
    texts = [f"{first + n} {text}" for n, text in enumerate(PLEADING)]
    assert with_line_numbers(["Heading", *texts, "end"]) == [False, *[True] * 5, False]


def test_every_fifth_row_may_have_its_number() -> None:
    texts = [f"{n} the words go on" if n % 5 == 0 else "and the words go on" for n in range(1, 18)]
    assert with_line_numbers(["Title", *texts]) == [False, *[True] * 17]


VERSE = ["Of arms and the man", "who first from the shores", "of Troy came to Italy,", "driven by fate", "of Lavinium, tossed"]


def line(text: str, x: float, y: float) -> LayoutLine:
    return LayoutLine(text=text, x0=x, y0=y, x1=x + 5.5 * len(text), y1=y + 11.0, font_size_pt=11.0)


@pytest.mark.parametrize("x", [20.0, 300.0])
def test_numbers_beside_every_fifth_line_are_read_with_their_lines(x: float) -> None:
    lines = [line(text, 72.0, 100.0 + 14 * n) for n, text in enumerate(VERSE * 2)]
    lines += [line(str(n), x, 86.0 + 14 * n) for n in (5, 10)]
    text = layout_markdown(lines, page_width=595.0, page_height=842.0)
    rows = [*VERSE[:4], f"5 {VERSE[4]}", *VERSE[:4], f"10 {VERSE[4]}"]
    assert text.split("  \n") == rows


@pytest.mark.parametrize("rows", [(5, 11), (4, 10), (5,)])
def test_numbers_beside_other_lines_are_no_line_numbers(rows: tuple[int, ...]) -> None:
    lines = [line(text, 72.0, 100.0 + 14 * n) for n, text in enumerate(VERSE * 3)]
    lines += [line(str(5 * n), 20.0, 86.0 + 14 * row) for n, row in enumerate(rows, 1)]
    assert join_line_numbers(lines) == lines


@pytest.mark.parametrize(
    "texts",
    [
        ["1 Introduction", "2 Methods", "3 Results", "4 Discussion", "5 References"],  # a list
        ["paid 300 dollars, of which", "250 were for the repair", "of the roof and", "50 for the court"],
        ["1 the first", "2 the second", "3 the third"],
        ["5 apples", "and pears", "7 oranges", "9 lemons", "12 limes"],
    ],
)
def test_other_rows_that_begin_with_numbers_are_no_counted_lines(texts: list[str]) -> None:
    assert not any(with_line_numbers(texts))
