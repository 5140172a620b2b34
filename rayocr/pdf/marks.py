"""Distinguishes words, numbers and figures on a nearly empty page from scanner artifacts: dust, shadows, streaks, punch holes.

The share of inked tiles is not enough: "Appendix B" on a divider page covers a thousandth of them, the shadow of a scanner lid a
twentieth. This module measures connected shapes in millimeters, which takes 1 to 2 ms per page.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

_SPECK_MM = 1.1  # shapes up to this size (the x-height of 6 pt) are dust or the dots of halftones
_LINE_WIDTH_MM, _LINE_LENGTH_MM = 1.1, 10.0  # lines at most this thick are rules, folds or streaks of the scanner's glass
_LINE_ASPECT = 10.0
_FOLD_SHARE = 0.6  # share of the page's side that a fold covers at least; two folds that cross are one shape
_EDGE_SHARE = 0.06  # share of the page's shorter side: how far the black around a crooked sheet reaches into the page
_HOLE_MM = (4.5, 9.0)  # punch hole size in both directions; 5.5 to 8 are common
_HOLE_MARGIN_MM = 22.0  # maximum distance from the nearest edge of the page to the middle of the hole
_STAPLE_MM, _CORNER_MM = (8.0, 16.0), 35.0  # length, and maximum distance of the middle from both edges of a corner
_FIGURE_MM = 5.0  # a shape of this size is a drawing, handwriting, or a word whose letters touch
_LONE_MM = 2.0  # least height of a single mark: a page number of 8 pt
_GAP = 1.6  # letter heights between the letters of a line
_DUSTY = 8  # number of letter-sized shapes; among more shapes, two adjacent ones may be dust
_MAX_SHAPES = 2_000  # a page with more shapes is not nearly empty


@dataclass(frozen=True, slots=True)
class Shape:
    x: int
    y: int
    width: int
    height: int
    area: int

    @property
    def long(self) -> int:
        return max(self.width, self.height)

    @property
    def short(self) -> int:
        return min(self.width, self.height)


def has_marks(ink: Any, *, dpi: float, clean: bool) -> bool:
    """Returns whether the page shows anything but artifacts. `ink`: a mask (bool or uint8) of the inked pixels, without the
    page's margins. `clean`: the page has no scanned content, so even the smallest shape is intended."""
    import cv2

    px_per_mm = dpi / 25.4
    ink = np.ascontiguousarray(ink, dtype=np.uint8)
    if not clean:
        ink = without_edges(without_folds(ink, px_per_mm))
    count, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    if count > _MAX_SHAPES:
        return True
    height, width = ink.shape
    shapes = [
        shape
        for shape in (Shape(*row) for row in stats[1:].tolist())
        if shape.long > _SPECK_MM * px_per_mm
        and not is_line(shape, px_per_mm)
        and (clean or not is_leftover(shape, width, height, px_per_mm))
    ]
    if clean and shapes:
        return True
    if any(shape.long >= _FIGURE_MM * px_per_mm for shape in shapes):
        return True
    dusty = len(shapes) > _DUSTY
    lone = not dusty and any(shape.height >= _LONE_MM * px_per_mm for shape in shapes)
    return lone or _longest_row(shapes) >= (3 if dusty else 2)


def without_folds(ink: Any, px_per_mm: float) -> Any:
    """Removes thin lines that cross the page, even if they are slightly crooked. No letter has a part that is as long and
    straight."""
    import cv2

    length, thick = round(_LINE_LENGTH_MM * px_per_mm), _LINE_WIDTH_MM * px_per_mm
    kept = ink.copy()
    for across in (True, False):
        kernel = np.ones((1, length) if across else (length, 1), np.uint8)
        runs = cv2.dilate(cv2.morphologyEx(ink, cv2.MORPH_OPEN, kernel), np.ones((3, 3), np.uint8))
        count, labels, stats, _ = cv2.connectedComponentsWithStats(runs, connectivity=8)
        for label in range(1, count):
            width, height, area = stats[label, cv2.CC_STAT_WIDTH : cv2.CC_STAT_AREA + 1].tolist()
            long, short, side = (width, height, ink.shape[1]) if across else (height, width, ink.shape[0])
            if long >= _FOLD_SHARE * side and short <= _EDGE_SHARE * side and area <= long * (thick + 2):
                kept[labels == label] = 0
    return kept


def without_edges(ink: Any) -> Any:
    """Removes shapes that touch the page's edge and stay near it, such as the black around a sheet that was scanned crookedly."""
    import cv2

    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    if count > _MAX_SHAPES:
        return ink
    height, width = ink.shape
    reach = round(_EDGE_SHARE * min(height, width))
    inner = labels[reach : height - reach, reach : width - reach]
    near = np.ones(count, bool)
    near[np.unique(inner)] = False
    right, bottom = stats[:, 0] + stats[:, 2], stats[:, 1] + stats[:, 3]
    touches = (stats[:, 0] == 0) | (stats[:, 1] == 0) | (right == width) | (bottom == height)
    return np.where((near & touches)[labels], 0, ink).astype(np.uint8)


def is_line(shape: Shape, px_per_mm: float) -> bool:
    long_enough = shape.long >= max(_LINE_LENGTH_MM * px_per_mm, _LINE_ASPECT * shape.short)
    return long_enough and shape.short <= _LINE_WIDTH_MM * px_per_mm


def is_leftover(shape: Shape, page_width: int, page_height: int, px_per_mm: float) -> bool:
    """Returns whether the shape is a scanner artifact: the shadow of an edge, a punch hole or a staple."""
    right, bottom = page_width - shape.x - shape.width, page_height - shape.y - shape.height
    edge = min(shape.x, shape.y, right, bottom)
    if edge <= 1 and shape.short < 0.25 * min(page_width, page_height):
        return True
    beside = min(shape.x, right) + shape.width / 2, min(shape.y, bottom) + shape.height / 2
    thickness = shape.area / math.hypot(shape.width, shape.height)
    is_staple = _STAPLE_MM[0] * px_per_mm <= shape.long <= _STAPLE_MM[1] * px_per_mm and thickness <= _LINE_WIDTH_MM * px_per_mm
    if is_staple and max(beside) <= _CORNER_MM * px_per_mm:
        return True
    low, high = (limit * px_per_mm for limit in _HOLE_MM)
    is_round = low <= shape.short and shape.long <= high and shape.long <= 1.4 * shape.short
    return is_round and edge + shape.short / 2 <= _HOLE_MARGIN_MM * px_per_mm


def _longest_row(shapes: list[Shape]) -> int:
    """Returns the largest number of adjacent shapes that are aligned like the letters of a word, at most 3."""
    longest = 1 if shapes else 0
    ending: list[tuple[Shape, int]] = []
    for shape in sorted(shapes, key=lambda shape: shape.x):
        row = 1 + max((length for before, length in ending if _is_beside(before, shape)), default=0)
        ending.append((shape, row))
        longest = max(longest, row)
        if longest >= 3:
            break
    return longest


def _is_beside(before: Shape, shape: Shape) -> bool:
    low, high = sorted((before.height, shape.height))
    overlap = min(before.y + before.height, shape.y + shape.height) - max(before.y, shape.y)
    return high <= 3 * low and overlap >= 0.5 * low and shape.x - before.x - before.width <= _GAP * high
