from __future__ import annotations

import pytest

from rayocr.engines.layout.tables.cell_text import cell_texts


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["4,250,", "000"], "4,250,000"),
        (["4,250,00", "0.50"], "4,250,000.50"),
        (["$4,", "250,000"], "$4,250,000"),
        (["1.204.", "330,50"], "1.204.330,50"),
        (["4,250", "000"], "4,250 000"),  # two numbers
        (["12,", "500"], "12, 500"),  # may be a list
        (["4,250,", "part 2"], "4,250, part 2"),
    ],
)
def test_a_number_that_a_narrow_cell_breaks_is_one_number(lines: list[str], text: str) -> None:
    assert cell_texts([[["first"], lines]], frozenset()) == [["first", text]]


def test_a_number_with_one_group_is_joined_if_its_column_has_other_numbers_with_groups() -> None:
    rows = [[["pages"], ["sum"]], [["12,", "500"], ["12,", "500"]], [["7"], ["4,250"]]]
    assert cell_texts(rows, frozenset())[1] == ["12, 500", "12,500"]
