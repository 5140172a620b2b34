"""Decides whether a rendering of a page shows words of its text layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rayocr.pdf.geometry import turn_box
from rayocr.pdf.ink import contrast
from rayocr.pdf.textlayer.layer import TextLayer

_LATIN = "\u024f"  # PDFium has no fonts for most scripts beyond this
_LEAST_CONTRAST = 12  # gray levels (0 to 255) of visible text: small light gray letters on white


def shows_word(layer: TextLayer, pixels: Any, size_pt: tuple[float, float], lacks_fonts: Callable[[], bool]) -> bool:
    """Returns whether a word is at least faintly visible, or would be if its font were installed. `pixels`: the page in gray."""
    for line in layer.lines:
        box = turn_box((line.x0, line.y0, line.x1, line.y1), -layer.turns, (layer.width_pt, layer.height_pt))
        if not any(c.isalnum() for c in line.text) or (seen := contrast(pixels, box, size_pt)) is None:
            continue
        if seen >= _LEAST_CONTRAST or (any(c.isalpha() and c > _LATIN for c in line.text) and lacks_fonts()):
            return True
    return False
