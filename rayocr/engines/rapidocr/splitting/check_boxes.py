"""Finds printed check boxes beside words by their pixels: the recognition model omits most of them.

A box is a square frame of letter height with straight sides all around. Letters such as O and D have round sides, cells of a
table share sides with their neighbors, and Chinese characters such as 口 are in lines that the model reads as Chinese.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from rayocr.engines.rapidocr.image import cut_out
from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.engines.rapidocr.recognizer.recognition import ReadsLines
from rayocr.engines.rapidocr.splitting.box_shapes import Shapes, shapes_in
from rayocr.engines.rapidocr.splitting.equal_boxes import equal_boxes, is_same_side, usual_side
from rayocr.engines.rapidocr.splitting.letters import is_in_word, is_letter
from rayocr.engines.rapidocr.splitting.radio_buttons import Button, button_in, confirmed
from rayocr.engines.rapidocr.text import TICKED_BOX, UNTICKED_BOX, is_chinese
from rayocr.pdf.shapes.components import components, ink_mask

_SIDE = (0.42, 0.95)  # smallest and largest side of a box, as shares of the line's height with its margins
_LEAST_FRAME = 0.5  # minimum side of a box with a tick that sticks out, as a share of the line's height
_LEAST_SIDE_PX = 15  # pixels of 5.4 pt; the round sides of smaller letters look straight
_THIN = 0.5  # share of ink inside the frame along the middle of a side; bold letters have more at all four sides
_SQUARE = 1.2  # the longer side relative to the shorter one
_SQUARE_ALONE = 1.1  # the same in a line that may be Hebrew, whose final mem is nearly square
_STROKE = 0.45  # minimum length of a straight stroke, as a share of the line's height
_FRAME = 0.88  # share of each side that must have ink
_BAND = 0.2  # the ink of a side is within this distance from the edge, as a share of the side
_INSIDE = 0.24  # where the inside of the frame begins, from the edge, as a share of the side
_TICK, _SOLID = 0.05, 0.9  # share of the inside that has ink; a solid square is a bullet
_REACH = 1.6  # distance to a box outside the detected line, and between a box and its word, in line heights
_MARGIN = 0.12  # white space between a box and a word, as a share of the side
_BUTTON_GAPS = (0.2, 0.6)  # white space at the nearer and the other side of a radio button; the letter O has less in a word
_BLUR = 0.035  # ink outside a side that is not straight in a scan, as a share of the side
_WORD_GAP = 0.35  # minimum white space at both sides of a box in a line that may be Hebrew, as a share of the side
_BAR = 0.9  # share of ink in a row across the middle: letters such as B have one, ticks do not
_OVERSHOOT = 0.3  # ink of a tick above or below a box, as a share of the side
_CORNER = 0.12  # size of the place in each corner that must have ink, as a share of the side
_LATIN = 0.8  # score of a reading that can be joined with its box; others may be read again in another script
_LOW = 0.9  # height of a line, relative to the usual one, whose box may cut off a check box
_HIGH = 1.1  # height of a line with ticks that stick out, relative to the usual line
_APART = 0.6  # distance in sides; squares that are closer to each other are comb fields
_FAR = 2.0  # distance of a box of the usual size from its word, in sides
_UPRIGHT = 2.0  # height of a line by its width that runs up or down the page
_SCORE = 0.95


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


def with_check_boxes(upright: Any, quads: Any, read: list[LineReading], recognize: ReadsLines) -> tuple[Any, list[LineReading]]:
    """Returns the lines and readings, with a line `[x]` or `[ ]` for each box. Lines with boxes inside them are split there, and
    the parts are read again. `quads`: corners (n, 4, 2), clockwise from the top left, in pixels of `upright`."""
    import numpy as np

    kept: list[int] = []
    parts: list[tuple[Any, str, Any]] = []  # corners of a part, the mark before it, and the corners of both
    marks: list[tuple[Any, str]] = []
    outside: list[tuple[Any, str]] = []
    for index, (found, wide, reach) in enumerate(_boxes_of_page(upright, quads, read)):
        width = round(float(np.linalg.norm(wide[1] - wide[0])))
        inside = [box for box in found if reach <= (box.left + box.right) / 2 <= width - reach]
        outside += [(_slice(wide, box.left, box.right, width), box.mark) for box in found if box not in inside]
        if not inside:
            kept.append(index)
            continue
        white = _MARGIN * inside[0].side
        starts = [(reach, reach, ""), *((box.right + white, box.left, box.mark) for box in inside)]
        ends = [*(box.left - white for box in inside), width - reach]
        for (start, left, mark), end in zip(starts, ends, strict=True):
            if end - start > inside[0].side / 2:
                parts.append((_slice(wide, start, end, width), mark, _slice(wide, left, end, width)))
            elif mark:
                marks.append((_slice(wide, left, start, width), mark))
    again = recognize([cut_out(upright, part) for part, _, _ in parts]) if parts else []
    lines: list[tuple[Any, LineReading]] = []
    for (part, mark, whole), reading in zip(parts, again, strict=True):
        if mark and reading.text.strip() and reading.score >= _LATIN:
            lines.append((whole, reading._replace(text=f"{mark} {reading.text.strip()}")))
            continue
        is_long = part[1][0] - part[0][0] > part[3][1] - part[0][1]  # the line may be in another script
        lines += [(part, reading)] if reading.text.strip() or is_long else []
        marks += [(np.array([whole[0], part[0], part[3], whole[3]]), mark)] if mark else []
    known = [*(quad for quad, _ in marks), *(np.array([w[0], p[0], p[3], w[3]]) for p, mark, w in parts if mark)]
    for quad, mark in outside:
        if not any(_is_same(quad, other) for other in known) and not _is_within(quad, quads[kept]):
            known.append(quad)
            marks.append((quad, mark))
    lines += [(quad, LineReading(mark, _SCORE, _SCORE)) for quad, mark in marks]
    if not lines:
        return quads, read
    return (
        np.concatenate([quads[kept], np.array([quad for quad, _ in lines], np.float32)]),
        [*(read[index] for index in kept), *(reading for _, reading in lines)],
    )


def find_boxes(line: Any, letter_height: float, *, square: float = _SQUARE) -> list[CheckBox]:
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


def _boxes_of_page(upright: Any, quads: Any, read: Sequence[LineReading]) -> list[tuple[list[CheckBox], Any, int]]:
    """Returns for each line the boxes in and beside it, its corners widened at both ends, and by how many pixels. Rings and discs
    that are not radio buttons are not boxes."""
    import numpy as np

    usual = float(np.median(np.linalg.norm(quads[:, 3] - quads[:, 0], axis=1))) if len(quads) else 0.0
    sizes = np.linalg.norm(quads[:, (1, 3)] - quads[:, :1], axis=2).tolist()
    lines = [_searched(upright, quad, size, reading, usual) for quad, size, reading in zip(quads, sizes, read, strict=True)]
    found: list[tuple[list[CheckBox], Any, int]] = [([], line.wide, line.reach) for line in lines]
    for wanted in (Shapes.OTHERS, Shapes.EMPTY_RINGS):
        for n, line in enumerate(lines):
            if line.shapes is wanted:
                found[n] = _boxes_in(upright, line, read[n]), line.wide, line.reach
        if all(box.button in (None, Button.EMPTY) for boxes, _, _ in found for box in boxes):
            break  # without a chosen button or a disc, empty rings are letters
    found = _with_equal_boxes(upright, quads, read, found)
    buttons = [box for boxes, _, _ in found for box in boxes if box.button is not None]
    if not buttons:
        return found
    kept = confirmed([(box.button, box.side) for box in buttons if box.button is not None])
    others = {id(box) for box, is_kept in zip(buttons, kept, strict=True) if not is_kept}
    return [([box for box in boxes if id(box) not in others], wide, reach) for boxes, wide, reach in found]


def _with_equal_boxes(
    upright: Any, quads: Any, read: Sequence[LineReading], found: list[tuple[list[CheckBox], Any, int]]
) -> list[tuple[list[CheckBox], Any, int]]:
    """Returns the lines with the boxes that have the usual size of the boxes on the page, instead of boxes of other sizes."""
    import numpy as np

    usual = usual_side([box.side for boxes, _, _ in found for box in boxes if box.button is None])
    if not usual:
        return found
    kept = [[box for box in boxes if box.button is not None or is_same_side(box.side, usual)] for boxes, _, _ in found]
    lines = [(boxes, wide, reach) for boxes, (_, wide, reach) in zip(kept, found, strict=True)]
    low, high = quads.min(axis=1), quads.max(axis=1)
    far, tall = _FAR * usual, high[:, 1] - low[:, 1] > _UPRIGHT * (high[:, 0] - low[:, 0])
    for x, y, width, height, ticked in equal_boxes(upright, usual):
        middle, reached = y + height / 2, (low[:, 0] - far < x + width / 2) & (high[:, 0] + far > x + width / 2)
        near = np.flatnonzero(reached & (low[:, 1] < middle) & (high[:, 1] > middle) & (high[:, 0] - low[:, 0] > width) & ~tall)
        if not len(near) or any(is_chinese(read[n].text) for n in near.tolist()):
            continue
        gaps = np.maximum(np.maximum(low[near, 0] - x - width, x - high[near, 0]), 0)
        n = int(near[np.argmin(gaps)])
        boxes, wide, reach = lines[n]
        quad = quads[n]
        span = float(np.linalg.norm(quad[1] - quad[0]))
        more = max(reach, round(_FAR * usual) + width) if wide is not quad else 0
        box = CheckBox(round(x - float(quad[:, 0].min())) + more, 0, width, ticked)
        if more > reach:
            along = (quad[1] - quad[0]) / span * more
            wide = (quad + np.array([-along, along, along, -along])).astype(np.float32)
            boxes = [one._replace(left=one.left + more - reach) for one in boxes]
        same = [one for one in boxes if abs(one.left - box.left) < width / 2]
        lines[n] = sorted([*(one for one in boxes if one not in same), box]), wide, more
    return lines


class _Line(NamedTuple):
    """A line in which boxes are searched for."""

    wide: Any  # its corners, widened at both ends
    reach: int  # by how many pixels
    height: float
    letter_height: float  # less than the height if a tick by hand makes the line higher
    is_latin: bool
    shapes: Shapes


def _searched(upright: Any, quad: Any, size: tuple[float, float], reading: LineReading, usual: float) -> _Line:
    """`size`: width and height of the line; `usual`: the height of the page's lines."""
    import numpy as np

    width, height = size
    reach = round(_REACH * height)
    letter_height, is_latin = usual if height > _HIGH * usual else height, reading.score >= _LATIN
    if width < height or is_chinese(reading.text):
        return _Line(quad, 0, height, letter_height, is_latin, Shapes.NONE)
    along = (quad[1] - quad[0]) / width * reach
    wide = (quad + np.array([-along, along, along, -along])).astype(np.float32)
    if height < _LOW * usual:
        down = (quad[3] - quad[0]) / height * (usual - height) / 2
        wide = (wide + np.array([-down, -down, down, down])).astype(np.float32)
    if wide[:, 0].min() < 0 or wide[:, 0].max() > upright.shape[1]:
        wide, reach = quad, 0
    return _Line(wide, reach, height, letter_height, is_latin, shapes_in(upright, wide, letter_height, height))


