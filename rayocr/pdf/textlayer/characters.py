"""The characters of a page as PDFium reports them, with their boxes on the upright page. About 1.2 µs a character."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any

import numpy as np
import pypdfium2.raw as pdfium

from rayocr.pdf.geometry import Upright

_HYPHEN_AT_LINE_END = 0x02  # PDFium's code for a hyphen at the end of a line; 0xFFFE in some builds
_NONCHARACTER_HYPHEN = 0xFFFE
_SOFT_HYPHEN = 0xAD
_DRAWN_HYPHEN_EM = 0.1  # a soft hyphen that takes more room is drawn on the page
_MAX_CHARACTERS = 2_000_000
_LATIN_LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}


@dataclass(slots=True)
class Characters:
    """The visible characters of a page in PDFium's order, without whitespace; all lists and arrays have one entry for each.

    `texts[n]` is one or more Unicode characters. `spaces[n]`: 2 if a space precedes the character, 1 if PDFium only broke the
    line there, else 0. `indexes[n]` is PDFium's index. Boxes are loose (the font's ascent and descent), in points of the
    upright page, origin top left.
    """

    texts: list[str]
    spaces: list[int]
    indexes: list[int]
    x0: Any
    y0: Any
    x1: Any
    y1: Any

    def __len__(self) -> int:
        return len(self.texts)


def read_characters(text_page: Any, upright: Upright, size_pt: tuple[float, float]) -> Characters:
    """Characters outside of the page are left out: two pages cropped from one sheet carry the text of both."""
    count = min(max(0, pdfium.FPDFText_CountChars(text_page)), _MAX_CHARACTERS)
    boxes = (pdfium.FS_RECTF * count)()
    get_unicode, get_box = pdfium.FPDFText_GetUnicode, pdfium.FPDFText_GetLooseCharBox
    codes = [get_unicode(text_page, index) for index in range(count)]
    has_box = [get_box(text_page, index, box) for index, box in enumerate(boxes)]  # written in place
    x0, y0, x1, y1 = _upright_boxes(np.frombuffer(boxes, np.float32).reshape(count, 4), upright)
    width_pt, height_pt = size_pt
    on_page = (x1 > 0) & (x0 < width_pt) & (y1 > 0) & (y0 < height_pt) & np.asarray(has_box, bool)
    least = _DRAWN_HYPHEN_EM * (y1 - y0)
    takes_room = x1 - x0 > least
    takes_room[:-1] &= np.abs(x0[1:] - x0[:-1]) > least[:-1]
    texts: list[str] = []
    spaces: list[int] = []
    indexes: list[int] = []
    space = high = 0
    for index, (code, shown) in enumerate(zip(codes, on_page.tolist(), strict=True)):
        if 0x20 < code < 0x7F and shown:
            texts.append(chr(code))
        else:
            if code >= 0xD800:
                if code < 0xDC00:
                    high = code
                    continue
                if high and code < 0xE000:
                    code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00)
            high = 0
            text = character_of(code, drawn=bool(takes_room[index]))
            if text.isspace():  # PDFium breaks lines with \r\n; the boxes decide whether there is a space
                space = max(space, 1 if text in "\r\n" else 2)
                continue
            if not text or not shown:
                space = space if not text else 2
                continue
            texts.append(text)
        spaces.append(space)
        indexes.append(index)
        space = high = 0
    kept = np.asarray(indexes, np.intp)
    return Characters(texts, spaces, indexes, x0[kept], y0[kept], x1[kept], y1[kept])


def character_of(code: int, *, drawn: bool = True) -> str:
    """The text of a code that PDFium reports. U+FFFD for half of a surrogate pair, which cannot be written to a file.

    A soft hyphen that is drawn (`drawn`) is what a reader sees: a hyphen. Shaped Arabic and Hebrew letters become plain ones.
    """
    if code < 0xAD:
        return "-" if code == _HYPHEN_AT_LINE_END else chr(code) if code else ""
    if code == _SOFT_HYPHEN:
        return "-" if drawn else ""
    if code < 0xD800:
        return chr(code)
    if code > 0x10FFFF or code < 0xE000:
        return "\ufffd"
    if code == _NONCHARACTER_HYPHEN:
        return "-"
    text = chr(code)
    if 0xFB00 <= code <= 0xFB06:
        return _LATIN_LIGATURES.get(text, text)
    if 0xFB1D <= code <= 0xFDFF or 0xFE70 <= code <= 0xFEFC:
        return unicodedata.normalize("NFKC", text).strip() or text
    return text


def _upright_boxes(rectangles: Any, upright: Upright) -> tuple[Any, Any, Any, Any]:
    """`rectangles` (n, 4): left, top, right, bottom of FS_RECTF, in user space."""
    left, top, right, bottom = rectangles.astype(np.float64).T
    ax, ay = upright.a * left + upright.c * bottom + upright.e, upright.b * left + upright.d * bottom + upright.f
    bx, by = upright.a * right + upright.c * top + upright.e, upright.b * right + upright.d * top + upright.f
    return np.minimum(ax, bx), np.minimum(ay, by), np.maximum(ax, bx), np.maximum(ay, by)
