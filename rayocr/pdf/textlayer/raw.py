"""The text of a page as PDFium returns it, without boxes, reading order or a reliability check."""

from __future__ import annotations

import ctypes
from typing import Any

import pypdfium2.raw as pdfium


def raw_text(page: Any) -> str:
    """`page` is a raw FPDF_PAGE. Text outside the page is omitted."""
    text_page = pdfium.FPDFText_LoadPage(page)
    if not text_page:
        return ""
    try:
        box = pdfium.FS_RECTF()
        if not pdfium.FPDF_GetPageBoundingBox(page, box):
            return ""
        sides = (box.left, box.top, box.right, box.bottom)
        most = 4 * max(0, pdfium.FPDFText_CountChars(text_page)) + 4  # a character may be two units, and lines get two more
        units = (ctypes.c_ushort * most)()
        count = min(most, max(0, pdfium.FPDFText_GetBoundedText(text_page, *sides, units, most)))
        return bytes(units)[: 2 * count].decode("utf-16-le", "replace").rstrip("\0")
    finally:
        pdfium.FPDFText_ClosePage(text_page)
