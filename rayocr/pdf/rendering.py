"""Renders a PDFium page to a Pillow image, with its annotations and form fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pypdfium2
import pypdfium2.raw as pdfium

if TYPE_CHECKING:
    from PIL import Image


def draw(page: Any, width_px: int, height_px: int, *, grayscale: bool, form: Any = None) -> Image.Image:
    """`page` is a raw FPDF_PAGE, `form` the raw form handle of its document, if it has a form. RGB or gray.

    Raises PdfiumError, MemoryError or ValueError if the bitmap cannot be created.
    """
    bitmap = pypdfium2.PdfBitmap.new_native(width_px, height_px, pdfium.FPDFBitmap_Gray if grayscale else pdfium.FPDFBitmap_BGR)
    bitmap.fill_rect((255, 255, 255, 255), 0, 0, width_px, height_px)
    flags = pdfium.FPDF_ANNOT | (pdfium.FPDF_GRAYSCALE if grayscale else pdfium.FPDF_REVERSE_BYTE_ORDER)
    area = (0, 0, width_px, height_px, 0, flags)
    pdfium.FPDF_RenderPageBitmap(bitmap.raw, page, *area)
    if form is not None:
        pdfium.FPDF_FFLDraw(form, bitmap.raw, page, *area)  # only this call draws fields without an appearance
    return _to_pil(bitmap, width_px, height_px, grayscale=grayscale)


def _to_pil(bitmap: Any, width: int, height: int, *, grayscale: bool) -> Image.Image:
    from PIL import Image

    mode = "L" if grayscale else "RGB"
    try:
        return Image.frombytes(mode, (width, height), bytes(bitmap.buffer), "raw", mode, bitmap.stride, 1)
    finally:
        bitmap.close()
