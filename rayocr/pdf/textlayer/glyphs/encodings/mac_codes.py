"""Corrects accented letters of fonts whose codes are those of Windows and are read as those of the Macintosh.

PDFium reads the codes of a TrueType font with a map for the Macintosh only that way, so that "Durée" is read as "DurÈe", "Käfer"
as "K‰fer", and "€ 5" as "Ä 5".
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import pypdfium2.raw as pdfium

from rayocr.pdf.textlayer.rendered_text import address_of, font_at

_TRUETYPE = (b"\x00\x01\x00\x00", b"true")


def _meanings() -> dict[int, int]:
    texts = ((bytes((code,)).decode("mac_roman"), bytes((code,)).decode("cp1252", "ignore")) for code in range(0x80, 0x100))
    return {ord(read): ord(meant) for read, meant in texts if meant}


_MEANT = _meanings()
# Capitals that stand for small letters, and the sign that stands for ä: between small letters, they are wrong.
_WRONG = frozenset(map(ord, "ÁÂÈÍÎÏÌÓÔÒÚÛÙËÊ‰"))
_PER_MILLE = ord("‰")
_RIGHT = frozenset(read for read, meant in _MEANT.items() if chr(read).islower() and not chr(meant).islower())


def with_windows_codes(text_page: Any, codes: list[int]) -> None:
    """Changes the codes in place, for whole fonts. Takes no time on pages without such a capital or sign."""
    if _WRONG.isdisjoint(codes):
        return
    wrong = [n for n, code in enumerate(codes) if code in _WRONG and _is_within_word(codes, n)]
    found = {font_at(text_page, n) for n in wrong if _is_truetype(text_page, n)}
    if not found:
        return
    fonts = {n: font_at(text_page, n) for n, code in enumerate(codes) if code in _MEANT}
    found -= {font for n, font in fonts.items() if codes[n] in _RIGHT and _is_within_word(codes, n)}
    for n in (n for n, font in fonts.items() if font in found):
        codes[n] = _MEANT[codes[n]]


def _is_within_word(codes: Sequence[int], n: int) -> bool:
    """Returns whether the character is between two small letters; for a sign, the first one may be a capital."""
    if not 0 < n < len(codes) - 1:
        return False
    before, after = chr(codes[n - 1]), chr(codes[n + 1])
    is_letter = before.isalpha() if codes[n] == _PER_MILLE else before.islower()
    return is_letter and before.isascii() and after.islower() and after.isascii()


def _is_truetype(text_page: Any, n: int) -> bool:
    """Returns whether the character's font is an embedded TrueType font."""
    item = pdfium.FPDFText_GetTextObject(text_page, n)
    font = pdfium.FPDFTextObj_GetFont(item) if item else None
    if not address_of(font) or pdfium.FPDFFont_GetIsEmbedded(font) != 1:
        return False
    size = ctypes.c_size_t()
    if not pdfium.FPDFFont_GetFontData(font, None, 0, size) or size.value < len(_TRUETYPE[0]):
        return False
    data = (ctypes.c_uint8 * size.value)()
    return bool(pdfium.FPDFFont_GetFontData(font, data, size.value, size)) and bytes(data[:4]) in _TRUETYPE
