"""Checks numbers that show whether they were read well: account numbers by their check digits, amounts by separators.

One misread digit always makes an IBAN invalid, and several leave it valid in 1 of 97 cases. In countries whose numbers have only
digits, letters that look like digits are replaced. Elsewhere, an exchange of one letter may make it valid, and it stays a doubt.
"""

from __future__ import annotations

import re

from rayocr.engines.rapidocr.recognizer.decoding import LineReading

_IBAN = re.compile(r"(?<![A-Za-z\d])[A-Z]{2} ?[\dOIl]{2}(?: ?[A-Z\dl]{4}){2,7}(?: ?[A-Z\dl]{1,3})?(?![A-Za-z\d])")
_LENGTH = {  # number of characters, by country
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI NL", 19: "SI", 20: "AT EE LT LU", 21: "CH HR LI LV", 22: "BG DE GB IE RS",
        24: "CZ ES RO SE SK", 25: "PT", 26: "IS TR", 27: "FR GR IT MC SM", 28: "CY HU PL", 31: "MT",
    }.items()
    for country in countries.split()
}  # fmt: skip
_ONLY_DIGITS = frozenset(
    ("AT", "BE", "CZ", "DE", "DK", "EE", "ES", "FI", "HR", "HU", "IS", "LT", "NO", "PL", "PT", "SE", "SI", "SK")
)
_AS_DIGITS = str.maketrans("OIlSBZ", "011582")
_MASKED = re.compile(r"X{3}")
_GROUP = 4  # number of characters of a group in print
_EXCHANGED = {"0": "O", "O": "0", "1": "I", "I": "1", "l": "1"}
# Three digits between equal separators, and two at the end: the last separator of an amount is another one.
_EQUAL_SEPARATORS = re.compile(r"(?<![\w.,])\d{1,3}(?:(?:\.\d{3})+\.\d\d|(?:,\d{3})+,\d\d)(?![\w.,])")
# The dollar sign of coarse print is read as S.
_LETTER_BEFORE_AMOUNT = re.compile(r"(?<![\w.-])S ?(?:\d{1,3}(?:,\d{3})+|\d{1,4})\.\d\d(?![\w.-])")


def with_checked_numbers(read: list[LineReading]) -> list[LineReading]:
    """Returns the readings with corrected account numbers. Readings with a number that cannot be right are `lost`."""
    return [_checked(reading) for reading in read]


def _checked(reading: LineReading) -> LineReading:
    text, lost = reading.text, any(wrong.search(reading.text) for wrong in (_EQUAL_SEPARATORS, _LETTER_BEFORE_AMOUNT))
    for found in _IBAN.finditer(text):
        number = found[0]
        if number[:2] not in _LENGTH or _is_valid(number):
            continue
        if _MASKED.search(number) or (found.end() == len(text.rstrip()) and _is_begin(number)):
            continue
        valid = [other for other in _look_alikes(number) if _is_valid(other)]
        if len(valid) == 1:
            text = text[: found.start()] + valid[0] + text[found.end() :]
        if len(valid) != 1 or number[:2] not in _ONLY_DIGITS:
            lost |= "IBAN" in text or _has_length(number)
    return reading if text == reading.text and not lost else reading._replace(text=text, lost=reading.lost or lost)


def _is_valid(number: str) -> bool:
    """Returns whether the length and the check digits are those of an account number (ISO 13616)."""
    bare = number.replace(" ", "")
    if not _has_length(number) or not bare[2:4].isdigit() or not bare.isupper():
        return False
    return int("".join(str(int(sign, 36)) for sign in bare[4:] + bare[:4])) % 97 == 1


def _is_begin(number: str) -> bool:
    """Returns whether the number has only whole groups, and fewer than its country's: the rest is on the next line."""
    groups = number.split()
    return 1 < len(groups) < _LENGTH[number[:2]] / _GROUP and all(len(group) == _GROUP for group in groups)


def _has_length(number: str) -> bool:
    return len(number.replace(" ", "")) == _LENGTH.get(number[:2])


def _look_alikes(number: str) -> list[str]:
    if number[:2] in _ONLY_DIGITS:
        return [number[:2] + number[2:].translate(_AS_DIGITS)]
    signs = enumerate(number[2:], 2)
    return [number[:at] + _EXCHANGED[sign] + number[at + 1 :] for at, sign in signs if sign in _EXCHANGED]
