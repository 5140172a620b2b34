"""Finds lines of light text in dark pictures, such as screenshots of a terminal, which are not darker than the paper around."""

from __future__ import annotations

from typing import Any

from rayocr.pdf.line_boxes import line_boxes

_DARK, _GROUND = 90, 60  # largest gray levels of a dark area and of its ground, of 255
_LEAST_SHARE, _LEAST_IN = 0.02, (1.0, 0.5)  # of the page; width and height
_FILLED, _EVEN, _NEAR = 0.8, 0.6, 20  # share of an area that is dark; share of its pixels that are near its ground
_CLOSED_PX, _EDGE_PX = 9, 3


def dark_lines(picture: Any, scale: float) -> list[list[tuple[int, int, int, int]]]:
    """Returns the boxes of lines (x, y, width, height, in pixels) of each dark area. `picture`: gray, with `scale` pixels per
    point. A photograph is not a dark area, since its ground is uneven."""
    import cv2
    import numpy as np
    from PIL import Image

    dark = cv2.threshold(picture, _DARK, 1, cv2.THRESH_BINARY_INV)[1]
    if cv2.countNonZero(dark) < _LEAST_SHARE * dark.size:
        return []
    closed = cv2.morphologyEx(dark, cv2.MORPH_CLOSE, np.ones((_CLOSED_PX, _CLOSED_PX), np.uint8))
    found = []
    for x, y, width, height, area in cv2.connectedComponentsWithStats(closed)[2][1:].tolist():
        if width < 72 * scale * _LEAST_IN[0] or height < 72 * scale * _LEAST_IN[1] or area < _FILLED * width * height:
            continue
        crop = picture[y + _EDGE_PX : y + height - _EDGE_PX, x + _EDGE_PX : x + width - _EDGE_PX]
        ground = float(np.median(crop))
        if ground <= _GROUND and (np.abs(crop.astype(np.int16) - ground) < _NEAR).mean() >= _EVEN:
            boxes = line_boxes(Image.fromarray(255 - crop), scale * 72)
            found.append([(x + _EDGE_PX + left, y + _EDGE_PX + top, w, h) for left, top, w, h in boxes])
    return found
