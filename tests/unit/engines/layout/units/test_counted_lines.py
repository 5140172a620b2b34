"""Line numbers in the margin do not become part of sentences."""

from __future__ import annotations

import pytest

from rayocr.engines.layout.units.line_numbers import with_line_numbers

PLEADING = ["received 250", "dollars on May 6, and", "July, as the court says,", "the clerk shall", "May do."]


@pytest.mark.parametrize("first", [1, 7, 98])
def test_rows_that_are_counted_keep_their_lines(first: int) -> None:
    texts = [f"{first + n} {text}" for n, text in enumerate(PLEADING)]
    assert with_line_numbers(["Heading", *texts, "end"]) == [False, *[True] * 5, False]


def test_every_fifth_row_may_have_its_number() -> None:
    texts = [f"{n} the words go on" if n % 5 == 0 else "and the words go on" for n in range(1, 18)]
    assert with_line_numbers(texts) == [False] * 4 + [True] * 11 + [False] * 2


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
