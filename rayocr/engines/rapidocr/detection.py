"""Finds the lines of a page: detection on the reduced page, then again at full resolution where lines merged.

A drop capital touches the lines beside it, and on curved paper a line touches the next. On the reduced page they merge into one
blob, whose box matches no line, gets a low score and is dropped with all its text. At full resolution the blob separates into
lines. Most pages have no blob; a blob costs as much as its share of the page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Detect = Callable[[Any], tuple[Any, Any]]  # gray image -> corners (n, 4, 2) in its pixels, scores (n,)

BOX_SCORE = 0.5  # rapidocr's own limit
BLOB_SCORE = 0.15  # minimum score of requested boxes, low enough to include blobs
_DETECTION_SCALE = 0.55  # scale for a rendering at 200 dpi: 1286 of A4's 2339 pixels
_DETECTION_DPI = 110.0  # huge pages, rendered at less than 200 dpi, are reduced less
_MIN_DETECTION_SIDE = 960  # pixels; small pages are not reduced below this
_BLOB_HEIGHT = 1.7  # times that of ordinary lines
_MOST_BLOBS = 8
_MOST_BLOB_SHARE = 0.15  # share of the page's area; larger blobs are pictures


def find_lines(image: Any, detect: Detect, *, dpi: float = 200.0) -> Any:
    """Corners (n, 4, 2) in pixels of the image; empty if there is no text.

    The scale depends on the resolution, not on the page's length: letters on a till receipt of two meters are as small as on A4.
    """
    import numpy as np

    factor = min(max(_DETECTION_SCALE, _DETECTION_DPI / dpi, _MIN_DETECTION_SIDE / max(image.shape)), 1.0)
    boxes, scores = _detect_reduced(image, factor, detect)
    lines = boxes[scores >= BOX_SCORE]
    if factor == 1.0 or not len(lines):
        return lines
    for x0, y0, x1, y1 in _blobs(boxes[scores < BOX_SCORE], lines, image.shape):
        found, found_scores = detect(np.ascontiguousarray(image[y0:y1, x0:x1]))
        found = found[found_scores >= BOX_SCORE]
        if len(found) > 1:  # a single line with a low score at full resolution, too, is a smudge or a signature
            found = found + np.array([x0, y0], np.float32)
            lines = np.concatenate([lines, found[~_taken(found, lines)]])
    return lines


def _detect_reduced(image: Any, factor: float, detect: Detect) -> tuple[Any, Any]:
    import cv2

    small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA) if factor < 1 else image
    boxes, scores = detect(small)
    return boxes * (image.shape[1] / small.shape[1], image.shape[0] / small.shape[0]), scores


def _blobs(doubtful: Any, lines: Any, shape: tuple[int, ...]) -> list[tuple[int, int, int, int]]:
    """x0, y0, x1, y1 of the areas that may contain merged lines, largest first."""
    import numpy as np

    if not len(doubtful):
        return []
    usual = float(np.median(_heights(lines)))
    places = []
    for box, height in zip(doubtful, _heights(doubtful), strict=True):
        x0, y0 = np.maximum(box.min(axis=0), 0).astype(int).tolist()
        x1, y1 = np.minimum(box.max(axis=0) + 1, (shape[1], shape[0])).astype(int).tolist()
        area = (x1 - x0) * (y1 - y0)
        if height > _BLOB_HEIGHT * usual and x1 - x0 > 2 * usual and area < _MOST_BLOB_SHARE * shape[0] * shape[1]:
            places.append((area, (x0, y0, x1, y1)))
    return [place for _, place in sorted(places, reverse=True)[:_MOST_BLOBS]]


def _heights(boxes: Any) -> Any:
    """The shorter sides, which are the line heights even on a page that was scanned sideways."""
    import numpy as np

    return np.minimum(np.linalg.norm(boxes[:, 1] - boxes[:, 0], axis=1), np.linalg.norm(boxes[:, 3] - boxes[:, 0], axis=1))


def _taken(found: Any, lines: Any) -> Any:
    """Which of the new boxes have their center inside a known box."""
    centers = found.mean(axis=1)[:, None]
    return ((centers > lines.min(axis=1)[None]) & (centers < lines.max(axis=1)[None])).all(axis=2).any(axis=1)
