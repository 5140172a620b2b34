"""Reads the size, the weight and the name of the font at a character of a page."""

from __future__ import annotations

import ctypes
import math
import re
from typing import Any

import pypdfium2.raw as pdfium

from rayocr.pdf.textlayer.rendered_text import address_of

_BOLD_WEIGHT = 600
_LONGEST_NAME = 128  # size of the buffer in bytes; PDFium does not return longer font names
# PDFium derives the weight from the width of the stems, which browsers and TeX give too small for their bold fonts.
_BOLD = re.compile(r"[a-z\d,_ -](?:Bold|Black|Heavy)(?![a-z])|[-,]bold|^(?:[A-Z]{6}\+)?(?:CM|SF|EC|LM)(?:SS)?BX")


class PageFonts:
    """Reads the fonts of a page. Indexes are PDFium's. Each font's name is read once."""

    def __init__(self, text_page: Any) -> None:
        self._text_page = text_page
        self._bold: dict[int, bool] = {}

    def name(self, index: int) -> str:
        name, flags = ctypes.create_string_buffer(_LONGEST_NAME), ctypes.c_int()
        known = pdfium.FPDFText_GetFontInfo(self._text_page, index, name, len(name), flags)
        return name.value.decode("latin-1") if known else ""

    def size_pt(self, index: int) -> float:
        """Returns the displayed size, including the text matrix."""
        matrix = pdfium.FS_MATRIX()
        scale = math.hypot(matrix.c, matrix.d) if pdfium.FPDFText_GetMatrix(self._text_page, index, matrix) else 1.0
        return abs(pdfium.FPDFText_GetFontSize(self._text_page, index)) * scale

    def size_and_weight(self, index: int) -> tuple[float, bool]:
        """Returns the displayed size in points, and whether the font is bold."""
        return self.size_pt(index), self._is_bold(index)

    def _is_bold(self, index: int) -> bool:
        if pdfium.FPDFText_GetFontWeight(self._text_page, index) >= _BOLD_WEIGHT:
            return True
        item = pdfium.FPDFText_GetTextObject(self._text_page, index)
        font = address_of(pdfium.FPDFTextObj_GetFont(item)) if item else 0
        if font not in self._bold:
            self._bold[font] = bool(font) and _BOLD.search(self.name(index)) is not None
        return self._bold[font]
