"""Finds the check boxes of a form that have the size of those found beside its words: boxes that are larger than the words, are
farther from them, or are crossed out by hand.

The size of the others makes the search safe: letters and cells are seldom such squares. Only pages with check boxes are searched.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Any

from rayocr.pdf.shapes.components import components, ink_mask

_FEWEST = 2  # least number of boxes that show the size
_SAME_SIZE = 0.15  # largest difference of two sides
_STROKE = 0.55  # length of a straight stroke, as a share of the side
_LONG = 0.7  # ink of a row or column of the frame, as a share of the side
_WITH_TICK = 1.7  # size of a box with a tick by hand that sticks out, in sides
_BAND, _FRAME = 0.25, 0.8  # the ink of a side is within this distance from the edge, and covers this share of the side
_INSIDE, _TICK, _SOLID = 0.26, 0.07, 0.9  # where the inside begins, and share of the inside that has ink
_APART = 0.3  # white space to other straight strokes, as a share of the side


def usual_side(sides: Sequence[int]) -> int:
    """Returns the side, in pixels, that most boxes of a page have; 0 if they have different sizes, or are too few."""
    if len(sides) < _FEWEST:
        return 0
    usual = median(sides)
    same = [side for side in sides if is_same_side(side, usual)]
    return round(median(same)) if len(same) >= max(_FEWEST, 0.6 * len(sides)) else 0


def is_same_side(side: float, usual: float) -> bool:
    return abs(side - usual) <= max(_SAME_SIZE * usual, 2)


def equal_boxes(upright: Any, side: int) -> list[tuple[int, int, int, int, bool]]:
    """Returns left, top, width, height and whether it is ticked of each square frame of this size, in pixels of the gray page."""
    import cv2
    import numpy as np

    ink = ink_mask(upright)
    closed = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    length = np.ones((1, round(_STROKE * side)), np.uint8)
    strokes = cv2.morphologyEx(closed, cv2.MORPH_OPEN, length) | cv2.morphologyEx(closed, cv2.MORPH_OPEN, length.T)
    found = []
    shapes = components(strokes)[0]
    fits = (shapes[:, 2:4].min(axis=1) > (1 - _SAME_SIZE) * side - 2) & (shapes[:, 2:4].max(axis=1) < _WITH_TICK * side)
    for shape in shapes[fits].tolist():
        place = _frame_in(strokes, shape[:4], side)
        if place is None or not _is_apart(strokes, shape[:4]):
            continue
        x, y, width, height = place
        margin = round(_INSIDE * side)
        share = float((ink[y + margin : y + height - margin, x + margin : x + width - margin] > 0).mean())
        if share < _SOLID:
            found.append((x, y, width, height, share > _TICK))
    return found


def _frame_in(strokes: Any, place: Sequence[int], side: int) -> tuple[int, int, int, int] | None:
    """Returns the place of the frame in a shape of straight strokes, without the ends of a tick by hand."""
    import numpy as np

    x, y, width, height = place
    shape = strokes[y : y + height, x : x + width] > 0
    upright = np.flatnonzero(shape.sum(axis=0) >= _LONG * side)
    if not len(upright):
        return None
    left, right = int(upright[0]), int(upright[-1]) + 1
    level = np.flatnonzero(shape[:, left:right].sum(axis=1) >= _LONG * side)
    if not len(level):
        return None
    top, bottom = int(level[0]), int(level[-1]) + 1
    if not (is_same_side(right - left, side) and is_same_side(bottom - top, side)):
        return None
    square = shape[top:bottom, left:right]
    depth = round(_BAND * side)
    sides: Sequence[Any] = (square[:depth], square[-depth:], square[:, :depth].T, square[:, -depth:].T)
    if any(max(float((above | below).mean()) for above, below in pairwise(band)) < _FRAME for band in sides):
        return None
    return x + left, y + top, right - left, bottom - top


def _is_apart(strokes: Any, place: Sequence[int]) -> bool:
    """Returns whether no straight strokes, such as those of other cells or of a letter, are near the frame."""
    x, y, width, height = place
    around = round(_APART * width)
    area = strokes[max(y - around, 0) : y + height + around, max(x - around, 0) : x + width + around]
    inside = strokes[y : y + height, x : x + width]
    return int((area > 0).sum()) == int((inside > 0).sum())
