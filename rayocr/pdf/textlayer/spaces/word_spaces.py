"""Corrects the spaces that PDFium reports: within letterspaced words, between words set close together, and in scripts without
spaces.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from rayocr.pdf.textlayer.glyphs.characters import Characters
from rayocr.pdf.textlayer.spaces.tight_spaces import tight_spaces

_TRACKED_EM = (0.07, 0.16)  # range of the gap between the letters of letterspaced words
_TIGHT_SPACE_EM, _UNTRACKED_EM = 0.1, 0.03
_ALIKE = 1.33  # ratio of gaps between the letters of a letterspaced word
_LETTERSPACED_EM, _WORD_GAP, _LEAST_SPACED, _LEAST_SPACED_SMALL = 0.7, 1.5, 4, 5
_LIGATURE_EM = 0.05
_AS_WIDE, _AROUND = 1.3, 8  # a space is wider than the gaps between the letters around it
_IDEOGRAPHIC_GAP_EM, BESIDE_LATIN_EM = 0.6, 0.18
_IDEOGRAPH = re.compile("[\u3001-\u303f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef]")
_SYLLABLE_GAP_EM = 0.06
_INDIC_SPACE_EM, _LEAST_JOINED = 0.14, 3
_INDIC = re.compile("[\u0900-\u0963\u0970-\u097f\u0980-\u09e3\u0a00-\u0a5e]")  # letters of Devanagari, Bengali and Gurmukhi
_IN_NUMBER = re.compile(r".*\d[\d.,:/%]|\d[.,:/]\d")
_DIGITS = frozenset("0123456789")
_CLEAR_SPACE_EM, _ONE_SIZE = 0.2, 1.1
_OPENING, _CLOSING = frozenset("([“‘"), frozenset(".,;:!?)]”’")
_OTHER_SIZE, _SMALLER_SPACE = 1.4, 0.18  # ratio of two sizes, and a space between them, in heights of the smaller one
_UNSPACED = re.compile("[\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff]")


def correct_spaces(characters: Characters, spaced: list[bool], gaps: Any) -> None:
    """Drops spaces that a file has in the middle of a letterspaced word, where they have no width. Adds spaces between words set
    close together, which PDFium does not report. `gaps[n]`: in em, after the n-th character; infinite between lines."""
    said = np.array(spaced[1:], bool)
    doubtful = (said & (gaps < _TRACKED_EM[1])) | (~said & (gaps > _TIGHT_SPACE_EM) & np.isfinite(gaps))
    texts = characters.texts
    for n in (np.flatnonzero(doubtful) + 1).tolist():
        if spaced[n] and gaps[n - 1] < _LIGATURE_EM and _ends_in_ligature(characters, n - 1):
            spaced[n] = False  # the space is under the end of "fi"
            continue
        around = _around(gaps, n)
        between_letters = sorted(float(gaps[m - 1]) for m in around if m != n and not spaced[m])
        if not between_letters:
            continue
        typical = between_letters[len(between_letters) // 2]
        if spaced[n]:
            spaced[n] = typical < _TRACKED_EM[0] or float(gaps[n - 1]) > _AS_WIDE * typical
        elif typical <= _UNTRACKED_EM and texts[n - 1].isalpha() and texts[n].isalpha():
            # PDFium may have lost the spaces around a short word too.
            spaced[n] = not _is_tracked(gaps, said, n, around, in_row=bool(gaps[n - 1] > _CLEAR_SPACE_EM))
        elif typical <= _UNTRACKED_EM and gaps[n - 1] > _CLEAR_SPACE_EM and _may_be_apart(characters, n):
            spaced[n] = not _is_tracked(gaps, said, n, around, in_row=True)
        elif gaps[n - 1] > _INDIC_SPACE_EM and _are_indic(texts, n):
            joined = [gaps[m - 1] <= _UNTRACKED_EM for m in around if m != n and not spaced[m] and _are_indic(texts, m)]
            spaced[n] = len(joined) >= _LEAST_JOINED and all(joined)
    for n in tight_spaces(texts, said, gaps):
        spaced[n] = True
    _join_letterspaced(texts, spaced, gaps)


def add_spaces_between_sizes(characters: Characters, spaced: list[bool], advance: Any, beside: Any) -> None:
    """Adds the spaces between a number and a word of another size, which PDFium does not report: 9 in a small font, then Total.
    `advance`: gaps between characters, in points; `beside`: whether they are on one line."""
    heights = characters.y1 - characters.y0
    smaller, larger = np.minimum(heights[1:], heights[:-1]), np.maximum(heights[1:], heights[:-1])
    apart = beside & (larger > _OTHER_SIZE * smaller) & (advance > _SMALLER_SPACE * smaller)
    texts = characters.texts
    for n in (np.flatnonzero(apart) + 1).tolist():
        one, other = texts[n - 1], texts[n]
        if (one in _DIGITS and other.isalpha()) or (one.isalpha() and other in _DIGITS):
            spaced[n] = True


def _may_be_apart(characters: Characters, n: int) -> bool:
    """Returns whether a wide gap between the n-th character and the one before it is a space: between a word and a number of
    one size, or after a mark. Gaps within numbers may separate groups of digits."""
    one, other = characters.texts[n - 1], characters.texts[n]
    heights = characters.y1[n - 1 : n + 1] - characters.y0[n - 1 : n + 1]
    if not (other.isalnum() or other in _OPENING) or max(heights) > _ONE_SIZE * min(heights):
        return False
    if one in _DIGITS:
        return other.isalpha() or other in _OPENING
    return one.isalpha() or (one in _CLOSING and not other.isdigit())


def _are_indic(texts: Sequence[str], n: int) -> bool:
    """Returns whether the n-th character and the one before it belong to words of a script whose letters hang from one bar."""
    return _INDIC.match(texts[n - 1]) is not None and _INDIC.match(texts[n]) is not None


def _is_tracked(gaps: Any, said: Any, n: int, around: range, *, in_row: bool) -> bool:
    """Returns whether the gap before the n-th character is like two of the nearest ones between letters: two on each side. With
    `in_row`, the three gaps must follow each other, since words of two letters have a gap within each word."""
    before = [float(gaps[m - 1]) for m in reversed(range(around.start, n)) if not said[m - 1]][:2]
    after = [float(gaps[m - 1]) for m in range(n + 1, around.stop) if not said[m - 1]][:2]
    gap = float(gaps[n - 1])
    alike = [gap < _ALIKE * other and other < _ALIKE * gap for other in (*reversed(before), *after)]
    if not in_row:
        return sum(alike) > 1
    alike.insert(len(before), True)
    return any(map(all, zip(alike, alike[1:], alike[2:], strict=False)))


def _around(gaps: Any, n: int) -> range:
    """Returns the characters near the n-th one on its line whose gap to the one before them is known."""
    start, end = n, n + 1
    while start > max(1, n - _AROUND) and np.isfinite(gaps[start - 2]):
        start -= 1
    while end < min(len(gaps) + 1, n + _AROUND) and np.isfinite(gaps[end - 1]):
        end += 1
    return range(start, end)


def _join_letterspaced(texts: Sequence[str], spaced: list[bool], gaps: Any) -> None:
    """Drops the spaces between the letters of words such as T O T A L: at least four capitals, or five letters, with equal
    gaps. Keeps wider gaps, which separate words."""
    before = np.array(spaced, bool)
    done = 0
    # Spaces before three consecutive characters.
    for first in (np.flatnonzero(before[1:-2] & before[2:-1] & before[3:]) + 1).tolist():
        if first < done:
            continue
        start, n = first - 1, first
        while n < len(spaced) and spaced[n] and gaps[n - 1] < _LETTERSPACED_EM:
            if not (_are_cased(texts[n - 1], texts[n]) or (n == first and texts[start].isupper() and texts[n].islower())):
                break
            n += 1
        letters = texts[start:n]
        if start + 1 < n < len(spaced) and not spaced[n] and np.isfinite(gaps[n - 1]):
            letters = letters[:-1]  # the last letter begins a word
        if len(letters) >= (_LEAST_SPACED if "".join(letters).isupper() else _LEAST_SPACED_SMALL) and not _is_alphabet(letters):
            own = gaps[start : start + len(letters) - 1]
            typical = float(np.median(own))
            for m in range(start + 1, start + len(letters)):
                spaced[m] = float(gaps[m - 1]) > _WORD_GAP * typical
            alone = before & np.append(before[1:], True)  # letters between two spaces
            _join_beside(texts, spaced, gaps, alone, range(start, start + len(letters)), _WORD_GAP * typical)
        done = max(n, first + 1)


def _join_beside(texts: Sequence[str], spaced: list[bool], gaps: Any, alone: Any, word: range, widest: float) -> None:
    """Drops the spaces within the numbers and the shorter words beside a letterspaced word on its line: T O T A L 2 0 2 4.
    `alone[n]`: the n-th character has a space on both sides."""
    n = word.stop
    while n < len(spaced) and np.isfinite(gaps[n - 1]):
        is_number = _IN_NUMBER.fullmatch("".join(texts[n - 2 : n + 1])) is not None
        is_word = alone[n - 1] and alone[n] and _are_cased(texts[n - 1], texts[n])
        if spaced[n] and gaps[n - 1] <= widest and (is_number or is_word):
            spaced[n] = False
        n += 1
    n = word.start
    while n > 0 and np.isfinite(gaps[n - 1]):
        is_word = (alone[n - 1] or n == 1 or not np.isfinite(gaps[n - 2])) and alone[n] and _are_cased(texts[n - 1], texts[n])
        if spaced[n] and gaps[n - 1] <= widest and is_word:
            spaced[n] = False
        n -= 1


def _are_cased(one: str, other: str) -> bool:
    """Returns whether both are letters of one case."""
    return (one.isupper() and other.isupper()) or (one.islower() and other.islower())


def _is_alphabet(letters: Sequence[str]) -> bool:
    """Returns whether letters that follow each other in the alphabet, or equal ones, are no word: A B C D."""
    steps = [ord(other[0]) - ord(one[0]) for one, other in pairwise(letters)]
    return sum(step in (0, 1) for step in steps) * 2 > len(steps)


def _ends_in_ligature(characters: Characters, n: int) -> bool:
    """Returns whether the character and the one before it are one glyph."""
    return n > 0 and bool(characters.x0[n] == characters.x0[n - 1]) and bool(characters.x1[n] == characters.x1[n - 1])


def close_up(characters: Characters, spaced: list[bool], advance: Any, em: Any) -> None:
    """Drops the spaces within text in scripts without spaces, in place. `advance`: gaps between characters, in points."""
    text = "".join(characters.texts)
    if _UNSPACED.search(text):
        _close_up_syllables(characters, spaced, advance, em)
    if _IDEOGRAPH.search(text):
        _close_up_ideographs(characters, spaced, advance, em)


def _close_up_ideographs(characters: Characters, spaced: list[bool], advance: Any, em: Any) -> None:
    """Drops spaces between Chinese and Japanese characters. PDFium reports tracking as spaces, and the small gap that browsers
    add beside Latin letters and numbers. Keeps spaces as wide as a character."""
    wide, gap = (advance > _IDEOGRAPHIC_GAP_EM * em).tolist(), (advance > BESIDE_LATIN_EM * em).tolist()
    ideographic = [bool(_IDEOGRAPH.match(text)) for text in characters.texts]
    for n in range(1, len(spaced)):
        if spaced[n] and (ideographic[n - 1] or ideographic[n]):
            spaced[n] = (wide if ideographic[n - 1] and ideographic[n] else gap)[n - 1]


def _close_up_syllables(characters: Characters, spaced: list[bool], advance: Any, em: Any) -> None:
    """Drops spaces between Thai, Lao, Khmer and Burmese words, which are written without spaces. PDFium reports gaps around
    narrow vowels as spaces. Keeps gaps as wide as a space."""
    gap = (advance > _SYLLABLE_GAP_EM * em).tolist()
    native = [bool(_UNSPACED.match(text)) for text in characters.texts]
    for n in range(1, len(spaced)):
        if spaced[n] and native[n - 1] and native[n]:
            spaced[n] = gap[n - 1]
