"""Restores digits that the models lose in rows of equal ones: they read 11111110000 as 111110000, with scores up to .99.

The models divide a line into steps, and two equal characters need a step between them. Print whose digits are narrower than two
steps loses some. The ink shows how many characters a number has; a picture of the number that is wider has enough steps.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple

from rayocr.engines.rapidocr.image import cut_out
from rayocr.engines.rapidocr.numerals.glyphs import Shape, signs_of
from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.engines.rapidocr.recognizer.recognition import ReadsLines

_NUMBER = re.compile(r"(?<!\S)[(+-]?\d[\d.,:'/-]*\d[).,:]?(?!\S)")
_FEWEST = 4  # number of digits
_ENOUGH = 3  # numbers that show the usual width of a digit
_LOW_SIGNS = frozenset(".,:+-'")
_RUN = re.compile(r"(.)\1+")
_STEP = 1 / 6  # step of the recognizer, in line heights
_NEAR = 1.6  # largest distance of a space from its place, in steps
_SPACE = 0.12  # least width of a space, in heights of its line
_TALL, _EVEN = 0.75, 0.15  # least height of a digit, relative to the line's highest sign; largest difference of digits' heights
_WIDEST, _NARROWEST = 0.95, 0.12  # width of a digit, relative to its height
_LEAST_PITCH = 0.75  # least distance of the middles of two digits, relative to the usual one
_WIDEST_GAP = 0.45  # largest white space in a number, relative to the height of its digits
_WIDER, _MUCH_WIDER = 1.12, 1.3  # width of a digit of a number that may lack digits, and that surely does, relative to others
_ONE_STROKE, _NO_STROKE = frozenset("1237/-+()"), frozenset(".,'")  # other signs have up to two strokes side by side
_MORE_STROKES = 4  # a number with still more strokes than its digits have is crossed by something else
_MIDDLE_ROWS = (0.4, 0.6)  # share of the height where strokes are counted; the serifs of digits do not touch there
_STRETCHES = (1.6, 2.2)
_PADDING = 0.25  # paper beside the number, in heights of the line


class _Number(NamedTuple):
    """A number of a reading, and its ink. `signs`: the number of signs as tall as digits; 0 if some touch each other. `strokes`:
    the number of strokes side by side if some touch. `width`: in heights of its digits."""

    line: int
    start: int
    end: int
    text: str
    signs: int
    strokes: int
    width: float
    picture: Any

    @property
    def pitch(self) -> float:
        return self.width / len(self.text)


def with_repeated_digits(upright: Any, quads: Any, read: Sequence[LineReading], recognize: ReadsLines) -> list[LineReading]:
    """Returns the readings with all digits of their numbers. Readings of numbers that have more digits than could be read are
    `lost`. `quads`: corners (n, 4, 2) in pixels of `upright`. Takes .3 ms for each line with a long number."""
    import cv2

    numbers = [number for n, reading in enumerate(read) for number in _numbers(upright, quads[n], n, reading)]
    plain = [number for number in numbers if number.text.isdigit()]
    whole = [number for number in plain if not _RUN.search(number.text)]
    sure = whole if len(whole) >= _ENOUGH else plain if len(plain) >= _ENOUGH else []
    usual = median(number.pitch for number in sure) if sure else math.inf
    short = [(number, wanted) for number in numbers if (wanted := _missing(number, usual))]
    pictures = [cv2.resize(number.picture, None, fx=factor, fy=1.0) for number, _ in short for factor in _STRETCHES]
    texts = [reading.text.replace(" ", "") for reading in recognize(pictures)] if pictures else []
    found = list(read)
    for at, (number, wanted) in reversed(list(enumerate(short))):
        others = texts[at * len(_STRETCHES) : (at + 1) * len(_STRETCHES)]
        complete = next((o for o in others if _tall_signs(o) in wanted and _runs(o) == _runs(number.text)), "")
        reading = found[number.line]
        if complete and (number.signs or number.strokes <= _most_strokes(complete)):
            text = reading.text[: number.start] + complete + reading.text[number.end :]
            found[number.line] = reading._replace(text=text, places=(), look_alikes=(), weak_digits=())
        elif (
            number.signs in wanted
            or (_RUN.search(number.text) and _has_more_strokes(number))
            or number.pitch > _MUCH_WIDER * usual
        ):
            found[number.line] = reading._replace(lost=True)
    return found


def _missing(number: _Number, usual: float) -> set[int]:
    """Returns the numbers of digits that its ink may show, if they are more than the digits of its text. `usual`: the width of a
    digit, in heights of a digit. Digits that touch each other have no ink of their own."""
    digits = _tall_signs(number.text)
    wanted = {number.signs}
    if number.text.isdigit() and number.pitch > _WIDER * usual:
        wanted.add(round(number.width / usual))
    if _has_more_strokes(number):
        wanted.update(range(digits + 1, digits + 1 + number.strokes - _most_strokes(number.text)))
    return {count for count in wanted if count > digits}


def _has_more_strokes(number: _Number) -> bool:
    """Returns whether digits that touch each other have more strokes than the digits of the text."""
    return not number.signs and 0 < number.strokes - _most_strokes(number.text) <= _MORE_STROKES


def _most_strokes(text: str) -> int:
    return sum(1 if sign in _ONE_STROKE else 0 if sign in _NO_STROKE else 2 for sign in text)


def _tall_signs(text: str) -> int:
    return sum(sign not in _LOW_SIGNS for sign in text)


def _runs(text: str) -> str:
    return _RUN.sub(r"\1", text)


def _numbers(upright: Any, quad: Any, n: int, reading: LineReading) -> Iterator[_Number]:
    text = reading.text
    numbers = [found.span() for found in _NUMBER.finditer(text) if sum(map(str.isdigit, found[0])) >= _FEWEST]
    if not numbers or len(reading.places) != len(text):
        return
    line = cut_out(upright, quad)
    height, width = line.shape
    if height > width:
        return
    shapes = signs_of(line)
    step, pad = _STEP * height, round(_PADDING * height)
    for start, end in numbers:
        left = _space(shapes, reading.places[start - 1] * width, step) if start else 0.0
        right = _space(shapes, reading.places[end] * width, step) if end < len(text) else float(width)
        own = [shape for shape in shapes if left is not None and right is not None and left < shape.x0 and shape.x1 <= right]
        if own:
            x0, x1 = own[0].x0, max(shape.x1 for shape in own)
            tall = max(shape.y1 - shape.y0 for shape in own)
            picture = line[:, max(x0 - pad, 0) : x1 + pad]
            touch = sum(shape.y1 - shape.y0 >= _TALL * tall for shape in own) < _tall_signs(text[start:end])
            strokes = _strokes(line, own) if touch else 0
            yield _Number(n, start, end, text[start:end], _signs(own), strokes, (x1 - x0) / tall, picture)


def _strokes(line: Any, shapes: Sequence[Shape]) -> int:
    """Returns the number of strokes side by side in the middle of the digits: the median of some rows."""
    import numpy as np

    tall = max(shapes, key=lambda shape: shape.y1 - shape.y0)
    x0, x1, high = shapes[0].x0, max(shape.x1 for shape in shapes), tall.y1 - tall.y0
    first, last = (tall.y0 + round(share * high) for share in _MIDDLE_ROWS)
    number = line[tall.y0 : tall.y1, x0:x1]
    limit = (int(np.percentile(line, 90)) + int(number.min())) / 2
    dark = np.pad(line[first : last + 1, x0:x1] < limit, ((0, 0), (1, 0)))
    return int(np.median(np.count_nonzero(dark[:, 1:] & ~dark[:, :-1], axis=1)))


def _space(shapes: Sequence[Shape], place: float, step: float) -> float | None:
    """Returns the middle of the widest white space near a place; None if there is none that is as wide as a space."""
    gaps = [
        (after.x0 - before.x1, (after.x0 + before.x1) / 2)
        for before, after in pairwise(shapes)
        if abs((after.x0 + before.x1) / 2 - place) < _NEAR * step
    ]
    widest, middle = max(gaps, default=(0, 0.0))
    return middle if widest >= _SPACE * step / _STEP else None


def _signs(shapes: Sequence[Shape]) -> int:
    """Returns the number of signs as tall as digits; 0 if they are not all like separate digits of one size."""
    tallest = max((shape.y1 - shape.y0 for shape in shapes), default=0)
    tall = [shape for shape in shapes if shape.y1 - shape.y0 >= _TALL * tallest]
    sizes = [(shape.x1 - shape.x0, shape.y1 - shape.y0) for shape in tall]
    if any(not _NARROWEST * high <= wide <= _WIDEST * high or high < (1 - _EVEN) * tallest for wide, high in sizes):
        return 0
    steps = [(after.x0 + after.x1 - before.x0 - before.x1) / 2 for before, after in pairwise(tall)]
    if not steps or min(steps) < _LEAST_PITCH * median(steps):
        return 0  # a ruling, or a piece of a digit
    gaps = [after.x0 - before.x1 for before, after in pairwise(shapes)]
    return 0 if max(gaps) > _WIDEST_GAP * tallest else len(tall)
