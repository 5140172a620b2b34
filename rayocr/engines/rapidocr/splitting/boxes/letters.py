"""Tells letters from check boxes: a round O in coarse print, and bold letters that touch, have four nearly straight sides."""

from __future__ import annotations

import re
from typing import Any

from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.pdf.shapes.components import components, ink_mask

_CORNER, _FILLED = 0.2, 0.5  # size of a corner as a share of the height, and its least share of ink in a frame
_LARGEST = 1.8  # size of a letter, in sides of the straight strokes in it
_ROUND_LETTERS = frozenset("OQ0DGCUoeac689")
_NUMBER = re.compile(r"(?<!\S)[-+$€£(]?\d[\d.,:'’/-]*[.,:'’/-]\d+(?!\w)")
_NEAR = 0.5  # distance of a character that was read at the place of a box, in sides
# A letter that touches one whose strokes form a frame: its greatest width and height, and the white space behind it, in sides.
_LETTER_WIDTH, _LETTER_HEIGHT, _LETTER_GAP = 1.0, 1.15, 0.25


def is_letter(picture: Any, left: int, top: int, side: int, reading: LineReading, reach: int) -> bool:
    """Returns whether a letter or a digit was read at the place of a frame, in a round shape or in a word. `picture`: the gray
    picture of the line, widened by `reach` pixels at both ends."""
    width = picture.shape[1] - 2 * reach
    middle = left + side / 2 - reach
    places = enumerate(zip(reading.text, reading.places, strict=False))
    near = [n for n, (char, place) in places if char in _ROUND_LETTERS and abs(place * width - middle) < _NEAR * side]
    if not near:
        return False
    if any(number.start() < n < number.end() for number in _NUMBER.finditer(reading.text) for n in near):
        return True  # digits that touch
    ink = ink_mask(picture)
    shapes = _around(ink, left, top, side)  # none if it touches other letters
    return not shapes or any(_is_round(ink[y : y + high, x : x + wide]) for x, y, wide, high in shapes)


def _around(ink: Any, left: int, top: int, side: int) -> list[tuple[int, int, int, int]]:
    """Returns left, top, width and height of the shape that a frame is a part of."""
    shapes = [(x, y, wide, high) for x, y, wide, high, _ in components(ink)[0].tolist() if max(wide, high) < _LARGEST * side]
    x0, y0 = left + side / 2, top + side / 2
    return [(x, y, wide, high) for x, y, wide, high in shapes if x < x0 < x + wide and y < y0 < y + high]


def _is_round(shape: Any) -> bool:
    corner = max(round(_CORNER * len(shape)), 2)
    ends = (slice(corner), slice(-corner, None))
    return sum((shape[down, beside] > 0).mean() for down in ends for beside in ends) < 4 * _FILLED


def is_in_word(ink: Any, shapes: Any, frame: tuple[int, int, int, int]) -> bool:
    """Returns whether the ink of a frame goes on at one side as far as that of a letter, and other ink follows closely there: a
    bold E and a P that touch have four straight sides."""
    x, y, width, height = frame
    around = (shapes[:, 0] <= x) & (shapes[:, 0] + shapes[:, 2] >= x + width)
    around &= (shapes[:, 1] <= y + 1) & (shapes[:, 1] + shapes[:, 3] >= y + height - 1)
    rows, close = ink[y : y + height], max(round(_LETTER_GAP * width), 2)
    for left, _, wide, tall, _ in shapes[around].tolist():
        right = left + wide
        is_letter = tall < _LETTER_HEIGHT * height
        if is_letter and 2 < right - x - width < _LETTER_WIDTH * width and rows[:, right : right + close].any():
            return True
        if is_letter and 2 < x - left < _LETTER_WIDTH * width and rows[:, max(left - close, 0) : left].any():
            return True
    return False
