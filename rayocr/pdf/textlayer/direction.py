"""Determines the main direction of a page's text from positions on the page, not from the text matrix alone.

Some tax programs write upright text with a negative font size and a matrix that rotates by 180 degrees. The advance from one
character to the next shows the displayed direction.
"""

from __future__ import annotations

import ctypes
import math
from collections import Counter
from typing import Any

import pypdfium2.raw as pdfium

from rayocr.pdf.geometry import Upright
from rayocr.pdf.textlayer.rendered_text import address_of

_BLANK = 0x20
_FEW_SAMPLES, _MANY_SAMPLES = 16, 200  # number of characters, which takes 0.1 and 1 ms
_LONGEST_ADVANCE_EM = 3.0
_SLANTED = math.radians(6)
_PARALLEL = 0.3  # sine of the largest angle between an advance and the baseline

Vector = tuple[float, float]


def quarter_turns(text_page: Any, upright: Upright) -> int:
    """Returns the number of clockwise quarter turns after which most text runs from left to right. Returns 0 if no direction has
    most of the text."""
    count = pdfium.FPDFText_CountChars(text_page)
    found: Counter[int] = Counter()
    for samples in (_FEW_SAMPLES, _MANY_SAMPLES):
        for index in range(0, count, max(1, count // samples)):
            if pdfium.FPDFText_GetUnicode(text_page, index) <= _BLANK:
                continue  # spaces and line ends that PDFium adds have no direction
            if (baseline := _baseline(text_page, index, upright)) is not None:
                found[_turns_of(baseline)] += 1
        if len(found) < 2:
            break
    (turns, times), *_ = found.most_common(1) or [(0, 0)]
    return turns if times > found.total() / 2 else 0


def is_level(text_page: Any, index: int, upright: Upright) -> bool:
    """Returns whether the character is upright on the page (`upright` includes the page's quarter turns)."""
    baseline = _baseline(text_page, index, upright)
    return baseline is None or _turns_of(baseline) == 0


def slant(text_page: Any, index: int, upright: Upright) -> float | None:
    """Returns the direction of a baseline that is neither level nor upright, in radians clockwise; None for all others."""
    baseline = _baseline(text_page, index, upright)
    if baseline is None:
        return None
    angle = math.atan2(baseline[1], baseline[0])
    off_axis = abs(math.remainder(angle, math.pi / 2))
    return angle if off_axis > _SLANTED else None


def _turns_of(baseline: Vector) -> int:
    x, y = baseline
    if abs(x) >= abs(y):
        return 0 if x >= 0 else 2
    return 1 if y < 0 else 3


def _baseline(text_page: Any, index: int, upright: Upright) -> Vector | None:
    """Returns the character's reading direction on the page (y down)."""
    matrix = pdfium.FS_MATRIX()
    if not pdfium.FPDFText_GetMatrix(text_page, index, matrix):
        return None
    sign = -1.0 if pdfium.FPDFText_GetFontSize(text_page, index) < 0 else 1.0
    along = upright.direction(sign * matrix.a, sign * matrix.b)
    up = upright.direction(sign * matrix.c, sign * matrix.d)
    advance = _advance(text_page, index, upright)
    runs_back = advance is not None and _is_parallel(advance, along) and advance[0] * along[0] + advance[1] * along[1] < 0
    if runs_back and not _is_right_to_left(pdfium.FPDFText_GetUnicode(text_page, index)):
        along = (-along[0], -along[1])
    # y points down, so the top of unmirrored text is counter-clockwise of its baseline. A Type 3 font may itself be mirrored, so
    # level lines stay level.
    is_mirrored = along[0] * up[1] - along[1] * up[0] > 0
    return (1.0, 0.0) if is_mirrored and abs(along[0]) >= abs(along[1]) else along


def _advance(text_page: Any, index: int, upright: Upright) -> Vector | None:
    """Returns the vector from the character's origin to the next one's, if that is the next letter of the word."""
    code, following = pdfium.FPDFText_GetUnicode(text_page, index), pdfium.FPDFText_GetUnicode(text_page, index + 1)
    if code <= 0x20 or following <= 0x20 or _is_right_to_left(following):
        return None
    one, other = (address_of(pdfium.FPDFText_GetTextObject(text_page, place)) for place in (index, index + 1))
    if one != other:
        return None  # PDFium sorts the texts of a line from left to right
    x0, y0, x1, y1 = ctypes.c_double(), ctypes.c_double(), ctypes.c_double(), ctypes.c_double()
    if not pdfium.FPDFText_GetCharOrigin(text_page, index, x0, y0) or not pdfium.FPDFText_GetCharOrigin(
        text_page, index + 1, x1, y1
    ):
        return None
    box = pdfium.FS_RECTF()
    if not pdfium.FPDFText_GetLooseCharBox(text_page, index, box):
        return None
    x, y = x1.value - x0.value, y1.value - y0.value
    em = max(abs(box.right - box.left), abs(box.top - box.bottom))
    return upright.direction(x, y) if 0.02 * em < abs(x) + abs(y) < _LONGEST_ADVANCE_EM * em else None


def _is_parallel(one: Vector, other: Vector) -> bool:
    cross = abs(one[0] * other[1] - one[1] * other[0])
    return cross * cross < _PARALLEL**2 * (one[0] ** 2 + one[1] ** 2) * (other[0] ** 2 + other[1] ** 2)


def _is_right_to_left(code: int) -> bool:
    return 0x590 <= code <= 0x8FF or 0xFB1D <= code <= 0xFDFF or 0xFE70 <= code <= 0xFEFC
