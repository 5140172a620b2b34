"""Corrects words that Tesseract reads as Latin although they are in the page's own script.

Pages in other scripts are read with the English pack too, because of names and e-mail addresses. With both packs, Tesseract reads
some Arabic words as Latin ones, with low confidence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from rayocr.engines.tesseract.lines import TsvLine, TsvWord

SURE_WORD = 0.6  # least confidence of a word, or of a line, that counts as read
_SURE_LATIN = 0.8  # least confidence of a Latin word among other letters: right ones have .88 and more, wrong ones up to .75
# Arabic words do not look like Latin ones, so they are preferred even if their confidence is lower by this factor.
_FOR_ARABIC = 0.6
_LATIN = re.compile("[A-Za-z]")
_ARABIC = re.compile("[\u0620-\u064a]{2}")


def sure_letters(lines: Sequence[TsvLine]) -> int:
    return sum(len(word.text) for line in lines for word in line.words if word.confidence >= SURE_WORD)


def has_doubtful_latin(line: TsvLine) -> bool:
    return any(_is_doubtful(word) for word in line.words)


def without_doubtful_latin(lines: Sequence[TsvLine], alone: Sequence[TsvLine]) -> list[TsvLine]:
    """Returns the lines, with the words of `alone` in place of doubtful Latin ones. `alone` is the reading without the English
    pack."""
    words = [word for line in alone for word in line.words]
    return [_corrected(line, words) if has_doubtful_latin(line) else line for line in lines]


def _corrected(line: TsvLine, alone: Sequence[TsvWord]) -> TsvLine:
    words: list[TsvWord] = []
    for doubtful, group in groupby(line.words, _is_doubtful):
        run = list(group)
        here = [word for word in alone if any(_is_at(word, other) for other in run)] if doubtful else []
        least = _confidence(run) * (_FOR_ARABIC if any(_ARABIC.search(word.text) for word in here) else 1.0)
        words += here if _confidence(here) > least else run
    return TsvLine(tuple(words))


def _is_doubtful(word: TsvWord) -> bool:
    return word.confidence < _SURE_LATIN and _LATIN.search(word.text) is not None


def _is_at(word: TsvWord, other: TsvWord) -> bool:
    x, y = word.left + word.width / 2, word.top + word.height / 2
    return other.left <= x < other.left + other.width and other.top <= y < other.top + other.height


def _confidence(words: Sequence[TsvWord]) -> float:
    return sum(word.confidence for word in words) / len(words) if words else 0.0
