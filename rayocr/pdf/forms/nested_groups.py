"""Estimates how many transparency groups a page draws within forms. PDFium draws each group into its own bitmap, which takes
13 ns per pixel, and cannot be cancelled within a form. See ISO 32000-1, 11.6.6.
"""

from __future__ import annotations

import ctypes
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

MAX_GROUPS = 1_000  # maximum number of groups of the size of the page that a page draws within forms
_MAX_OBJECTS = 30_000  # maximum number of visited objects; a visit takes 3 to 10 µs
_MAX_DEPTH = 64


def excessive_groups(document: pypdfium2.PdfDocument, page_index: int) -> str:
    """Returns why PDFium must not draw the page; "" if it may. Small groups count as the share of the page that they cover. Call
    it only for pages that draw more than `MAX_GROUPS` forms, since it loads the page."""
    page = pdfium.FPDF_LoadPage(document, page_index)
    if not page:
        return ""
    try:
        return _excessive(page, pdfium.FPDF_GetPageWidthF(page) * pdfium.FPDF_GetPageHeightF(page))
    finally:
        pdfium.FPDF_ClosePage(page)


def _excessive(page: Any, area_pt2: float) -> str:
    waiting = [(pdfium.FPDFPage_GetObject(page, n), 0, 1.0) for n in range(min(pdfium.FPDFPage_CountObjects(page), _MAX_OBJECTS))]
    visited, total = 0, 0.0
    while waiting and visited < _MAX_OBJECTS:
        item, depth, scale = waiting.pop()
        visited += 1
        if pdfium.FPDFPageObj_GetType(item) != pdfium.FPDF_PAGEOBJ_FORM:
            continue
        if depth and pdfium.FPDFPageObj_HasTransparency(item):
            total += min(1.0, _area(item) * scale / max(area_pt2, 1.0))
        if total > MAX_GROUPS:
            return f"it draws more than {MAX_GROUPS:,} transparency groups of its size, one within the other."
        if depth < _MAX_DEPTH:
            inner = scale * _enlargement(item)
            count = min(pdfium.FPDFFormObj_CountObjects(item), _MAX_OBJECTS)
            waiting += ((pdfium.FPDFFormObj_GetObject(item, n), depth + 1, inner) for n in range(count))
    return ""


def _area(item: Any) -> float:
    """Returns the area of the object's bounds in the space of the form around it."""
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    if not pdfium.FPDFPageObj_GetBounds(item, left, bottom, right, top):
        return 0.0
    return abs((right.value - left.value) * (top.value - bottom.value))


def _enlargement(item: Any) -> float:
    """Returns the factor by which the matrix of a form enlarges areas."""
    matrix = pdfium.FS_MATRIX()
    return abs(matrix.a * matrix.d - matrix.b * matrix.c) if pdfium.FPDFPageObj_GetMatrix(item, matrix) else 1.0
