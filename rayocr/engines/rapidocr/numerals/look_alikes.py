"""Decides between 0 and O, and between 1, I and l, by the shapes of the page's own letters and digits.

The models decide by the characters beside them, often with a probability above .9: they read "B1O" as "B10", "7,5 l" as "7,51".
Takes no time for readings without such characters, and for those that the models read with certainty.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from rayocr.engines.rapidocr.numerals.samples import Sample, Samples, distance, is_bar
from rayocr.engines.rapidocr.recognizer.decoding import LineReading

_CODE = re.compile(r"(?=.*\d)(?=.*[A-Z])[A-Z\dl|./:()-]+")
_DIGITS = re.compile(r"\d{4,}")
_NUMBER = re.compile(r"\D?(?:\d+[.,])?\d+")
_UNIT = re.compile(r"[1I|](?:/h)?[.,;)]?")
_VALUE = re.compile(r"[-+±(<>$€£]*+(?:\d[\d.,:/-]*\d|(?=\D*\d\D*\d)[A-Z\d/-]{4,})[%°)€]*[.,;:]?")
_OTHERS = {"0": "Oo", "O": "0", "1": "I", "I": "1", "l": "I1", "|": "I1"}
_NEARER = 0.8  # the distance to the nearest shape of the other character, relative to that of the same character
_ALIKE = 0.3  # largest distance of the same character in a blurred scan
_WIDE = 1.22  # least width of O, relative to digits; that of 0 is at most 1.1
_GAP, _WIDER_GAP = 0.34, 1.4  # a blank before a unit, relative to the height of the digits, and to the gaps between them
_EVEN, _TALL = 0.1, 1.2  # largest difference of the digits' feet in print, and largest height of l, relative to the digits
_READ_WELL = 0.85  # least score of a line whose uncertain characters are a doubt
_CLOSE = 0.9  # below this probability, a character whose shape does not decide is a doubt


class _Question(NamedTuple):
    at: int  # index of the character in the text
    others: str  # characters that it may be
    is_unit: bool
    may_change: bool
    probability: float


def with_look_alikes(upright: Any, quads: Any, read: Sequence[LineReading]) -> list[LineReading]:
    """Returns the readings with such characters in codes, and with the unit l after numbers, as the picture shows them. Readings
    where the shapes do not decide are `lost` if the model was not sure. `quads`: corners (n, 4, 2) in pixels of `upright`."""
    found = list(read)
    questions = {n: asked for n, reading in enumerate(read) if reading.look_alikes and (asked := list(_questions(reading)))}
    samples = Samples(upright, quads, read)
    for n, asked in questions.items():
        found[n] = _answered(read[n], n, asked, samples)
    return found


def has_weak_number(reading: LineReading) -> bool:
    """Returns whether a digit of a number or a code has a low probability, in a line that is otherwise read well. Lines with a
    low score are often figures, formulas and other scripts."""
    if not reading.weak_digits or reading.score < _READ_WELL:
        return False
    text = reading.text
    starts = (text.rfind(" ", 0, index) + 1 for index in reading.weak_digits)
    return any(_VALUE.fullmatch(text[start:].split(" ", 1)[0]) for start in starts)


def _questions(reading: LineReading) -> Iterator[_Question]:
    text = reading.text
    if len(reading.places) != len(text):
        return
    for index, probability in reading.look_alikes:
        start, end = text.rfind(" ", 0, index) + 1, text.find(" ", index)
        token, before = text[start : end if end >= 0 else len(text)], text[:start].split()[-1:]
        if text[index] in "1I|" and index == start and before and _NUMBER.fullmatch(before[0]) and _UNIT.fullmatch(token):
            if text[index] == "1" or not before[0].isdigit():  # 5 I may be a Roman numeral
                yield _Question(index, "l", True, True, probability)
        elif text[index] == "1" and index == start + len(token) - 1 and _NUMBER.fullmatch(token):
            yield _Question(index, "l", True, True, probability)
        elif _CODE.fullmatch(token):
            yield _Question(index, _OTHERS[text[index]], False, True, probability)
        elif probability < _CLOSE and _DIGITS.fullmatch(token):
            yield _Question(index, _OTHERS[text[index]], False, False, probability)


def _answered(reading: LineReading, line: int, questions: Sequence[_Question], samples: Samples) -> LineReading:
    text, lost = list(reading.text), False
    shapes = samples.of_line(line)
    for asked in questions:
        own = text[asked.at]
        if (shape := shapes.get(asked.at)) is None:
            lost |= asked.probability < _CLOSE
            continue
        is_joined = asked.is_unit and text[asked.at - 1] != " "
        if is_joined and not _has_blank_before(shapes, asked.at, reading.text, samples.digit_height(shape) or len(shape.ink)):
            continue
        answer = _answer(own, asked, shape, samples)
        if answer is None or (answer != own and not asked.may_change):
            lost |= asked.probability < _CLOSE or is_joined
        elif answer != own:
            text[asked.at] = f" {answer}" if is_joined else answer
    fixed = "".join(text)
    return reading._replace(
        text=fixed,
        places=reading.places if len(fixed) == len(reading.text) else (),
        lost=reading.lost or (lost and reading.score >= _READ_WELL),
    )


def _answer(own: str, asked: _Question, shape: Sample, samples: Samples) -> str | None:
    """Returns the character that the shape is; None if the shapes do not decide."""
    same = samples.like(own, shape)
    others = {other: found for other in asked.others if (found := samples.like(other, shape))}
    if asked.is_unit and not _fits_unit(shape, samples):
        return own
    here = min((distance(shape, sample) for sample in same), default=None)
    there = min(((min(distance(shape, one) for one in found), other) for other, found in others.items()), default=None)
    if here is not None and there is not None:
        return there[1] if there[0] < _NEARER * here else own if here < _NEARER * there[0] else None
    if own == "1" and not any(map(is_bar, same)):
        return asked.others[0] if is_bar(shape) else own
    if own in "I|" and asked.is_unit:
        return "l" if is_bar(shape) else None
    if own == "0" and (width := samples.digit_width(shape)):
        ratio = (shape.x1 - shape.x0) / width
        return "O" if ratio > _WIDE else own if here is not None and here < _ALIKE else None
    return own if here is not None and here < _ALIKE else None


def _fits_unit(shape: Sample, samples: Samples) -> bool:
    """Returns whether a stroke is not much higher than digits: a ruling is."""
    tall = samples.digit_height(shape)
    return not tall or shape.y1 - shape.y0 <= _TALL * tall


def _has_blank_before(shapes: dict[int, Sample], index: int, text: str, tall: float) -> bool:
    """Returns whether the white space before the last digit of a printed number is as wide as a blank. `tall`: the height of the
    digits."""
    start = text.rfind(" ", 0, index) + 1
    digits = [shapes[n] for n in range(start, index + 1) if text[n].isdigit() and n in shapes]
    feet = [shape.y1 for shape in digits]
    if max(feet) - min(feet) > max(_EVEN * tall, 2):
        return False
    gaps = [shapes[n].before for n in range(start + 1, index) if n in shapes and text[n].isdigit() and text[n - 1].isdigit()]
    return shapes[index].before >= max(_GAP * tall, *(_WIDER_GAP * gap for gap in gaps), 1)
