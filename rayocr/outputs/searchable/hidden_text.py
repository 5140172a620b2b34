"""Removes invisible text from a page of the searchable PDF. Otherwise users would find and copy it like visible text.

Only whole pieces are removed (the text of one show operator, or a form), and only if the page then renders the same.
"""

from __future__ import annotations

import io
from collections.abc import Collection
from typing import Any

import pikepdf
import pypdfium2
import pypdfium2.raw as pdfium

from rayocr.errors import PageTooSlow
from rayocr.pdf.cut.comparison import COMPARISON_DPI, look_alike
from rayocr.pdf.drawing.rendering import draw, render_scale
from rayocr.pdf.forms.annotations import first_page
from rayocr.pdf.structure import UNREADABLE

_MAX_PIXELS = 4_000_000  # of the pictures that are compared; a page can claim a side of a kilometer
_OPERANDS = {"Tj": 0, "TJ": 0, "'": 0, '"': 2, "Do": 0}  # operators that draw a piece, each with the operand that names it


def remove_pieces(
    pdf: pikepdf.Pdf, page_number: int, pieces: Collection[int], *, count: int, may_lack_them: bool = False
) -> bool:
    """Removes the pieces with these numbers (in the order of drawing, from 0) from the page. `count`: how many pieces PDFium
    finds on the source's page. `may_lack_them`: the page may be an earlier output, from which they were removed. Returns False
    and does not change the page if it would look different."""
    if not pieces:
        return True
    page = pdf.pages[page_number - 1]
    before = page.obj.get("/Contents")
    try:
        if may_lack_them and _without(page, (), count - len(pieces)) is not None:
            return True
        shown = _rendered(pdf, page_number)
        instructions = _without(page, pieces, count)
        if instructions is None or shown is None:
            return False
        page.obj["/Contents"] = pdf.make_stream(pikepdf.unparse_content_stream(instructions))
        redrawn = _rendered(pdf, page_number)
    except (*UNREADABLE, pypdfium2.PdfiumError, PageTooSlow, TypeError, ValueError, MemoryError):
        redrawn = None
    if redrawn is None or shown is None or not look_alike(shown, redrawn):
        page.obj["/Contents"] = before
        return False
    return True


def _without(page: pikepdf.Page, pieces: Collection[int], count: int) -> list[Any] | None:
    forms = {name for name, item in page.resources.get("/XObject", {}).items() if item.get("/Subtype") == "/Form"}
    kept: list[Any] = []
    number = 0
    for instruction in pikepdf.parse_content_stream(page):
        name = str(instruction.operator) if isinstance(instruction, pikepdf.ContentStreamInstruction) else ""
        operand = instruction.operands[_OPERANDS[name]] if name in _OPERANDS and instruction.operands else None
        if not (str(operand) in forms if name == "Do" else _is_drawn(operand)):
            kept.append(instruction)
            continue
        if number not in pieces:
            kept.append(instruction)
        elif name in ("'", '"'):
            kept.append(pikepdf.ContentStreamInstruction([], pikepdf.Operator("T*")))
        number += 1
    return kept if number == count else None


def _is_drawn(operand: Any) -> bool:
    """Returns whether PDFium creates a piece of text for the operand: PDFium creates none for an empty string."""
    if isinstance(operand, pikepdf.Array):
        return any(isinstance(part, pikepdf.String) and len(bytes(part)) for part in operand)
    return isinstance(operand, pikepdf.String) and len(bytes(operand)) > 0


def _rendered(pdf: pikepdf.Pdf, page_number: int) -> Any:
    """Returns the page alone, in pixels."""
    data = io.BytesIO()
    with pikepdf.new() as single:
        single.pages.append(pdf.pages[page_number - 1])
        layers = pdf.Root.get("/OCProperties")
        if layers is not None:
            single.Root.OCProperties = single.copy_foreign(pdf.make_indirect(layers) if not layers.is_indirect else layers)
        single.save(data)
    with pypdfium2.PdfDocument(data.getvalue()) as document, first_page(document) as shown:
        size = (pdfium.FPDF_GetPageWidthF(shown), pdfium.FPDF_GetPageHeightF(shown)) if shown else (0.0, 0.0)
        if min(size) <= 0:
            return None
        scale = render_scale(*size, dpi=COMPARISON_DPI, max_pixels=_MAX_PIXELS)
        return draw(shown, *(max(1, round(side * scale)) for side in size), grayscale=False)
