"""Finds the check boxes of a page: in and beside its lines, beside words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from rayocr.engines.rapidocr.image import cut_out
from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.engines.rapidocr.splitting.boxes.box_shapes import Shapes, shapes_in
from rayocr.engines.rapidocr.splitting.boxes.equal_boxes import equal_boxes, is_same_side, usual_side
from rayocr.engines.rapidocr.splitting.boxes.frames import BLUR, SQUARE, CheckBox, find_boxes
from rayocr.engines.rapidocr.splitting.boxes.letters import is_letter
from rayocr.engines.rapidocr.splitting.boxes.radio_buttons import Button, confirmed
from rayocr.engines.rapidocr.text import is_box, is_chinese
from rayocr.pdf.shapes.components import ink_mask

_SQUARE_ALONE = 1.1  # the same in a line that may be Hebrew, whose final mem is nearly square
_REACH = 1.6  # distance to a box outside the detected line, and between a box and its word, in line heights
_WORD_GAP = 0.35  # minimum white space at both sides of a box in a line that may be Hebrew, as a share of the side
_LATIN = 0.8  # score of a reading that can be joined with its box; others may be read again in another script
_LOW = 0.9  # height of a line, relative to the usual one, whose box may cut off a check box
_HIGH = 1.1  # height of a line with ticks that stick out, relative to the usual line
_FAR = 2.0  # distance of a box of the usual size from its word, in sides
# Width by height of a box without a word, in whose place the model reads nothing or a doubtful letter; white space beside it.
_LONE, _UNSURE, _BESIDE_LONE = 1.6, 0.7, 0.3
_UPRIGHT = 2.0  # height of a line by its width that runs up or down the page


def boxes_of_page(upright: Any, quads: Any, read: Sequence[LineReading]) -> list[tuple[list[CheckBox], Any, int]]:
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
    is_lone: bool = False  # whether the line may be a box in a cell of a table, without a word


def _searched(upright: Any, quad: Any, size: tuple[float, float], reading: LineReading, usual: float) -> _Line:
    """`size`: width and height of the line; `usual`: the height of the page's lines."""
    import numpy as np

    width, height = size
    if is_lone := width < _LONE * height and len(reading.text.strip()) < 2 and (reading.score < _UNSURE or is_box(reading.text)):
        height = min(max(height, width), usual)
    reach = round((_BESIDE_LONE if is_lone else _REACH) * height)
    letter_height, is_latin = usual if height > _HIGH * usual else height, reading.score >= _LATIN
    if not is_lone and (width < height or is_chinese(reading.text)):
        return _Line(quad, 0, height, letter_height, is_latin, Shapes.NONE)
    along = (quad[1] - quad[0]) / width * reach
    wide = (quad + np.array([-along, along, along, -along])).astype(np.float32)
    if height < _LOW * usual:
        down = (quad[3] - quad[0]) / height * (usual - height) / 2
        wide = (wide + np.array([-down, -down, down, down])).astype(np.float32)
    if wide[:, 0].min() < 0 or wide[:, 0].max() > upright.shape[1]:
        wide, reach = quad, 0
    shapes = Shapes.OTHERS if is_lone else shapes_in(upright, wide, letter_height, height)
    return _Line(wide, reach, height, letter_height, is_latin or is_lone, shapes, is_lone)


def _boxes_in(upright: Any, line: _Line, reading: LineReading) -> list[CheckBox]:
    """Returns the boxes in and beside a line that have a word beside them and are no letters."""
    import numpy as np

    picture = np.ascontiguousarray(cut_out(upright, line.wide))
    if not min(picture.shape):
        return []
    square = SQUARE if line.is_latin else _SQUARE_ALONE
    boxes = find_boxes(picture, line.letter_height, square=square)
    if line.letter_height < line.height and not any(box.ticked for box in boxes):
        boxes = find_boxes(picture, line.height, square=square)  # a heading
    if line.is_lone:
        return [box for box in boxes if box.button is None]
    if not line.is_latin:
        boxes = [box for box in boxes if not _touches_word(picture, box)]
    boxes = [box for box in boxes if not is_letter(picture, box.left, box.top, box.side, reading, line.reach)]
    return [box for box in boxes if _has_word(picture, box, round(_REACH * line.height))]


def _touches_word(picture: Any, box: CheckBox) -> bool:
    """Returns whether ink is as close to a side of the box as the next letter of a word: the final mem of Hebrew is a square
    frame in many fonts."""
    ink = ink_mask(picture)
    rows, gap, blur = ink[box.top : box.top + box.side], round(_WORD_GAP * box.side), max(round(BLUR * box.side), 1)
    before, after = rows[:, max(box.left - gap, 0) : max(box.left - blur, 0)], rows[:, box.right + blur : box.right + gap]
    return bool(before.any() or after.any())


def _has_word(picture: Any, box: CheckBox, reach: int) -> bool:
    ink = ink_mask(picture)
    rows = slice(box.top, box.top + box.side)
    right = ink[rows, box.right + 2 : box.right + reach]
    left = ink[rows, max(box.left - reach, 0) : max(box.left - 2, 0)]
    return bool((right > 0).any(axis=0).sum() > 2 or (left > 0).any(axis=0).sum() > 2)
