"""Restores the page's own text where a copy with flattened annotations hides it: the copy has lost the states of its layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pypdfium2.raw as pdfium

from rayocr.pdf.forms.annotations import annotation, annotation_count, is_shown
from rayocr.pdf.geometry import Box, Upright
from rayocr.pdf.textlayer.layer import TextLayer, without_hidden
from rayocr.pdf.textlayer.lines import TextLine

_WITH_TEXT = (pdfium.FPDF_ANNOT_FREETEXT, pdfium.FPDF_ANNOT_STAMP, pdfium.FPDF_ANNOT_WIDGET)
_SAME = 0.5  # two lines are the same if one covers more than this share of the other


def with_own_lines(layer: TextLayer, own: TextLayer, page: Any, upright: Upright) -> TextLayer:
    """Returns the layer with its lost lines. `layer` was read from the copy, `own` from the raw FPDF_PAGE, whose annotations may
    cover its lines. The copy hides content that is shown only while a layer is off, and it shows the content of hidden layers."""
    if own.turns != layer.turns:
        return layer
    boxes = _boxes(page, upright)
    covered = [box for box, _ in boxes]
    # An annotation with text may repeat the words that it covers, and the copy shows which ones are visible.
    texts = [box for box, has_text in boxes if has_text]
    outside = [line for line in own.hidden if not any(_share(line, box) > _SAME for box in texts)]
    layer = without_hidden(layer, outside) if outside else layer
    if layer.turns or not layer.hidden:
        return layer
    lost = [
        line
        for line in own.lines
        if _is_among(line, layer.hidden) and not _is_among(line, layer.lines) and not any(_share(line, box) for box in covered)
    ]
    if not lost:
        return layer
    still_hidden = tuple(line for line in layer.hidden if not _is_among(line, lost))
    return replace(layer, lines=(*layer.lines, *lost), hidden=still_hidden)


def _boxes(page: Any, upright: Upright) -> list[tuple[Box, bool]]:
    """Returns the boxes of all annotations that are shown, and whether they may have text."""
    found = []
    for index in range(annotation_count(page)):
        with annotation(page, index) as item:
            rect = pdfium.FS_RECTF()
            if item and is_shown(item) and pdfium.FPDFAnnot_GetRect(item, rect):
                has_text = pdfium.FPDFAnnot_GetSubtype(item) in _WITH_TEXT
                found.append((upright.box(rect.left, rect.bottom, rect.right, rect.top), has_text))
    return found


def _is_among(line: TextLine, others: Sequence[TextLine]) -> bool:
    return any(_share(line, (other.x0, other.y0, other.x1, other.y1)) > _SAME for other in others)


def _share(line: TextLine, box: Box) -> float:
    """Returns the share of the line's box that is in the other box."""
    width = min(line.x1, box[2]) - max(line.x0, box[0])
    height = min(line.y1, box[3]) - max(line.y0, box[1])
    area = max((line.x1 - line.x0) * (line.y1 - line.y0), 1e-6)
    return max(width, 0.0) * max(height, 0.0) / area
