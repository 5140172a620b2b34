"""Extends the boxes of letters to the size of their glyphs if PDFium reports only the box of their ink.

PDFium does this for text that a file replaces with /ActualText, and reports only the first of several glyphs that one text
replaces. Chromium replaces nearly all connected Arabic letters and all Indic vowel signs that way. A final "ye" then seems to be
below its line, and a gap that another glyph fills, or that surrounds a low letter, seems to be a space.
"""

from __future__ import annotations

import ctypes
import unicodedata
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pypdfium2.raw as pdfium

from rayocr.pdf.textlayer.rendered_text import address_of, text_objects

_SAMPLES = 24  # number of characters checked per page, unless it has letters whose boxes differ most
_MAX_MARKS = 8
_KEY = b"ActualText"
SPACE_EM = 0.12  # a wider gap is a space
_OVERHANG_EM = 0.6
_BELOW = 0.3  # share of the height of the tallest glyph; a sign that does not reach higher is below its letter
_SAME_LINE = 1.2  # maximum distance within a line, in heights of the tallest glyph

Bounds = tuple[float, float, float, float]


def with_whole_glyphs(page: Any, text_page: Any, codes: list[int], rectangles: Any) -> tuple[Any, Collection[int]]:
    """Extends boxes of letters. `rectangles` (n, 4): left, top, right, bottom of PDFium's loose boxes, in user space. Returns a
    corrected copy and the indexes of the corrected characters, or the same array if nothing needs a correction. Sets the codes of
    texts that PDFium returns twice to 0, in place. Takes 1 µs per character on pages with such text."""
    visible = [n for n, code in enumerate(codes) if code > 0x20]
    sample = visible[:: max(1, len(visible) // _SAMPLES)]
    if not any(map(_is_connected, set(codes))) and not any(_is_tight(text_page, n, rectangles[n]) for n in sample):
        return rectangles, ()
    corrected = rectangles.copy()
    heights: dict[tuple[int, float], tuple[float, float]] = {}
    tight = {n for n in visible if _is_tight(text_page, n, rectangles[n])}
    widened = _widen(page, text_page, codes, corrected, tight)
    for n in tight:
        _enlarge(text_page, n, corrected[n], heights, from_origin=n not in widened)
    return corrected, tight


def _is_connected(code: int) -> bool:
    """Returns whether the letter belongs to a script whose letters change with their neighbors: from Arabic to Mongolian, or
    Balinese."""
    return 0x600 <= code <= 0x109F or 0x1700 <= code <= 0x1CFF or 0xFB50 <= code <= 0xFDFF or 0xFE70 <= code <= 0xFEFC


def _glyphs_of_replacements(page: Any) -> dict[int, list[Bounds]]:
    """Returns the boxes (left, bottom, right, top, in user space) of the text objects that belong to each mark with a text, by
    the mark's address. Omits objects in forms, since their bounds are in the form's space."""
    found: dict[int, list[Bounds]] = {}
    for item in text_objects(page):
        if mark := _replacing_mark(item):
            left, bottom, right, top = (ctypes.c_float() for _ in range(4))
            matrix = pdfium.FS_MATRIX()
            if pdfium.FPDFPageObj_GetBounds(item, left, bottom, right, top) and pdfium.FPDFPageObj_GetMatrix(item, matrix):
                begins = min(left.value, max(matrix.e, left.value - 0.5 * (top.value - bottom.value)))  # at the glyph's origin
                found.setdefault(mark, []).append((begins, bottom.value, right.value, top.value))
    return found


def _replacing_mark(item: Any) -> int:
    """Returns the address of the mark whose /ActualText replaces the object; 0 if there is none."""
    size = ctypes.c_ulong()
    for index in range(min(pdfium.FPDFPageObj_CountMarks(item), _MAX_MARKS)):
        mark = pdfium.FPDFPageObj_GetMark(item, index)
        if mark and pdfium.FPDFPageObjMark_GetParamStringValue(mark, _KEY, None, 0, size):
            return address_of(mark)
    return 0


def _widen(page: Any, text_page: Any, codes: list[int], boxes: Any, tight: Collection[int]) -> set[int]:
    """Widens the boxes, in place, where one text replaces several glyphs, or letters with vowel signs. Returns the indexes of
    these characters."""
    glyphs = _glyphs_of_replacements(page) if tight else {}
    groups: dict[int, list[int]] = {}
    found: dict[int, dict[int, list[int]]] = {}
    for n in sorted(tight) if glyphs else ():
        item = pdfium.FPDFText_GetTextObject(text_page, n)
        mark = _replacing_mark(item) if item else 0
        if mark in glyphs:
            found.setdefault(mark, {}).setdefault(address_of(item), []).append(n)
    for mark, by_object in found.items():
        groups[mark], *others = by_object.values()
        for repeated in others:  # PDFium returns the text again where another word is drawn between two of its glyphs
            is_same = sorted(codes[n] for n in repeated) == sorted(codes[n] for n in groups[mark])
            for n in repeated if is_same else ():
                codes[n] = 0
    groups = {
        mark: members
        for mark, members in groups.items()
        if len(glyphs[mark]) > 1 or (len(members) > 1 and any(unicodedata.combining(chr(codes[n])) for n in members))
    }
    for mark, members in groups.items():
        extent = _extent(glyphs[mark])
        letters = sorted((n for n in members if not unicodedata.combining(chr(codes[n]))), key=lambda n: boxes[n][0])
        step = (extent[1] - extent[0]) / max(len(letters), 1)
        for place, n in enumerate(letters):
            boxes[n][0], boxes[n][2] = extent[0] + place * step, extent[0] + (place + 1) * step
        for n in set(members).difference(letters):  # a sign is on the letter before it; in text from the right, after it
            letter = max((other for other in letters if other < n), default=min(letters, default=n))
            boxes[n][0], boxes[n][2] = (boxes[letter][0], boxes[letter][2]) if letters else extent
    return {n for members in groups.values() for n in members}


def _extent(glyphs: Sequence[Bounds]) -> tuple[float, float]:
    """Returns the left and right edges of the glyphs that are on the line of the first one. The first one may be a vowel sign
    below or above its letter, and a word may continue on the next line."""
    reach = _SAME_LINE * max(bounds[3] - bounds[1] for bounds in glyphs)
    level = [bounds for bounds in glyphs if abs((bounds[1] + bounds[3] - glyphs[0][1] - glyphs[0][3]) / 2) < reach]
    tallest = max(level, key=lambda bounds: bounds[3] - bounds[1])
    lowest = tallest[1] + _BELOW * (tallest[3] - tallest[1])
    letters = [bounds for bounds in level if bounds[3] >= lowest]  # a virama reaches into the space after its letter
    return min(bounds[0] for bounds in level), max(bounds[2] for bounds in letters)


def _is_tight(text_page: Any, index: int, loose: Any) -> bool:
    """Returns whether the loose box is the box of the ink."""
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    if not pdfium.FPDFText_GetCharBox(text_page, index, left, right, bottom, top) or right.value <= left.value:
        return False
    tight = (left.value, top.value, right.value, bottom.value)
    return bool(np.abs(loose - tight).max() < 0.001)


def _enlarge(
    text_page: Any, index: int, box: Any, heights: dict[tuple[int, float], tuple[float, float]], *, from_origin: bool
) -> None:
    """Extends the box, in place, from the descent to the ascent of the character's font, and to the place where it begins."""
    matrix, x, y = pdfium.FS_MATRIX(), ctypes.c_double(), ctypes.c_double()
    item = pdfium.FPDFText_GetTextObject(text_page, index)
    if not item or not pdfium.FPDFText_GetMatrix(text_page, index, matrix):
        return
    if not pdfium.FPDFText_GetCharOrigin(text_page, index, x, y):
        return
    size = pdfium.FPDFText_GetFontSize(text_page, index)
    font = pdfium.FPDFTextObj_GetFont(item)
    key = (address_of(font), size)
    if key not in heights:
        up, down = ctypes.c_float(), ctypes.c_float()
        known = pdfium.FPDFFont_GetAscent(font, size, up) and pdfium.FPDFFont_GetDescent(font, size, down)
        heights[key] = (up.value, down.value) if known else (0.0, 0.0)
    up_vector = np.array([matrix.c, matrix.d])
    along = 0 if abs(matrix.c) > abs(matrix.d) else 1  # letters extend along this axis in height: 0 for x, 1 for y
    for height in heights[key]:
        at = (x.value, y.value)[along] + up_vector[along] * height
        low, high = (0, 2) if along == 0 else (3, 1)
        box[low], box[high] = min(box[low], at), max(box[high], at)
    if not from_origin:
        return
    begin, beyond = (x.value, 0) if along else (y.value, 3)
    if -_OVERHANG_EM < (box[beyond] - begin) / max(abs(size) * abs(up_vector[along]), 0.1) < SPACE_EM:
        box[beyond] = begin  # the box begins at the origin, since letters may overlap
