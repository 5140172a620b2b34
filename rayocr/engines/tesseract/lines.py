"""Groups the words of Tesseract's TSV into lines, and splits lines at wide gaps in tables and forms."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

_HOLE = 1.5  # in line heights: a wider gap splits a line
_TIGHT = re.compile("[\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef]")
_DIRECTION_MARKS = str.maketrans("", "", "\u200e\u200f\u202a\u202b\u202c\u202d\u202e")
_BLANK = 0.3  # the minimum width of a space, in character heights
_WORD_LEVEL = "5"
_SPACED, _NOT_SPACED = "1", "0"
_MOST_WHITE_SPACE = 200  # number of characters between two words of the plain text
_MAX_SKEW_DEG = 10.0


@dataclass(frozen=True, slots=True)
class TsvWord:
    text: str
    left: int
    top: int
    width: int
    height: int
    confidence: float  # 0..1
    spaced: bool | None = None  # whether white space comes before the word in Tesseract's text; None: not known
    foreign: bool = False  # whether another reader read the word, which is surer of it than Tesseract


@dataclass(frozen=True, slots=True)
class TsvLine:
    """The words of one line from left to right, in pixels. Never empty."""

    words: tuple[TsvWord, ...]

    @property
    def text(self) -> str:
        return self.words[0].text + "".join(
            word.text if _is_inside_word(before, word) else f" {word.text}" for before, word in pairwise(self.words)
        )

    @property
    def confidence(self) -> float:
        return sum(word.confidence * len(word.text) for word in self.words) / sum(len(word.text) for word in self.words)

    def corners(self, *, full: bool = False) -> list[tuple[float, float]]:
        """Returns the corners clockwise from the top left. Unless `full`, the box is as tall as a word, not as the whole sloping
        line."""
        x0 = min(word.left for word in self.words)
        x1 = max(word.left + word.width for word in self.words)
        y0 = float(min(word.top for word in self.words))
        y1 = float(max(word.top + word.height for word in self.words))
        if not full:
            half = max(word.height for word in self.words) / 2
            y0, y1 = (y0 + y1) / 2 - half, (y0 + y1) / 2 + half
        return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def lines_of_tsv(tsv: str) -> list[TsvLine]:
    lines: dict[tuple[str, ...], list[TsvWord]] = {}
    for row in tsv.splitlines():
        cells = row.split("\t")
        text = without_direction_marks(cells[11]).strip() if len(cells) >= 12 else ""
        if not text or cells[0] != _WORD_LEVEL:
            continue
        left, top, width, height = (int(cell) for cell in cells[6:10])
        spaced = cells[12] == _SPACED if len(cells) > 12 else None
        word = TsvWord(text, left, top, width, height, max(float(cells[10]), 0.0) / 100, spaced)
        lines.setdefault(tuple(cells[1:5]), []).append(word)
    return [TsvLine(tuple(part)) for words in lines.values() for part in _parts(words)]


def with_spaces(tsv: str, text: str) -> str:
    """Adds a cell to each word of the TSV: whether white space comes before the word in Tesseract's plain text. The TSV reports
    Korean syllables and Chinese characters as words, and their boxes are too inexact to measure the spaces between them."""
    text = without_direction_marks(text)
    rows, end = [], 0
    for row in tsv.splitlines():
        cells = row.split("\t")
        word = without_direction_marks(cells[11]).strip() if len(cells) == 12 and cells[0] == _WORD_LEVEL else ""
        start = text.find(word, end, end + len(word) + _MOST_WHITE_SPACE) if word else -1
        if start >= 0 and not text[end:start].strip():
            rows.append(f"{row}\t{_SPACED if start > end else _NOT_SPACED}")
            end = start + len(word)
        else:
            rows.append(row)
    return "\n".join(rows)


def without_direction_marks(text: str) -> str:
    """Removes the invisible marks that Tesseract adds around Latin words in Arabic and Hebrew lines. Tesseract writes the letters
    in logical order, so the marks are not needed."""
    return text.translate(_DIRECTION_MARKS)


def skew_of(lines: Sequence[TsvLine]) -> float:
    """Returns the angle in degrees at which lines fall to the right, measured from the centers of words in the longer lines."""
    slopes = []
    for line in lines:
        if len(line.words) >= 5:
            first, last = line.words[0], line.words[-1]
            run = last.left - first.left
            if run > 0:
                rise = (last.top + last.height / 2) - (first.top + first.height / 2)
                slopes.append(math.degrees(math.atan2(rise, run)))
    skew = median(slopes) if len(slopes) >= 3 else 0.0
    return skew if 0.2 < abs(skew) < _MAX_SKEW_DEG else 0.0


def mean_confidence(lines: Iterable[TsvLine]) -> float | None:
    weighted = [(line.confidence, len(line.text)) for line in lines]
    total = sum(weight for _, weight in weighted)
    return sum(confidence * weight for confidence, weight in weighted) / total if total else None


def _is_inside_word(before: TsvWord, word: TsvWord) -> bool:
    """Returns whether no space separates the two. Tesseract reports every Korean syllable and many Chinese characters as
    words."""
    if word.spaced is not None:
        return not word.spaced
    if not (_TIGHT.match(before.text[-1]) and _TIGHT.match(word.text[0])):
        return False
    gap = word.left - (before.left + before.width)
    return gap < _BLANK * max(before.height, word.height)


def _parts(words: list[TsvWord]) -> list[list[TsvWord]]:
    height = median(word.height for word in words)
    parts = [[words[0]]]
    for before, word in pairwise(words):
        if word.left - (before.left + before.width) > _HOLE * height:
            parts.append([])
        parts[-1].append(word)
    return parts