def _boxes_in(upright: Any, line: _Line, reading: LineReading) -> list[CheckBox]:
    """Returns the boxes in and beside a line that have a word beside them and are no letters."""
    import numpy as np

    picture = np.ascontiguousarray(cut_out(upright, line.wide))
    if not min(picture.shape):
        return []
    square = _SQUARE if line.is_latin else _SQUARE_ALONE
    boxes = find_boxes(picture, line.letter_height, square=square)
    if line.letter_height < line.height and not any(box.ticked for box in boxes):
        boxes = find_boxes(picture, line.height, square=square)  # a heading
    if not line.is_latin:
        boxes = [box for box in boxes if not _touches_word(picture, box)]
    boxes = [box for box in boxes if not is_letter(picture, box.left, box.top, box.side, reading, line.reach)]
    return [box for box in boxes if _has_word(picture, box, round(_REACH * line.height))]


def _touches_word(picture: Any, box: CheckBox) -> bool:
    """Returns whether ink is as close to a side of the box as the next letter of a word: the final mem of Hebrew is a square
    frame in many fonts."""
    ink = ink_mask(picture)
    rows, gap, blur = ink[box.top : box.top + box.side], round(_WORD_GAP * box.side), max(round(_BLUR * box.side), 1)
    before, after = rows[:, max(box.left - gap, 0) : max(box.left - blur, 0)], rows[:, box.right + blur : box.right + gap]
    return bool(before.any() or after.any())


