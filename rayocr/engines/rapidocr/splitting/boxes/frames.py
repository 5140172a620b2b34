"""Finds square frames of letter height, and radio buttons, in a picture of one line.

A box is a square frame with straight sides all around. Letters such as O and D have round sides, and cells of a table share sides
with their neighbors.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from rayocr.engines.rapidocr.splitting.boxes.letters import is_in_word
from rayocr.engines.rapidocr.splitting.boxes.radio_buttons import Button, button_in
from rayocr.engines.rapidocr.text import TICKED_BOX, UNTICKED_BOX
from rayocr.pdf.shapes.components import components, ink_mask

_SIDE = (0.42, 0.95)  # smallest and largest side of a box, as shares of the line's height with its margins
_LEAST_FRAME = 0.5  # minimum side of a box with a tick that sticks out, as a share of the line's height
_LEAST_SIDE_PX = 15  # pixels of 5.4 pt; the round sides of smaller letters look straight
_THIN = 0.5  # share of ink inside the frame along the middle of a side; bold letters have more at all four sides
SQUARE = 1.2  # the longer side relative to the shorter one
_STROKE = 0.45  # minimum length of a straight stroke, as a share of the line's height
_FRAME = 0.88  # share of each side that must have ink
_BAND = 0.2  # the ink of a side is within this distance from the edge, as a share of the side
_INSIDE = 0.24  # where the inside of the frame begins, from the edge, as a share of the side
_TICK, _SOLID = 0.05, 0.9  # share of the inside that has ink; a solid square is a bullet
MARGIN = 0.12  # white space between a box and a word, as a share of the side
_BUTTON_GAPS = (0.2, 0.6)  # white space at the nearer and the other side of a radio button; the letter O has less in a word
BLUR = 0.035  # ink outside a side that is not straight in a scan, as a share of the side
_BAR = 0.9  # share of ink in a row across the middle: letters such as B have one, ticks do not
_OVERSHOOT = 0.3  # ink of a tick above or below a box, as a share of the side
_CORNER = 0.12  # size of the place in each corner that must have ink, as a share of the side
_APART = 0.6  # distance in sides; squares that are closer to each other are comb fields


class CheckBox(NamedTuple):
    """A check box, in pixels of the line's picture."""

    left: int
    top: int
    side: int
    ticked: bool
    button: Button | None = None  # for a radio button

    @property
    def right(self) -> int:
        return self.left + self.side

    @property
    def mark(self) -> str:
        return TICKED_BOX if self.ticked else UNTICKED_BOX


def find_boxes(line: Any, letter_height: float, *, square: float = SQUARE) -> list[CheckBox]:
    """Returns the check boxes in a level gray picture from left to right. `letter_height`: the height of a line with its margins.
    `square`: the largest ratio of a box's sides."""
    import cv2
    import numpy as np

    ink = ink_mask(line)
    length = np.ones((1, max(round(_STROKE * letter_height), _LEAST_SIDE_PX)), np.uint8)
    strokes = cv2.morphologyEx(ink, cv2.MORPH_OPEN, length) | cv2.morphologyEx(ink, cv2.MORPH_OPEN, length.T)
    whole, framed = components(ink)[0], components(strokes)[0]  # a tick may stick out of its box
    large = framed[framed[:, 2] >= _LEAST_FRAME * letter_height]
    ticked = {place for left, top, wide, high, _ in large.tolist() if (place := _frame_in(strokes, left, top, wide, high))}
    places = {tuple(place[:4]) for place in whole.tolist()} | ticked
    found: list[CheckBox] = []
    for x, y, width, height in sorted(places):
        side, shorter = max(width, height), min(width, height)
        if side > square * shorter or not max(_SIDE[0] * letter_height, _LEAST_SIDE_PX) <= side <= _SIDE[1] * letter_height:
            continue
        if found and x < found[-1].right:
            continue  # the same box without its blur
        pixels, is_apart = ink[y : y + height, x : x + width], _is_apart(ink, x, y, width, height)
        if (x, y, width, height) not in ticked and (button := button_in(pixels)) is not None:
            if _stands_alone(ink, x, y, width, height):
                found.append(CheckBox(x, y, width, button is not Button.EMPTY, button))
        elif (
            is_apart
            or (
                (x, y, width, height) in ticked
                and _is_apart(strokes, x, y, width, height, beside=_OVERSHOOT)
                and not is_in_word(ink, whole, (x, y, width, height))
            )
        ) and _is_frame(pixels):
            margin = round(_INSIDE * side)
            share = float((ink[y + margin : y + height - margin, x + margin : x + width - margin] > 0).mean())
            if share < _SOLID:
                found.append(CheckBox(x, y, width, share > _TICK))
    squares = [box for box in found if box.button is None]
    near = {box: squares[max(place - 1, 0) : place + 2] for place, box in enumerate(squares)}
    return [box for box in found if all(_gap(box, other) > _APART * box.side for other in near.get(box, ()) if other != box)]


