"""Finds letters and digits behind which PDFium omits an equal one: in "11" and "will" of fonts that are narrow for their size.

PDFium takes a character for a second drawing, made to look bold, if the same character begins less than 0.07 of the font size
before it. In Type 3 fonts with another scale than 1/1000, letters side by side may be as near.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import pypdfium2.raw as pdfium

from rayocr.pdf.geometry import Upright
from rayocr.pdf.textlayer.glyphs.characters import Characters
from rayocr.pdf.textlayer.glyphs.fonts import PageFonts

_SAME_EM = 0.071  # PDFium's limit, as a share of the font size, and a bit more for rounding
_HOLE = 0.7  # least width of the gap, as a share of the letter's width


def before_omitted_letters(text_page: Any, characters: Characters, upright: Upright, fonts: PageFonts) -> list[int]:
    """Returns PDFium's indexes of letters and digits with such a gap behind them. `upright`: maps user space to the upright page
    of the characters. Without narrow letters, only one of each height is examined."""
    width = characters.x1 - characters.x0
    heights = np.round(characters.y1 - characters.y0, 1)
    by_height = np.lexsort((np.where(width > 0, width, np.inf), heights))
    _, first = np.unique(heights[by_height], return_index=True)
    if not any(_is_near(width[n], fonts.size_pt(characters.indexes[n])) for n in by_height[first].tolist()):
        return []
    return [
        index
        for n, index in enumerate(characters.indexes)
        if characters.texts[n].isalnum()
        and _is_near(width[n], fonts.size_pt(index))
        and _end_of_next(text_page, index, upright, float(characters.x1[n])) - characters.x1[n] > _HOLE * width[n]
    ]


def _is_near(width: float, size_pt: float) -> bool:
    return 0 < width < _SAME_EM * size_pt


def _end_of_next(text_page: Any, index: int, upright: Upright, end: float) -> float:
    """Returns where the next character of the text object begins, or where the object ends."""
    item = pdfium.FPDFText_GetTextObject(text_page, index)
    box, following = pdfium.FS_RECTF(), pdfium.FPDFText_GetTextObject(text_page, index + 1)
    if not item:
        return end
    if following and ctypes.addressof(following.contents) == ctypes.addressof(item.contents):
        known = pdfium.FPDFText_GetLooseCharBox(text_page, index + 1, box)
        return upright.box(box.left, box.bottom, box.right, box.top)[0] if known else end
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    known = pdfium.FPDFPageObj_GetBounds(item, left, bottom, right, top)
    return upright.box(left.value, bottom.value, right.value, top.value)[2] if known else end
