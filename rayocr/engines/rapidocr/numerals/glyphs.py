"""Finds raised digits and fractions such as ¾ in the picture of a line, by the size and the place of their ink.

The recognition models read both as ordinary digits with scores up to .99: "12³" as 123, "2¾" as 234.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import Any, NamedTuple

from rayocr.pdf.shapes.components import components, ink_mask

# Sizes are relative to the height of the line's capital letters and ordinary digits.
_LEAST_PX = 2
_LETTER = 0.3  # least height of a letter, relative to the picture
_EDGE = 0.12  # shapes that touch the upper or lower edge and end within this share of the picture belong to other lines
_LEVEL = 0.15  # largest distance of a letter's foot from the base line
_BASE = 40  # percentile of the letters' feet that is the base line; words whose letters touch reach below it
_TALL = 90  # percentile of the letters' heights that is the height of capital letters
_RAISED = (0.43, 0.85)  # height of a raised digit
_LIFT = 0.22  # least distance of a raised digit from the base line
_TOP = 0.8  # least height of its top above the base line
_WIDEST, _NARROWEST = 0.8, 0.1  # its width
_FEWEST_SMALL = 3  # number of raised signs; more of them than of others are not raised
_PART = (0.35, 0.75)  # height of a number of a fraction
_BAR = (0.85, 1.35)  # height of a fraction
_WIDTH = (0.72, 2.4)  # width of a fraction
_BESIDE = 0.3  # largest distance of its numbers from its bar
# Parts of a fraction, as shares of its width and height from its upper left corner. The first four have ink: its numbers and the
# ends of its bar. The others are white, unlike in most letters.
_PLACES = (
    (0.0, 0.3, 0.0, 0.5),
    (0.7, 1.0, 0.5, 1.0),
    (0.42, 1.0, 0.0, 0.12),
    (0.0, 0.58, 0.88, 1.0),
    (0.0, 0.12, 0.68, 0.82),
    (0.88, 1.0, 0.18, 0.32),
)
_INKED_PLACES = 4
_LOWEST = 0.72  # share of its height above which the upper number ends
_RISE, _BAR_ROWS = 0.25, 0.9  # least width of its bar, and share of the rows in which the bar has ink
_END, _MIDDLE = 0.12, 0.42  # share of the height where the ends of the bar are, and of the width that the numbers reach
_STROKE, _STROKE_BLUR = 0.1, 0.17  # half the width of the bar, without and with its blur
_PADDING = 0.4


class Shape(NamedTuple):
    """Ink in the picture of a line, in pixels."""

    x0: int
    y0: int
    x1: int
    y1: int


class Glyphs(NamedTuple):
    """The ink of a line from left to right. `raised` and `fractions` are shapes of `shapes`."""

    shapes: list[Shape]
    raised: set[Shape]
    fractions: set[Shape]
    cap: float


def glyphs_of(line: Any) -> Glyphs | None:
    """Returns the shapes of a gray picture (height, width), or None if it has neither raised digits nor fractions."""
    import numpy as np

    height = len(line)
    ink, stats = _ink_of(line)
    x0, y0, w, h, _ = stats.T
    x1, y1 = x0 + w, y0 + h
    letters = h >= _LETTER * height
    if not letters.any():
        return None
    base = float(np.percentile(y1[letters], _BASE, method="higher"))
    level = letters & (np.abs(y1 - base) <= max(_LEVEL * height, 2))
    if not level.any():
        return None
    cap = float(np.percentile(h[level], _TALL))
    raised = (h > _RAISED[0] * cap) & (h < _RAISED[1] * cap) & (y1 <= base - _LIFT * cap) & (y0 <= base - _TOP * cap)
    raised &= (w <= _WIDEST * cap) & (w >= _NARROWEST * cap) & (y0 > 0)
    if int(raised.sum()) > max(int(level.sum()), _FEWEST_SMALL - 1):
        raised[:] = False  # the base line is that of a descender
    groups = _fractions(ink, stats, base, cap)
    if not (raised.any() or groups):
        return None
    shapes = _merged([Shape(*map(int, box)) for box in zip(x0, y0, x1, y1, strict=True)], groups)
    found = {Shape(*map(int, box)) for box in zip(x0[raised], y0[raised], x1[raised], y1[raised], strict=True)}
    return Glyphs(shapes, found & set(shapes), set(groups) & set(shapes), cap)


def signs_of(line: Any) -> list[Shape]:
    """Returns the shapes of a gray picture (height, width) from left to right, with dots and accents joined to their letters."""
    _, stats = _ink_of(line)
    return _merged([Shape(left, top, left + wide, top + tall) for left, top, wide, tall, _ in stats.tolist()], [])


def _ink_of(line: Any) -> tuple[Any, Any]:
    """Returns the picture with 0 for paper, and left, top, width, height and area (n, 5) of its shapes from left to right,
    without specks and remains of other lines."""
    import numpy as np

    height, width = line.shape
    ink = ink_mask(line)
    stats = components(ink)[0].astype(np.int64)
    stats = stats[(stats[:, 2] >= _LEAST_PX) & (stats[:, 3] >= _LEAST_PX) & (stats[:, 2] < max(3 * height, width // 2))]
    tops, bottoms = stats[:, 1], stats[:, 1] + stats[:, 3]
    stats = stats[~(((tops == 0) & (bottoms < _EDGE * height)) | ((bottoms == height) & (tops > (1 - _EDGE) * height)))]
    return ink, stats[np.argsort(stats[:, 0], kind="stable")]


def number_parts(line: Any, fraction: Shape, cap: float) -> tuple[Any, Any] | None:
    """Returns the pictures of the numbers above and below the bar of a fraction; None if one of them is not there."""
    import numpy as np

    gray = line[fraction.y0 : fraction.y1, fraction.x0 : fraction.x1]
    paper = int(np.percentile(line, 90))
    dark = gray < (paper + int(gray.min())) / 2
    if _zones(dark, max(_STROKE_BLUR * cap, 2)) is None or (zones := _zones(dark, max(_STROKE * cap, 1.5), rows=0.0)) is None:
        return None
    parts = []
    for zone in zones:
        down, beside = np.flatnonzero((dark & zone).any(axis=1)), np.flatnonzero((dark & zone).any(axis=0))
        if not len(down):
            return None
        parts.append(_padded(np.where(zone, gray, paper)[down[0] : down[-1] + 1, beside[0] : beside[-1] + 1], paper))
    return parts[0], parts[1]


def cut_with_margin(line: Any, shape: Shape) -> Any:
    """Returns the picture of a shape, with paper around it."""
    import numpy as np

    return _padded(line[shape.y0 : shape.y1, shape.x0 : shape.x1], int(np.percentile(line, 90)))


def _padded(part: Any, paper: int) -> Any:
    import numpy as np

    return np.pad(part, max(round(_PADDING * len(part)), 2), constant_values=paper).astype(np.uint8)


def _zones(dark: Any, half: float, *, rows: float = _BAR_ROWS) -> tuple[Any, Any] | None:
    """Returns the pixels above and below the rising bar of a fraction, or None if there is no bar. `half`: half the width of the
    bar, `rows`: the least share of the rows in which it has ink."""
    import numpy as np

    height, width = dark.shape
    end = max(round(_END * height), 1)
    top, bottom = np.flatnonzero(dark[:end].any(axis=0)), np.flatnonzero(dark[-end:].any(axis=0))
    top, bottom = top[top > _MIDDLE * width], bottom[bottom < (1 - _MIDDLE) * width]
    if not (len(top) and len(bottom)):
        return None
    right, left = float(top.mean()), float(bottom.mean())
    on_bar = right + (left - right) / height * np.arange(height)
    off = (np.arange(width) - on_bar[:, None]) * (height / math.hypot(height, right - left))
    if right - left < _RISE * height or (dark & (np.abs(off) < half)).any(axis=1).mean() < rows:
        return None
    return off < -half, off > half


def _is_fraction(dark: Any, cap: float) -> bool:
    """Returns whether ink is only on a rising bar, above its upper half and below its lower half, as high as numbers are."""
    import numpy as np

    zones = _zones(dark, max(_STROKE_BLUR * cap, 2))
    if zones is None:
        return False
    above, below = ((dark & zone).any(axis=1) for zone in zones)
    height = len(above)
    if np.count_nonzero(above[round(_LOWEST * height) :]) > 1 or np.count_nonzero(below[: round((1 - _LOWEST) * height)]) > 1:
        return False
    return bool(min(np.count_nonzero(above), np.count_nonzero(below)) >= _PART[0] * height)


def _fractions(ink: Any, stats: Any, base: float, cap: float) -> list[Shape]:
    """Returns the shapes of fractions, whose numbers may touch the bar or not."""
    import cv2
    import numpy as np

    x0, y0, w, h, _ = stats.T
    x1, y1 = x0 + w, y0 + h
    is_bar = (h >= _BAR[0] * cap) & (h <= _BAR[1] * cap) & (np.abs(y1 - base) < 0.3 * cap) & (w >= 0.25 * cap)
    bars = np.flatnonzero(is_bar & (w <= _WIDTH[1] * cap))
    if not len(bars):
        return []
    is_part = (h > _PART[0] * cap) & (h < _PART[1] * cap) & (w <= cap)
    above = np.flatnonzero(is_part & (y1 <= base - 0.2 * cap) & (y0 <= base - 0.7 * cap))
    below = np.flatnonzero(is_part & (y0 >= base - 0.8 * cap) & (y1 >= base - 0.2 * cap))
    numbers = [(x0[some].tolist(), x1[some].tolist()) for some in (above, below)]
    ends = zip(x0[bars].tolist(), x1[bars].tolist(), strict=True)
    left, right = np.array([_reach(start, end, numbers[0], numbers[1], _BESIDE * cap) for start, end in ends]).T
    top, bottom = y0[bars], y1[bars]
    wide, tall = right - left, bottom - top
    shares = np.array(_PLACES)[:, :, None]
    a, b = np.round(left + shares[:, 0:2].swapaxes(0, 1) * wide).astype(np.int64).clip(0, ink.shape[1])
    c, d = np.round(top + shares[:, 2:4].swapaxes(0, 1) * tall).astype(np.int64)
    sums = cv2.integral(ink // 255)
    has_ink = sums[d, b] - sums[c, b] - sums[d, a] + sums[c, a] > 0
    fits = (wide >= _WIDTH[0] * cap) & (wide <= _WIDTH[1] * cap)
    fits &= has_ink[:_INKED_PLACES].all(axis=0) & ~has_ink[_INKED_PLACES:].any(axis=0)
    found = [Shape(*map(int, box)) for box in zip(left[fits], top[fits], right[fits], bottom[fits], strict=True)]
    return [shape for shape in found if _is_fraction(ink[shape.y0 : shape.y1, shape.x0 : shape.x1] > 0, cap)]


def _reach(
    left: int, right: int, above: tuple[list[int], list[int]], below: tuple[list[int], list[int]], near: float
) -> tuple[int, int]:
    """Returns the start and end of a bar with the numbers beside it. `above` and `below`: starts in order, and ends; `near`: the
    largest distance, all in pixels. Plain loops, since few numbers are near a bar."""
    for _ in range(2):
        for start, end in zip(*above, strict=True):
            if left - near < end < (left + right) / 2 + 1:
                left = min(left, start)
        starts, ends = below
        for n in range(bisect_right(starts, (left + right) / 2 - 1), len(starts)):
            if starts[n] >= right + near:
                break
            if starts[n] > (left + right) / 2 - 1:
                right = max(right, ends[n])
    return left, right


def _merged(shapes: list[Shape], groups: list[Shape]) -> list[Shape]:
    """Returns the shapes without those inside the groups, with dots and accents joined to their letters."""
    inside = [any(g.x0 <= (s.x0 + s.x1) / 2 <= g.x1 for g in groups) for s in shapes]
    found: list[Shape] = []
    for shape in sorted([*groups, *(s for s, within in zip(shapes, inside, strict=True) if not within)]):
        last = found[-1] if found else None
        overlap = min(last.x1, shape.x1) - shape.x0 if last else 0
        if last and shape not in groups and last not in groups and 2 * overlap > min(last.x1 - last.x0, shape.x1 - shape.x0):
            found[-1] = Shape(last.x0, min(last.y0, shape.y0), max(last.x1, shape.x1), max(last.y1, shape.y1))
        else:
            found.append(shape)
    return found
