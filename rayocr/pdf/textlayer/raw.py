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
        count = max(0, pdfium.FPDFText_GetBoundedText(text_page, *sides, None, 0))
        units = (ctypes.c_ushort * (count + 1))()
        pdfium.FPDFText_GetBoundedText(text_page, *sides, units, count)
        return bytes(units)[: 2 * count].decode("utf-16-le", "replace").rstrip("\0")
    finally:
        pdfium.FPDFText_ClosePage(text_page)
