"""Improves the small model's reading of a line with the tiny model's, where both read the same characters.

The small model loses a space before a number more often than the tiny one ("Invoice34079683"): of 16 places where only the tiny
model had the space, all were spaces in print. It also reads more letters as digits that look like them ("1ot" for "lot"), and
more raised digits as level ones.
"""

from __future__ import annotations

import re

from rayocr.engines.rapidocr.recognizer.decoding import LineReading

_AS_DIGITS = str.maketrans("OIl", "011")
_BEFORE_NUMBER = re.compile(r"(?<=[^\W\d_]{2}) (?=\d)|(?<=\w[,;:]) (?=[^\W\d_])")
_WORD = re.compile(r"[^\W\d_]+[.,;:]?")
_LEAST_LETTERS = 2
_NUMBER = re.compile(r"[-+]?\d[\d.,]*%?")
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}[.,]\d{3}")
_FRACTION, _WITH_FRACTION = re.compile(r"\d[%½¼¾⅓⅔⅛⅜⅝⅞]$"), re.compile(r"\d{3,}")  # "2%" and "214" are 2¼
_SMALL_DIGIT = re.compile(r"[⁰¹²³⁴-⁹](?!\d)|^(?=.*[₀-₉])\(?(?:[A-Z][a-z]?[₀-₉]*)+\)?[.,;:]?$")  # m², CO₂
_AS_LEVEL = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉", "01234567890123456789")
_MUCH_SURER = 0.1  # difference of the scores


def combined(tiny: LineReading, small: LineReading) -> LineReading:
    """Returns the small model's reading, with spaces before numbers, letters in words and raised digits that only the tiny model
    read, or the tiny model's reading of a number of which it is surer. A number that may be a fraction is a doubt."""
    if _FRACTION.search(tiny.text) and _WITH_FRACTION.fullmatch(small.text.strip()):
        return small._replace(lost=True)
    if _NUMBER.fullmatch(tiny.text.strip()):
        return _of_two_numbers(tiny, small)
    return _with_letters(tiny.text, _with_spaces(tiny.text, _with_raised(tiny, small)))


def _of_two_numbers(tiny: LineReading, small: LineReading) -> LineReading:
    """In coarse print the small model read "76.5" as "765" and "0" as "à". A decimal point that only one model sees is a doubt; a
    point before three digits may be a speck."""
    if _digits(tiny.text) == _digits(small.text) and _NUMBER.fullmatch(small.text.strip()):
        if _separators(tiny.text) <= _separators(small.text):
            return small
        return (small if _THOUSANDS.fullmatch(tiny.text.strip()) else tiny)._replace(lost=True)
    is_short = len(small.text.strip()) <= len(tiny.text.strip())  # "no" is not "0"
    if is_short and tiny.score > small.score + _MUCH_SURER:
        return tiny._replace(lost=tiny.lost or bool(_digits(small.text)))
    return small


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def _separators(text: str) -> int:
    """Returns the number of points and commas between digits. One after the last digit may be a speck or a bullet."""
    return sum(map(text.strip().rstrip(".,").count, ".,"))


def _with_spaces(tiny: str, small: LineReading) -> LineReading:
    text = small.text
    if len(tiny) <= len(text) or _solid(tiny) != _solid(text):
        return small
    at, place = [], 0  # indexes of `text` before which a space is missing
    for n, sign in enumerate(tiny):
        if text[place : place + 1].translate(_AS_DIGITS) == sign.translate(_AS_DIGITS):
            place += 1
        elif sign != " ":
            return small  # `text` has a space that the other reading has not
        elif _BEFORE_NUMBER.match(tiny, n):
            at.append(place)
    for place in reversed(at):
        small = _with_space(small, place)
    return small


def _with_space(reading: LineReading, at: int) -> LineReading:
    places = reading.places
    if places:
        places = (*places[:at], (places[at - 1] + places[at]) / 2, *places[at:])
    return reading._replace(
        text=f"{reading.text[:at]} {reading.text[at:]}",
        places=places,
        look_alikes=tuple((n + (n >= at), probability) for n, probability in reading.look_alikes),
        weak_digits=tuple(n + (n >= at) for n in reading.weak_digits),
    )


def _with_raised(tiny: LineReading, small: LineReading) -> LineReading:
    """Returns the small model's reading with the raised and lowered digits of the tiny one in equal words: m² for "m2". A number
    without letters stays if the small model is much surer: "7¹" may be 71."""
    others = tiny.text.split(" ")
    is_surer = small.score > tiny.score + _MUCH_SURER
    found = [other for other in others if _SMALL_DIGIT.search(other) and not (is_surer and not any(map(str.isalpha, other)))]
    raised = {other.translate(_AS_LEVEL): other for other in found}
    if not raised:
        return small
    words = [word if word in others else raised.get(word, word) for word in small.text.split(" ")]
    return small._replace(text=" ".join(words))


def _with_letters(tiny: str, small: LineReading) -> LineReading:
    """Returns the small model's reading with the letters of words that it read with digits."""
    words, others = small.text.split(" "), tiny.split(" ")
    if len(words) != len(others) or small.text.isalpha():
        return small
    pairs = zip(words, others, strict=True)
    text = " ".join(other if _is_word_with_digits(word, other) else word for word, other in pairs)
    return small if text == small.text else small._replace(text=text)


def _is_word_with_digits(word: str, other: str) -> bool:
    if word == other or not any(map(str.isdigit, word)) or not any(map(str.islower, word)):
        return False
    is_word = _WORD.fullmatch(other) is not None and sum(map(str.isalpha, other)) >= _LEAST_LETTERS
    return is_word and word.translate(_AS_DIGITS) == other.translate(_AS_DIGITS)


def _solid(text: str) -> str:
    return text.replace(" ", "").translate(_AS_DIGITS)
