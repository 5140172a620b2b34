"""Gives letters their height where a font declares that it has nearly none: /Ascent 100, /Descent -50.

Gaps between letters are compared with this height. With the declared height, a decimal point would seem to have spaces around it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pypdfium2.raw as pdfium

from rayocr.pdf.geometry import Upright

_FLAT = 0.75  # boxes with a smaller ratio of height to width are checked
_LEAST_FLAT = 3
_LEAST_EM = 0.5  # least plausible height of a box, in font sizes
_ABOVE_EM, _BELOW_EM = 0.8, 0.2


def with_letter_height(text_page: Any, upright: Upright, x0: Any, y0: Any, x1: Any, y1: Any) -> tuple[Any, Any]:
    """Returns the upper and lower edges of the characters' boxes, corrected for level text. Takes 2 µs per character on pages
    with flat boxes, which upright letters of ordinary fonts do not have."""
    flat = np.flatnonzero((y1 - y0 < _FLAT * (x1 - x0)) & (x1 > x0))
    if len(flat) < _LEAST_FLAT or not any(_level_size(text_page, int(n), upright) for n in flat[:_LEAST_FLAT]):
        return y0, y1
    top, bottom = y0.copy(), y1.copy()
    for n in range(len(x0)):
        size = _level_size(text_page, n, upright)
        if size and 0 < y1[n] - y0[n] < _LEAST_EM * size:
            middle = (y0[n] + y1[n]) / 2
            top[n], bottom[n] = middle - _ABOVE_EM * size, middle + _BELOW_EM * size
    return top, bottom


def _level_size(text_page: Any, index: int, upright: Upright) -> float:
    """Returns the displayed size of a character on a level baseline, in points; 0 for any other."""
    matrix = pdfium.FS_MATRIX()
    if not pdfium.FPDFText_GetMatrix(text_page, index, matrix):
        return 0.0
    x, y = upright.direction(matrix.a, matrix.b)
    return abs(pdfium.FPDFText_GetFontSize(text_page, index)) * math.hypot(matrix.c, matrix.d) if abs(y) < 0.1 * abs(x) else 0.0
