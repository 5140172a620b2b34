"""Joins the digits of a number that is stamped along the margin of an upright page and runs up or down it.

Its digits are set apart, so that the detector puts each into a box of its own, or misses it. Read upright, they are junk, which
the layout then mixes with the lines beside them. Takes no time on pages without a column of short boxes that touch.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from rayocr.engines.rapidocr.image import cut_out, turned_image
from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.engines.rapidocr.recognizer.recognition import ReadsLines
from rayocr.pdf.shapes.components import PageInk

_FEWEST = 2  # least number of boxes
_LONG = 4.0  # least length of the number, in widths of its digits
_FLAT = 0.6  # least height of a box by its width
_ALIGNED, _SAME_WIDTH = 0.35, 0.55  # largest difference of the centers and of the widths of boxes, in widths
_GAP = 2.6  # largest distance of the centers of two digits with missed ones between them, in widths
_TEXT, _TALL = 3, 1.7  # most signs that were read in a box of one digit; boxes of several digits are taller by their width
_DIGIT = (0.3, 1.2)  # size of the ink of a digit that the detector missed, in widths of the boxes
_MARGIN = 0.15  # margin around the number, in widths
_SURE = 0.9  # least score of the whole number
_UPRIGHT = 0.95  # least score of upright digits, such as the numbers of a table's rows
_MOSTLY = 0.75  # share of upright digits; of the turned digits of real stamps, .57 were read with that score
_SAME_TURNED = frozenset("0O8oXx")


def with_turned_numbers(
    ink: PageInk, quads: Any, read: list[LineReading], recognize: ReadsLines
) -> tuple[Any, list[LineReading]]:
    """Returns the lines and readings with each such number as one line. `quads`: corners (n, 4, 2), clockwise from the top left,
    in pixels of the upright page."""
    import numpy as np

    gone: set[int] = set()
    lines: list[tuple[Any, LineReading]] = []
    for column in _columns(quads, read):
        x0, y0, x1, y1 = _whole(ink, quads[column])
        quad = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)
        crop = cut_out(ink.gray, quad)
        best = max(recognize([turned_image(crop, 1), turned_image(crop, 3)]), key=lambda reading: reading.score)
        signs = best.text.replace(" ", "")
        if best.score >= _SURE and len(signs) >= len(column) and _is_number(signs):
            gone.update(column)
            lines.append((quad, best._replace(text=signs, places=(), look_alikes=())))
    if not lines:
        return quads, read
    kept = [index for index in range(len(quads)) if index not in gone]
    joined = np.concatenate([quads[kept], np.array([quad for quad, _ in lines], quads.dtype)])
    return joined, [*(read[index] for index in kept), *(reading for _, reading in lines)]


def _is_number(signs: str) -> bool:
    """Returns whether the text is a number with digits that are others when they are turned."""
    return sum(map(str.isdigit, signs)) > 0.7 * len(signs) and not set(signs) <= _SAME_TURNED


def _columns(quads: Any, read: Sequence[LineReading]) -> list[list[int]]:
    """Returns the indexes of the boxes of each column of short boxes that touch."""
    import numpy as np

    if len(quads) < _FEWEST:
        return []
    low, high = quads.min(axis=1), quads.max(axis=1)
    widths, heights = (high - low).T
    ratios = heights / np.maximum(widths, 1)
    short = [n for n in np.flatnonzero(ratios >= _FLAT).tolist() if ratios[n] > _TALL or len(read[n].text.strip()) <= _TEXT]
    columns: list[list[int]] = []
    reached: list[list[int]] = []  # those that a next digit is near enough to
    farthest = _GAP * float(widths[short].max(initial=0))
    for n in sorted(short, key=lambda n: float(low[n, 1])):
        wide, center = widths[n], (low[n, 0] + high[n, 0]) / 2
        reached = [column for column in reached if low[n, 1] - high[column[-1], 1] < farthest]
        for column in reached:
            last = column[-1]
            gap = low[n, 1] + wide / 2 - (high[last, 1] - widths[last] / 2)  # between the centers of the nearest digits
            is_aligned = abs(center - (low[last, 0] + high[last, 0]) / 2) < _ALIGNED * wide
            if is_aligned and abs(widths[last] - wide) < _SAME_WIDTH * max(widths[last], wide) and gap < _GAP * wide:
                column.append(n)
                break
        else:
            reached.append([n])
            columns.append(reached[-1])
    return [column for column in columns if _is_stamped(column, low, high) and not _is_upright([read[n] for n in column])]


def _is_upright(digits: Sequence[LineReading]) -> bool:
    """Returns whether most digits, other than those that are the same turned, were read well as they are."""
    others = [reading for reading in digits if not set(reading.text.strip()) <= _SAME_TURNED]
    well = sum(reading.score >= _UPRIGHT and reading.text.strip().isdecimal() for reading in others)
    return bool(others) and well >= _MOSTLY * len(others)


def _is_stamped(column: Sequence[int], low: Any, high: Any) -> bool:
    """Returns whether most boxes of a column touch, unlike those of the numbers of a table, and some are as wide as high."""
    if len(column) < _FEWEST:
        return False
    wide = sorted(high[n, 0] - low[n, 0] for n in column)[len(column) // 2]
    touching = sum(low[after, 1] < high[before, 1] for before, after in pairwise(column))
    return bool(2 * touching >= len(column) - 1 and high[column[-1], 1] - low[column[0], 1] > _LONG * wide)


def _whole(ink: PageInk, boxes: Any) -> tuple[float, float, float, float]:
    """Returns x0, y0, x1, y1 of the number with the digits at its ends that the detector missed."""
    import numpy as np

    (x0, y0), (x1, y1) = boxes.min(axis=(0, 1)), boxes.max(axis=(0, 1))
    wide = float(np.median(boxes[:, :, 0].max(axis=1) - boxes[:, :, 0].min(axis=1)))
    shapes = ink.shapes[0]
    middle = shapes[:, 0] + shapes[:, 2] / 2
    size = shapes[:, 2:4].max(axis=1)
    like = shapes[(middle > x0) & (middle < x1) & (size > _DIGIT[0] * wide) & (size < _DIGIT[1] * wide)]
    for y, height in like[np.argsort(like[:, 1])][:, (1, 3)].tolist():
        if y1 - wide / 2 < y < y1 + wide / 2:
            y1 = max(y1, y + height)
    for y, height in like[np.argsort(-like[:, 1])][:, (1, 3)].tolist():
        if y0 - wide / 2 < y + height < y0 + wide / 2:
            y0 = min(y0, y)
    margin = _MARGIN * wide
    return float(x0), float(y0) - margin, float(x1), float(y1) + margin
