"""Finds out which lines of a page may have check boxes or radio buttons, from their shapes on the page as it is.

Cutting out a slightly skewed line and looking for boxes in it takes twice as long as this check, and few lines have such shapes.
The limits are wider than those of `check_boxes`, since places in the cut picture differ by a pixel.
"""

from __future__ import annotations

from enum import IntEnum
from functools import cache
from typing import Any

from rayocr.pdf.shapes.components import components, ink_mask

_MOST_SKEW = 0.02  # rise of a line by its length; the sides of a box of 40 pixels are then less than a pixel off
_SIDE = (0.4, 1.0)  # smallest and largest side of a box, as shares of the line's height with its margins
_LEAST_SIDE_PX = 13
_SQUARE = 1.3  # the longer side relative to the shorter one
# A side of a box is divided into parts, which have ink up to a depth in shares of the side. A gap may empty one of them.
_PARTS, _DEPTH, _EMPTY_PARTS = 8, 0.25, 1
_SIDES = 4 * _PARTS
_STRAIGHT = 0.75  # least share of a side's ink in two neighboring rows
_CORNER = 0.13  # size of the places in the corners with ink in a box
_OUTSIDE = 0.06  # size of the places in the corners without ink around a ring
_CENTER, _WHITE = 0.2, 0.15  # half the size of the place in the middle of an empty ring, and its largest share of ink
_DOT, _BLACK = 0.1, 0.65  # half the size of the place in a dot or a disc, and its least share of ink
_ALONE = (0.06, 0.5)  # where the white space at one side of a ring begins and ends, as shares of its width
_STROKE = 0.43  # length of the straight strokes of a box with a tick that sticks out, as a share of the line's height
_FRAME = 0.47  # least width of such a box with its tick, as a share of the line's height
_APART = 0.7  # least distance of the strokes at its sides, as a share of the smallest side


class Shapes(IntEnum):
    NONE = 0
    EMPTY_RINGS = 1  # or letters O
    OTHERS = 2


def shapes_in(upright: Any, wide: Any, low: float, high: float) -> Shapes:
    """Returns which shapes like boxes are in a line. `wide`: its corners (4, 2) with the margins that are searched, clockwise
    from the top left, in pixels of the gray page; `low` and `high`: the limits of the line's height."""
    (x0, y0), (x1, y1) = wide.min(axis=0), wide.max(axis=0)
    picture = upright[max(int(y0) - 1, 0) : int(y1) + 2, max(int(x0) - 1, 0) : int(x1) + 2]
    if not picture.size or abs(wide[1, 1] - wide[0, 1]) > _MOST_SKEW * (x1 - x0) + 1:
        return Shapes.OTHERS
    ink = ink_mask(picture)
    shapes = components(ink)[0]
    longer, shorter = shapes[:, 2:4].max(axis=1), shapes[:, 2:4].min(axis=1)
    least, stroke = (max(round(share * low), _LEAST_SIDE_PX) for share in (_SIDE[0], _STROKE))
    square = shapes[(longer >= least) & (longer <= _SIDE[1] * high + 2) & (longer <= _SQUARE * shorter)]
    found = _most_like_boxes(ink, square) if len(square) else Shapes.NONE
    if found is not Shapes.OTHERS:
        large = shapes[(shorter >= stroke) & (shapes[:, 2] >= _FRAME * low)].tolist()
        if any(_has_strokes(ink[y : y + tall, x : x + across], stroke, _APART * least) for x, y, across, tall, _ in large):
            return Shapes.OTHERS
    return found


