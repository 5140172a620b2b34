"""Tells 0, 6, 8 and 9 from each other by their counters, the white areas that their outlines enclose. In many fonts these digits
are equally large."""

from __future__ import annotations

import ctypes
from collections.abc import Collection
from typing import Any

import pypdfium2.raw as pdfium

_WITH_COUNTERS = "0689"
_LEAST_SEGMENTS, _MOST_SEGMENTS = 13, 200  # path segments per digit; the box of a missing glyph has fewer, a drawing more
_LOW, _HIGH = 0.42, 0.58  # middle of the counter of a 6 and of a 9, as a share of the digit's height
_TALL, _SHORT = 0.62, 0.58  # height of the counter of a 0, and of a 6 or 9
_LEAST = 0.1  # least height of a counter, as a share of the digit's height


def has_other_digits(font: Any, digits: Collection[str]) -> bool:
    """Returns whether the raw font draws one of these digits with the outline of another digit: of one of these that has a wrong
    outline, too, or of one that is not among them. Takes 40 µs per digit."""
    shown = {digit: _shown_digit(font, digit) or digit for digit in _WITH_COUNTERS if digit in digits}
    return any(other != digit and shown.get(other, "") != other for digit, other in shown.items())


def _shown_digit(font: Any, digit: str) -> str:
    """Returns the digit that the outline shows; empty if the outline is unusual or is not a digit with a counter."""
    spans = _contours(font, digit)
    if not 2 <= len(spans) <= 3:
        return ""
    spans.sort(key=lambda span: span[0] - span[1])
    (low, high), *counters = spans
    height = high - low
    if height <= 0 or any(bottom < low or top > high or top - bottom < _LEAST * height for bottom, top in counters):
        return ""
    if len(counters) == 2:
        (one_low, one_high), (other_low, other_high) = sorted(counters)
        return "8" if one_high <= other_low and one_low < other_high else ""
    bottom, top = counters[0]
    share, middle = (top - bottom) / height, ((top + bottom) / 2 - low) / height
    if share > _TALL:
        return "0" if _LOW < middle < _HIGH else ""
    return "" if share > _SHORT or _LOW <= middle <= _HIGH else "6" if middle < _LOW else "9"


def _contours(font: Any, digit: str) -> list[tuple[float, float]]:
    """Returns the lowest and the highest point of each contour."""
    path = pdfium.FPDFFont_GetGlyphPath(font, ord(digit), 1000.0)
    count = pdfium.FPDFGlyphPath_CountGlyphSegments(path) if path else 0
    spans: list[tuple[float, float]] = []
    x, y = ctypes.c_float(), ctypes.c_float()
    for number in range(count if _LEAST_SEGMENTS <= count <= _MOST_SEGMENTS else 0):
        segment = pdfium.FPDFGlyphPath_GetGlyphPathSegment(path, number)
        if not pdfium.FPDFPathSegment_GetPoint(segment, x, y):
            return []
        if pdfium.FPDFPathSegment_GetType(segment) == pdfium.FPDF_SEGMENT_MOVETO:
            spans.append((y.value, y.value))
        elif spans:
            low, high = spans[-1]
            spans[-1] = (min(low, y.value), max(high, y.value))
    return [span for span in spans if span[1] > span[0]]
