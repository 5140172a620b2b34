"""Finds check boxes and radio buttons that are drawn on the page, without a form field, and whether they are ticked.

A box is a small square or circle beside text. The page's pixels decide whether it has a border and what is inside, since ticks
are drawn in many ways: strokes, glyphs of a symbol font, a white mark on a colored ground.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from rayocr.pdf.forms.fields import TICKED, UNTICKED, FieldKind, FormField
from rayocr.pdf.geometry import Box
from rayocr.pdf.objects import Ruling
from rayocr.pdf.shapes.components import components
from rayocr.pdf.textlayer.lines import TextLine

DRAWN = -1  # the index that stands for a field without an annotation
BOX_DPI = 150

_SIDES_PT = (6.0, 22.0)
_SQUARE = 1.25  # largest ratio of a box's sides
_MOST = 300  # a page with more small shapes is a drawing
_BESIDE = 1.6  # maximum distance of the text, in sides of the box
_FAR, _COLUMN = 30.0, 3  # the same for boxes in a column, which can be farther from the text
_ADJACENT_PT = 1.5  # cells of a comb or of a grid are closer to each other
_TICKS = frozenset("xX×4✓✔✕✖✗✘☑☒•●■·\u2713\u2714\u2717\u2718\uf0fc\uf0fb\uf0fe\uf0a8\uf06e")
_CONTRAST = 50  # gray levels (0 to 255) between the rim and the paper
_MARK = 0.04  # least share of the inside that a tick covers
_RIM = 0.55  # share of the rim that must be visible
_CORNER = 0.06  # share of the side of a circle's box that is blank at each corner
_ALIKE = 1.15  # largest ratio of the sizes of boxes of one form


def drawn_boxes(
    shapes: Iterable[Box], rulings: Sequence[Ruling], lines: Sequence[TextLine], size_pt: tuple[float, float]
) -> list[Box]:
    """Returns the places that may be check boxes: isolated squares beside text. `shapes`: bounds of paths. All coordinates are in
    points of the upright page, as are `lines`."""
    squares: list[Box] = []
    # The largest shape is first, because a tick may be as square as its box.
    for box in sorted([*filter(_is_small_square, shapes), *_squares_of(rulings)], key=_area, reverse=True):
        if not any(_overlap(box, other) for other in squares) and box[0] >= 0 and box[1] >= 0 and box[2] <= size_pt[0]:
            squares.append(box)
        if len(squares) > _MOST:
            return []
    alone = [box for box in squares if not any(box is not other and _touch(box, other) for other in squares)]
    found = [box for box in alone if _is_beside_text(box, lines, far=_in_column(box, alone)) and _may_hold(box, lines)]
    return found if 2 * len(found) >= len(squares) else []  # otherwise all are marks of a plot, or cells


def read_boxes(picture: Any, scale: float, boxes: Sequence[Box]) -> list[FormField]:
    """Reads the state of the boxes. `picture`: the page in gray with `scale` pixels per point."""
    contents = [(box, _inspect(picture, scale, box)) for box in boxes]
    empty = [box for box, content in contents if content == "empty"]
    fields = []
    for box, content in contents:
        ticked = content == "ticked" or (content == "filled" and any(_same_size(box, other) for other in empty))
        if ticked or content == "empty":
            text = TICKED if ticked else UNTICKED
            fields.append(FormField(index=DRAWN, kind=FieldKind.BOX, text=text, box=box))
    return fields


def _inspect(picture: Any, scale: float, box: Box) -> str:
    """Returns `empty`, `ticked`, `filled` (a mark on a colored ground), or "" for anything else."""
    x0, y0, x1, y1 = (round(at * scale) for at in box)
    side, rim = min(x1 - x0, y1 - y0), max(2, round(0.12 * (x1 - x0)))
    around = picture[max(0, y0 - 2 * rim) : y1 + 2 * rim, max(0, x0 - 2 * rim) : x1 + 2 * rim]
    inset = round(0.24 * side)
    inside = picture[y0 + inset : y1 - inset, x0 + inset : x1 - inset].astype(np.int16)
    if inside.size < 9 or not around.size:
        return ""
    paper, ground = int(np.percentile(around, 90)), int(np.median(inside))
    mark = float((np.abs(inside - ground) > _CONTRAST).mean())
    if not _has_rim(picture[y0 - rim : y1 + rim, x0 - rim : x1 + rim], paper, rim):
        return ""
    if abs(ground - paper) <= _CONTRAST:
        if mark >= _MARK:
            is_face = (
                _is_round(picture[y0 - rim : y1 + rim, x0 - rim : x1 + rim], paper, rim) and _count_marks(inside, ground) > 1
            )
            return "" if is_face else "ticked"
        return "empty" if mark < _MARK / 4 else ""
    # A solid square is a bullet or the key of a chart, unless paper shows between its rim and its filling.
    gap = picture[y0 + rim : y1 - rim, x0 + rim : x1 - rim].astype(np.int16)
    if ground < paper and float((np.abs(gap - paper) <= _CONTRAST).mean()) > 0.12 and mark < _MARK:
        return "ticked"
    return "filled" if mark >= _MARK else ""


def _is_round(picture: Any, paper: int, rim: int) -> bool:
    """Returns whether the corners of the box are blank."""
    differs = np.abs(picture.astype(np.int16) - paper) > _CONTRAST
    corner = rim + max(2, round(_CORNER * min(picture.shape)))
    return not any(
        differs[rows, columns].any()
        for rows in (slice(0, corner), slice(-corner, None))
        for columns in (slice(0, corner), slice(-corner, None))
    )


def _count_marks(inside: Any, ground: int) -> int:
    """Returns the number of separate marks: one for a tick, several for a face or the letter i in a circle."""
    return len(components((np.abs(inside - ground) > _CONTRAST).astype(np.uint8))[0])


def _has_rim(picture: Any, paper: int, rim: int) -> bool:
    """Returns whether most lines from the box's outside to its inside cross its border. A circle does not reach the corners."""
    if picture.shape[0] < 4 * rim or picture.shape[1] < 4 * rim:
        return False
    differs = np.abs(picture.astype(np.int16) - paper) > _CONTRAST
    band = 3 * rim
    sides = (
        differs[:band].any(axis=0),
        differs[-band:].any(axis=0),
        differs[:, :band].any(axis=1),
        differs[:, -band:].any(axis=1),
    )
    return all(float(side[rim:-rim].mean()) >= _RIM for side in sides)


