"""Converts one page to a file for a server: a PDF of the page alone, or a picture if that PDF would look different.

A page with invisible text is also sent as a picture, because models read a PDF's text in addition to its appearance.
"""

from __future__ import annotations

import io
import math
import re
from contextlib import suppress
from typing import TYPE_CHECKING

import pypdfium2

from rayocr.errors import PageUnrenderable
from rayocr.pdf.cut.comparison import COMPARISON_DPI, look_alike
from rayocr.pdf.cut.long_pages import in_parts
from rayocr.pdf.cut.pruning import pruned
from rayocr.pdf.drawing.rendering import draw
from rayocr.pdf.forms.annotations import first_page
from rayocr.pdf.structure import UNREADABLE, may_lack_arrays

if TYPE_CHECKING:
    from PIL import Image

    from rayocr.pdf.page import Page

PICTURE_DPI = 200
# Matches optional content, whose visibility is stored in the document's catalog and not in the page. PDFium writes the
# dictionaries of an extracted page uncompressed.
_OPTIONAL_CONTENT = re.compile(rb"/OC\s*(?:\d{1,9} \d{1,9} R|<<|/\w)|/OC(?:G|MD)\b")
_JPEG_QUALITY = 85  # takes 7 ms at 200 dpi
_SMALLEST_LONG_SIDE_PX = 500  # a page is illegible at a lower resolution


def media_type(data: bytes) -> str:
    """Returns the MIME type of a result of `page_document`."""
    return "application/pdf" if data.startswith(b"%PDF-") else "image/jpeg"


def page_document(page: Page, *, dpi: int = PICTURE_DPI, max_bytes: int | None = None) -> bytes:
    """Returns a PDF of one page, or a JPEG at `dpi` if the PDF would be larger than `max_bytes` or would look different.

    Takes 0.5 to 1.5 ms for most pages. Pages with form fields, optional content, fonts without widths or many unused resources
    are also compared as pixels, which takes 10 to 40 ms. A page that is illegible as a whole is followed by its parts. Raises
    PageUnrenderable.
    """
    cut = None
    with suppress(PageUnrenderable):
        cut = _faithful_cut(page)
    if (parts := in_parts(page, cut, dpi=dpi, max_bytes=max_bytes)) is not None:
        return parts
    if cut is not None and (max_bytes is None or len(cut) <= max_bytes):
        return cut
    return picture(page, dpi=dpi, max_bytes=max_bytes)


def picture(page: Page, *, dpi: int, max_bytes: int | None) -> bytes:
    """Returns the page as a JPEG, reduced if it would be larger than `max_bytes`. Raises PageUnrenderable."""
    image = page.render(dpi=dpi).image
    while True:
        data = _jpeg(image)
        if max_bytes is None or len(data) <= max_bytes:
            return data
        factor = max(0.5, 0.9 * math.sqrt(max_bytes / len(data)))
        size = (round(image.width * factor), round(image.height * factor))
        if max(size) < _SMALLEST_LONG_SIDE_PX:
            raise PageUnrenderable(f"Page {page.page_number} takes {len(data):,} bytes as a picture; {max_bytes:,} are allowed.")
        image = image.resize(size)


def _faithful_cut(page: Page) -> bytes | None:
    """Returns a PDF of the page; None if it would look different or would contain text that is invisible on the page."""
    if page.hides_text():
        return None

    has_fields = page.has_filled_annotations
    cut = page.cut_out()
    may_lack = may_lack_arrays(cut)
    has_layers = _OPTIONAL_CONTENT.search(cut) is not None
    if has_layers and page.text_layer().hides_text:
        return None
    smaller = None
    with suppress(*UNREADABLE, TypeError, ValueError):  # PDFium's output is not changed if qpdf cannot read it
        smaller = pruned(cut, drawn_bytes=page.picture_bytes, always=has_fields)
    suspicious = has_fields or smaller is not None or has_layers or may_lack
    cut = cut if smaller is None else smaller
    return cut if not suspicious or _looks_like(cut, page) else None


def _looks_like(cut: bytes, page: Page) -> bool:
    shown = page.thumbnail(COMPARISON_DPI, grayscale=False)  # in gray, PDFium draws letters under a highlight unlike any others
    with pypdfium2.PdfDocument(cut) as single, first_page(single) as alone:
        return bool(alone) and look_alike(shown, draw(alone, *shown.size, grayscale=False))


def _jpeg(image: Image.Image) -> bytes:
    data = io.BytesIO()
    image.convert("RGB").save(data, format="jpeg", quality=_JPEG_QUALITY)
    return data.getvalue()
