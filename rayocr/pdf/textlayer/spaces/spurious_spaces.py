"""Removes spaces between letters that touch, or that are as far apart as the other letters of their word.

PDFium adds a space where two text objects are further apart than a limit that ignores the spacing of the line's letters. It also
compares objects that are not neighbors on the page, and reports a drawn space between letters that are drawn elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pypdfium2.raw as pdfium

from rayocr.pdf.geometry import Upright
from rayocr.pdf.textlayer.glyphs.characters import Characters

_ALIKE_EM, _ALIKE = 0.03, 1.15  # how much wider than the gaps between the letters of a word a gap between letters may be
_MOST_OVERLAP_EM = 0.1  # letters that overlap by more have wrong widths
_TRACKED_EM = 0.05
_LEVEL = 0.5  # overlap of the heights of two letters of a line, as a share of the smaller one
_NARROW_EM, _WIDE_EM, _WIDEST_EM = 0.4, 0.25, 1.6  # gaps between letters and between words of text drawn letter by letter
_AROUND, _LINE = 12, 40  # numbers of letters on each side that are compared
_MUCH_WIDER, _WIDER = 2.5, 1.5  # ratio of the gaps between words to the usual and to the widest gap between letters
_LEAST_IN_WORDS, _LEAST_LETTERS = 0.7, 0.25  # shares of letters and digits, and of letters, in a text that is no formula
_MARKS = frozenset(".,:;!?-'\"()%")
_NARROW_IN_SERIES_EM, _USUAL = 0.16, 1.3  # largest gap between digits, or letters in the order of the alphabet
_MOST_SPACES = 0.35  # share of the narrow gaps around that are reported as spaces; with more, words have two letters on average
_ELSEWHERE_EM = 0.5
_SPACE = 2


def drop_spurious_spaces(text_page: Any, characters: Characters, upright: Upright) -> None:
    """Removes such spaces from `characters`, in place. `upright`: maps user space to the upright page of the characters."""
    x0, y0, x1, y1 = characters.x0, characters.y0, characters.x1, characters.y1
    if len(characters) < 2:
        return
    height = y1 - y0
    em = np.maximum(np.maximum(height[1:], height[:-1]), 1.0)
    gap = (x0[1:] - x1[:-1]) / em
    overlap = np.minimum(y1[1:], y1[:-1]) - np.maximum(y0[1:], y0[:-1])
    level = overlap > _LEVEL * np.minimum(height[1:], height[:-1])  # some fonts declare a height for each letter
    spaced = np.asarray(characters.spaces)[1:] == _SPACE
    tracking = _tracking(np.where(level & ~spaced, gap, np.nan))
    alike = gap < np.fmax(tracking + _ALIKE_EM, _ALIKE * tracking)
    narrow = level & (gap < _NARROW_EM)
    many = _around(spaced & narrow) > _MOST_SPACES * _around(narrow)
    found = np.flatnonzero(level & spaced & (gap > -_MOST_OVERLAP_EM) & (alike | (narrow & many)))
    for n in found.tolist():
        between = range(characters.indexes[n] + 1, characters.indexes[n + 1])
        if all(pdfium.FPDFText_IsGenerated(text_page, index) == 1 for index in between):
            is_word = alike[n] and _may_continue(characters.texts[n], characters.texts[n + 1], tracking[n])
            is_spurious = is_word or (many[n] and _is_between_letters(characters.texts, gap, level, spaced, n))
        else:
            is_spurious = alike[n] and all(_is_elsewhere(text_page, index, upright, characters, n) for index in between)
        if is_spurious:
            characters.spaces[n + 1] = 0


def _tracking(within: Any) -> Any:
    """Returns the narrowest of the gaps between the two letters before and after each gap, in em; 0 if fewer than two are known.
    `within`: the gaps; NaN for spaces and between lines."""
    padded = np.concatenate(([np.nan, np.nan], within, [np.nan, np.nan]))
    one, two, three, four = padded[1:-3], padded[:-4], padded[3:-1], padded[4:]
    beside = np.stack((one, np.where(np.isnan(one), np.nan, two), three, np.where(np.isnan(three), np.nan, four)))
    known = np.count_nonzero(~np.isnan(beside), axis=0)
    return np.where(known > 1, np.fmin.reduce(beside), 0.0)


def _around(marks: Any) -> Any:
    """Returns the number of marks near each place."""
    total = np.concatenate((np.zeros(_AROUND + 1), np.cumsum(marks), np.full(_AROUND, np.count_nonzero(marks))))
    return total[2 * _AROUND + 1 :] - total[: len(marks)]


def _may_continue(one: str, other: str, tracking: float) -> bool:
    """Returns whether two characters as far apart as those beside them belong to one word. Cells of a table may touch."""
    if one.isdigit() and other.isdigit():
        return tracking > _TRACKED_EM
    if other.isupper() and not one.isupper():
        return tracking > _TRACKED_EM
    return one.isalnum() and other.isalnum()


def _is_between_letters(texts: Sequence[str], gap: Any, level: Any, spaced: Any, n: int) -> bool:
    """Returns whether the n-th gap is within a text, not a formula, and much narrower than the spaces on its line. Numbers and
    choices side by side (1 2 3 4, a b c) are wider apart than letters of the words around them."""
    if not any(map(str.isalnum, texts[n : n + 2])) or not all(text.isalnum() or text in _MARKS for text in texts[n : n + 2]):
        return False
    start, end = n, n + 1
    while start > max(0, n - _LINE) and level[start - 1] and gap[start - 1] < _WIDEST_EM:
        start -= 1
    while end < min(len(gap), n + _LINE) and level[end] and gap[end] < _WIDEST_EM:
        end += 1
    line, own, marked = texts[start : end + 1], gap[start:end], spaced[start:end]
    if sum(map(str.isalnum, line)) < _LEAST_IN_WORDS * len(line) or sum(map(str.isalpha, line)) < _LEAST_LETTERS * len(line):
        return False
    typical = max(float(np.median(own[marked & (own < _NARROW_EM)])), 0.0)
    least = max(_WIDE_EM, _MUCH_WIDER * typical)
    between = [
        g for g, one, other in zip(own.tolist(), line, line[1:], strict=False) if (one + other).isalpha() and g < _NARROW_EM
    ]
    usual = float(np.median(between)) if between else 0.0
    are_digits = texts[n].isdigit() and texts[n + 1].isdigit()
    is_series = are_digits or ord(texts[n + 1][0]) == ord(texts[n][-1]) + 1
    most = max(_NARROW_IN_SERIES_EM, _USUAL * usual) if is_series else _NARROW_EM
    return bool(gap[n] < min(most, least / _WIDER)) and bool((marked & (own > least)).any())


def _is_elsewhere(text_page: Any, index: int, upright: Upright, characters: Characters, n: int) -> bool:
    """Returns whether the drawn space at PDFium's index is not between the n-th character and the next one."""
    box = pdfium.FS_RECTF()
    if not pdfium.FPDFText_GetLooseCharBox(text_page, index, box):
        return False
    x0, y0, x1, y1 = upright.box(box.left, box.bottom, box.right, box.top)
    em = float(characters.y1[n] - characters.y0[n])
    off_line = not characters.y0[n] - em < (y0 + y1) / 2 < characters.y1[n] + em
    return bool(off_line or abs((x0 + x1) / 2 - characters.x1[n]) > _ELSEWHERE_EM * em + (x1 - x0) / 2)
