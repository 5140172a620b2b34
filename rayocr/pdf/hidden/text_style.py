"""Reads how a text object is drawn, to decide without rendering the page whether a person can see it."""

from __future__ import annotations

import ctypes
from itertools import pairwise
from typing import Any

import pypdfium2.raw as pdfium

from rayocr.pdf.geometry import Box

TINY_PT = 3.0  # smaller letters are illegible
NARROW_PT = 1.0  # narrower letters look like a line
_NEARLY_CLEAR = 40  # opacity of visible text (0 to 255)
_NEARLY_WHITE = 3 * 245  # least sum of red, green and blue of text that is nearly white
_MAX_CLIPS = 8
_CLIP_MARGIN_PT = 1.0  # part of a text's bounds that a clip may cut off


class TextStyle:
    """Queries PDFium for the style of text objects. Allocates its buffers once, since pages have thousands of text objects."""

    def __init__(self) -> None:
        self._color = tuple(ctypes.c_uint() for _ in range(4))
        self._size, self._matrix = ctypes.c_float(), pdfium.FS_MATRIX()
        self._bounds = tuple(ctypes.c_float() for _ in range(4))

    def has_ink_color(self, item: Any) -> bool:
        red, green, blue, alpha = self._color
        if not pdfium.FPDFPageObj_GetFillColor(item, red, green, blue, alpha):
            return False
        return red.value + green.value + blue.value < _NEARLY_WHITE and alpha.value >= _NEARLY_CLEAR

    def size_and_matrix(self, item: Any) -> tuple[float, Any] | None:
        """Returns the font size, and the matrix with its fields a to f."""
        if pdfium.FPDFTextObj_GetFontSize(item, self._size) and pdfium.FPDFPageObj_GetMatrix(item, self._matrix):
            return self._size.value, self._matrix
        return None

    def bounds(self, item: Any) -> Box | None:
        """Returns (left, bottom, right, top) in the space of the object's container."""
        left, bottom, right, top = self._bounds
        if not pdfium.FPDFPageObj_GetBounds(item, left, bottom, right, top):
            return None
        return left.value, bottom.value, right.value, top.value


def is_clipped(item: Any, bounds: Box | None) -> bool:
    """Returns whether an object may be cut off: it has a clip that is not a rectangle around its bounds. `bounds`: the bounds of
    the object."""
    clip = pdfium.FPDFPageObj_GetClipPath(item)
    count = pdfium.FPDFClipPath_CountPaths(clip) if clip else 0
    if count <= 0:
        return False
    if bounds is None or count > _MAX_CLIPS:
        return True
    return not all(_contains(_rectangle(clip, index), bounds) for index in range(count))


def _contains(outer: Box | None, inner: Box) -> bool:
    if outer is None:
        return False
    left, bottom, right, top = (inside - outside for inside, outside in zip(inner, outer, strict=True))
    return min(left, bottom) >= -_CLIP_MARGIN_PT and max(right, top) <= _CLIP_MARGIN_PT


def _rectangle(clip: Any, index: int) -> Box | None:
    """Returns the path of a clip as a box; None if it is not an upright rectangle."""
    count = pdfium.FPDFClipPath_CountPathSegments(clip, index)
    if not 4 <= count <= 6:
        return None
    points: list[tuple[float, float]] = []
    x, y = ctypes.c_float(), ctypes.c_float()
    for number in range(count):
        segment = pdfium.FPDFClipPath_GetPathSegment(clip, index, number)
        if not segment or not pdfium.FPDFPathSegment_GetPoint(segment, x, y):
            return None
        if pdfium.FPDFPathSegment_GetType(segment) == pdfium.FPDF_SEGMENT_BEZIERTO:
            return None
        points.append((x.value, y.value))
    xs, ys = sorted({x for x, _ in points}), sorted({y for _, y in points})
    corners = {(x, y) for x in xs for y in ys}
    if len(xs) != 2 or len(ys) != 2 or set(points) != corners:
        return None
    if any(a[0] != b[0] and a[1] != b[1] for a, b in pairwise(points)):
        return None  # the path crosses itself
    return xs[0], ys[0], xs[1], ys[1]
