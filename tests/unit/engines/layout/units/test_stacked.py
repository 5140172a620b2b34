"""One letter per line is one word."""

from __future__ import annotations

import pytest

from rayocr.engines.layout import LayoutLine
from rayocr.engines.layout.units.stacked import join_stacked_letters
from tests.unit.engines.layout.pages import line
from tests.unit.engines.layout.test_forms_order import markdown, ruling


def stack(word: str, x: float, y: float, pitch: float = 12.0) -> list[LayoutLine]:
    return [line(letter, x, y + pitch * n) for n, letter in enumerate(word)]


def texts(lines: list[LayoutLine]) -> list[str]:
    return [it.text for it in join_stacked_letters(lines)]


@pytest.mark.parametrize("word", ["REGISTER", "Hotel", "ΤΑΒΕΡΝΑ", "АПТЕКА", "Éclair"])
def test_letters_below_each_other_are_a_word(word: str) -> None:
    assert texts(stack(word, 60, 100)) == [word]
    text = [line("Words of a paragraph beside the letters", 120, 95 + 14.5 * n) for n in range(8)]
    assert texts([*stack(word, 60, 100), *text])[0] == word


def test_two_stacks_side_by_side_are_two_words() -> None:
    assert sorted(texts([*stack("NORTH", 60, 100), *stack("SOUTH", 75, 103)])) == ["NORTH", "SOUTH"]


def test_a_label_beside_a_group_of_rows_is_a_word_in_its_cell() -> None:
    rulings = [*(ruling(50, y, 400, y) for y in (90, 170, 250)), *(ruling(x, 90, x, 250) for x in (50, 90, 300, 400))]
    lines = [*stack("NORTH", 65, 100), *stack("SOUTH", 65, 180)]
    lines += [line("A cell of text", 100, 124), line("12", 320, 124), line("Other text", 100, 204), line("13", 320, 204)]
    assert "| NORTH | A cell of text | 12 |" in markdown(lines, rulings)


@pytest.mark.parametrize("letters", ["ABCDE", "BCDFG", "AAEA", "XXXX", "aBcDe", "ABE"])
def test_letters_of_items_and_marks_stay(letters: str) -> None:
    assert texts(stack(letters, 60, 100)) == list(letters)


def test_answers_beside_their_numbers_stay() -> None:
    numbers = [line(f"{n + 1}.", 40, 100 + 12 * n) for n in range(5)]
    assert texts([*numbers, *stack("BADCE", 60, 100)])[5:] == list("BADCE")


def test_codes_in_the_rows_of_a_table_stay() -> None:
    rows = [line(f"1099-{letter} and more", 60, 100 + 14 * n) for n, letter in enumerate("RGMO")]
    assert texts([*rows, *stack("RGMO", 300, 100, pitch=14)])[4:] == list("RGMO")
