"""Finds the connected shapes of ink in a picture: letters, dots, strokes.

OpenCV takes 23 ms for a page of 3.9 million pixels, most of it for the statistics of the paper. The bands of rows with ink, with
labels of 16 bits, take 3 ms.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any


class PageInk:
    """A gray page (rows, columns), with its ink and the shapes of the ink, which are found at their first use."""

    def __init__(self, gray: Any) -> None:
        self.gray = gray

    @cached_property
    def mask(self) -> Any:
        """Returns what `ink_mask` does. Do not change it."""
        return ink_mask(self.gray)

    @cached_property
    def shapes(self) -> tuple[Any, Any]:
        """Returns what `components` does."""
        return components(self.mask)


def ink_mask(gray: Any) -> Any:
    """Returns 255 for ink and 0 for paper (rows, columns), divided at the gray level that Otsu's method finds."""
    import cv2
    import numpy as np

    return cv2.threshold(np.ascontiguousarray(gray), 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)[1]


def components(ink: Any) -> tuple[Any, Any]:
    """Returns the shapes whose pixels touch each other, also at corners, from the top of the picture: left, top, width, height
    and area (n, 5), and centers (n, 2), in pixels. `ink`: (rows, columns), 8 bits, 0 for paper."""
    import numpy as np

    rows = np.flatnonzero(ink.any(axis=1))
    if not len(rows):
        return np.zeros((0, 5), np.int32), np.zeros((0, 2))
    found = []
    for band in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1):
        top, bottom = int(band[0]), int(band[-1]) + 1
        columns = np.flatnonzero(ink[top:bottom].any(axis=0))
        left, right = int(columns[0]), int(columns[-1]) + 1
        stats, centers = _components(ink[top:bottom, left:right])
        found.append((stats + np.array([left, top, 0, 0, 0], stats.dtype), centers + np.array([left, top])))
    return np.concatenate([stats for stats, _ in found]), np.concatenate([centers for _, centers in found])


def _components(ink: Any) -> tuple[Any, Any]:
    import cv2

    try:
        _, _, stats, centers = cv2.connectedComponentsWithStats(ink, connectivity=8, ltype=cv2.CV_16U)
    except cv2.error:  # more than 65,534 shapes are the raster of a picture
        _, _, stats, centers = cv2.connectedComponentsWithStats(ink, connectivity=8, ltype=cv2.CV_32S)
    return stats[1:], centers[1:]