def _is_small_square(box: Box) -> bool:
    width, height = box[2] - box[0], box[3] - box[1]
    low, high = sorted((width, height))
    return _SIDES_PT[0] <= low and high <= _SIDES_PT[1] and high <= _SQUARE * low


def _squares_of(rulings: Sequence[Ruling]) -> list[Box]:
    """Finds squares that are drawn as four separate lines."""
    short = [r for r in rulings if _SIDES_PT[0] <= max(abs(r.x1 - r.x0), abs(r.y1 - r.y0)) <= _SIDES_PT[1]]
    if len(short) > 4 * _MOST:
        return []
    level = sorted((r for r in short if r.y0 == r.y1), key=lambda r: (round(r.x0), r.y0))
    upright = [r for r in short if r.y0 != r.y1]
    found = []
    for above, below in pairwise(level):
        box = (above.x0, above.y0, above.x1, below.y0)
        if abs(above.x0 - below.x0) > 1 or abs(above.x1 - below.x1) > 1 or not _is_small_square(box):
            continue
        sides = [r for r in upright if abs(r.y0 - box[1]) < 1.5 and abs(r.y1 - box[3]) < 1.5]
        if any(abs(r.x0 - box[0]) < 1.5 for r in sides) and any(abs(r.x0 - box[2]) < 1.5 for r in sides):
            found.append(box)
    return found


def _in_column(box: Box, others: Sequence[Box]) -> bool:
    """Returns whether several boxes of this size are below one another, as beside the questions of a form."""
    return sum(abs(box[0] - other[0]) < 1 and _same_size(box, other) for other in others) >= _COLUMN


def _is_beside_text(box: Box, lines: Sequence[TextLine], *, far: bool) -> bool:
    side, middle = box[3] - box[1], (box[1] + box[3]) / 2
    beside = _FAR if far else _BESIDE
    return any(
        line.y0 - 0.3 * side < middle < line.y1 + 0.3 * side
        and max(line.x0 - box[2], box[0] - line.x1) < beside * side
        and any(word.x0 >= box[2] - 1 or word.x1 <= box[0] + 1 for word in line.words)
        for line in lines
    )


def _may_hold(box: Box, lines: Sequence[TextLine]) -> bool:
    """Returns whether the box contains no text, or only a tick. A number in a circle is a number."""
    inside = (word.text for line in lines for word in line.words if holds(box, word))
    return all(len(text) <= 2 and all(char in _TICKS for char in text) for text in inside)


def holds(box: Box, word: Any) -> bool:
    """Returns whether the middle of the word is inside the box."""
    x, y = (word.x0 + word.x1) / 2, (word.y0 + word.y1) / 2
    return bool(box[0] - 1 <= x <= box[2] + 1 and box[1] - 1 <= y <= box[3] + 1)


def _overlap(one: Box, other: Box) -> bool:
    width, height = min(one[2], other[2]) - max(one[0], other[0]), min(one[3], other[3]) - max(one[1], other[1])
    return width > 0 and height > 0 and width * height > 0.5 * min(_area(one), _area(other))


def _touch(one: Box, other: Box) -> bool:
    gap_x, gap_y = max(one[0], other[0]) - min(one[2], other[2]), max(one[1], other[1]) - min(one[3], other[3])
    return max(gap_x, gap_y) < _ADJACENT_PT and _same_size(one, other)


def _same_size(one: Box, other: Box) -> bool:
    low, high = sorted((_area(one), _area(other)))
    return high <= _ALIKE**2 * low


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
