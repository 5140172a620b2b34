"""Finds where the columns of a table end and begin, for a box that reaches over two columns of numbers."""

from __future__ import annotations

from typing import Any

_NEAR = 14.0  # largest distance of the rows that show the columns, in heights of the box
_LEAST = 3  # number of boxes that end, and that begin, at the gap
_BESIDE = 0.6  # largest distance of the ends of boxes from the gap, in heights
_WIDE = 2.0  # width of text that is no cell, as a multiple of the box's width
_INSIDE = 0.4  # least distance of the gap from the ends of the box, in heights


def column_gaps(quads: Any, index: int, slope: float) -> list[tuple[float, float]]:
    """Returns start and end of the gaps between columns inside a box, in pixels from its left. Boxes of the rows above and below
    end before the gap, others begin after it, and few reach over it, except for boxes that end where this one ends. `quads`:
    corners (n, 4, 2) of all boxes; `slope`: by how much lines fall from left to right."""
    import numpy as np

    low, high = quads.min(axis=1), quads.max(axis=1)
    middles = (low[:, 1] + high[:, 1]) / 2
    left, right = float(low[index, 0]), float(high[index, 0])
    tall = float(np.linalg.norm(quads[index, 3] - quads[index, 0]))
    down = middles - middles[index]
    near = (np.abs(down) < _NEAR * tall) & (np.abs(down) > tall / 3)
    shift = slope * down[near]  # columns lean by as much as lines fall
    starts, ends = low[near, 0] + shift - left, high[near, 0] + shift - left
    width = right - left
    found: list[tuple[float, float]] = []
    for end in np.unique(np.round(ends[(ends > _INSIDE * tall) & (ends < width - _INSIDE * tall)])).tolist():
        before = ends[np.abs(ends - end) < _BESIDE * tall / 2]
        after = starts[(starts > end - _BESIDE * tall / 2) & (starts < width)]
        if len(before) < _LEAST or len(after) < _LEAST:
            continue
        gap = float(np.percentile(before, 80)), float(np.percentile(after, 20))
        at = sum(gap) / 2
        across = (starts < at - tall / 3) & (ends > at + tall / 3) & (np.abs(ends - width) > tall / 3)
        across &= ends - starts < _WIDE * width  # text above or below the table is wider
        if int(across.sum()) <= min(len(before), len(after)) and (not found or gap[0] > found[-1][1]):
            found.append((min(gap), max(gap)))
    return found
