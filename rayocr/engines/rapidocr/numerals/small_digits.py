"""Writes raised digits and fractions in a line's reading as the picture shows them: 12³ for "123", 2¾ for "234"."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from itertools import pairwise
from statistics import median
from typing import Any

from rayocr.engines.rapidocr.numerals.glyphs import Glyphs, Shape, cut_with_margin, glyphs_of, number_parts
from rayocr.engines.rapidocr.numerals.matching import match
from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.engines.rapidocr.recognizer.recognition import ReadsLines

_STEP = 1 / 6  # step of the recognizer, in line heights
_WINDOW = 12  # largest distance, in positions, of characters and shapes that are matched
_CANDIDATE = re.compile(r"[\d½¼¾⅓⅔⅛⅜⅝⅞%ªº/∛∜√]|^\W*\w{0,2}\W*$|\s\s")
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_LEVEL = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
RAISED_BEFORE_DIGIT = re.compile(r"[⁰¹²³⁴-⁹](\s?)\d")
_INSIDE_NUMBER = re.compile(r"[⁰¹²][.,:/-]?\d")
_OLD_STYLE, _FEWEST_OLD = "012", 3  # digits without ascender and descender; least number of lines that show them in numbers
RAISED_NUMERATOR = re.compile(r"(?<![⁰¹²³⁴-⁹])[⁰¹²³⁴-⁹]++(?=/)")
_CLOSE = (
    0.35  # distance of a raised digit from the sign before it, relative to the height of capital letters; by hand it is larger
)
_BLANK, _SAME_GAP = 0.7, 1.25  # the same relative to the usual gap between signs, which is larger in fonts of one width
_DIGIT_WIDTH = 0.85  # largest width of a digit
_RING = re.compile(r"[0oO°º]")
_PERCENT = re.compile(r"%[o0°º]?|‰")
_ALREADY = re.compile(r"[%‰½¼¾⅓⅔⅛⅜⅝⅞]")  # signs that the models read well
_READ_TWICE = re.compile(r"[½¼¾⅓⅔⅛⅜⅝⅞]/?[\d⁰¹²³⁴-⁹]")  # a fraction and the rest of it
_ORDINALS = "ªº"
_DIGIT = re.compile(r"\d")
_NUMBER = re.compile(r"\d{1,2}")
_WRITTEN = re.compile(r"(\d)/(\d{1,2})$")
_SCORE, _SURE = 0.6, 0.9  # least score of a number of a fraction, and of one that was read as a percent sign
FRACTIONS = {
    unicodedata.normalize("NFKC", sign).replace("\u2044", "/"): sign
    for sign in map(chr, (*range(0xBC, 0xBF), *range(0x2150, 0x215F)))
}


_Parts = dict[Shape, list[LineReading]]


class SmallDigitReader:
    """Reads lines, and corrects raised digits and fractions. A fraction that cannot be read makes its reading `lost`."""

    def __init__(self, read: ReadsLines) -> None:
        self._read = read

    def __call__(self, lines: Sequence[Any]) -> list[LineReading]:
        """Returns the text of each gray picture (rows, columns)."""
        read = self._read(lines)
        found = {
            index: glyphs
            for index, (line, reading) in enumerate(zip(lines, read, strict=True))
            if reading.places and _CANDIDATE.search(reading.text) and (glyphs := glyphs_of(line)) is not None
        }
        pictures: dict[tuple[int, Shape], tuple[Any, ...]] = {}
        for n, glyphs in found.items():
            for shape in glyphs.fractions:
                pictures[n, shape] = number_parts(lines[n], shape, glyphs.cap) or ()
            pictures |= {(n, shape): (cut_with_margin(lines[n], shape),) for shape in glyphs.raised}
        numbers = iter(self._read(sum(pictures.values(), ())) if pictures else ())
        parts = {key: [next(numbers) for _ in some] for key, some in pictures.items()}
        small = {
            n: {shape: parts.get((n, shape), []) for shape in glyphs.raised | glyphs.fractions} for n, glyphs in found.items()
        }
        inside = [
            n for n, glyphs in found.items() if glyphs.raised and _has_raised_inside(read[n], lines[n].shape, glyphs, small[n])
        ]
        level = _OLD_STYLE if len(inside) >= _FEWEST_OLD else ""
        for n, glyphs in found.items():
            read[n] = _corrected(read[n], lines[n].shape, glyphs, small[n], level=level)
        return read


def _has_raised_inside(reading: LineReading, size: tuple[int, int], glyphs: Glyphs, parts: _Parts) -> bool:
    """Returns whether 0, 1 or 2 is raised inside of a number, as in old-style print, where other digits descend below them."""
    return _INSIDE_NUMBER.search(_with_small(reading, size, glyphs, parts).text) is not None


def _corrected(reading: LineReading, size: tuple[int, int], glyphs: Glyphs, parts: _Parts, *, level: str = "") -> LineReading:
    """Returns the reading with what the picture shows. `parts`: the readings of the numbers of fractions, and of raised signs;
    `level`: digits that are not raised."""
    found = _with_small(reading, size, glyphs, parts, level=level)
    if RAISED_BEFORE_DIGIT.search(found.text):  # the rest of a fraction, or a number by hand
        return reading._replace(lost=found.lost or " " not in RAISED_BEFORE_DIGIT.findall(found.text))
    return found


def _with_small(reading: LineReading, size: tuple[int, int], glyphs: Glyphs, parts: _Parts, *, level: str = "") -> LineReading:
    height, width = size
    text = list(reading.text)
    places = list(reading.places)
    lost = reading.lost
    for shape in sorted(parts):
        own = _characters_at(shape, glyphs.shapes, text, [place * width for place in places], glyphs.fractions, _STEP * height)
        before = "".join(text[n] for n in own)
        if shape in glyphs.raised:
            raised = _digit(parts[shape])
            if (
                len(own) != 1
                or before in level
                or not (before.isdecimal() or before in _ORDINALS)
                or not raised
                or (raised == "0" != before)
            ):
                continue  # such as a degree sign
            if _stands_close(shape, glyphs):
                text[own[0]] = raised.translate(RAISED)
                lost |= before.isdecimal() and before != raised
            continue
        sign = _sign_of(parts[shape], before)
        if sign is None:
            lost |= any(map(str.isdigit, before)) or (
                not before.isalpha() and any(map(_digit, ([part] for part in parts[shape])))
            )
        elif own and text[own[-1] + 1 : own[-1] + 2] == [sign]:
            continue  # the places are off by one character
        elif own and _disagree("".join(text[: own[-1] + 1]), parts[shape]):
            lost = True
        elif own:
            if (found := _ALREADY.search(before)) is not None:
                own, before = own[found.start() :], before[found.start() :]  # without the digits before the sign
            digits = sum(map(str.isdigit, before))
            while (
                digits > sum(number.text.isdigit() * len(number.text) for number in parts[shape]) > 0 and text[own[0]].isdigit()
            ):
                digits, own = digits - 1, own[1:]  # the digit before the fraction
            text[own[0]] = sign
            for n in (*own[1:], *_rest_of(parts[shape], shape, glyphs, text, own[0])):
                text[n] = ""
        elif sign not in "%‰":
            at = next((n for n, place in enumerate(places) if place * width > (shape.x0 + shape.x1) / 2), len(text))
            text.insert(at, sign)
            places.insert(at, (shape.x0 + shape.x1) / 2 / width)
    fixed = RAISED_NUMERATOR.sub(lambda found: found[0].translate(_LEVEL), "".join(text))
    lost |= _READ_TWICE.search(fixed) is not None
    look_alikes = reading.look_alikes if len(fixed) == len(reading.text) else ()
    places = places if len(fixed) == len(places) else []
    return reading._replace(text=fixed, places=tuple(places), lost=lost, look_alikes=look_alikes)


def _rest_of(numbers: Sequence[LineReading], shape: Shape, glyphs: Glyphs, text: Sequence[str], sign: int) -> list[int]:
    """Returns the index of a digit before a fraction that is its upper number, read twice: no ink shows it. `sign`: the index of
    the fraction."""
    start = max((n for n in range(sign) if text[n] == " "), default=-1) + 1
    before = [n for n in range(start, sign) if text[n]]
    if text[sign] in "%‰" or not before or not numbers or text[before[-1]] != numbers[0].text.strip()[-1:]:
        return []
    word = at = glyphs.shapes.index(shape)
    while word and glyphs.shapes[word].x0 - glyphs.shapes[word - 1].x1 < _BLANK * glyphs.cap:
        word -= 1  # also over the wide gaps beside 1, and over spaces
    own = glyphs.shapes[word:at]
    is_complete = all(one.x1 - one.x0 < _DIGIT_WIDTH * glyphs.cap for one in own)  # digits that touch are wider
    return before[-1:] if is_complete and len(before) == len(own) + 1 else []


def _stands_close(shape: Shape, glyphs: Glyphs) -> bool:
    """Returns whether a raised digit follows a sign closely, or begins its line."""
    at = glyphs.shapes.index(shape)
    if at == 0:
        return True
    gaps = [after.x0 - before.x1 for before, after in pairwise(glyphs.shapes) if after.x0 - before.x1 < _BLANK * glyphs.cap]
    usual = median(gaps) if gaps else 0
    return shape.x0 - glyphs.shapes[at - 1].x1 < max(_CLOSE * glyphs.cap, _SAME_GAP * usual)


def _characters_at(
    shape: Shape, shapes: Sequence[Shape], text: Sequence[str], places: Sequence[float], several: Collection[Shape], step: float
) -> list[int]:
    """Returns the indexes of the characters of a shape."""
    middle = (shape.x0 + shape.x1) / 2
    near = [other for other in shapes if abs((other.x0 + other.x1) / 2 - middle) < _WINDOW * step]
    visible = [n for n, place in enumerate(places) if text[n].strip() and abs(place - middle) < _WINDOW * step]
    matched = match([places[n] for n in visible], near, step=step, several=several)
    return [visible[n] for n in matched[near.index(shape)]]


def _disagree(text: str, numbers: Sequence[LineReading]) -> bool:
    """Returns whether the reading of the line ends with another fraction."""
    found = _WRITTEN.search(text)
    return found is not None and (found[1], found[2]) != (numbers[0].text.strip()[-1:], numbers[1].text.strip())


def _digit(readings: Sequence[LineReading]) -> str:
    """Returns the digit that a raised sign is, or ""."""
    return next((reading.text for reading in readings if reading.score >= _SCORE and _DIGIT.fullmatch(reading.text)), "")


def _sign_of(numbers: Sequence[LineReading], before: str) -> str | None:
    """Returns the fraction or the percent sign with these numbers above and below its bar, or `before`, its reading in the line;
    None if it cannot be read."""
    is_percent = _PERCENT.fullmatch(before) is not None
    if not numbers:
        return before if is_percent else None
    above, below = (number.text.strip() for number in numbers)
    if _RING.fullmatch(above) and all(map(_RING.fullmatch, below)) and 1 <= len(below) <= 2:
        return "%‰"[len(below) - 1]
    score = min(number.score for number in numbers)
    are_numbers = _NUMBER.fullmatch(above) and _NUMBER.fullmatch(below) and 0 < int(above) < int(below)
    if are_numbers and score >= (_SURE if is_percent else _SCORE):
        return FRACTIONS.get(f"{above}/{below}", f"{above}/{below}")
    return before if is_percent else None
