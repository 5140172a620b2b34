"""Text that lies on a page as annotations: what was typed into a form's fields, notes, stamps.

PDFium keeps it apart from the page's own content until it is flattened into it, which is done on a copy: the document itself
stays as it is (it may be signed).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

_WITH_TEXT = (pdfium.FPDF_ANNOT_WIDGET, pdfium.FPDF_ANNOT_FREETEXT, pdfium.FPDF_ANNOT_STAMP)
_LOOKED_AT = 10_000  # annotations of a page; more are nobody's form


def has_text_annotations(page: Any) -> bool:
    """`page` is a raw FPDF_PAGE. 2 µs an annotation; those that hold no text (links) do not count."""
    for index in range(min(pdfium.FPDFPage_GetAnnotCount(page), _LOOKED_AT)):
        annotation = pdfium.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        subtype = pdfium.FPDFAnnot_GetSubtype(annotation)
        pdfium.FPDFPage_CloseAnnot(annotation)
        if subtype in _WITH_TEXT:
            return True
    return False


def flatten(document: pypdfium2.PdfDocument) -> None:
    """The annotations of the first page, as they are shown, become a part of it."""
    page = pdfium.FPDF_LoadPage(document.raw, 0)
    if page:
        pdfium.FPDFPage_Flatten(page, pdfium.FLAT_NORMALDISPLAY)
        pdfium.FPDF_ClosePage(page)


@contextmanager
def first_page(document: pypdfium2.PdfDocument) -> Iterator[Any]:
    """The raw page, or None where it cannot be loaded."""
    page = pdfium.FPDF_LoadPage(document.raw, 0)
    try:
        yield page
    finally:
        if page:
            pdfium.FPDF_ClosePage(page)
