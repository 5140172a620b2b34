"""Draws a page that consists of one picture, such as a scan: decodes the picture and resizes it in gray.

PDFium's own drawing takes several times as long: 37 ms instead of 5 ms for a gray JPEG with 150 dpi at 200 dpi, since its
resizing is slow. The result differs by two gray levels at most.
"""

from __future__ import annotations

import ctypes
import math
from typing import TYPE_CHECKING, Any

import pypdfium2.raw as pdfium

from rayocr.pdf.geometry import Box
from rayocr.pdf.guard import uninterrupted

if TYPE_CHECKING:
    from PIL import Image

_ENLARGED = 8  # PDFium enlarges an area by more than this without interpolation
_CHANNELS = {pdfium.FPDFBitmap_Gray: 1, pdfium.FPDFBitmap_BGR: 3, pdfium.FPDFBitmap_BGRx: 4}


class LonePicture:
    """A raw image object that is all that a page shows. Keeps its last drawing."""

    def __init__(self, item: Any, box: Box, turns: int, size_pt: tuple[float, float]) -> None:
        """`box`: its place in points of the upright page; `turns`: clockwise quarter turns from the stored picture to the upright
        page; `size_pt`: width and height of that page."""
        self._item = item
        self._box = box
        self._turns = turns
        self._size_pt = size_pt
        self._drawn: Image.Image | None = None

    def draw(self, size_px: tuple[int, int]) -> Image.Image | None:
        """Draws the page on white, in gray, with this width and height. Returns None if the picture cannot be decoded, has
        another format than gray and RGB, or is much smaller."""
        if self._drawn is None or self._drawn.size != size_px:
            self._drawn = self._draw(*size_px)
        return self._drawn

    def _draw(self, width: int, height: int) -> Image.Image | None:
        import cv2
        import numpy as np
        from PIL import Image

        left, top, right, bottom = _edges(self._box, (width / self._size_pt[0], height / self._size_pt[1]))
        is_inside = 0 < right - left <= 2 * width and 0 < bottom - top <= 2 * height
        pixels = _decoded(self._item) if is_inside else None
        if pixels is None or (right - left) * (bottom - top) >= _ENLARGED * pixels.size:
            return None
        pixels = np.rot90(pixels, -self._turns)
        way = cv2.INTER_AREA if right - left < pixels.shape[1] else cv2.INTER_LINEAR
        drawn = cv2.resize(pixels, (right - left, bottom - top), interpolation=way)
        drawn = drawn[max(0, -top) : height - top, max(0, -left) : width - left]
        if drawn.shape != (height, width):
            sheet = np.full((height, width), 255, np.uint8)
            top, left = max(0, top), max(0, left)
            sheet[top : top + drawn.shape[0], left : left + drawn.shape[1]] = drawn
            drawn = sheet
        return Image.fromarray(np.ascontiguousarray(drawn))


def reduced_drawing(drawn: Image.Image, long_side_in: float, dpi: float) -> Image.Image:
    """Returns the drawing of a page at one to two times this resolution. `long_side_in`: the page's longer side in inches."""
    return drawn.reduce(max(1, int(max(drawn.size) / (long_side_in * dpi))))


def _edges(box: Box, scale: tuple[float, float]) -> tuple[int, int, int, int]:
    """Returns the pixels that the box touches, as PDFium rounds them. `scale`: pixels per point across and down."""
    x0, y0, x1, y1 = (side * along for side, along in zip(box, scale * 2, strict=True))
    near = 0.02  # boxes of page-sized pictures differ from the page by rounding
    return math.floor(x0 + near), math.floor(y0 + near), math.ceil(x1 - near), math.ceil(y1 - near)


def _decoded(item: Any) -> Any | None:
    """Returns the stored picture as a gray uint8 array of shape (height, width)."""
    import cv2
    import numpy as np

    with uninterrupted():
        bitmap = pdfium.FPDFImageObj_GetBitmap(item)
    if not bitmap:
        return None
    try:
        channels = _CHANNELS.get(pdfium.FPDFBitmap_GetFormat(bitmap))
        if channels is None:
            return None
        width, height = pdfium.FPDFBitmap_GetWidth(bitmap), pdfium.FPDFBitmap_GetHeight(bitmap)
        stride, buffer = pdfium.FPDFBitmap_GetStride(bitmap), pdfium.FPDFBitmap_GetBuffer(bitmap)
        rows = np.ctypeslib.as_array(ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ubyte)), (height, stride))
        if channels == 1:
            return rows[:, :width].copy()
        colors = rows[:, : width * channels].reshape(height, width, channels)
        return cv2.cvtColor(colors, cv2.COLOR_BGR2GRAY if channels == 3 else cv2.COLOR_BGRA2GRAY)
    finally:
        pdfium.FPDFBitmap_Destroy(bitmap)