def _is_frame(square: Any) -> bool:
    """Returns whether each of the four sides is straight and has ink nearly everywhere, and the corners are not round."""
    height = square.shape[0]
    corner = max(round(_CORNER * height), 2)
    ends: Sequence[slice] = (slice(corner), slice(-corner, None))
    if not all(square[down, beside].any() for down in ends for beside in ends):
        return False
    depth = max(round(_BAND * height), 2)
    sides: Sequence[Any] = (square[:depth], square[-depth:], square[:, :depth].T, square[:, -depth:].T)
    inner = round(_INSIDE * height)
    inside = square[inner : height - inner, inner : square.shape[1] - inner] > 0
    edges = (inside[0], inside[-1], inside[:, 0], inside[:, -1])
    middle = inside[len(inside) // 3 : -(len(inside) // 3)]
    if middle.mean(axis=1).max() > _BAR:
        return False
    is_thin = min(edge[len(edge) // 3 : -(len(edge) // 3)].mean() for edge in edges) < _THIN
    return is_thin and all(_longest_share(side) >= _FRAME for side in sides)


def _longest_share(side: Any) -> float:
    """Returns the greatest share of ink in two neighboring rows: a scan may be slightly skewed."""
    return max(float((above | below).astype(bool).mean()) for above, below in pairwise(side))


def _frame_in(strokes: Any, x: int, y: int, width: int, height: int) -> tuple[int, int, int, int] | None:
    """Returns the place of the frame in a shape of straight strokes, without the part of a tick that extends a side."""
    import numpy as np

    square = strokes[y : y + height, x : x + width] > 0
    upright = np.flatnonzero(square.mean(axis=0) >= _FRAME)
    if len(upright) < 2:
        return None
    level = np.flatnonzero(square[:, upright[0] : upright[-1] + 1].mean(axis=1) >= _FRAME)
    if len(level) < 2:
        return None
    left, top, right, bottom = int(upright[0]), int(level[0]), int(upright[-1]) + 1, int(level[-1]) + 1
    if min(left, width - right) > 1 or min(top, height - bottom) > 1:
        return None  # the straight parts of a round letter
    return x + left, y + top, right - left, bottom - top


def _stands_alone(ink: Any, x: int, y: int, width: int, height: int) -> bool:
    """Returns whether a ring has a word at most at one side."""
    near, far = (max(round(gap * width), 2) for gap in _BUTTON_GAPS)
    rows = ink[y : y + height]
    sides = (rows[:, max(x - far, 0) : x][:, ::-1], rows[:, x + width : x + width + far])
    return not any(side[:, :near].any() for side in sides) and not all(side.any() for side in sides)


def _is_apart(ink: Any, x: int, y: int, width: int, height: int, *, beside: float = 0.0) -> bool:
    """Returns whether a box has white paper at both sides, except for this share of its rows, and, except for a tick, above and
    below, where the stroke of a round letter continues."""
    blur, white = max(round(BLUR * width), 1), max(round(MARGIN * width), 2)
    rows = ink[y : y + height]
    before = rows[:, max(x - blur - white, 0) : max(x - blur, 0)]
    after = rows[:, x + width + blur : x + width + blur + white]
    above = ink[max(y - blur - 1, 0) : max(y - blur, 0), x : x + width]
    below = ink[y + height + blur : y + height + blur + 1, x : x + width]
    return all(not side.size or side.any(axis=1).mean() <= beside for side in (before, after)) and all(
        not side.size or (side > 0).mean() < _OVERSHOOT for side in (above, below)
    )


def _gap(box: CheckBox, other: CheckBox) -> int:
    return max(other.left - box.right, box.left - other.right)
