"""Finds fonts in which letters are mapped to a space, so that office becomes of ce."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pypdfium2.raw as pdfium

from rayocr.pdf.textlayer.glyphs.wrong_digits import inked_spaces_of
from rayocr.pdf.textlayer.rendered_text import address_of

_SPACES = (0x20, 0xA0)
_ROUNDING = 50  # spaces whose widths round to the same part of their height are of one kind


def with_drawn_spaces(text_page: Any, codes: Sequence[int], rectangles: Any) -> frozenset[int]:
    """Returns the addresses of all text objects in such fonts. `rectangles`: the boxes of the characters, (n, 4), in user space.
    Takes 50 µs for a page without such fonts."""
    spaces = np.flatnonzero(np.isin(codes[1:-1], _SPACES)) + 1
    left, top, right, bottom = rectangles[spaces].T
    width, height = np.abs(right - left), np.abs(top - bottom)
    spaces, kinds = spaces[width > 0], np.round(_ROUNDING * width / np.maximum(height, 1e-6))[width > 0]
    _, first = np.unique(kinds, return_index=True)  # a space is as wide as all others of its font, a letter is not
    _, last = np.unique(kinds[::-1], return_index=True)
    sample = np.union1d(spaces[first], spaces[::-1][last])
    sample = sample[[_is_within_word(text_page, codes, n) for n in sample.tolist()]]
    fonts = {_font_of(text_page, n) for n in inked_spaces_of(text_page, codes, sample, rectangles)}
    fonts.discard(0)
    items = [pdfium.FPDFText_GetTextObject(text_page, n) for n in range(len(codes))] if fonts else []
    return frozenset(address_of(item) for item in items if item and address_of(pdfium.FPDFTextObj_GetFont(item)) in fonts)


def _is_within_word(text_page: Any, codes: Sequence[int], n: int) -> bool:
    """Returns whether letters of the space's font are around it. Large brackets and roots are in fonts of formulas."""
    is_between = chr(codes[n - 1]).isalpha() and chr(codes[n + 1]).islower()
    return is_between and len({_font_of(text_page, place) for place in (n - 1, n, n + 1)}) == 1


def _font_of(text_page: Any, n: int) -> int:
    item = pdfium.FPDFText_GetTextObject(text_page, n)
    return address_of(pdfium.FPDFTextObj_GetFont(item)) if item else 0
