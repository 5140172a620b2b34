"""Builds Arabic and Hebrew lines in reading order, from the characters' positions alone."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple

from rayocr.pdf.textlayer.glyphs.characters import Characters
from rayocr.pdf.textlayer.right_to_left import logical_order
from rayocr.pdf.textlayer.runs import GAP_EM, SAME_LINE_EM, Run

_SEARCHED_ROWS = 300  # number of rows that are searched for one on the same baseline
_WORD_GAP_EM = 0.12  # gap between letters; a wider one is a space
_NARROW_GAP_EM = 0.05  # a wider gap is a space if PDFium reports one
_TALLEST_BOX = 1.0  # largest em, in font sizes
_LEAST_GAPS, _OVERLAP_EM = 8, 0.15  # gaps between letters whose boxes overlap: least number, and least overlap
_BRACKETS = {"(": ")", "[": "]", "{": "}", "<": ">", "«": "»"}
_MARKER_CHARS = 4
_FINAL_MARKS = frozenset(".,:;!?\u060c\u061b\u061f")
_FAR_APART = 100  # letters that are further apart in the file are not beside the same space
_OPENING = {closing: opening for opening, closing in _BRACKETS.items()}


def right_to_left_runs(
    characters: Characters,
    runs: Sequence[Run],
    right_to_left: Sequence[bool],
    size_of: Callable[[int], float] = lambda index: math.inf,
) -> Iterator[Run]:
    """Joins `runs` into the lines of the page. `right_to_left[n]`: whether the n-th character is Arabic or Hebrew. `size_of`: the
    displayed size in points of the font at PDFium's index."""
    letters = sum(text.isalpha() for text in characters.texts)
    mostly = 2 * sum(right_to_left) > letters
    for run in _joined(characters, runs):
        as_it_is = isinstance(run.order, range) and not any(right_to_left[n] for n in run.order)
        if run.vertical or as_it_is:
            if mostly and not run.vertical:
                _turn_brackets(characters, run.order, run.spaced)  # (883) alone in its cell
                run = _with_stop_at_the_end(characters, run)
            yield run
        else:
            yield _read_from_the_right(characters, run.order, mostly, size_of)


def _joined(characters: Characters, runs: Sequence[Run]) -> list[Run]:
    """Joins runs of one baseline that touch. Keeps the order of first appearance."""
    x0, x1 = characters.x0, characters.x1
    rows: list[list[Any]] = []  # x0, x1, middle, em, run
    for run in runs:
        order = list(run.order)
        left, right = float(x0[order].min()), float(x1[order].max())
        tops, bottoms = median(characters.y0[order].tolist()), median(characters.y1[order].tolist())
        em, middle = max(bottoms - tops, 1.0), (tops + bottoms) / 2
        row = [left, right, middle, em, run.order, run.spaced, run.vertical]
        if not run.vertical:
            while (other := _neighbor(rows, row)) is not None:
                rows.remove(other)
                row = _merged(other, row)
        rows.append(row)
    return [Run(row[4], row[5], row[6]) for row in sorted(rows, key=lambda row: row[4][0])]


def _neighbor(rows: list[list[Any]], row: list[Any]) -> list[Any] | None:
    left, right, middle, em = row[:4]
    for other in reversed(rows[-_SEARCHED_ROWS:]):
        level = abs(other[2] - middle) <= (0.5 + SAME_LINE_EM) * max(min(em, other[3]), 1.0) * 0.6
        if level and not other[6] and max(left - other[1], other[0] - right) <= GAP_EM * min(em, other[3]):
            return other
    return None


def _merged(one: list[Any], other: list[Any]) -> list[Any]:
    first, second = (one, other) if one[4][0] < other[4][0] else (other, one)
    weight = len(one[4]) / (len(one[4]) + len(other[4]))
    middle, em = (weight * one[n] + (1 - weight) * other[n] for n in (2, 3))
    spaced = [*first[5], True, *second[5][1:]]  # open until the line is sorted
    return [min(one[0], other[0]), max(one[1], other[1]), middle, em, [*first[4], *second[4]], spaced, False]


def _read_from_the_right(characters: Characters, order: Sequence[int], mostly: bool, size_of: Callable[[int], float]) -> Run:
    clusters = _clusters(characters, order)
    gaps = _Gaps.of(characters, clusters, size_of)
    shown: list[str] = []
    members: list[list[int]] = []
    for previous, cluster in zip([None, *clusters], clusters, strict=False):
        if previous is not None and gaps.is_space_between(previous, cluster):
            shown.append(" ")
            members.append([])
        shown.append("".join(characters.texts[n] for n in cluster))
        members.append(cluster)
    read: list[int] = []
    spaced: list[bool] = []
    space = False
    for place in logical_order(shown, right_to_left_page=mostly):
        if not members[place]:
            space = True
            continue
        read += members[place]
        spaced += [space, *[False] * (len(members[place]) - 1)]
        space = False
    _turn_brackets(characters, read, spaced)
    return Run(read, spaced, vertical=False)


def _with_stop_at_the_end(characters: Characters, run: Run) -> Run:
    """Moves the punctuation mark at the left edge of a line of Latin words within right-to-left text to its end."""
    order, x0 = list(run.order), characters.x0
    marks = [place for place, n in enumerate(order) if characters.texts[n] in _FINAL_MARKS]
    if len(order) < 3 or len(marks) != 1 or any(x0[n] < x0[order[marks[0]]] for n in order):
        return run
    order.append(order.pop(marks[0]))
    spaced = list(run.spaced)
    if marks[0] + 1 < len(spaced):
        spaced[marks[0] + 1] = marks[0] > 0
    del spaced[marks[0]]
    return Run(order, [*spaced, False], vertical=False)


