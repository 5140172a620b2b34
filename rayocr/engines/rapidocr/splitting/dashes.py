"""Finds dashes that stand alone in a cell of a table, by their ink: the detector omits most of them, and the recognizer reads
others as the Chinese numeral one.

A dash is a solid level stroke at the middle of its row, apart from other ink, with boxes beside it in the row and above or below
it in the column.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from rayocr.engines.rapidocr.image import cut_out
from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.engines.rapidocr.text import UNTICKED_BOX, is_mostly_chinese
from rayocr.pdf.shapes.components import PageInk, components, ink_mask

# All sizes are relative to the usual height of a box, which has margins: about 1.5 times the size of the type.
_LENGTH = (0.12, 1.0)
_THICKNESS = 0.16
_LONG, _SOLID = 1.6, 0.7  # minimum ratio of length to thickness, and share of ink
_EM, _EN = 1.3, 0.76  # minimum length of an em dash and of an en dash, in usual letters with their space; hyphens are shorter
_PADDING = 0.27  # margins of a box at both ends, in its heights
_LETTERS = 4  # least number of letters of a line that shows their usual width
_WHITE = (0.4, 0.35)  # white space beside a dash, and above and below
_SAME_ROW, _APART = 0.22, 0.4  # distance of centers in a row, and of a dash from the next box
_SAME_EDGE, _SHORT = 0.35, 0.28  # distance of an edge or the center from that of a box in the column; length of a hyphen
_RING = (0.15, 0.2)  # white space beside a stroke and above it, boxes included: others are remains of letters
_NEAR, _WIDEST = 8.0, 8.0  # distance of the boxes of a column, and their width; wider boxes are prose
_IN_COLUMN = 2  # least number of boxes and dashes in the column, one of them a box
_FEWEST_BOXES = 6
_MOST_SHAPES = 20_000  # number of shapes outside boxes; more are the raster of a picture
_MOST_STROKES = 300  # more are dashed rules, leaders or a drawing
_MIDDLE = (0.3, 0.7)  # where the stroke of a dash lies in its box
_SCORE = 0.95
_LIKE_DASH = frozenset({"", "一", "ー", "－", "―", "-", "–", "—", "_"})
_LIKE_SIGNS = str.maketrans({"一": "—", "ー": "—", "―": "—", "丨": "|", "〇": "0", "二": "=", "三": "≡"})


def with_dashes(page: PageInk, quads: Any, read: list[LineReading]) -> tuple[Any, list[LineReading]]:
    """Returns the lines and readings, with a line for each dash without a box, and with dashes, rules and boxes in place of the
    Chinese characters that look like them on a page in another script. `quads`: corners (n, 4, 2) in pixels of the page."""
    import numpy as np

    if not len(quads):
        return quads, read
    tall = float(np.median(quads[:, :, 1].max(axis=1) - quads[:, :, 1].min(axis=1)))
    letter = _usual_letter(quads, read, tall)
    if not is_mostly_chinese(reading.text for reading in read):
        read = [_corrected(page.gray, quad, reading, letter) for quad, reading in zip(quads, read, strict=True)]
    found = find_dashes(page, quads, tall)
    if not found:
        return quads, read
    corners = [_corners(dash, tall) for dash in found]
    new = [LineReading(_dash(dash[2] / letter), _SCORE, _SCORE) for dash in found]
    return np.concatenate([quads, np.array(corners, np.float32)]), [*read, *new]


def find_dashes(page: PageInk, boxes: Any, tall: float) -> list[tuple[float, float, float, float]]:
    """Returns left, top, width and height of the strokes. `tall`: the usual height of the boxes."""
    import cv2
    import numpy as np

    low, high = boxes.min(axis=1), boxes.max(axis=1)
    if len(boxes) < _FEWEST_BOXES or float(np.median(high[:, 0] - low[:, 0])) < tall / 2:
        return []
    ink = page.mask.copy()
    cv2.fillPoly(ink, [np.round(box).astype(np.int32) for box in boxes], 0)
    shapes = components(ink)[0].astype(float)
    if len(shapes) > _MOST_SHAPES:
        return []
    shapes = shapes[(shapes[:, 2] < 6 * tall) & (shapes[:, 3] < 2 * tall)]  # without rules
    _, _, width, height, area = shapes.T
    like = (width > _LENGTH[0] * tall) & (width < _LENGTH[1] * tall) & (height < _THICKNESS * tall)
    like &= (width > _LONG * height) & (area > _SOLID * width * height)
    if int(like.sum()) > _MOST_STROKES:
        return []
    strokes = [shape for shape in shapes[like] if _is_apart(shape, shapes, tall) and _is_whole(shape, page.mask, tall)]
    if not strokes:
        return []
    middles = (low[:, 1] + high[:, 1]) / 2
    usual = np.abs((high[:, 1] - low[:, 1]) / tall - 1) < 0.5
    in_row = []
    for shape in strokes:
        left, right, middle = shape[0], shape[0] + shape[2], shape[1] + shape[3] / 2
        level = usual & (np.abs(middles - middle) < _SAME_ROW * tall)
        if (level & ((low[:, 0] > right + _APART * tall) | (high[:, 0] < left - _APART * tall))).any():
            in_row.append(shape)
    cells = usual & (high[:, 0] - low[:, 0] < _WIDEST * tall)
    found = []
    for shape in in_row:
        left, right, middle = shape[0], shape[0] + shape[2], shape[1] + shape[3] / 2
        column = cells & (low[:, 0] < right) & (high[:, 0] > left)
        column &= (np.abs(middles - middle) > tall / 2) & (np.abs(middles - middle) < _NEAR * tall)
        others = sum(
            other[0] < right and other[0] + other[2] > left and tall / 2 < abs(other[1] - shape[1]) < _NEAR * tall
            for other in in_row
        )
        edges = low[:, 0] + tall / 6 - left, high[:, 0] - tall / 6 - right, (low[:, 0] + high[:, 0] - left - right) / 2
        aligned = int((column & (np.abs(edges).min(axis=0) < _SAME_EDGE * tall)).sum())
        is_short = shape[2] < _SHORT * tall  # specks of dirt are short
        if aligned > is_short and int(column.sum()) + others >= _IN_COLUMN:
            found.append((float(shape[0]), float(shape[1]), float(shape[2]), float(shape[3])))
    return found


def _usual_letter(quads: Any, read: Sequence[LineReading], tall: float) -> float:
    """Returns the usual width of a letter with the space beside it: about half the size of the type."""
    spans = quads[:, :, 0].max(axis=1) - quads[:, :, 0].min(axis=1) - _PADDING * tall
    widths = [
        float(span) / len(reading.text)
        for span, reading in zip(spans, read, strict=True)
        if len(reading.text) >= _LETTERS and span > 2 * tall
    ]
    return median(widths) if widths else tall / 3


def _is_apart(shape: Any, shapes: Any, tall: float) -> bool:
    """Returns whether the stroke has white paper around it. Strokes of dashed rules and leaders have not."""
    x, y, width, height = shape[:4]
    beside = (shapes[:, 0] < x + width + _WHITE[0] * tall) & (shapes[:, 0] + shapes[:, 2] > x - _WHITE[0] * tall)
    level = (shapes[:, 1] < y + height + _WHITE[1] * tall) & (shapes[:, 1] + shapes[:, 3] > y - _WHITE[1] * tall)
    return int((beside & level & (shapes[:, 4] > 3)).sum()) == 1


def _is_whole(shape: Any, ink: Any, tall: float) -> bool:
    """Returns whether the stroke touches no other ink, also none in boxes, of which it may be what is left."""
    x, y, width, height = (int(value) for value in shape[:4])
    beside, above = max(round(_RING[0] * tall), 2), max(round(_RING[1] * tall), 2)
    around = ink[max(y - above, 0) : y + height + above, max(x - beside, 0) : x + width + beside]
    return int((around > 0).sum()) <= shape[4] + 3


def _corrected(upright: Any, quad: Any, reading: LineReading, letter: float) -> LineReading:
    text = reading.text.strip()
    if text in _LIKE_DASH and (length := _stroke(cut_out(upright, quad))):
        return LineReading(_dash(length / letter), max(reading.score, _SCORE), max(reading.weakest, _SCORE))
    if text in ("口", "□"):
        return reading._replace(text=UNTICKED_BOX)
    return reading._replace(text=reading.text.translate(_LIKE_SIGNS))


def _stroke(picture: Any) -> float:
    """Returns the length of the stroke if it is all ink in the picture of a line and lies at the middle; 0 otherwise."""
    import numpy as np

    height, width = picture.shape
    if width > 2 * height or min(picture.shape) < 4:
        return 0.0
    ink = ink_mask(picture)
    shapes = components(ink)[0]
    if not len(shapes):
        return 0.0
    _, y, length, thickness, area = shapes[np.argmax(shapes[:, 4])].tolist()
    is_alone = area > _SOLID * int((ink > 0).sum())
    is_level = length > _LONG * thickness and thickness < 2 * _THICKNESS * height and area > _SOLID * length * thickness
    return float(length) if is_alone and is_level and _MIDDLE[0] < (y + thickness / 2) / height < _MIDDLE[1] else 0.0


def _dash(length: float) -> str:
    """Returns the dash of this length in usual letters."""
    return "—" if length >= _EM else "–" if length >= _EN else "-"


def _corners(dash: tuple[float, float, float, float], tall: float) -> Sequence[Sequence[float]]:
    x, y, width, height = dash
    middle, margin = y + height / 2, tall / 5
    return [
        (x - margin, middle - tall / 2),
        (x + width + margin, middle - tall / 2),
        (x + width + margin, middle + tall / 2),
        (x - margin, middle + tall / 2),
    ]
