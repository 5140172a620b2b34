"""Recognizes dashes and minus signs without a character by their shape.

Fonts of formulas often map their minus to a control character. Without its sign, -0.42 becomes 0.42.
"""

from __future__ import annotations

import ctypes
from typing import Any

import pypdfium2.raw as pdfium

_MINUS, _DASH, _HYPHEN = 0x2212, 0x2013, 0x2D
_UNKNOWN = frozenset(range(1, 0x20)).difference((0x02, 0x09, 0x0A, 0x0D)) | {0xFFFD}  # 2 is PDFium's hyphen at the end of a line
_FLAT = 0.45  # largest ratio of the height of a dash to its width
_LENGTH = (0.2, 1.2)  # least and largest width, in heights of the font
_PLACE = (0.25, 0.65)  # place of its middle between the font's descent and ascent


def with_dashes(text_page: Any, codes: list[int], rectangles: Any) -> None:
    """Sets their codes in place: a minus sign before a digit, a hyphen between a letter and the end of a line, else
    a dash. `rectangles`: the boxes of the characters, (n, 4), in user space."""
    if _UNKNOWN.isdisjoint(codes):
        return
    for n, code in enumerate(codes):
        if code in _UNKNOWN and _is_dash(text_page, n, rectangles[n].tolist()):
            before, after = (chr(codes[m]) if 0 <= m < len(codes) else " " for m in (n - 1, n + 1))
            divides = before.isalpha() and after in "\r\n"
            codes[n] = _MINUS if after.isdigit() or after == "." else _HYPHEN if divides else _DASH


def _is_dash(text_page: Any, n: int, box: list[float]) -> bool:
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    if not pdfium.FPDFText_GetCharBox(text_page, n, left, right, bottom, top):
        return False
    _, upper, _, lower = box
    height, width, thickness = upper - lower, right.value - left.value, top.value - bottom.value
    if not 0 < thickness <= _FLAT * width or not _LENGTH[0] * height <= width <= _LENGTH[1] * height:
        return False
    return _PLACE[0] * height <= (top.value + bottom.value) / 2 - lower <= _PLACE[1] * height
