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


@pytest.mark.parametrize(
    "tiny, small, text",
    [
        ("unit 106.7 m² is wilkin", "unit 106.7 m2 is will-kin", "unit 106.7 m² is will-kin"),
        ("amount 4,599³ of 12", "amount 4,5993 of 12", "amount 4,599³ of 12"),
        ("CO₂ and H₂O of 10", "CO2 and H2O of 10", "CO₂ and H₂O of 10"),
        ("key m2 or m²", "key m2 or m2", "key m2 or m2"),
        ("serial ZF7RUJ₂C of 10", "serial ZF7RUJ2C of 10", "serial ZF7RUJ2C of 10"),
        ("H₂SO₄, 5 of Fe₂O₃", "H2SO4, 5 of Fe2O3", "H₂SO₄, 5 of Fe₂O₃"),
        ("total 9²40 of 7", "total 9240 of 7", "total 9240 of 7"),
        ("a 4³ of 12", "a 48 of 12", "a 48 of 12"),
    ],
)
def test_raised_digits_of_the_tiny_model_are_kept(tiny: str, small: str, text: str) -> None:
    assert combined(reading(tiny), reading(small)).text == text


@pytest.mark.parametrize("tiny, small, text", [("7¹", "71", "71"), ("of 106.7 m²", "of 106.7 m2", "of 106.7 m²")])
def test_a_number_with_a_raised_digit_is_not_kept_if_the_small_model_is_much_surer(tiny: str, small: str, text: str) -> None:
    assert combined(reading(tiny)._replace(score=0.77), reading(small)).text == text


@pytest.mark.parametrize(
    "tiny, small, lost",
    [("2%", "214", True), ("3½", "312", True), ("2%", "2%", False), ("7%", "7 %", False), ("21", "214", False)],
)
def test_number_that_may_end_with_a_fraction_is_a_doubt(tiny: str, small: str, lost: bool) -> None:
    assert combined(reading(tiny), reading(small)).lost == lost


@pytest.mark.parametrize("other, lost", [("114", True), ("no", False)])
def test_number_is_a_doubt_if_the_models_read_different_digits_and_the_small_one_is_unsure(other: str, lost: bool) -> None:
    found = combined(reading("134"), reading(other)._replace(score=0.8))
    assert (found.text, found.lost) == ("134" if lost else found.text, lost)