def _has_word(picture: Any, box: CheckBox, reach: int) -> bool:
    ink = ink_mask(picture)
    rows = slice(box.top, box.top + box.side)
    right = ink[rows, box.right + 2 : box.right + reach]
    left = ink[rows, max(box.left - reach, 0) : max(box.left - 2, 0)]
    return bool((right > 0).any(axis=0).sum() > 2 or (left > 0).any(axis=0).sum() > 2)


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
    blur, white = max(round(_BLUR * width), 1), max(round(_MARGIN * width), 2)
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


def _slice(quad: Any, start: float, end: float, width: int) -> Any:
    """Returns the corners of the part of a line between two places of its picture."""
    import numpy as np

    top, bottom = quad[1] - quad[0], quad[2] - quad[3]
    first, last = start / width, end / width
    corners = [quad[0] + first * top, quad[0] + last * top, quad[3] + last * bottom, quad[3] + first * bottom]
    return np.array(corners, np.float32)


def _is_within(quad: Any, lines: Any) -> bool:
    """Returns whether the middle of a box is inside another line, which has no boxes."""
    middle = quad.mean(axis=0)
    return bool(((middle > lines.min(axis=1)) & (middle < lines.max(axis=1))).all(axis=1).any()) if len(lines) else False


def _is_same(quad: Any, other: Any) -> bool:
    import numpy as np

    here, there = np.mean(quad, axis=0), np.mean(other, axis=0)
    return bool(np.abs(here - there).max() < np.linalg.norm(np.subtract(quad[3], quad[0])) / 2)
