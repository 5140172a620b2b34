"""Finds words of a table without a detector box, by their ink: the detector omits single numbers of a table in small print.

Words count only where boxes are beside them in the same row and above or below them in the same column.
"""

from __future__ import annotations

from typing import Any

from rayocr.pdf.shapes.components import PageInk, components

_FEWEST_BOXES = 12  # least number of boxes on a page with a table
_HEIGHT = (0.35, 0.95)  # height of a word's ink relative to the usual box, which has margins
_WIDTH = (0.3, 6.0)  # width of a word relative to the usual height of a box
_JOINED = 0.35  # widest gap inside a word, in heights
_SAME_ROW, _SAME_EDGE = 0.3, 0.4  # distance of centers, and of the edges of a column, in heights
_IN_ROW, _IN_COLUMN = 2, 3  # least number of boxes in the same row and column
_NEAR = 10.0  # distance of the boxes of a column, in heights
_BESIDE = 0.25  # margin beside a word, in heights
_COVERED = 0.3  # largest share of a word's area that another box covers
_MOST_SHAPES = 20_000  # number of shapes outside boxes; more are the raster of a picture
_MOST_CELLS = 60


def missed_cells(page: PageInk, boxes: Any) -> Any:
    """Returns the corners (n, 4, 2) of such words; none on a page that lies on its side. `boxes`: corners of the found lines."""
    import cv2
    import numpy as np

    none = np.zeros((0, 4, 2), np.float32)
    if len(boxes) < _FEWEST_BOXES:
        return none
    low, high = boxes.min(axis=1), boxes.max(axis=1)
    tall = float(np.median(high[:, 1] - low[:, 1]))
    if float(np.median(high[:, 0] - low[:, 0])) < tall:
        return none
    ink = page.mask.copy()
    cv2.fillPoly(ink, [np.round(box).astype(np.int32) for box in boxes], 0)
    words = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((1, max(round(_JOINED * tall), 1)), np.uint8))
    shapes = components(words)[0]
    if len(shapes) > _MOST_SHAPES:
        return none
    heights, widths = shapes[:, 3] / tall, shapes[:, 2] / tall
    like = (heights > _HEIGHT[0]) & (heights < _HEIGHT[1]) & (widths > _WIDTH[0]) & (widths < _WIDTH[1])
    found = []
    middles = (low[:, 1] + high[:, 1]) / 2
    usual = np.abs((high[:, 1] - low[:, 1]) / tall - 1) < _SAME_EDGE
    for x, y, width, height in shapes[like][:, :4].astype(float).tolist():
        middle = y + height / 2
        beside = (
            usual & (np.abs(middles - middle) < _SAME_ROW * tall) & ((high[:, 0] <= x + tall) | (low[:, 0] >= x + width - tall))
        )
        near = usual & (np.abs(middles - middle) > tall / 2) & (np.abs(middles - middle) < _NEAR * tall)
        left, right = np.abs(low[:, 0] - x + _BESIDE * tall), np.abs(high[:, 0] - x - width - _BESIDE * tall)
        column = max(int((near & (edge < _SAME_EDGE * tall)).sum()) for edge in (left, right))
        if int(beside.sum()) >= _IN_ROW and column >= _IN_COLUMN:
            x0, x1 = x - _BESIDE * tall, x + width + _BESIDE * tall
            y0, y1 = middle - tall / 2, middle + tall / 2
            covered = np.clip(np.minimum(high, (x1, y1)) - np.maximum(low, (x0, y0)), 0, None).prod(axis=1).max()
            if covered > _COVERED * (x1 - x0) * (y1 - y0):
                continue  # the remains of rulings around a word that has a box
            found.append([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    return np.array(found, np.float32) if 0 < len(found) <= _MOST_CELLS else none
