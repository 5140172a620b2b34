"""Converts PDF user space (origin bottom left, before /Rotate and cropping) to the upright page as displayed."""

from __future__ import annotations

import ctypes
import math
from dataclasses import dataclass
from typing import Any

import pypdfium2.raw as pdfium

_FINE = 1000  # PDFium maps to whole device pixels; this scale gives a precision of a thousandth of a point
_SPAN = 1000.0


@dataclass(frozen=True, slots=True)
class Upright:
    """Maps user space to the upright page: x' = a x + c y + e, y' = b x + d y + f, in points, origin top left, y down."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    def box(self, x0: float, y0: float, x1: float, y1: float) -> tuple[float, float, float, float]:
        """Returns the upright box (x0 <= x1, y0 <= y1) of a box in user space."""
        ax, ay = self.a * x0 + self.c * y0 + self.e, self.b * x0 + self.d * y0 + self.f
        bx, by = self.a * x1 + self.c * y1 + self.e, self.b * x1 + self.d * y1 + self.f
        if ax > bx:
            ax, bx = bx, ax
        if ay > by:
            ay, by = by, ay
        return ax, ay, bx, by

    def direction(self, x: float, y: float) -> tuple[float, float]:
        """Converts a direction in user space to the upright page."""
        return self.a * x + self.c * y, self.b * x + self.d * y

    def turned(self, turns: int, size_pt: tuple[float, float]) -> Upright:
        """Converts to the upright page of this size after a number of clockwise quarter turns."""
        turned = self
        for _ in range(turns % 4):
            turned = Upright(-turned.b, turned.a, -turned.d, turned.c, size_pt[1] - turned.f, turned.e)
            size_pt = (size_pt[1], size_pt[0])
        return turned


Box = tuple[float, float, float, float]


def turn_box(box: Box, turns: int, size_pt: tuple[float, float]) -> Box:
    """Returns the box on a page of this size after a number of clockwise quarter turns of the page."""
    for _ in range(turns % 4):
        x0, y0, x1, y1 = box
        box = (size_pt[1] - y1, x0, size_pt[1] - y0, x1)
        size_pt = (size_pt[1], size_pt[0])
    return box


def turned_size(turns: int, size_pt: tuple[float, float]) -> tuple[float, float]:
    return (size_pt[1], size_pt[0]) if turns % 2 else size_pt


def upright_of(page: Any, width_pt: float, height_pt: float) -> Upright:
    """Asks PDFium to map three points, so that /Rotate and unusual boxes match its renderings."""
    scale = min(_FINE, 1_000_000_000 / max(width_pt, height_pt, 1.0))
    size = (round(width_pt * scale), round(height_pt * scale))

    def to_device(x: float, y: float) -> tuple[float, float]:
        device_x, device_y = ctypes.c_int(), ctypes.c_int()
        pdfium.FPDF_PageToDevice(page, 0, 0, *size, 0, x, y, device_x, device_y)
        return device_x.value / scale, device_y.value / scale

    e, f = to_device(0, 0)
    x1, y1 = to_device(_SPAN, 0)
    x2, y2 = to_device(0, _SPAN)
    return Upright((x1 - e) / _SPAN, (y1 - f) / _SPAN, (x2 - e) / _SPAN, (y2 - f) / _SPAN, e, f)


@dataclass(slots=True)
class Matrix:
    """Maps an object's space to the page's: x' = a x + c y + e, y' = b x + d y + f."""

    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 1.0
    e: float = 0.0
    f: float = 0.0

    def then(self, after: Matrix) -> Matrix:
        return Matrix(
            after.a * self.a + after.c * self.b,
            after.b * self.a + after.d * self.b,
            after.a * self.c + after.c * self.d,
            after.b * self.c + after.d * self.d,
            after.a * self.e + after.c * self.f + after.e,
            after.b * self.e + after.d * self.f + after.f,
        )

    def scale(self) -> float:
        return math.sqrt(abs(self.a * self.d - self.b * self.c))

    def point(self, x: float, y: float) -> tuple[float, float]:
        return self.a * x + self.c * y + self.e, self.b * x + self.d * y + self.f


PAGE_SPACE = Matrix()  # the identity, for objects that are not in a form


def shown_size(page: Any) -> tuple[float, float]:
    """Returns the size of the upright page in points; 0 x 0 if the size is invalid."""
    width, height = page.get_size()
    if not (width > 0 and height > 0):
        # The /CropBox lies outside the /MediaBox. Viewers then show the whole page, and so does rayocr.
        page.set_cropbox(*page.get_mediabox())
        width, height = page.get_size()
    return (width, height) if math.isfinite(width) and math.isfinite(height) else (0.0, 0.0)
