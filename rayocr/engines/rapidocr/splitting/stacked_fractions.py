"""Finds fractions with a level bar beside words, such as 2 3/4 in a recipe, by their ink. Detection covers only a part of their
numbers, and the models omit them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from rayocr.engines.rapidocr.image import cut_out
from rayocr.engines.rapidocr.numerals.small_digits import FRACTIONS
from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.engines.rapidocr.recognizer.recognition import ReadsLines
from rayocr.pdf.shapes.components import PageInk

# Sizes are shares of the usual height of a line's box.
_BAR_WIDTH = (0.2, 1.6)
_BAR_HEIGHT, _FLAT = 0.12, 4.0  # largest height of a bar, and least ratio of its width to its height
_NUMBER_HEIGHT = (0.2, 0.8)
_DIGIT_WIDTH = 1.1  # in its heights; parts of the Korean syllable 를 look like 2 above and below a bar, and are wider
_GAP = 0.3  # largest distance of a number from the bar
_OVERHANG = 0.15  # how far a number may reach beyond the bar
_LEVEL = (0.2, 0.8)  # height of the bar between the top and the bottom of the line beside it
_BESIDE = 1.2  # largest distance of the line from the bar
_CLOSE = 0.7  # largest distance of a fraction from the whole number before it
_LEAST_PIECE = 0.3
_MARGIN = 0.06
_PADDING = 0.4  # paper around a number, in its heights
_NUMBER = re.compile(r"\d{1,2}")
_SCORE = 0.6


class _Fraction(NamedTuple):
    """Corners of a fraction and the row of its bar, in pixels, and its text; "" if one of its numbers cannot be read."""

    x0: int
    y0: int
    x1: int
    y1: int
    bar: float
    text: str


def with_stacked_fractions(
    page: PageInk, quads: Any, read: list[LineReading], recognize: ReadsLines
) -> tuple[Any, list[LineReading], bool]:
    """Returns the lines and readings with such fractions, and whether one of them could not be read. `quads`: corners (n, 4, 2),
    clockwise from the top left, in pixels of the upright page."""
    import numpy as np

    usual = float(np.median(np.linalg.norm(quads[:, 3] - quads[:, 0], axis=1))) if len(quads) else 0.0
    if usual < 8:
        return quads, read, False
    boxes = np.concatenate([quads.min(axis=1), quads.max(axis=1)], axis=1)
    rows: list[tuple[set[int], list[_Fraction]]] = []
    lost, gone = False, set[int]()
    for fraction in _fractions(page, boxes, usual, recognize):
        lines = _beside(fraction, boxes, usual)
        lost |= not fraction.text
        if not fraction.text:
            continue
        gone |= _inside(fraction, boxes, usual)
        same = [row for row in rows if row[0] & lines]
        rows = [row for row in rows if row not in same]
        rows.append((lines.union(*(row[0] for row in same)), [*(f for row in same for f in row[1]), fraction]))
    new: list[tuple[Any, LineReading]] = []
    for members, fractions in rows:
        gone |= members
        new.append(_joined(page.gray, quads, boxes, read, members, sorted(fractions), usual, recognize))
    if not new:
        return quads, read, lost
    kept = [index for index in range(len(quads)) if index not in gone]
    lines_after = np.concatenate([quads[kept], np.array([quad for quad, _ in new], np.float32)])
    return lines_after, [*(read[index] for index in kept), *(reading for _, reading in new)], lost


def _fractions(page: PageInk, boxes: Any, usual: float, recognize: ReadsLines) -> list[_Fraction]:
    import numpy as np

    shapes = page.shapes[0].astype(np.int64)
    left, top, wide, high, _ = shapes.T
    is_bar = (wide > _BAR_WIDTH[0] * usual) & (wide < _BAR_WIDTH[1] * usual) & (high < max(_BAR_HEIGHT * usual, 4))
    is_number = (high > _NUMBER_HEIGHT[0] * usual) & (high < _NUMBER_HEIGHT[1] * usual) & (wide < _DIGIT_WIDTH * high)
    found: list[tuple[Any, Any, Any]] = []
    for bar in shapes[is_bar & (wide >= _FLAT * high)]:
        x, y, w, h, _ = bar.tolist()
        over = is_number & (left > x - _OVERHANG * usual) & (left + wide < x + w + _OVERHANG * usual)
        above = shapes[over & (top + high <= y + 1) & (top + high > y - _GAP * usual)]
        below = shapes[over & (top >= y + h - 1) & (top < y + h + _GAP * usual)]
        is_beside = (boxes[:, 0] < x + w + _BESIDE * usual) & (boxes[:, 2] > x - _BESIDE * usual)
        if 1 <= len(above) <= 2 and 1 <= len(below) <= 2 and (is_beside & _is_level(y + h / 2, boxes)).any():
            found.append((bar, above, below))
    pictures = [_number(page.gray, some) for _, *numbers in found for some in numbers]
    readings = iter(recognize(pictures) if pictures else ())
    fractions = []
    for bar, *numbers in found:
        above_text, below_text = (_digits(next(readings)) for _ in numbers)
        if not above_text and not below_text:
            continue
        parts = np.concatenate([bar[None], *numbers])
        (x0, y0), (x1, y1) = parts[:, :2].min(axis=0).tolist(), (parts[:, :2] + parts[:, 2:4]).max(axis=0).tolist()
        is_read = above_text and below_text and int(above_text) and int(below_text)
        text = f"{above_text}/{below_text}" if is_read else ""
        fraction = _Fraction(x0, y0, x1, y1, float(bar[1] + bar[3] / 2), FRACTIONS.get(text, text))
        if _beside(fraction, boxes, usual):
            fractions.append(fraction)
    return fractions


def _number(upright: Any, shapes: Any) -> Any:
    """Returns the picture of a number, with paper around it."""
    import numpy as np

    (x0, y0), (x1, y1) = shapes[:, :2].min(axis=0) - 1, (shapes[:, :2] + shapes[:, 2:4]).max(axis=0) + 1
    part = upright[max(y0, 0) : y1, max(x0, 0) : x1]
    return np.pad(part, max(round(_PADDING * len(part)), 2), constant_values=int(np.percentile(part, 95))).astype(np.uint8)


def _digits(reading: LineReading) -> str:
    text = reading.text.strip()
    return text if reading.score >= _SCORE and _NUMBER.fullmatch(text) else ""


def _is_level(row: float, boxes: Any) -> Any:
    high = boxes[:, 3] - boxes[:, 1]
    return (boxes[:, 1] + _LEVEL[0] * high < row) & (row < boxes[:, 1] + _LEVEL[1] * high)


def _beside(fraction: _Fraction, boxes: Any, usual: float) -> set[int]:
    """Returns the lines that the fraction is part of."""
    import numpy as np

    near = (boxes[:, 0] < fraction.x1 + _BESIDE * usual) & (boxes[:, 2] > fraction.x0 - _BESIDE * usual)
    found = set(np.flatnonzero(near & _is_level(fraction.bar, boxes)).tolist())
    return found - _inside(fraction, boxes, usual)


def _inside(fraction: _Fraction, boxes: Any, usual: float) -> set[int]:
    """Returns the lines that are a part of the fraction."""
    import numpy as np

    middle, off, beyond = (boxes[:, 1] + boxes[:, 3]) / 2, _OVERHANG * usual, _LEAST_PIECE * usual
    is_in = (boxes[:, 0] > fraction.x0 - beyond) & (boxes[:, 2] < fraction.x1 + beyond)
    return set(np.flatnonzero(is_in & (middle > fraction.y0 - off) & (middle < fraction.y1 + off)).tolist())


def _joined(
    upright: Any,
    quads: Any,
    boxes: Any,
    read: Sequence[LineReading],
    members: set[int],
    fractions: Sequence[_Fraction],
    usual: float,
    recognize: ReadsLines,
) -> tuple[Any, LineReading]:
    """Returns the corners and the reading of lines and fractions of one row."""
    import numpy as np

    pieces: list[tuple[float, float, Any]] = []  # start, end, and the picture, or the reading of a line without fractions
    margin = _MARGIN * usual
    for index in members:
        start, end = float(boxes[index, 0]), float(boxes[index, 2])
        inside = [f for f in fractions if f.x1 > start and f.x0 < end]
        if not inside:
            pieces.append((start, end, read[index]))
            continue
        starts, ends = [start, *(f.x1 + margin for f in inside)], [*(f.x0 - margin for f in inside), end]
        for left, right in zip(starts, ends, strict=True):
            if right - left > _LEAST_PIECE * usual:
                pieces.append((left, right, cut_out(upright, _between(quads[index], left, right))))
    pictures = [piece for *_, piece in pieces if not isinstance(piece, LineReading)]
    again = iter(recognize(pictures) if pictures else ())
    parts = [(x0, x1, piece if isinstance(piece, LineReading) else next(again)) for x0, x1, piece in pieces]
    scores = [reading.score for *_, reading in parts if reading.text.strip()] or [_SCORE]
    texts = [(x0, x1, reading.text.strip()) for x0, x1, reading in parts if reading.text.strip()]
    text, last = "", 0.0
    for x0, x1, part in sorted([*texts, *((float(f.x0), float(f.x1), f.text) for f in fractions)]):
        is_close = text[-1:].isdigit() and x0 - last < _CLOSE * usual and len(part) == 1 and not part.isdecimal()
        text += part if not text or is_close else f" {part}"
        last = x1
    widest = max(members, key=lambda index: float(boxes[index, 2] - boxes[index, 0]))
    ends_at = [*(f.x0 for f in fractions), *(f.x1 for f in fractions), *boxes[sorted(members)][:, [0, 2]].ravel().tolist()]
    lost = any(reading.lost for *_, reading in parts)
    whole = _between(quads[widest], min(ends_at), max(ends_at))
    return whole, LineReading(text, float(np.mean(scores)), min(scores), lost=lost)


def _between(quad: Any, start: float, end: float) -> Any:
    """Returns the corners of the part of a line's band from one column to another, which may be outside the line."""
    import numpy as np

    length = max(float(quad[1][0] - quad[0][0]), 1.0)
    top, bottom = (quad[1] - quad[0]) / length, (quad[2] - quad[3]) / length
    first, last = start - float(quad[0][0]), end - float(quad[0][0])
    corners = [quad[0] + first * top, quad[0] + last * top, quad[3] + last * bottom, quad[3] + first * bottom]
    return np.array(corners, np.float32)
