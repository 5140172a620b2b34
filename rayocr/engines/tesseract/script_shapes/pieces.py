"""Cuts a line into pieces for the classifier of scripts: single shapes, and parts of wide ones, such as words whose letters hang
on one stroke or join."""

from __future__ import annotations

from typing import Any

from rayocr.engines.tesseract.native_digits.shapes import FEATURES, SPECK, features_of, scaled, usual_height

_WIDE = 1.6  # width of a shape that is cut, in usual heights
_STEP = 0.5  # distance of its parts, which are a usual height wide
_MOST = 60  # maximum number of pieces of a line


def pieces_of(line: Any) -> Any:
    """Returns the features of the pieces of a gray picture (rows, columns): (pieces, `FEATURES`)."""
    import cv2
    import numpy as np

    dark, ink = scaled(line)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    order = [n for n in np.argsort(stats[:, cv2.CC_STAT_LEFT]) if n and max(stats[n, 2:4]) > SPECK * ink.shape[0]]
    if not order:
        return np.zeros((0, FEATURES), np.float32)
    boxes = stats[order, :4].astype(float)
    boxes[:, 2:] += boxes[:, :2]
    usual = usual_height(boxes, ink.shape[0])
    middle = float(np.average(np.arange(ink.shape[0]), weights=ink.sum(axis=1)))
    parts = [(label, part) for label, box in zip(order, boxes, strict=True) for part in _parts(box, usual)]
    parts = parts[:: max(len(parts) // _MOST, 1)]
    return np.stack([features_of(dark, labels, label, part, usual, middle) for label, part in parts])


def _parts(box: Any, usual: float) -> list[tuple[float, float, float, float]]:
    x0, y0, x1, y1 = (float(value) for value in box)
    if x1 - x0 <= _WIDE * usual:
        return [(x0, y0, x1, y1)]
    starts = range(round(x0), round(x1 - usual) + 1, max(round(_STEP * usual), 1))
    return [(float(start), y0, float(start) + usual, y1) for start in starts]
