"""Finds the shapes of a line that may be digits, and describes them with numbers for the classifier.

Digits do not touch each other and consist of one piece each, in contrast to most letters of the scripts whose packs lack digits.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from rayocr.pdf.shapes.components import ink_mask

SIDE = 16  # rows and columns of the picture that the classifier sees
FEATURES = SIDE * SIDE + 3
_HEIGHT = 64  # rows of the line, which is scaled first
# Least darkness of ink, 0..1: with .5, some digits with thin strokes fall into pieces, and with less others touch.
THIN, THICK = 0.35, 0.6
SPECK = 0.06  # largest side of pieces that are ignored, as a share of the line's height
_TALL = 0.15  # minimum height of pieces that count for the line's usual height
_USUAL = 75  # percentile of their heights
_OVERLAP = 0.3  # share of a piece's width that may be above or below another piece
_BESIDE = 0.5  # share of the height that a slash and the digit beside it have in common


class Shape(NamedTuple):
    """A piece of ink, in pixels of the line. `is_alone`: no other piece is above or below it."""

    x0: float
    y0: float
    x1: float
    y1: float
    is_alone: bool

    @property
    def height(self) -> float:
        return self.y1 - self.y0


def shapes_of(line: Any, least_ink: float = THIN) -> tuple[list[Shape], Any]:
    """Returns the shapes of a gray picture (rows, columns) from left to right, and their features (shapes, `FEATURES`)."""
    import cv2
    import numpy as np

    scale = _HEIGHT / line.shape[0]
    dark, ink = scaled(line, least_ink)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    order = [n for n in np.argsort(stats[:, cv2.CC_STAT_LEFT]) if n and max(stats[n, 2:4]) > SPECK * _HEIGHT]
    if not order:
        return [], np.zeros((0, FEATURES), np.float32)
    boxes = stats[order, :4].astype(float)
    boxes[:, 2:] += boxes[:, :2]
    usual = usual_height(boxes, _HEIGHT)
    middle = float(np.average(np.arange(_HEIGHT), weights=ink.sum(axis=1)))
    features = np.stack([features_of(dark, labels, label, box, usual, middle) for label, box in zip(order, boxes, strict=True)])
    alone = _are_alone(boxes)
    shapes = [
        Shape(float(box[0]), float(box[1]), float(box[2]), float(box[3]), bool(one))
        for box, one in zip(boxes / scale, alone, strict=True)
    ]
    return shapes, features


def scaled(line: Any, least_ink: float = THIN) -> tuple[Any, Any]:
    """Returns a gray picture (rows, columns) at the height of the classifier's lines: the darkness of each pixel, 0..1, and 1 for
    ink."""
    import cv2
    import numpy as np

    scale = _HEIGHT / line.shape[0]
    size = max(round(line.shape[1] * scale), 1), _HEIGHT
    dark = _darkness(cv2.resize(line, size, interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA))
    return dark, (dark > least_ink).astype(np.uint8)


def usual_height(boxes: Any, height: int) -> float:
    """Returns the usual height of the taller boxes (n, 4) in a line of this height, in pixels."""
    import numpy as np

    heights = boxes[:, 3] - boxes[:, 1]
    tall = heights[heights > _TALL * height]
    return float(np.percentile(tall, _USUAL)) if len(tall) else float(heights.max())


def _darkness(gray: Any) -> Any:
    """Returns the darkness of each pixel, 0..1 between the paper and the ink."""
    import numpy as np

    ink = ink_mask(gray)
    paper, black = _median(gray[ink == 0], 255.0), _median(gray[ink > 0], 0.0)
    return np.clip((paper - gray) / max(paper - black, 1.0), 0, 1).astype(np.float32)


def _median(values: Any, default: float) -> float:
    import numpy as np

    return float(np.median(values)) if len(values) else default


def features_of(dark: Any, labels: Any, label: int, box: Any, usual: float, middle: float) -> Any:
    """Returns the features (`FEATURES`) of one labelled shape, or of its part inside the box: x0, y0, x1, y1. `usual`: height of
    the line's letters; `middle`: row of their center."""
    import cv2
    import numpy as np

    x0, y0, x1, y1 = (int(value) for value in box)
    own = dark[y0:y1, x0:x1] * np.isin(labels[y0:y1, x0:x1], (0, label))
    height, width = own.shape
    side = max(height, width)
    square = np.zeros((side, side), np.float32)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = own
    picture = cv2.resize(square, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    place = (height / usual, width / usual, ((y0 + y1) / 2 - middle) / usual)
    return np.concatenate([picture.ravel(), np.clip(place, -2, 2)]).astype(np.float32)


def _are_alone(boxes: Any) -> Any:
    import numpy as np

    def shared(first: int, last: int) -> Any:
        """Returns the extent that each pair shares, relative to the smaller one."""
        start = np.maximum(boxes[:, None, first], boxes[None, :, first])
        sizes = boxes[:, last] - boxes[:, first]
        return (np.minimum(boxes[:, None, last], boxes[None, :, last]) - start) / np.minimum(sizes[:, None], sizes[None, :])

    stacked = (shared(0, 2) > _OVERLAP) & (shared(1, 3) < _BESIDE)
    return ~stacked.any(axis=1)
