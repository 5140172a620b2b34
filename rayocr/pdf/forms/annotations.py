"""Flattens annotations that may contain or cover text (form fields, free text, stamps, drawings) into a page's content.

PDFium keeps annotations separate from the page's content until they are flattened. rayocr flattens a copy and does not change the
document itself, since it may be signed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from rayocr.pdf.drawing.rendering import draw_into
from rayocr.pdf.geometry import Box, Upright

# Links, and annotations that viewers show as an icon or in a separate window.
_WITHOUT_TEXT = (
    pdfium.FPDF_ANNOT_LINK,
    pdfium.FPDF_ANNOT_TEXT,
    pdfium.FPDF_ANNOT_POPUP,
    pdfium.FPDF_ANNOT_FILEATTACHMENT,
    pdfium.FPDF_ANNOT_SOUND,
    pdfium.FPDF_ANNOT_MOVIE,
)
# Browsers also hide fields with the Invisible flag, although ISO 32000-1 intends it for unknown annotation types.
_NOT_SHOWN = pdfium.FPDF_ANNOT_FLAG_INVISIBLE | pdfium.FPDF_ANNOT_FLAG_HIDDEN | pdfium.FPDF_ANNOT_FLAG_NOVIEW
LACKS_PART = "its content refers to an object that the file lacks."
MAX_ANNOTATIONS = 10_000  # maximum number of annotations that are read per page; a page with more is not a form


@contextmanager
def annotation(page: Any, index: int) -> Iterator[Any]:
    """Yields the raw FPDF_ANNOTATION, or None for an entry that is not one."""
    found = pdfium.FPDFPage_GetAnnot(page, index)
    try:
        yield found
    finally:
        if found:
            pdfium.FPDFPage_CloseAnnot(found)


def annotation_count(page: Any) -> int:
    return min(int(pdfium.FPDFPage_GetAnnotCount(page)), MAX_ANNOTATIONS)


def is_shown(found: Any) -> bool:
    """Returns whether viewers show this annotation on a screen. The Print flag has no effect there."""
    return not pdfium.FPDFAnnot_GetFlags(found) & _NOT_SHOWN


def hide_annotations(page: Any, hidden: Callable[[], Collection[int]], may_have_layered_forms: Callable[[], bool]) -> None:
    """Hides the annotations of the raw FPDF_PAGE whose layer is hidden, in memory only. PDFium does not check the layer of an
    appearance. `hidden` returns their indexes; it is called if any annotation, or its appearance, may belong to a layer."""
    in_layers = []
    for index in range(annotation_count(page)):
        with annotation(page, index) as found:
            if found and (
                pdfium.FPDFAnnot_HasKey(found, b"OC") or (pdfium.FPDFAnnot_HasKey(found, b"AP") and may_have_layered_forms())
            ):
                in_layers.append(index)
    for index in set(in_layers).intersection(hidden()) if in_layers else ():
        with annotation(page, index) as found:
            pdfium.FPDFAnnot_SetFlags(found, pdfium.FPDFAnnot_GetFlags(found) | pdfium.FPDF_ANNOT_FLAG_HIDDEN)


def has_text_annotations(page: Any) -> bool:
    """Returns whether flattening this raw FPDF_PAGE may add text to it or cover some. Takes 2 µs per annotation; links do not
    count."""
    for index in range(annotation_count(page)):
        with annotation(page, index) as found:
            if found and pdfium.FPDFAnnot_GetSubtype(found) not in _WITHOUT_TEXT:
                return True
    return False


def struck_boxes(page: Any, upright: Upright) -> list[Box]:
    """Returns the boxes on the upright page where annotations of this raw FPDF_PAGE strike text out."""
    boxes: list[Box] = []
    quad, rect = pdfium.FS_QUADPOINTSF(), pdfium.FS_RECTF()
    for index in range(annotation_count(page)):
        with annotation(page, index) as found:
            if found and pdfium.FPDFAnnot_GetSubtype(found) == pdfium.FPDF_ANNOT_STRIKEOUT and is_shown(found):
                for number in range(min(int(pdfium.FPDFAnnot_CountAttachmentPoints(found)), MAX_ANNOTATIONS)):
                    if pdfium.FPDFAnnot_GetAttachmentPoints(found, number, quad):
                        xs, ys = (quad.x1, quad.x2, quad.x3, quad.x4), (quad.y1, quad.y2, quad.y3, quad.y4)
                        boxes.append(upright.box(min(xs), min(ys), max(xs), max(ys)))
                if not pdfium.FPDFAnnot_CountAttachmentPoints(found) and pdfium.FPDFAnnot_GetRect(found, rect):
                    boxes.append(upright.box(rect.left, rect.bottom, rect.right, rect.top))
    return boxes


def flatten(document: pypdfium2.PdfDocument, without: Collection[int] = (), *, objects: int) -> None:
    """Flattens the annotations of the first page into it, as shown on a screen. `without`: indexes of annotations to omit.
    `objects`: the number of objects on the original page. Raises PdfiumError if the copy has none of them."""
    with first_page(document) as page:
        if not page:
            return
        if objects and not pdfium.FPDFPage_CountObjects(page):
            raise pypdfium2.PdfiumError(LACKS_PART)
        for index in reversed(range(annotation_count(page))):
            with annotation(page, index) as found:
                # PDFium also flattens hidden fields.
                drop = index in without or (found and not is_shown(found))
            if drop:
                pdfium.FPDFPage_RemoveAnnot(page, index)
        _create_appearances(page)
        shown = pdfium.FS_RECTF()
        has_box = pdfium.FPDF_GetPageBoundingBox(page, shown)
        pdfium.FPDFPage_Flatten(page, pdfium.FLAT_NORMALDISPLAY)
        if has_box:  # flattening replaces the /MediaBox by a /CropBox that lies partly outside it
            pdfium.FPDFPage_SetMediaBox(page, shown.left, shown.bottom, shown.right, shown.top)
            pdfium.FPDFPage_SetCropBox(page, shown.left, shown.bottom, shown.right, shown.top)


def _create_appearances(page: Any) -> None:
    """Creates the missing appearances of highlights, underlines and similar annotations, as viewers do. PDFium does it when it
    draws the page, but not when it flattens it, so this draws a pixel beside the page."""
    pixel = pypdfium2.PdfBitmap.new_native(1, 1, pdfium.FPDFBitmap_Gray)
    try:
        draw_into(pixel.raw, page, (2, 2, 100, 100, 0, pdfium.FPDF_ANNOT))
    finally:
        pixel.close()


@contextmanager
def first_page(document: pypdfium2.PdfDocument) -> Iterator[Any]:
    """Yields the raw page, or None if it cannot be loaded."""
    page = pdfium.FPDF_LoadPage(document.raw, 0)
    page.slow_pages = getattr(document, "slow_pages", None)  # see `draw_into`
    try:
        yield page
    finally:
        if page:
            pdfium.FPDF_ClosePage(page)
