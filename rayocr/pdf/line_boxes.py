"""Finds the lines in a page image cheaply, by widening letters until they touch.

Takes 4 ms per page at 100 dpi, much less than a line detection model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rayocr.pdf.shapes.components import components, ink_mask

if TYPE_CHECKING:
    from PIL import Image

DETECTION_DPI = 100
_TOUCHING = 1.7  # in letter heights; a higher row contains at least two lines
_THIN = 0.3  # share of a full row's ink; a row with less is a gap between lines
_LEAST = 0.35  # in letter heights; a lower row contains accents or other marks
_MIN_LETTER_IN, _MAX_LETTER_IN = 0.04, 0.7  # height of a line: 3 to 50 pt


def line_boxes(image: Image.Image, dpi: float) -> list[tuple[int, int, int, int]]:
    """Returns the lines as (x, y, width, height) in pixels, in no particular order. `image`: any mode, upright."""
    import cv2
    import numpy as np

    gray: Any = np.asarray(image.convert("L"))
    ink = ink_mask(gray)
    stats, _ = components(ink)
    heights, widths = stats[:, cv2.CC_STAT_HEIGHT], stats[:, cv2.CC_STAT_WIDTH]
    letters = (heights >= _MIN_LETTER_IN * dpi) & (heights <= _MAX_LETTER_IN * dpi) & (widths <= 6 * _MAX_LETTER_IN * dpi)
    if not letters.any():
        return []
    typical = float(np.median(heights[letters]))
    kept = np.zeros_like(ink)
    for x, y, width, height, _ in stats[letters]:
        kept[y : y + height, x : x + width] = ink[y : y + height, x : x + width]
    joined = cv2.morphologyEx(kept, cv2.MORPH_CLOSE, np.ones((1, max(3, round(1.6 * typical))), np.uint8))
    stats, _ = components(joined)
    found = [tuple(box[:4]) for box in stats.tolist() if box[3] >= 0.7 * typical and box[2] >= 0.7 * typical]
    return [part for box in found for part in _parted(box, kept, typical)]


def _parted(box: tuple[int, int, int, int], ink: Any, typical: float) -> list[tuple[int, int, int, int]]:
    """Separates touching lines at the rows with the least ink between them. Lines touch if they are close together, or if letters
    have marks above or below.
    """
    import numpy as np

    x, y, width, height = box
    if height < _TOUCHING * typical or width < 2 * height:
        return [box]
    rows = np.count_nonzero(ink[y : y + height, x : x + width], axis=1)
    window = max(1, round(0.2 * typical))
    smooth = np.convolve(rows, np.ones(window) / window, mode="same")
    thin = smooth < _THIN * np.percentile(smooth, 90)
    edges = np.flatnonzero(np.diff(np.concatenate(([True], thin, [True])).astype(np.int8)))
    parts = []
    for top, bottom in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if bottom - top < _LEAST * typical:
            continue
        columns = np.flatnonzero(ink[y + top : y + bottom, x : x + width].any(axis=0))
        parts.append((x + int(columns[0]), y + top, int(columns[-1] - columns[0]) + 1, bottom - top))
    return parts if len(parts) > 1 else [box]