def _most_like_boxes(ink: Any, shapes: Any) -> Shapes:
    """Returns what is found among square shapes (n, 5)."""
    import cv2
    import numpy as np

    sums = cv2.integral(ink // 255)
    places, most = _places(), np.array(ink.shape[::-1] * 2)[:, None, None]
    start, size = shapes[:, (0, 1, 0, 1)].T[:, None], shapes[:, (2, 3, 2, 3)].T[:, None]
    a, c, b, d = np.maximum(np.minimum(np.rint(start + places * size), most), 0).astype(np.intp)
    inked = sums[d, b] - sums[c, b] - sums[d, a] + sums[c, a]
    along, corners, outside, beside = inked[:_SIDES], inked[_SIDES:-8], inked[-8:-4], inked[-4:-2]
    center, dot = inked[-2:] / np.maximum((b - a) * (d - c), 1)[-2:]
    is_ring = (outside == 0).all(axis=0) & (along[4:-4] > 0).all(axis=0) & (beside == 0).any(axis=0)
    if (is_ring & (dot > _BLACK)).any():
        return Shapes.OTHERS
    is_frame = ((along > 0).reshape(_PARTS, 4, -1).sum(axis=0) >= _PARTS - _EMPTY_PARTS).all(axis=0)
    is_frame &= (corners > 0).all(axis=0)
    if any(_has_straight_sides(ink[y : y + tall, x : x + wide]) for x, y, wide, tall, _ in shapes[is_frame].tolist()):
        return Shapes.OTHERS
    return Shapes.EMPTY_RINGS if (is_ring & (center < _WHITE)).any() else Shapes.NONE


def _has_straight_sides(square: Any) -> bool:
    depth = max(round(_DEPTH * len(square)), 2)
    sides = (square[:depth], square[-depth:], square[:, :depth].T, square[:, -depth:].T)
    return all((side[1:] | side[:-1]).sum(axis=1).max() >= 255 * _STRAIGHT * side.shape[1] for side in sides)


def _has_strokes(shape: Any, length: int, apart: float) -> bool:
    """Returns whether the shape has straight strokes at four sides, as far from each other as those of a box, in pixels."""
    import cv2
    import numpy as np

    line = np.ones((1, length), np.uint8)
    level = cv2.morphologyEx(shape, cv2.MORPH_OPEN, line)
    if not _is_wide(level.any(axis=1), apart):
        return False
    upright = cv2.morphologyEx(shape, cv2.MORPH_OPEN, line.T)
    if not _is_wide(upright.any(axis=0), apart):
        return False
    strokes = (level | upright) > 0
    for x, y, wide, tall, _ in components(level | upright)[0].tolist():
        part = strokes[y : y + tall, x : x + wide]
        sides = part.mean(axis=0) >= _STRAIGHT
        if _is_wide(sides, apart):
            columns = np.flatnonzero(sides)
            if _is_wide(part[:, columns[0] : columns[-1] + 1].mean(axis=1) >= _STRAIGHT, apart):
                return True
    return False


def _is_wide(lines: Any, apart: float) -> bool:
    """Returns whether the first and the last of these rows or columns are at least so far from each other."""
    places = lines.nonzero()[0]
    return len(places) > 1 and bool(places[-1] - places[0] >= apart)


def _turned(place: tuple[float, float, float, float]) -> list[tuple[float, float, float, float]]:
    """Returns the places x0, y0, x1, y1 that this place takes when a square with the side 1 is turned four times."""
    found = [place]
    for _ in range(3):
        x0, y0, x1, y1 = found[-1]
        found.append((1 - y1, x0, 1 - y0, x1))
    return found


@cache
def _places() -> Any:
    """Returns x0, y0, x1, y1 (4, n, 1) of the places in a square with the side 1: parts of the sides, corners of a box, corners
    outside a ring, both sides of a ring, its center, and its dot."""
    import numpy as np

    places = [turned for n in range(_PARTS) for turned in _turned((n / _PARTS, 0, (n + 1) / _PARTS, _DEPTH))]
    places += _turned((0, 0, _CORNER, _CORNER)) + _turned((0, 0, _OUTSIDE, _OUTSIDE))
    places += [(-_ALONE[1], 0, -_ALONE[0], 1), (1 + _ALONE[0], 0, 1 + _ALONE[1], 1)]
    places += [(0.5 - half, 0.5 - half, 0.5 + half, 0.5 + half) for half in (_CENTER, _DOT)]
    return np.array(places).T[:, :, None]
