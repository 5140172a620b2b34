"""Renders the page in gray with and without its text, at low resolution."""

from __future__ import annotations

import ctypes
import math
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium

from rayocr.pdf.drawing.rendering import draw_into

_MAX_PIXELS = 4_000_000
_SMALL_SIDE_PT = 300.0
_MAX_SIDE_PX = 20_000
_MAX_TEXT_OBJECTS = 50_000
_MAX_DEPTH = 12  # levels of forms within forms
_PDFIUM_HAS = (b"Helvetica", b"Times", b"Courier", b"Arial", b"Symbol", b"ZapfDingbats")
_IDEOGRAPH = 0x4E00
_NO_SHAPE = re.compile("[\\s\0\u200b-\u200f\u2060\ufeff]")
_UNSEEN_MODES = (pdfium.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium.FPDF_TEXTRENDERMODE_CLIP)


class TextObjects:
    """The text objects of a raw FPDF_PAGE, including those in its forms. Valid while the page is open."""

    def __init__(self, page: Any) -> None:
        self._drawn: list[Any] = []
        self._lacking: list[Any] = []  # objects in fonts that are not embedded and that PDFium does not have
        fonts: dict[int, bool] = {}
        self.unseen: set[int] = set()  # addresses of objects with an invisible render mode
        self.complete = True  # False if there are too many to list
        for item in text_objects(page):
            if pdfium.FPDFTextObj_GetTextRenderMode(item) in _UNSEEN_MODES:
                self.unseen.add(address_of(item))
            else:
                self._drawn.append(item)
                font = pdfium.FPDFTextObj_GetFont(item)
                key = address_of(font)
                if key not in fonts:
                    fonts[key] = _is_lacking(font)
                if fonts[key]:
                    self._lacking.append(item)
            if len(self._drawn) + len(self.unseen) >= _MAX_TEXT_OBJECTS:
                self.complete = False
                break

    @property
    def are_drawn(self) -> bool:
        """Returns whether the page looks different without the text."""
        return bool(self._drawn)

    @property
    def drawn(self) -> Sequence[Any]:
        """Returns the raw objects that are not invisible."""
        return self._drawn

    def without_characters(self, text_page: Any) -> int:
        """Returns the number of objects that PDFium can neither draw nor map to characters. Other viewers show this text, but
        rayocr cannot read it."""
        if not self._lacking:
            return 0
        named = {address_of(pdfium.FPDFText_GetTextObject(text_page, n)) for n in range(pdfium.FPDFText_CountChars(text_page))}
        unnamed = [item for item in self._lacking if address_of(item) not in named]
        known = sum(map(_has_extent, unnamed))
        single = [item for item in unnamed if not _has_extent(item) and _is_ideographic(pdfium.FPDFTextObj_GetFont(item))]
        is_set_singly = len(single) > len(self._lacking) - len(unnamed)  # fewer may be spaces
        return known + len(single) if is_set_singly else known

    def without_meaning(self, text_page: Any) -> list[Any]:
        """Returns the drawn objects whose characters are all spaces or unknown."""
        shown = {
            address_of(pdfium.FPDFText_GetTextObject(text_page, n))
            for n in range(pdfium.FPDFText_CountChars(text_page))
            if not _NO_SHAPE.match(chr(pdfium.FPDFText_GetUnicode(text_page, n) & 0x1FFFF))
        }
        return [item for item in self._drawn if address_of(item) not in shown and _has_extent(item)]

    @contextmanager
    def without_text(self, *, kept: Collection[int] = ()) -> Iterator[None]:
        """Removes the text from renderings within this context, except the objects with the addresses `kept`."""
        with inactive([item for item in self._drawn if address_of(item) not in kept] if kept else self._drawn):
            yield


@contextmanager
def inactive(objects: Collection[Any]) -> Iterator[None]:
    """Removes the objects from renderings within this context."""
    for item in objects:
        pdfium.FPDFPageObj_SetIsActive(item, False)
    try:
        yield
    finally:
        for item in objects:
            pdfium.FPDFPageObj_SetIsActive(item, True)


