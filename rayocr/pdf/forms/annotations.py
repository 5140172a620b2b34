"""Annotations that hold text (form fields, free text, stamps) made a part of a page's content.

PDFium keeps annotations apart from the page's own content until they are flattened into it. That is done on a copy: the document
itself is not changed, since it may be signed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

_WITH_TEXT = (pdfium.FPDF_ANNOT_WIDGET, pdfium.FPDF_ANNOT_FREETEXT, pdfium.FPDF_ANNOT_STAMP)
# Browsers hide fields with the Invisible flag, too, although ISO 32000-1 means it for unknown kinds of annotations.
_NOT_SHOWN = pdfium.FPDF_ANNOT_FLAG_INVISIBLE | pdfium.FPDF_ANNOT_FLAG_HIDDEN | pdfium.FPDF_ANNOT_FLAG_NOVIEW
MAX_ANNOTATIONS = 10_000  # read on a page; a page with more is not a form


@contextmanager
def annotation(page: Any, index: int) -> Iterator[Any]:
    """The raw FPDF_ANNOTATION, or None for an entry that is not one."""
    found = pdfium.FPDFPage_GetAnnot(page, index)
    try:
        yield found
    finally:
        if found:
            pdfium.FPDFPage_CloseAnnot(found)


def annotation_count(page: Any) -> int:
    return min(int(pdfium.FPDFPage_GetAnnotCount(page)), MAX_ANNOTATIONS)


def is_shown(found: Any) -> bool:
    """Whether viewers show this annotation on a screen. Its Print flag does not matter there."""
    return not pdfium.FPDFAnnot_GetFlags(found) & _NOT_SHOWN


def has_text_annotations(page: Any) -> bool:
    """Whether flattening this raw FPDF_PAGE adds text to it. 2 µs an annotation; links do not count."""
    for index in range(annotation_count(page)):
        with annotation(page, index) as found:
            if found and pdfium.FPDFAnnot_GetSubtype(found) in _WITH_TEXT:
                return True
    return False


def flatten(document: pypdfium2.PdfDocument, without: Collection[int] = ()) -> None:
    """Make the annotations of the first page a part of it, as a screen shows them. `without`: indexes of some to leave out."""
    with first_page(document) as page:
        if not page:
            return
        for index in reversed(range(annotation_count(page))):
            with annotation(page, index) as found:
                # PDFium flattens fields that are not to be viewed.
                drop = index in without or (found and not is_shown(found))
            if drop:
                pdfium.FPDFPage_RemoveAnnot(page, index)
        pdfium.FPDFPage_Flatten(page, pdfium.FLAT_NORMALDISPLAY)


@contextmanager
def first_page(document: pypdfium2.PdfDocument) -> Iterator[Any]:
    """The raw page, or None where it cannot be loaded."""
    page = pdfium.FPDF_LoadPage(document.raw, 0)
    try:
        yield page
    finally:
        if page:
            pdfium.FPDF_ClosePage(page)
