"""Reads the text of a page as PDFium returns it, without boxes, reading order or a reliability check."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any, NamedTuple

import pypdfium2.raw as pdfium

from rayocr.pdf.guard import uninterrupted

_LEAST_OUTSIDE = 4  # least number of letters and digits outside the page; printers' marks have fewer


class RawText(NamedTuple):
    """A page's text in file order. `text`: the text within the page's area. `has_more`: the page also has text outside it.
    `is_inked`: none of it belongs to the objects that draw nothing."""

    text: str
    has_more: bool
    is_inked: bool


def raw_text(page: Any, inkless: Sequence[Any] = ()) -> RawText:
    """Reads the text of a raw FPDF_PAGE. `inkless`: its raw text objects that draw nothing."""
    with uninterrupted():
        text_page = pdfium.FPDFText_LoadPage(page)
    if not text_page:
        return RawText("", False, True)
    try:
        box = pdfium.FS_RECTF()
        if not pdfium.FPDF_GetPageBoundingBox(page, box):
            return RawText("", False, True)
        sides = (box.left, box.top, box.right, box.bottom)
        chars = max(0, pdfium.FPDFText_CountChars(text_page))
        units = (ctypes.c_ushort * (4 * chars + 4))()  # a character may have two UTF-16 units, and each line end adds two
        count = min(len(units), max(0, pdfium.FPDFText_GetBoundedText(text_page, *sides, units, len(units))))
        text = bytes(units)[: 2 * count].decode("utf-16-le", "replace").rstrip("\0")
        count = min(len(units), max(0, pdfium.FPDFText_GetText(text_page, 0, chars, units)))
        everything = bytes(units)[: 2 * count].decode("utf-16-le", "replace").rstrip("\0")
        return RawText(text, _has_more(everything, text), not any(_has_words(item, text_page) for item in inkless))
    finally:
        pdfium.FPDFText_ClosePage(text_page)


def _has_more(everything: str, within: str) -> bool:
    if everything.replace("\ufffe", "\x02").split() == within.split():
        return False  # the same result as below in a fifth of the time
    return _letters(everything) - _letters(within) >= _LEAST_OUTSIDE


def _has_words(item: Any, text_page: Any) -> bool:
    size = pdfium.FPDFTextObj_GetText(item, text_page, None, 0)
    units = (ctypes.c_ushort * (size // 2 + 1))()
    pdfium.FPDFTextObj_GetText(item, text_page, units, size)
    return bool(bytes(units)[:size].decode("utf-16-le", "replace").strip("\0").strip())


def _letters(text: str) -> int:
    return sum(map(str.isalnum, text))
