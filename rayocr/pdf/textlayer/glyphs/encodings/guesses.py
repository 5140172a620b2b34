"""Drops letters that PDFium guesses from the number of the glyph, since the font's map to Unicode lacks it, and letters that only
draw a part of the letter at their place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pypdfium2.raw as pdfium

from rayocr.pdf.textlayer.rendered_text import font_at

_ZERO, _NINE = ord("0"), ord("9")
_SPACE, _ASCII, _LATIN_1, _LATIN, _REPLACEMENT = 0x20, 0x80, 0xFF, 0x24F, 0xFFFD
_LEAST_LATIN = 12  # least number of letters of a font whose words can be checked
_SAME_PLACE = 0.7  # least overlap, as a share of the smaller box, of a part of a letter and the letter
_NEAR = 0.3  # largest distance of the middles of a stem and its letter, as a share of the letter's box
_ALEF, _COMPOSED_ALEFS = 0x627, (0x622, 0x623, 0x625)


def drop_guesses(text_page: Any, codes: list[int], boxes: Any) -> None:
    """Replaces guessed letters, in place. `boxes` (n, 4): left, top, right, bottom of the characters, in user space.

    If the font does not draw Latin letters, the guess is always a wrong letter. Keeps the letters of fonts without any map, whose
    words are checked as a whole: their codes may be Unicode. A guess within Latin-1 is wrong beside a letter of another script.
    The text of a part whose letter stands at the same place, such as the stem of an alef with madda, is empty."""
    letters = {code for code in set(codes) if code >= _ASCII and chr(code).isalpha()}
    if any(code > _LATIN for code in letters):
        _drop_parts(text_page, codes, boxes, letters)
        _drop_stems(codes, boxes)
    guesses = [n for n, code in enumerate(codes) if code > _LATIN_1 and code in letters and _is_guess(text_page, n)]
    unmapped = _fonts_without_map(text_page, codes) if guesses else frozenset()
    for n in guesses:
        if font_at(text_page, n) not in unmapped:
            codes[n] = _REPLACEMENT


def drop_guessed_digits(text_page: Any, codes: list[int]) -> None:
    """Replaces guessed digits beside a letter that is no guess, in place: the number of the glyph T may be the code of 7. Signs
    with a known meaning that have the codes of digits must be read before."""
    for n in (n for n, code in enumerate(codes) if _ZERO <= code <= _NINE and _is_guess(text_page, n)):
        beside = (m for m in (n - 1, n + 1) if 0 <= m < len(codes))
        if any(chr(codes[m]).isalpha() and not _is_guess(text_page, m) for m in beside):
            codes[n] = _REPLACEMENT


def _drop_parts(text_page: Any, codes: list[int], boxes: Any, letters: set[int]) -> None:
    latin = {code for code in letters if code <= _LATIN_1}
    parts = [n for n, code in enumerate(codes) if code in latin and _is_guess(text_page, n)] if latin else []
    for n in parts:
        beside = [m for m in _beside(codes, n) if codes[m] > _LATIN and chr(codes[m]).isalpha()]
        if any(_is_at_same_place(boxes[n], boxes[m]) for m in beside):
            codes[n] = 0
        elif len(beside) == 2 or any(abs(m - n) == 1 for m in beside):
            codes[n] = _REPLACEMENT


def _drop_stems(codes: list[int], boxes: Any) -> None:
    """Drops plain alefs over which an alef with a sign stands, wherever it is in the file."""
    values = np.asarray(codes, np.int64)
    stems = np.flatnonzero(values == _ALEF)
    wholes = np.flatnonzero(np.isin(values, _COMPOSED_ALEFS)) if stems.size else stems
    if not wholes.size:
        return
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    width, height = boxes[wholes, 2] - boxes[wholes, 0], boxes[wholes, 1] - boxes[wholes, 3]
    off = np.abs(middle[stems, None] - middle[wholes])
    near = (off[..., 0] < _NEAR * width) & (off[..., 1] < _NEAR * height)
    for n, m in ((int(stems[row]), int(wholes[column])) for row, column in np.argwhere(near).tolist()):
        is_one_glyph = bool((boxes[n] == boxes[m]).all())
        if not is_one_glyph and _is_at_same_place(boxes[n], boxes[m]):
            codes[n] = 0


def _beside(codes: Sequence[int], n: int) -> list[int]:
    """Returns the indexes of the characters before and after the n-th one, with at most one space between."""
    before, after = (n - 2 if codes[n - 1 : n] == [_SPACE] else n - 1), (n + 2 if codes[n + 1 : n + 2] == [_SPACE] else n + 1)
    return [m for m in (before, after) if 0 <= m < len(codes)]


def _is_guess(text_page: Any, n: int) -> bool:
    return bool(pdfium.FPDFText_HasUnicodeMapError(text_page, n) == 1)


def _is_at_same_place(part: Any, letter: Any) -> bool:
    """Returns whether most of the smaller of two boxes (left, top, right, bottom, in user space) is within the other."""
    width = min(part[2], letter[2]) - max(part[0], letter[0])
    height = min(part[1], letter[1]) - max(part[3], letter[3])
    smaller = min((box[2] - box[0]) * (box[1] - box[3]) for box in (part, letter))
    return bool(width > 0 and height > 0 and width * height > _SAME_PLACE * smaller)


def _fonts_without_map(text_page: Any, codes: Sequence[int]) -> frozenset[int]:
    """Returns the addresses of the fonts with enough basic Latin letters to check the words, all of them guesses."""
    guessed: Counter[int] = Counter()
    mapped = set()
    for n, code in enumerate(codes):
        if code < _ASCII and chr(code).isalpha():
            font = font_at(text_page, n)
            if _is_guess(text_page, n):
                guessed[font] += 1
            else:
                mapped.add(font)
    return frozenset(font for font, count in guessed.items() if count >= _LEAST_LATIN and font not in mapped)
