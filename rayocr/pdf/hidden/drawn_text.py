"""Detects from a page's objects, without rendering it, whether the page may have text that a person does not see."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import pypdfium2.raw as pdfium

from rayocr.pdf.geometry import PAGE_SPACE, Box, Matrix
from rayocr.pdf.hidden.covering import TextArea
from rayocr.pdf.hidden.text_style import NARROW_PT, TINY_PT, TextStyle, is_clipped
from rayocr.pdf.textlayer.glyphs.actual_text import replacement_of

_FILLED = (pdfium.FPDF_TEXTRENDERMODE_FILL, pdfium.FPDF_TEXTRENDERMODE_FILL_CLIP)
_UNSEEN = (pdfium.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium.FPDF_TEXTRENDERMODE_CLIP)


class DrawnText:
    """The text objects of a page, in the order in which they are drawn, and the objects drawn over them. `outer` is the matrix
    from the space of an object's container to the page's."""

    def __init__(self, long_side_pt: float = 0.0) -> None:
        self.visible = 0  # objects
        self.has_dark = False  # visible and not white
        self.is_replaced = False  # whether a long /ActualText replaces some glyphs
        self.inkless: list[Any] = []  # raw text objects that draw nothing: blanks, or hidden words
        self._may_be_hidden = False
        self._style = TextStyle()
        self._area = TextArea(long_side_pt)
        self._small: set[tuple[object, ...]] = set()  # fonts, sizes and scales of letters that may be too small to read
        self._legible: set[tuple[object, ...]] = set()  # the same for letters that are large enough, in the same fonts

    @property
    def may_be_hidden(self) -> bool:
        """Returns whether text is invisible, transparent, nearly white, tiny, clipped or covered. Ignores the objects in
        `inkless`."""
        return self._may_be_hidden or not self._small <= self._legible

    def distrust(self) -> None:
        """Notes that some objects cannot be examined."""
        self._may_be_hidden = True

    def add(self, item: Any, outer: Matrix) -> None:
        self.is_replaced = self.is_replaced or bool(replacement_of(item))
        mode = pdfium.FPDFTextObj_GetTextRenderMode(item)
        if mode in _UNSEEN:
            self._may_be_hidden = True
            return
        self.visible += 1
        if self.has_dark and self._may_be_hidden:
            return
        bounds = self._style.bounds(item)
        if bounds is not None and bounds[1] == bounds[3]:
            self.inkless.append(item)
            return
        dark = self._style.has_ink_color(item)
        self.has_dark |= dark
        if not self._may_be_hidden:
            unclear = not dark or mode not in _FILLED or bounds is None or is_clipped(item, bounds)
            self._may_be_hidden = unclear or self._is_tiny(item, outer) or bool(pdfium.FPDFPageObj_HasTransparency(item))
            if bounds is not None:
                self._area.add(_in_page(bounds, outer))

    def add_form(self, item: Any, drawn_before: int) -> None:
        """Adds a form XObject. `drawn_before`: the value of `visible` before the texts of this form were added."""
        if self.visible > drawn_before and not self._may_be_hidden:
            is_clear = bool(pdfium.FPDFPageObj_HasTransparency(item))
            self._may_be_hidden = is_clear or is_clipped(item, self._style.bounds(item))

    def cover(self, box: Box) -> None:
        """Notes that something is drawn over the box: (left, bottom, right, top) in the page's space."""
        if not self._may_be_hidden and self.visible:
            self._may_be_hidden = self._area.touches(box)

    def cover_with(self, item: Any, outer: Matrix) -> None:
        if (bounds := self._style.bounds(item)) is not None:
            self.cover(_in_page(bounds, outer))
        elif self.visible:
            self._may_be_hidden = True

    def _is_tiny(self, item: Any, outer: Matrix) -> bool:
        if (drawn := self._style.size_and_matrix(item)) is None:
            return False
        size, raw = drawn
        matrix = raw if outer is PAGE_SPACE else Matrix(raw.a, raw.b, raw.c, raw.d).then(outer)
        along, up = max(abs(matrix.a), abs(matrix.b)), max(abs(matrix.c), abs(matrix.d))
        if abs(size) * max(along, up) >= TINY_PT and abs(size) * min(along, up) >= NARROW_PT:
            return False
        # Type 3 fonts define their own scale, so the font size alone is not conclusive. One letter that is large enough is.
        font, bounds = pdfium.FPDFTextObj_GetFont(item), self._style.bounds(item)
        if not font or bounds is None or matrix.b or matrix.c:
            return True
        left, bottom, right, top = _in_page(bounds, outer)
        letters = ctypes.cast(font, ctypes.c_void_p).value, size, matrix.a, matrix.d
        (self._legible if min(right - left, top - bottom) >= TINY_PT else self._small).add(letters)
        return False


def _in_page(box: Box, outer: Matrix) -> Box:
    return box if outer is PAGE_SPACE else around([outer.point(x, y) for x in box[::2] for y in box[1::2]])


def around(points: Sequence[tuple[float, float]]) -> Box:
    """Returns the box around the points."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)
