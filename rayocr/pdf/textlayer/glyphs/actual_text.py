"""Checks /ActualText, the text that a file provides in place of its glyphs. PDFium returns it even if the glyphs show other text.
Normally it replaces a few letters: ligatures, hyphens, and scripts whose glyphs have no characters. If a long text differs from
its glyphs, or the digits of a replacement differ from the digits that are drawn, a person sees another text.
"""

from __future__ import annotations

import ctypes
import unicodedata
from collections import Counter
from typing import Any

import pypdfium2.raw as pdfium

from rayocr.pdf.textlayer.rendered_text import address_of, text_objects

_LONG = 12  # minimum number of letters and digits in a long replacement
_FEW_DIGITS = 2  # minimum number of digits in a short replacement; a single digit can be a note's sign
_MANY_DIGITS = 3  # minimum number of drawn digits that a replacement without digits must not hide
_LONG_EMS, _LETTER_EM = 1.0, 0.7  # an object that is wider than this and each letter of its replacement has more letters
_KEY = b"ActualText"
_MAX_MARKS = 8
_ALIKE = 0.6  # share of common letters, in any order, since Arabic glyphs may be stored from the left
_WIDE_EM = 1.5  # em per letter; a wider object has text that the replacement lacks
_NARROW_EM = 0.25  # em per letter; a narrower object has fewer glyphs than letters


def replacement_of(item: Any) -> str:
    """Returns the /ActualText of a raw text object if it is long, has several digits, or is short for the object; else empty."""
    for index in range(min(pdfium.FPDFPageObj_CountMarks(item), _MAX_MARKS)):
        text = _param(pdfium.FPDFPageObj_GetMark(item, index))
        if len(text) >= _FEW_DIGITS and (len(_letters(text)) >= _LONG or len(_digits(text)) >= _FEW_DIGITS):
            return text
        if text.strip() and _LONG_EMS + _LETTER_EM * len(text) < _ems(item) < float("inf"):
            return text
    return ""


def is_replaced(item: Any) -> bool:
    """Returns whether the text of a raw text object comes from a replacement of about its length."""
    for index in range(min(pdfium.FPDFPageObj_CountMarks(item), _MAX_MARKS)):
        mark, size = pdfium.FPDFPageObj_GetMark(item, index), ctypes.c_ulong()
        if mark and pdfium.FPDFPageObjMark_GetParamStringValue(mark, _KEY, None, 0, size):
            shown = sum(char.isprintable() and not char.isspace() for char in _param(mark))
            return _ems(item) <= _WIDE_EM * (shown + 1)
    return False


def contradicts_glyphs(page: Any) -> bool:
    """Returns whether a long replacement differs from its glyphs. `page` is a raw FPDF_PAGE of a copy: the replacements are
    removed from it. Replacements of glyphs without characters cannot be checked."""
    groups: dict[str, list[Any]] = {}
    for item in text_objects(page):
        if text := replacement_of(item):
            groups.setdefault(text, []).append(item)
    spans = {text: len({mark_address(item) for item in members}) for text, members in groups.items()}
    for item in (item for members in groups.values() for item in members):
        for index in range(min(pdfium.FPDFPageObj_CountMarks(item), _MAX_MARKS)):
            pdfium.FPDFPageObjMark_RemoveParam(item, pdfium.FPDFPageObj_GetMark(item, index), _KEY)
    text_page = pdfium.FPDFText_LoadPage(page)
    if not text_page:
        return False
    try:
        return any(_differs(text, members, text_page, spans[text]) for text, members in groups.items())
    finally:
        pdfium.FPDFText_ClosePage(text_page)


def mark_address(item: Any) -> int:
    """Returns the address of the last mark that replaces the object's text. Objects of one span share
    it."""
    marks = [pdfium.FPDFPageObj_GetMark(item, index) for index in range(min(pdfium.FPDFPageObj_CountMarks(item), _MAX_MARKS))]
    return next((address_of(mark) for mark in reversed(marks) if _param(mark)), 0)


def _differs(text: str, items: list[Any], text_page: Any, spans: int) -> bool:
    drawn = "".join(_glyph_text(item, text_page) for item in items)
    if _has_other_digits(text, drawn, spans):
        return True
    given, shown = _letters(text), _letters(drawn)
    common = sum((Counter(given) & Counter(shown)).values())
    if max(len(given), len(shown)) - common < _LONG or common >= _ALIKE * max(len(given), len(shown)):
        return False
    return 3 * len(shown) >= len(given) or sum(_ems(item) for item in items) < _NARROW_EM * len(given)


def _has_other_digits(text: str, drawn: str, spans: int) -> bool:
    """Returns whether both have digits, and not the same ones, or whether only the drawn text has several. `spans` of the page
    have this text. Glyphs without characters are missing in `drawn`, so it may have fewer digits."""
    given, shown = Counter(_digits(text)), Counter(_digits(drawn))
    if given.total() < _FEW_DIGITS:
        return (shown - given).total() >= _MANY_DIGITS * spans
    if shown.total() < _FEW_DIGITS:
        return False
    return any(count > spans * given[digit] for digit, count in shown.items())


def _digits(text: str) -> list[int]:
    return [unicodedata.decimal(char) for char in unicodedata.normalize("NFKC", text) if char.isdecimal()]


def _letters(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKC", text).casefold() if char.isalnum())


def _param(mark: Any) -> str:
    size = ctypes.c_ulong()
    if not mark or not pdfium.FPDFPageObjMark_GetParamBlobValue(mark, _KEY, None, 0, size) or not size.value:
        return ""
    buffer = (ctypes.c_ubyte * size.value)()
    pdfium.FPDFPageObjMark_GetParamBlobValue(mark, _KEY, buffer, size.value, size)
    return _decoded(bytes(buffer))


def _decoded(value: bytes) -> str:
    """Decodes a PDF text string. PDFium's own function takes UTF-16 for UTF-8."""
    for mark, encoding in ((b"\xfe\xff", "utf-16-be"), (b"\xff\xfe", "utf-16-le"), (b"\xef\xbb\xbf", "utf-8")):
        if value.startswith(mark):
            return value[len(mark) :].decode(encoding, "replace")
    return value.decode("latin-1")


def _glyph_text(item: Any, text_page: Any) -> str:
    size = pdfium.FPDFTextObj_GetText(item, text_page, None, 0)
    buffer = (ctypes.c_ushort * (size // 2 + 1))()
    pdfium.FPDFTextObj_GetText(item, text_page, buffer, size)
    return bytes(buffer).decode("utf-16-le", "replace").rstrip("\0")


def _ems(item: Any) -> float:
    """Returns the width of the object in its font sizes."""
    left, bottom, right, top, size = (ctypes.c_float() for _ in range(5))
    matrix = pdfium.FS_MATRIX()
    known = pdfium.FPDFPageObj_GetBounds(item, left, bottom, right, top) and pdfium.FPDFTextObj_GetFontSize(item, size)
    if not known or not pdfium.FPDFPageObj_GetMatrix(item, matrix):
        return float("inf")
    em = abs(size.value) * max(abs(matrix.a), abs(matrix.b), abs(matrix.c), abs(matrix.d))
    return max(right.value - left.value, top.value - bottom.value) / em if em else float("inf")
