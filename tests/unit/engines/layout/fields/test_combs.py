"""The characters of comb fields are one word or number."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rayocr.engines.layout import LayoutLine, Ruling
from rayocr.engines.layout.fields.combs import join_combs
from tests.unit.engines.layout.pages import line

EM = 11.0


def boxes(text: str, *, x: float = 100, y: float = 100, pitch: float = 15) -> tuple[list[LayoutLine], list[Ruling]]:
    lines = [line(char, x + pitch * n + 5, y) for n, char in enumerate(text) if char != " "]
    return lines, [Ruling(x0=x + pitch * n, y0=y - 2, x1=x + pitch * n, y1=y + 13) for n in range(len(text) + 1)]


def joined(lines: list[LayoutLine], rulings: list[Ruling]) -> list[str]:
    return [it.text for it in join_combs(lines, rulings, EM)]


@pytest.mark.parametrize("text", ["2023", "0142993817", "HV209"])
def test_characters_in_boxes_are_joined(text: str) -> None:
    assert joined(*boxes(text)) == [text]


@pytest.mark.parametrize("text", ["76543210", "2468", "123", "210"])
def test_digits_that_count_the_cells_stay(text: str) -> None:
    assert joined(*boxes(text)) == list(text)


def test_two_digits_that_count_are_part_of_a_longer_row() -> None:
    (one, first), (other, second) = boxes("12"), boxes("345", x=136)
    assert joined([*one, *other], [*first, *second]) == list("12345")


def test_a_wider_gap_divides_the_fields() -> None:
    (day, first), (month, second) = boxes("14"), boxes("02", x=135)
    assert joined([*day, *month], [*first, *second]) == ["14", "02"]


def test_characters_that_the_engine_read_as_one_line_are_joined_if_ticks_are_between_them() -> None:
    text = LayoutLine(text="2 0 2 3", x0=102, y0=100, x1=154, y1=111)
    ticks = [Ruling(x0=x, y0=107, x1=x, y1=111) for x in (113, 128, 143)]
    assert joined([text], ticks) == ["2023"]
    assert joined([text], ticks[:2]) == ["2 0 2 3"]


def test_digits_without_boxes_and_columns_of_digits_stay() -> None:
    lines, rulings = boxes("2023")
    assert joined(lines, rulings[:1]) == list("2023")
    below, more = boxes("4711", y=118)
    assert joined([*lines, *below], [*rulings, *more]) == list("20234711")


def test_letters_of_different_widths_in_equal_boxes_are_one_word() -> None:
    lines, rulings = boxes("OGILVIE")
    spread = [replace(it, x0=it.x0 - 3, x1=it.x1 - 3) if it.text in "IL" else it for it in lines]
    assert joined(spread, rulings) == ["OGILVIE"]
