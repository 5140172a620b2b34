"""Finds some lines of print on a page without reading it."""

from __future__ import annotations

from typing import Any

from rayocr.pdf.shapes.components import ink_mask

_MOST = 12  # number of the longest lines, which are enough to see the script
_REACH = 40  # letters are joined to lines over a fortieth of the page's width
_MARGIN = 2  # pixels
_LOWEST, _HIGHEST = 14, 1 / 12  # heights of lines: in pixels, and as a share of the page's height
_LEAST_ASPECT = 5


def rough_lines(page: Any) -> list[Any]:
    """Returns gray pictures of the longest lines of a gray page (rows, columns)."""
    import cv2
    import numpy as np

    joined = cv2.dilate(ink_mask(page), np.ones((3, max(page.shape[1] // _REACH, 3)), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    boxes = [[int(value) for value in box[:4]] for box in stats[1:]]
    boxes = [box for box in boxes if box[2] > _LEAST_ASPECT * box[3] and _LOWEST < box[3] < _HIGHEST * page.shape[0]]
    boxes.sort(key=lambda box: -box[2] / box[3])
    return [
        page[max(top - _MARGIN, 0) : top + height + _MARGIN, left : left + width] for left, top, width, height in boxes[:_MOST]
    ]