def gray_scale(size_pt: Sequence[float], dpi: float) -> float:
    """Returns the pixels per point for a picture at `dpi`, or less for huge pages."""
    width_pt, height_pt = size_pt
    return min(dpi / 72, math.sqrt(_MAX_PIXELS / (width_pt * height_pt)), _MAX_SIDE_PX / max(width_pt, height_pt))


def letter_scale(size_pt: Sequence[float], dpi: float) -> float:
    """Returns the same, and more for tiny pages, whose letters may be as small: with a UserUnit of 10 they have 1 pt."""
    return gray_scale(size_pt, dpi * max(1.0, _SMALL_SIDE_PT / max(size_pt)))


def gray_picture(page: Any, size_pt: Sequence[float], scale: float) -> Any:
    """Returns the raw page in gray, as an array (height, width). Raises PdfiumError, MemoryError, ValueError or
    PageTooSlow."""
    width, height = max(1, int(size_pt[0] * scale)), max(1, int(size_pt[1] * scale))
    bitmap = pypdfium2.PdfBitmap.new_native(width, height, pdfium.FPDFBitmap_Gray)
    try:
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, width, height)
        draw_into(bitmap.raw, page, (0, 0, width, height, 0, pdfium.FPDF_ANNOT | pdfium.FPDF_GRAYSCALE))
        # Python owns the buffer, which is valid as long as the array exists.
        return np.frombuffer(bitmap.buffer, np.uint8).reshape(height, bitmap.stride)[:, :width]
    finally:
        bitmap.close()


def address_of(item: Any) -> int:
    """Returns the address of a raw object. Two handles of one object have the same address."""
    return ctypes.addressof(item.contents) if item else 0


def font_at(text_page: Any, n: int) -> int:
    """Returns the address of the n-th character's font; 0 for a character that PDFium added."""
    item = pdfium.FPDFText_GetTextObject(text_page, n)
    return address_of(pdfium.FPDFTextObj_GetFont(item)) if item else 0


def _is_lacking(font: Any) -> bool:
    if not font or pdfium.FPDFFont_GetIsEmbedded(font):
        return False
    name = ctypes.create_string_buffer(64)
    pdfium.FPDFFont_GetBaseFontName(font, name, len(name))
    return not name.value.startswith(_PDFIUM_HAS)


def _is_ideographic(font: Any) -> bool:
    """Returns whether PDFium replaces a font of many thousand characters with its own one of Latin letters. A single character
    then has no extent, as if it were a space."""
    name, width = ctypes.create_string_buffer(16), ctypes.c_float()
    pdfium.FPDFFont_GetFamilyName(font, name, len(name))
    is_replaced = name.value.startswith(b"Chrome S")
    return is_replaced and bool(pdfium.FPDFFont_GetGlyphWidth(font, _IDEOGRAPH, 10.0, width)) and width.value > 0


def _has_extent(item: Any) -> bool:
    left, bottom, right, top = ctypes.c_float(), ctypes.c_float(), ctypes.c_float(), ctypes.c_float()
    known = pdfium.FPDFPageObj_GetBounds(item, left, bottom, right, top)
    return bool(known) and (right.value > left.value or top.value > bottom.value)


def text_objects(page: Any) -> Iterator[Any]:
    """Returns the raw text objects of a raw FPDF_PAGE, including those in its forms."""
    return _texts([(pdfium.FPDFPage_GetObject, page, pdfium.FPDFPage_CountObjects(page), 0)])


def texts_within(form: Any) -> Iterator[Any]:
    """Returns the raw text objects of a raw form object, including those in its forms."""
    return _texts([(pdfium.FPDFFormObj_GetObject, form, pdfium.FPDFFormObj_CountObjects(form), 1)])


def _texts(stack: list[tuple[Any, Any, int, int]]) -> Iterator[Any]:
    while stack:
        get, owner, count, depth = stack.pop()
        for index in range(count):
            item = get(owner, index)
            kind = pdfium.FPDFPageObj_GetType(item)
            if kind == pdfium.FPDF_PAGEOBJ_TEXT:
                yield item
            elif kind == pdfium.FPDF_PAGEOBJ_FORM and depth < _MAX_DEPTH:
                stack.append((pdfium.FPDFFormObj_GetObject, item, pdfium.FPDFFormObj_CountObjects(item), depth + 1))
