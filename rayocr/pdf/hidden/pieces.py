"""Finds the pieces of a page's content (the text of one show operator, or a form) that contain only invisible text, or text
outside the page's area."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pypdfium2.raw as pdfium

from rayocr.pdf.textlayer.layer import TextLayer
from rayocr.pdf.textlayer.lines import TextLine
from rayocr.pdf.textlayer.rendered_text import TextObjects, address_of, texts_within


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenPieces:
    """The hidden pieces among the `count` pieces of a page. `numbers`: their positions in drawing order, from 0.
    `all_hidden_text`: whether they contain all invisible text of the page.
    """

    numbers: frozenset[int]
    count: int
    all_hidden_text: bool


def hidden_pieces(page: Any, layer: TextLayer, *, with_readings: bool = False) -> HiddenPieces:
    """Finds the hidden pieces of a raw FPDF_PAGE. `layer`: the page's own text layer. `with_readings`: text in an invisible
    render mode also counts as hidden if it is a reading of a scan; `all_hidden_text` is then whether no other text remains."""
    items = [pdfium.FPDFPage_GetObject(page, index) for index in range(pdfium.FPDFPage_CountObjects(page))]
    pieces = [_texts_of(item) for item in items]
    outside = {text for item, piece in zip(items, pieces, strict=True) if piece and _is_outside(page, item) for text in piece}
    texts = [piece for piece in pieces if piece is not None]
    text_page = pdfium.FPDFText_LoadPage(page)
    if not text_page:
        return HiddenPieces(numbers=frozenset(), count=len(texts), all_hidden_text=False)
    try:
        hidden, seen = _objects_of(text_page, layer.hidden), _objects_of(text_page, layer.lines)
    finally:
        pdfium.FPDFText_ClosePage(text_page)
    unseen = TextObjects(page).unseen if with_readings else set()
    hidden, seen = (hidden | seen if with_readings else hidden) | outside, seen - unseen
    numbers = frozenset(n for n, piece in enumerate(texts) if piece & (hidden | unseen) and not piece & seen)
    removed = {address for n in numbers for address in texts[n]}
    return HiddenPieces(numbers=numbers, count=len(texts), all_hidden_text=hidden <= removed)


def _texts_of(item: Any) -> set[int] | None:
    """Returns the addresses of the text objects of a piece; None if the object is not a piece."""
    kind = pdfium.FPDFPageObj_GetType(item)
    if kind == pdfium.FPDF_PAGEOBJ_TEXT:
        return {address_of(item)}
    return {address_of(text) for text in texts_within(item)} if kind == pdfium.FPDF_PAGEOBJ_FORM else None


def _is_outside(page: Any, item: Any) -> bool:
    """Returns whether the object is drawn outside the page's area only, such as text that a crop box cuts off."""
    area, sides = pdfium.FS_RECTF(), [ctypes.c_float() for _ in range(4)]
    if not pdfium.FPDF_GetPageBoundingBox(page, area) or not pdfium.FPDFPageObj_GetBounds(item, *sides):
        return False
    left, bottom, right, top = (side.value for side in sides)
    return right > left and (right < area.left or left > area.right or top < area.bottom or bottom > area.top)


def _objects_of(text_page: Any, lines: Iterable[TextLine]) -> set[int]:
    indexes = (n for line in lines for word in line.words for n in range(word.first, word.first + len(word.text)))
    return {address_of(pdfium.FPDFText_GetTextObject(text_page, n)) for n in indexes}
