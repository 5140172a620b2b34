"""Finds printed lines without a detector box, by their ink: they are searched again, and lower the page's confidence.

Takes 10 to 20 ms per page. Only rows of letter-like shapes count, since rules, form fields and pictures are ink too.
"""

from __future__ import annotations

from typing import Any

from rayocr.pdf.line_boxes import DETECTION_DPI, line_boxes
from rayocr.pdf.shapes.components import components, ink_mask
from rayocr.pdf.shapes.reduced import reduced

_LONG_ASPECT = 5.0
_COVERED, _COVERED_SMALL = 0.3, 0.6  # share of a line's area covered by boxes; boxes of small print may be fragments
_SMALL = 0.8  # largest height of small print, relative to the boxes
_LEAST_HEIGHT_PX = 6  # least height of a line: 4 pt type
_LEAST_LETTERS = 6
_LETTER = (0.35, 1.05)  # letter height relative to line height
_WIDEST_LETTER = 1.6
_LETTER_SHARE = 0.6  # least share of the shapes in a row that are like letters
_LEAST_DENSITY = 0.5  # number of letters per line height of width; prose has 1.5 to 2.5


def missed_lines(gray: Any, boxes: Any, *, dpi: float, with_fragments: bool = False) -> list[tuple[float, float, float, float]]:
    """Returns x0, y0, x1, y1 of each printed line outside all `boxes` (corners (n, 4, 2)), in pixels of the image (height,
    width). `with_fragments`: also returns lines of small print that boxes cover in part."""
    import cv2
    import numpy as np
    from PIL import Image

    small, factor = reduced(gray, DETECTION_DPI / dpi)
    covered = np.zeros(small.shape, np.uint8)
    for box in boxes:
        cv2.fillPoly(covered, [np.round(box * factor).astype(np.int32)], 1)
    usual = float(np.median([box[:, 1].max() - box[:, 1].min() for box in boxes])) * factor if len(boxes) else 0.0
    found = []
    for x, y, width, height in line_boxes(Image.fromarray(small), dpi * factor):
        if height < _LEAST_HEIGHT_PX or width < _LONG_ASPECT * height:
            continue
        part = slice(y, y + height), slice(x, x + width)
        least = _COVERED_SMALL if with_fragments and height < _SMALL * usual else _COVERED
        if covered[part].mean() < least and _is_print(small[part]):
            found.append((x / factor, y / factor, (x + width) / factor, (y + height) / factor))
    return found


def _is_print(line: Any) -> bool:
    import cv2
    import numpy as np

    ink = ink_mask(line)
    stats, _ = components(ink)
    height, width = line.shape
    heights, widths = stats[:, cv2.CC_STAT_HEIGHT], stats[:, cv2.CC_STAT_WIDTH]
    tall = heights > _LETTER[0] * height
    letters = int(np.count_nonzero(tall & (heights < _LETTER[1] * height) & (widths < _WIDEST_LETTER * height)))
    dense = letters >= max(_LEAST_LETTERS, _LEAST_DENSITY * width / height)
    return dense and letters >= _LETTER_SHARE * int(np.count_nonzero(tall | (widths > height)))
