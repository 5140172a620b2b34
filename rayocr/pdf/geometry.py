"""From PDF user space (origin bottom left, before /Rotate and without the crop box) to the upright page as a reader sees it."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import pypdfium2.raw as pdfium

_FINE = 1000  # PDFium maps to whole device pixels: a page this many times larger gives thousandths of a point
_SPAN = 1000.0


@dataclass(frozen=True, slots=True)
class Upright:
    """x' = a x + c y + e, y' = b x + d y + f, in points, origin top left, y down."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    def box(self, x0: float, y0: float, x1: float, y1: float) -> tuple[float, float, float, float]:
        """The upright box (x0 <= x1, y0 <= y1) of a box in user space."""
        ax, ay = self.a * x0 + self.c * y0 + self.e, self.b * x0 + self.d * y0 + self.f
        bx, by = self.a * x1 + self.c * y1 + self.e, self.b * x1 + self.d * y1 + self.f
        return min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)


def upright_of(page: Any, width_pt: float, height_pt: float) -> Upright:
    """Learned from PDFium itself, by mapping three points: so /Rotate and odd boxes are as in its renderings."""
    scale = min(_FINE, int(1_000_000_000 / max(width_pt, height_pt, 1.0)))
    size = (round(width_pt * scale), round(height_pt * scale))

    def to_device(x: float, y: float) -> tuple[float, float]:
        device_x, device_y = ctypes.c_int(), ctypes.c_int()
        pdfium.FPDF_PageToDevice(page, 0, 0, *size, 0, x, y, device_x, device_y)
        return device_x.value / scale, device_y.value / scale

    e, f = to_device(0, 0)
    x1, y1 = to_device(_SPAN, 0)
    x2, y2 = to_device(0, _SPAN)
    return Upright((x1 - e) / _SPAN, (y1 - f) / _SPAN, (x2 - e) / _SPAN, (y2 - f) / _SPAN, e, f)
