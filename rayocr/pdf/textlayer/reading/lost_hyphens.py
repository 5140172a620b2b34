"""Finds hyphens at the ends of lines that the file's replacement of the line lacks. Apache FOP gives divided words an /ActualText
without the hyphen, one for each line, so that the word would become two."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pypdfium2.raw as pdfium

from rayocr.pdf.textlayer.glyphs.actual_text import is_replaced, mark_address
from rayocr.pdf.textlayer.lines import TextLine
from rayocr.pdf.textlayer.rendered_text import text_objects

_REACH = 0.25  # width of the place of a hyphen, in heights of the word
_PLACE = (0.3, 0.8)  # where it is, from the top of the word
_MOST_HIGH, _LEAST_WIDE = 0.25, 0.12  # its size, in heights of the word


def with_lost_hyphens(
    lines: Sequence[TextLine], page: Any, text_page: Any, whole: Any, without: Any, scale: float
) -> tuple[TextLine, ...]:
    """Returns the lines with such hyphens. `page` and `text_page` are raw. `whole` and `without`: the page with and without its
    text, in gray, with `scale` pixels per point. Takes 2 µs per line without a replacement."""
    return tuple(_hyphenated(line) if _lacks_hyphen(line, page, text_page, whole, without, scale) else line for line in lines)


def _hyphenated(line: TextLine) -> TextLine:
    *before, last = line.words
    return replace(line, text=line.text + "-", words=(*before, last._replace(text=last.text + "-")))


def _has_case(char: str) -> bool:
    """Returns whether it is a letter of a script with hyphens. The Chinese sign 一 and the Arabic tatweel look like a hyphen."""
    return char.isalpha() and char.lower() != char.upper()


def _lacks_hyphen(line: TextLine, page: Any, text_page: Any, whole: Any, without: Any, scale: float) -> bool:
    if not line.words or line.vertical or line.slanted or not _has_case(line.text[-1:]):
        return False
    last = line.words[-1]
    item = pdfium.FPDFText_GetTextObject(text_page, last.first + len(last.text) - 1)
    if not item or not pdfium.FPDFPageObj_CountMarks(item) or not is_replaced(item):
        return False
    height = (last.y1 - last.y0) * scale
    rows = slice(max(0, round(last.y0 * scale)), round(last.y1 * scale))
    columns = slice(max(0, round(last.x1 * scale - _REACH * height)), round(last.x1 * scale) + 1)
    drawn = whole[rows, columns] != without[rows, columns]
    if not drawn.any():
        return False
    inked, across = np.flatnonzero(drawn.any(axis=1)), np.count_nonzero(drawn.any(axis=0))
    is_flat = inked[-1] - inked[0] + 1 <= max(2.0, _MOST_HIGH * height) and across >= _LEAST_WIDE * height
    is_hyphen = is_flat and _PLACE[0] * height <= (inked[0] + inked[-1] + 1) / 2 <= _PLACE[1] * height
    return bool(is_hyphen and not _continues_below(page, item))


def _continues_below(page: Any, item: Any) -> bool:
    """Returns whether the replacement is also that of text below, so that it is the whole word."""
    mark, (_, bottom) = mark_address(item), _heights(item)
    return any(mark_address(other) == mark and _heights(other)[0] < bottom for other in text_objects(page))


def _heights(item: Any) -> tuple[float, float]:
    """Returns the top and the bottom of a raw text object in user space."""
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    pdfium.FPDFPageObj_GetBounds(item, left, bottom, right, top)
    return top.value, bottom.value
