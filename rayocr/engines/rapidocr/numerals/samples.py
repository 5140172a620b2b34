"""Finds samples of a page's letters and digits, to compare the shape of an uncertain character with them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import median
from typing import Any, NamedTuple

from rayocr.engines.rapidocr.image import cut_out
from rayocr.engines.rapidocr.numerals.glyphs import signs_of
from rayocr.engines.rapidocr.numerals.matching import match
from rayocr.engines.rapidocr.recognizer.decoding import LineReading

_BLUR, _SHARPER = 0.07, 4.0  # radius of the blur that is removed, in line heights, and how often
_STEP = 1 / 6  # step of the recognizer, in line heights
_TOKEN = re.compile(r"\S+")
_WORD = re.compile(r"[^\W\d_]{3,}")
_SIZED = re.compile(r"\d[\d.,:/-]*")
_SAME_SIZE = 0.14  # largest difference of the heights of characters of one size
_LONGEST = 30  # number of characters of a line with samples that touch
_MOST_LINES = 12  # number of lines that are examined
_ENOUGH = 3  # number of samples of a character
_STRAIGHT = 0.14  # largest width beyond that of its rows, relative to its height, of an upright stroke
_BODY = "2345689"  # digits that are as wide as 0


class Sample(NamedTuple):
    """A character, in pixels of its line, the white space before it, and its ink (rows, columns), 0..1."""

    x0: int
    y0: int
    x1: int
    y1: int
    before: int
    ink: Any


class Samples:
    def __init__(self, upright: Any, quads: Any, read: Sequence[LineReading]) -> None:
        self._upright, self._quads, self._read = upright, quads, read
        self._lines: dict[int, dict[int, Sample]] = {}
        self._waiting = [n for n, reading in enumerate(read) if len(reading.places) == len(reading.text) > 1]
        self._sure: dict[str, list[Sample]] = {}

    def of_line(self, line: int, *, is_sample: bool = False) -> dict[int, Sample]:
        """Returns the shapes of the line's characters by index; without those that touch others. Samples of a long line are
        taken only if no characters touch, since matching them takes 2 ms."""
        if line not in self._lines:
            longest = _LONGEST if is_sample else len(self._read[line].text)
            self._lines[line] = _characters(cut_out(self._upright, self._quads[line]), self._read[line], longest)
            for n in _sure_characters(self._read[line]):
                if n in self._lines[line]:
                    self._sure.setdefault(self._read[line].text[n], []).append(self._lines[line][n])
        return self._lines[line]

    def like(self, character: str, shape: Sample) -> list[Sample]:
        """Returns samples of the character in the size of the shape."""
        while len(found := [one for one in self._sure.get(character, ()) if _is_same_size(one, shape)]) < _ENOUGH:
            line = next((n for n in self._waiting if n not in self._lines and character in self._read[n].text), None)
            if line is None or len(self._lines) >= _MOST_LINES:
                break
            self.of_line(line, is_sample=True)
        return found[:_ENOUGH]

    def digit_width(self, shape: Sample) -> float:
        """Returns the usual width of digits in the size of the shape; 0 if there are none."""
        widths = [one.x1 - one.x0 for digit in _BODY for one in self._sure.get(digit, ()) if _is_same_size(one, shape)]
        return median(widths) if widths else 0.0

    def digit_height(self, shape: Sample) -> float:
        """Returns the usual height of digits near the size of the shape; 0 if there are none."""
        heights = [
            one.y1 - one.y0
            for digit in _BODY
            for one in self._sure.get(digit, ())
            if 2 * abs(one.y1 - one.y0 - shape.y1 + shape.y0) < shape.y1 - shape.y0
        ]
        return median(heights) if heights else 0.0


def distance(one: Sample, other: Sample) -> float:
    """Returns the share of the ink in which two characters on one base line differ, 0..1."""
    import numpy as np

    height = max(len(one.ink), len(other.ink))
    width = max(one.ink.shape[1], other.ink.shape[1]) + 2
    first = _placed(one.ink, height, width)
    second = _placed(other.ink, height, width)
    shifted = [np.roll(second, by, axis=1) for by in (-1, 0, 1)]
    return float(min(np.abs(first - moved).sum() / max(np.maximum(first, moved).sum(), 1.0) for moved in shifted))


def is_bar(shape: Sample) -> bool:
    """Returns whether the character is an upright stroke without flag, serifs or slant."""
    import numpy as np

    dark = shape.ink > 0.5
    widths = np.sort(dark.sum(axis=1))
    height, width = dark.shape
    return bool(width < 0.5 * height and width - float(widths[len(widths) // 2]) <= max(_STRAIGHT * height, 1.0))


def _characters(line: Any, reading: LineReading, longest: int) -> dict[int, Sample]:
    import numpy as np

    height, width = line.shape
    if height > width:
        return {}
    line = sharpened(line)
    shapes = signs_of(line)
    visible = [n for n, char in enumerate(reading.text) if not char.isspace()]
    if len(visible) != len(shapes) and len(visible) > longest:
        return {}
    at = match([reading.places[n] * width for n in visible], shapes, step=_STEP * height)
    paper, dark = float(np.percentile(line, 80)), float(line.min())
    ink = np.clip((paper - line.astype(np.float32)) / max(paper - dark, 1.0), 0.0, 1.0)
    ends = [0, *(shape.x1 for shape in shapes)]
    return {
        visible[own[0]]: Sample(*shape, shape.x0 - end, ink[shape.y0 : shape.y1, shape.x0 : shape.x1])
        for shape, own, end in zip(shapes, at, ends, strict=False)
        if len(own) == 1
    }


def sharpened(line: Any) -> Any:
    """Returns the picture with white between letters that touch in a blurred scan."""
    import cv2

    smooth = cv2.GaussianBlur(line, (0, 0), _BLUR * len(line))
    return cv2.addWeighted(line, 1 + _SHARPER, smooth, -_SHARPER, 0)


def _sure_characters(reading: LineReading) -> list[int]:
    """Returns the indexes of letters in words, and of digits in numbers, that the model read with certainty."""
    unsure = {n for n, _ in reading.look_alikes}
    found: list[int] = []
    for token in _TOKEN.finditer(reading.text):
        bare = token[0].strip(":;,.()")
        if _WORD.fullmatch(bare) or _SIZED.fullmatch(bare):
            found += (n for n in range(token.start(), token.end()) if n not in unsure)
    return found


def _is_same_size(one: Sample, other: Sample) -> bool:
    tall = other.y1 - other.y0
    return abs(one.y1 - one.y0 - tall) <= max(_SAME_SIZE * tall, 1)


def _placed(ink: Any, height: int, width: int) -> Any:
    import numpy as np

    rows, columns = ink.shape
    left = (width - columns) // 2
    return np.pad(ink, ((height - rows, 0), (left, width - columns - left)))
