"""Adds the points and minus signs of numbers that are drawn as paths. Without them, 12.50 becomes 1250, and -4 becomes 4."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rayocr.pdf.geometry import Box
from rayocr.pdf.shapes.small_shapes import SmallShapes
from rayocr.pdf.textlayer.glyphs.characters import Characters

_MOST = 100  # with more shapes of a kind, the page is a drawing or has leaders
# Sizes and distances in heights of the digit's box.
_DOT, _THICKEST = (0.04, 0.22), 0.15
_COMMA = 1.4  # ratio of height and width of a comma
_LONGEST = 0.75
_SHORTEST = 0.15
_NEAR, _GAP = 0.2, 0.6  # largest distance of a minus from its number, and of the two digits beside a point
_OVERLAP = 0.1
_ON_BASELINE, _TAIL = 0.06, 0.25
_MIDDLE = (0.18, 0.45)  # height of a minus or a raised point above the baseline
# Another shape at the same height, at a distance of this many times the larger one, belongs to a leader or a dashed line.
_IN_LEADER, _IN_DASHES = 6.0, 2.0
_SIGNED = frozenset(".$€£")  # signs between a minus and its number


def with_drawn_signs(characters: Characters, shapes: SmallShapes, baseline_of: Callable[[int], float | None]) -> None:
    """Adds each sign to the text of the digit before or after it, in place. `baseline_of`: the baseline of PDFium's n-th
    character, in points from the top. Takes 20 µs per shape."""
    dots, bars = _apart(shapes.dots, _IN_LEADER), _apart(shapes.bars, _IN_DASHES)
    if not (0 < len(dots) <= _MOST or 0 < len(bars) <= _MOST):
        return
    is_digit = np.array([text[-1:].isdigit() and text.isascii() for text in characters.texts], bool)
    if not is_digit.any():
        return
    for dot in dots if len(dots) <= _MOST else ():
        _add_point(characters, is_digit, dot, baseline_of)
    for bar in bars if len(bars) <= _MOST else ():
        if not _is_part_of_drawing(bar, shapes):
            _add_minus(characters, bar, baseline_of)


def _apart(shapes: Sequence[Box], row: float) -> list[Box]:
    """Returns the shapes that have no other one near them, above them or at their height."""
    if not 0 < len(shapes) <= 10 * _MOST:
        return []
    boxes = np.array(shapes)
    left, top, right, bottom = boxes.T
    size = np.maximum(right - left, bottom - top)
    middle, across = (top + bottom) / 2, (left + right) / 2
    order = np.argsort(middle, kind="stable")
    kept = np.ones(len(boxes), bool)
    for step in range(1, len(order)):
        one, other = order[step:], order[:-step]
        height = middle[one] - middle[other]
        larger = np.maximum(size[one], size[other])
        near = (height < larger) & (np.abs(across[one] - across[other]) < (1 + row) * larger)
        kept[one[near]] = kept[other[near]] = False
        if (height > larger).all():
            break
    return [shape for shape, is_kept in zip(shapes, kept.tolist(), strict=True) if is_kept]


def _beside(characters: Characters, shape: Box) -> tuple[int, int]:
    """Returns the nearest characters to the left and to the right of a shape, at its height; -1 for none."""
    x0, y0, x1, y1 = shape
    middle, overlap = (y0 + y1) / 2, _OVERLAP * (characters.y1 - characters.y0)
    level = (characters.y0 < middle) & (middle < characters.y1)
    left = np.flatnonzero(level & (characters.x1 <= (x0 + x1) / 2 + overlap))
    right = np.flatnonzero(level & (characters.x0 >= (x0 + x1) / 2 - overlap))
    before = int(left[np.argmax(characters.x1[left])]) if len(left) else -1
    after = int(right[np.argmin(characters.x0[right])]) if len(right) else -1
    return before, after


def _add_point(characters: Characters, is_digit: Any, dot: Box, baseline_of: Callable[[int], float | None]) -> None:
    before, after = _beside(characters, dot)
    if before < 0 or after != before + 1 or not (is_digit[before] and is_digit[after]):
        return
    x0, y0, x1, y1 = dot
    em = float(characters.y1[before] - characters.y0[before])
    gap = float(characters.x0[after] - characters.x1[before])
    base = baseline_of(characters.indexes[before])
    if base is None or not 0.5 * (x1 - x0) < gap < _GAP * em or not _DOT[0] * em < x1 - x0 < _DOT[1] * em:
        return
    below = (y1 - base) / em
    if y1 - y0 > _COMMA * (x1 - x0):
        sign = "," if _ON_BASELINE < below < _TAIL else ""
    elif abs(below) < _ON_BASELINE:
        sign = "."
    else:
        sign = "\u00b7" if _MIDDLE[0] < (base - (y0 + y1) / 2) / em < _MIDDLE[1] else ""
    if sign:
        characters.texts[before] += sign
        characters.spaces[after] = 0


def _add_minus(characters: Characters, bar: Box, baseline_of: Callable[[int], float | None]) -> None:
    before, after = _beside(characters, bar)
    if after < 0 or not _begins_number(characters, after):
        return
    x0, y0, x1, y1 = bar
    em = float(characters.y1[after] - characters.y0[after])
    base = baseline_of(characters.indexes[after])
    touches = before >= 0 and float(x0 - characters.x1[before]) < _OVERLAP * em
    fits = -_OVERLAP * em < float(characters.x0[after]) - x1 < _NEAR * em and _SHORTEST * em < x1 - x0 < _LONGEST * em
    if base is None or touches or not fits or y1 - y0 > _THICKEST * em:
        return
    if _MIDDLE[0] < (base - (y0 + y1) / 2) / em < _MIDDLE[1]:
        characters.texts[after] = "\u2212" + characters.texts[after]


def _begins_number(characters: Characters, n: int) -> bool:
    own, following = characters.texts[n], "".join(characters.texts[n + 1 : n + 2])
    return own[:1].isdigit() or (own in _SIGNED and following[:1].isdigit() and not characters.spaces[n + 1])


def _is_part_of_drawing(bar: Box, shapes: SmallShapes) -> bool:
    """Returns whether a line crosses or touches the bar, as in a plus sign, a box, or the tick of an axis."""
    x0, y0, x1, y1 = bar
    margin = _OVERLAP * (x1 - x0)
    return any(
        left < x1 + margin and right > x0 - margin and top < y1 + margin and bottom > y0 - margin
        for left, top, right, bottom in shapes.uprights
    )
