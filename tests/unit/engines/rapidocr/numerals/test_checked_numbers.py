"""Account numbers and amounts that show whether they were read well."""

from __future__ import annotations

import pytest

from rayocr.engines.rapidocr.numerals.checked_numbers import with_checked_numbers
from rayocr.engines.rapidocr.recognizer.decoding import LineReading


def checked(text: str) -> tuple[str, bool]:
    reading = with_checked_numbers([LineReading(text, 0.98, 0.9)])[0]
    return reading.text, reading.lost


@pytest.mark.parametrize(
    "text",
    [
        "IBAN: DE89 3704 0044 0532 0130 00",
        "GB82WEST12345698765432",
        "BE68 5390 0754 7034, BIC GKCCBEBB",
        "FR14 2004 1010 0505 0001 3M02 606",
        "MT84 MALT 0110 0001 2345 MTLC AST0 01S",
        "NO93 8601 1117 947",
    ],
)
def test_valid_account_numbers_stay(text: str) -> None:
    assert checked(text) == (text, False)


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("IBAN: DE89 37O4 0044 0532 0130 00", "IBAN: DE89 3704 0044 0532 0130 00"),
        ("MT84 MALT 0110 0001 2345 MTLC ASTO 01S", "MT84 MALT 0110 0001 2345 MTLC AST0 01S"),
        ("GB82 WEST l234 5698 7654 32", "GB82 WEST 1234 5698 7654 32"),
    ],
)
def test_letters_and_digits_that_look_alike_are_exchanged_in_account_numbers(read: str, meant: str) -> None:
    has_letters = not meant.removeprefix("IBAN: ").startswith("DE")
    assert checked(read) == (meant, has_letters)


@pytest.mark.parametrize(
    "text",
    [
        "IBAN: DE89 3704 0044 0632 0130 00",
        "DE88 3704 0044 0532 0130 00",
        "IBAN DE89 3704 0044 0532 0130 0",
        "IBAN DE89 3704 0044 0532 0130 BIC COBADEFF",
        "IBAN: DE8937040044053201300",
        "Total 29.839.68",
        "90,616,06 EUR",
    ],
)
def test_numbers_that_cannot_be_right_are_a_doubt(text: str) -> None:
    assert checked(text) == (text, True)


@pytest.mark.parametrize(
    "text",
    [
        "USt-IdNr. DE 123 456 789",
        "192.168.10.1",
        "29.839,68",
        "1.234.567",
        "1,234,567.89",
        "PARIS 75001",
        "ORDER DE89 3704 0044",
        "AB12 3456 7890 1234",
        "IBAN GB33 BUKB 2020 1555",  # in a narrow column, "5555 55" is on the next line
        "IBAN DE89 3704 XXXX XXXX XXXX 00",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert checked(text) == (text, False)


@pytest.mark.parametrize(
    ("text", "is_doubt"),
    [("S159.10", True), ("Total S 1,250.00", True), ("$159.10", False), ("S159", False), ("S1.10.2", False), ("AS159.10", False)],
)
def test_a_letter_that_looks_like_the_dollar_sign_before_an_amount_is_a_doubt(text: str, is_doubt: bool) -> None:
    assert with_checked_numbers([LineReading(text, 0.99, 0.9)])[0].lost is is_doubt
