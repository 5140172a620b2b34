"""Finds the lines of a page: detection on the reduced page, then again at full resolution where lines merged.

A drop capital touches the lines beside it, and on curved paper a line touches the next. On the reduced page they merge into one
blob, whose box matches no line, gets a low score and is dropped with all its text. At full resolution the blob separates into
lines. Most pages have no blob. The cost of a blob is proportional to its share of the page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Detect = Callable[[Any], tuple[Any, Any]]  # gray image -> corners (n, 4, 2) in its pixels, scores (n,)

BOX_SCORE = 0.5  # rapidocr's own limit
BLOB_SCORE = 0.15  # minimum score of requested boxes, low enough to include blobs
_DETECTION_SCALE = 0.55  # scale for a rendering at 200 dpi: 1286 of A4's 2339 pixels
_DETECTION_DPI = 110.0  # huge pages, rendered at less than 200 dpi, are reduced less
_MIN_DETECTION_SIDE = 960  # in pixels; small pages are not reduced below this
_BLOB_HEIGHT = 1.7  # least height of a blob, relative to ordinary lines
_MOST_BLOBS = 8
_SMALL, _LONG = 0.8, 2.5  # height of fragments of small print, relative to ordinary lines; ratio of their width to their height
_LEAST_FRAGMENTS = 3
_MISSED_MARGIN = 0.8  # margin around missed lines, in their heights
_MOST_MISSED_SHARE = 0.3  # share of the page's area
_MOST_BLOB_SHARE = 0.15  # largest share of the page's area that a blob covers; larger blobs are pictures


def find_lines(image: Any, detect: Detect, *, dpi: float = 200.0) -> Any:
    """Returns the corners (n, 4, 2) of the lines in pixels of the image; empty if there is no text.

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
        if len(found) > 1:  # a single line whose score is low at full resolution, too, is a smudge or a signature
            found = found + np.array([x0, y0], np.float32)
            lines = np.concatenate([lines, found[~_taken(found, lines)]])
    fragments = _fragments(boxes[scores < BOX_SCORE], lines)
    return with_missed_lines(image, lines, fragments, detect) if len(fragments) >= _LEAST_FRAGMENTS else lines


def _fragments(doubtful: Any, lines: Any) -> list[tuple[float, float, float, float]]:
    """Returns x0, y0, x1, y1 of doubtful boxes that are long and lower than ordinary lines: pieces of lines of small print."""
    import numpy as np

    if not len(doubtful):
        return []
    usual = float(np.median(_heights(lines)))
    small = [box for box, height in zip(doubtful, _heights(doubtful), strict=True) if height < _SMALL * usual]
    places = [(*box.min(axis=0).tolist(), *box.max(axis=0).tolist()) for box in small]
    return [(x0, y0, x1, y1) for x0, y0, x1, y1 in places if x1 - x0 > _LONG * (y1 - y0)]


def with_missed_lines(image: Any, lines: Any, missed: Sequence[tuple[float, float, float, float]], detect: Detect) -> Any:
    """Returns the lines and those that full resolution shows at these places (x0, y0, x1, y1): small print on a page of larger
    print. They replace the fragments that the detector found."""
    import numpy as np

    height, width = image.shape
    for x0, y0, x1, y1 in _joined_places(missed):
        margin = _MISSED_MARGIN * _usual_height(missed)
        left, top = max(0, int(x0 - margin)), max(0, int(y0 - margin))
        right, bottom = min(width, int(x1 + margin)), min(height, int(y1 + margin))
        if (right - left) * (bottom - top) > _MOST_MISSED_SHARE * height * width:
            continue
        found, scores = detect(np.ascontiguousarray(image[top:bottom, left:right]))
        found = found[scores >= BOX_SCORE] + np.array([left, top], np.float32)
        middle = found.mean(axis=1)[:, 1] if len(found) else np.zeros(0)
        found = found[(middle > y0) & (middle < y1)]
        if len(found) and len(lines):
            found = found[~_taken(found, lines) | _taken_wider(found, lines)]
        if len(found):
            lines = np.concatenate([lines[~_taken(lines, found)], found])
    return lines


def _usual_height(places: Sequence[tuple[float, float, float, float]]) -> float:
    return sorted(y1 - y0 for _, y0, _, y1 in places)[len(places) // 2]


def _joined_places(places: Sequence[tuple[float, float, float, float]]) -> list[tuple[float, float, float, float]]:
    """Joins places that are close below each other or level, so that a paragraph is searched once."""
    joined: list[tuple[float, float, float, float]] = []
    for x0, y0, x1, y1 in sorted(places, key=lambda place: place[1]):
        if joined and y0 < joined[-1][3] + (y1 - y0):
            above = joined[-1]
            joined[-1] = min(x0, above[0]), above[1], max(x1, above[2]), max(y1, above[3])
        else:
            joined.append((x0, y0, x1, y1))
    return joined[:_MOST_BLOBS]


def _detect_reduced(image: Any, factor: float, detect: Detect) -> tuple[Any, Any]:
    import cv2

    small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA) if factor < 1 else image
    boxes, scores = detect(small)
    return boxes * (image.shape[1] / small.shape[1], image.shape[0] / small.shape[0]), scores


def _blobs(doubtful: Any, lines: Any, shape: tuple[int, ...]) -> list[tuple[int, int, int, int]]:
    """Returns x0, y0, x1, y1 of the areas that may contain merged lines, largest first."""
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
    """Returns the shorter sides, which are the line heights even on a page that was scanned sideways."""
    import numpy as np

    return np.minimum(np.linalg.norm(boxes[:, 1] - boxes[:, 0], axis=1), np.linalg.norm(boxes[:, 3] - boxes[:, 0], axis=1))


def _taken_wider(found: Any, lines: Any) -> Any:
    """Returns which of the new boxes are wider than every known box around their center, so that the known ones are fragments. A
    narrower new box is a piece of a line that the edge of the search cut off."""
    centers = found.mean(axis=1)[:, None]
    around = ((centers > lines.min(axis=1)[None]) & (centers < lines.max(axis=1)[None])).all(axis=2)
    widths, known = (boxes[:, :, 0].max(axis=1) - boxes[:, :, 0].min(axis=1) for boxes in (found, lines))
    return widths > (around * known[None]).max(axis=1)


def _taken(found: Any, lines: Any) -> Any:
    """Returns which of the new boxes have their center inside a known box."""
    centers = found.mean(axis=1)[:, None]
    return ((centers > lines.min(axis=1)[None]) & (centers < lines.max(axis=1)[None])).all(axis=2).any(axis=1)
