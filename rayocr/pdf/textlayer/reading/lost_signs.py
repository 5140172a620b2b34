"""Finds the minus signs of numbers whose font maps them to a space. PDFium omits such a sign after another space, so that the
text " -4" becomes " 4"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rayocr.pdf.textlayer.lines import TextLine, Word

# Sizes and distances in heights of the word.
_REACH, _MOST_HIGH, _LEAST_WIDE = 0.8, 0.15, 0.08
_PLACE = (0.38, 0.64)  # where the middle of the sign is, from the top of the word
_LEAST_HEIGHT_PX = 5.0
_SIGNED = frozenset("$€£(.")


def with_lost_signs(lines: Sequence[TextLine], nameless: Any, scale: float) -> tuple[TextLine, ...]:
    """Returns the lines with such signs, as many words as before. `nameless`: a mask of the visible text outside the boxes of all
    words, with `scale` pixels per point. Takes 2 µs per number, or nothing if the mask is empty."""
    if not nameless.any():
        return tuple(lines)
    return tuple(line if line.vertical or line.slanted else _signed(line, nameless, scale) for line in lines)


def _signed(line: TextLine, nameless: Any, scale: float) -> TextLine:
    places = [n for n, word in enumerate(line.words) if _is_number(word.text)]
    lacking = [n for n in places if _lacks_sign(line.words[n], line.words[n - 1].x1 if n else None, nameless, scale)]
    if not lacking:
        return line
    words = [word._replace(text="\u2212" + word.text) if n in lacking else word for n, word in enumerate(line.words)]
    return replace(line, text=" ".join(word.text for word in words), words=tuple(words))


def _is_number(text: str) -> bool:
    return text[:1].isdigit() or (text[:1] in _SIGNED and text[1:2].isdigit())


def _lacks_sign(word: Word, after: float | None, nameless: Any, scale: float) -> bool:
    height, right = (word.y1 - word.y0) * scale, round(word.x0 * scale)
    left = max(0, round(right - _REACH * height), 0 if after is None else round(after * scale) + 1)
    top = max(0, round(word.y0 * scale))
    inked = nameless[top : round(word.y1 * scale), left:right]
    if height < _LEAST_HEIGHT_PX or not inked.any():
        return False
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    width = columns[-1] - columns[0] + 1
    is_flat = rows[-1] - rows[0] + 1 <= max(2.0, _MOST_HIGH * height) and len(columns) == width >= _LEAST_WIDE * height
    middle = (rows[0] + rows[-1] + 1) / 2 + top - word.y0 * scale
    return bool(is_flat and _PLACE[0] * height <= middle <= _PLACE[1] * height)
