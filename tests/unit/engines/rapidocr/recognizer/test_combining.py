from __future__ import annotations

import pytest

from rayocr.engines.rapidocr.recognizer.combining import combined
from rayocr.engines.rapidocr.recognizer.decoding import LineReading


def reading(text: str) -> LineReading:
    return LineReading(text, 0.98, 0.7, tuple((n + 0.5) / len(text) for n in range(len(text))))


@pytest.mark.parametrize(
    "tiny, small, text",
    [
        ("Invoice 34079683 of 01.10.2018", "Invoice34079683 of 01.10.2018", "Invoice 34079683 of 01.10.2018"),
        ("total 530.26 and total 7.10", "total530.26 and total7.10", "total 530.26 and total 7.10"),
        ("6265977012, reference 17", "6265977012,reference 17", "6265977012, reference 17"),
        ("1ot 61 of 10", "lot61 of l0", "lot 61 of l0"),
        ("12 345", "12345", "12345"),
        ("A 4 and H 2O", "A4 and H2O", "A4 and H2O"),
        ("a n d", "and", "and"),
        ("Invoice 31 of2", "Invoice31 of 2", "Invoice31 of 2"),
        ("Invoice 31", "Invoice37", "Invoice37"),
        ("", "Invoice37", "Invoice37"),
    ],
)
def test_space_before_a_number_is_restored_where_the_characters_agree(tiny: str, small: str, text: str) -> None:
    assert combined(reading(tiny), reading(small)).text == text


def test_indexes_follow_a_restored_space() -> None:
    small = reading("No1 01")._replace(look_alikes=((1, 0.9), (2, 0.8), (4, 0.7)), weak_digits=(2, 5))
    found = combined(reading("No 1 01"), small)
    assert found.text == "No 1 01"
    assert found.look_alikes == ((1, 0.9), (3, 0.8), (5, 0.7))
    assert found.weak_digits == (3, 6)
    assert len(found.places) == 7
    assert list(found.places) == sorted(found.places)


@pytest.mark.parametrize(
    "tiny, small, text",
    [
        ("Serial 1100 lot 0188", "Serial 1100 1ot 0188", "Serial 1100 lot 0188"),
        ("On 17", "0n 17", "On 17"),
        ("O 17", "0 17", "0 17"),
        ("BlO 17", "B10 17", "B10 17"),
        ("lst 17", "lst 17", "lst 17"),
        ("0n 17", "On 17", "On 17"),
    ],
)
def test_word_that_the_tiny_model_read_without_digits_has_none(tiny: str, small: str, text: str) -> None:
    assert combined(reading(tiny), reading(small)).text == text


def test_a_point_after_a_number_is_no_decimal_point() -> None:
    small = LineReading("54", 0.95, 0.9)
    assert combined(LineReading("54.", 0.9, 0.8), small) == small


def test_a_longer_word_is_no_digit() -> None:
    small = LineReading("no", 0.6, 0.4)
    assert combined(LineReading("0", 0.9, 0.8), small) == small