def _turn_brackets(characters: Characters, read: Sequence[int], spaced: Sequence[bool]) -> None:
    """Corrects brackets. PDFium mirrors them in parts of a line that it considers right-to-left, sometimes wrongly. Two unmatched
    brackets of a line belong together. A single one opens or closes, depending on the spaces around it. "1)" begins a list
    item."""
    texts = characters.texts
    opened: list[int] = []
    unmatched: list[int] = []
    for place, n in enumerate(read):
        if texts[n] in _BRACKETS:
            opened.append(place)
        elif texts[n] in _OPENING:
            if opened and texts[read[opened[-1]]] == _OPENING[texts[n]]:
                opened.pop()
            else:
                unmatched.append(place)
    alone = [read[place] for place in sorted(opened + unmatched) if not _ends_marker(texts, read, place)]
    for place in opened:
        if _ends_marker(texts, read, place):
            texts[read[place]] = _BRACKETS[texts[read[place]]]
    for one, other in zip(alone[::2], alone[1::2], strict=False):
        opening = _OPENING.get(texts[one], texts[one])
        if opening == _OPENING.get(texts[other], texts[other]):
            texts[one], texts[other] = opening, _BRACKETS[opening]
    if len(alone) == 1:
        place = read.index(alone[0])
        opening = _OPENING.get(texts[alone[0]], texts[alone[0]])
        begins_word = place == 0 or spaced[place]
        ends_word = place + 1 == len(read) or spaced[place + 1] or texts[read[place + 1]] in _FINAL_MARKS
        if begins_word != ends_word:
            texts[alone[0]] = opening if begins_word else _BRACKETS[opening]


def _ends_marker(texts: Sequence[str], read: Sequence[int], place: int) -> bool:
    return 0 < place <= _MARKER_CHARS and all(texts[n].isascii() and texts[n].isalnum() for n in read[:place])


def _clusters(characters: Characters, order: Sequence[int]) -> list[list[int]]:
    """Sorts characters from left to right. Characters of one glyph, and marks above or below a letter, stay together in PDFium's
    order."""
    x0, x1, texts = characters.x0, characters.x1, characters.texts
    marks = [n for n in order if all(unicodedata.combining(char) for char in texts[n])]
    taken = set(marks)
    clusters: list[list[int]] = []
    for n in sorted((n for n in order if n not in taken), key=lambda n: (float(x0[n] + x1[n]), n)):
        if clusters and abs(float(x0[n] - x0[clusters[-1][0]])) < 0.01 and abs(float(x1[n] - x1[clusters[-1][0]])) < 0.01:
            clusters[-1].append(n)
        else:
            clusters.append([n])
    for mark in marks:
        if not clusters:
            return [[n] for n in marks]
        middle = float(x0[mark] + x1[mark]) / 2
        nearest = min(clusters, key=lambda cluster: max(float(x0[cluster[0]]) - middle, middle - float(x1[cluster[0]]), 0.0))
        nearest.append(mark)
    return clusters


class _Gaps(NamedTuple):
    """The gaps of one line. `em`: the largest em in points, since boxes of some fonts are twice as high as their letters.
    `overlap`: how far each letter's box reaches over the next letter, as the boxes of slanted letters do; else 0."""

    characters: Characters
    em: float
    overlap: float

    @classmethod
    def of(cls, characters: Characters, clusters: Sequence[Sequence[int]], size_of: Callable[[int], float]) -> _Gaps:
        letters = [cluster[0] for cluster in clusters if characters.texts[cluster[0]].isalpha()]
        em = _TALLEST_BOX * size_of(characters.indexes[letters[len(letters) // 2]]) if letters else math.inf
        gaps = [float(characters.x0[right] - characters.x1[left]) for left, right in pairwise(letters)]
        overlap = -median(gaps) if len(gaps) >= _LEAST_GAPS else 0.0
        height = max(float(characters.y1[letters[0]] - characters.y0[letters[0]]), 1.0) if letters else 1.0
        return cls(characters, em or math.inf, overlap if overlap > _OVERLAP_EM * min(em, height) else 0.0)

    def is_space_between(self, left: Sequence[int], right: Sequence[int]) -> bool:
        characters = self.characters
        gap = float(characters.x0[right[0]] - characters.x1[left[0]])
        em = min(max(float(characters.y1[right[0]] - characters.y0[right[0]]), 1.0), self.em)
        if gap > _WORD_GAP_EM * em:
            return True
        if not (characters.texts[left[0]].isalnum() and characters.texts[right[0]].isalnum()):
            later, earlier = max(left[0], right[0]), min(left[-1], right[-1])
            return later - earlier == 1 and characters.spaces[later] == 2 and gap > _NARROW_GAP_EM * em
        # Words may be stored from either side, so the letters beside a space need not follow each other in the file.
        first, last = sorted((left[0], right[0]))
        is_wide = gap > _NARROW_GAP_EM * em or (self.overlap and gap + self.overlap > _WORD_GAP_EM * em)
        return last - first < _FAR_APART and characters.spaces[first + 1 : last + 1].count(2) == 1 and bool(is_wide)
