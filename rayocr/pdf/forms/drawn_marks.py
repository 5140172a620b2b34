"""Reads the check boxes and bullets that are drawn on a page, without a form field or a character."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pypdfium2

from rayocr.pdf.forms.drawn_boxes import BOX_DPI, drawn_boxes, read_boxes
from rayocr.pdf.forms.drawn_bullets import drawn_bullets
from rayocr.pdf.forms.fields import FormField, overlaps
from rayocr.pdf.objects import PageObjects
from rayocr.pdf.textlayer.lines import TextLine
from rayocr.pdf.textlayer.rendered_text import gray_picture, gray_scale


def drawn_marks(
    page: Any, objects: PageObjects, lines: Sequence[TextLine], fields: Sequence[FormField], size_pt: tuple[float, float]
) -> tuple[FormField, ...]:
    """Returns the check boxes and bullets of a raw FPDF_PAGE. Renders the page if it may have check boxes."""
    shapes = [*objects.small_shapes, *(box for _, box in objects.pictures)]
    if not shapes and not objects.ruling_list:
        return ()
    taken = [field.box for field in fields]
    boxes = drawn_boxes(objects.small_shapes, objects.rulings, lines, size_pt)
    boxes = [box for box in boxes if not any(overlaps(box, other) for other in taken)]
    marks: list[FormField] = []
    scale = gray_scale(size_pt, BOX_DPI)
    if boxes:
        with suppress(pypdfium2.PdfiumError, MemoryError, ValueError):
            marks = read_boxes(gray_picture(page, size_pt, scale), scale, boxes)
    taken += [mark.box for mark in marks]
    return (*marks, *drawn_bullets((box for box in shapes if not any(overlaps(box, other) for other in taken)), lines))
