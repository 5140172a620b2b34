"""From characters with boxes to lines of text: runs on one baseline, vertical columns, and lines from right to left."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from rayocr.pdf.textlayer.characters import Characters
from rayocr.pdf.textlayer.right_to_left import is_right_to_left, logical_order

_GAP_EM = 1.6  # between characters of one baseline: more is another column or cell, not a justified space
_BACK_EM = 1.0  # a jump to the left by more is a new line
_SAME_LINE_EM = 0.25  # how far the middle of a character may lie outside of its neighbor's height
_BELOW_EM = 0.6  # between characters of a vertical column
_WORD_GAP_EM = 0.12  # between right-to-left letters: more is a space
_BROKEN_LINE_GAP_EM = 0.06  # where PDFium breaks a line that goes on: less is no space
_SAME_PLACE = 0.6  # overlap of two equal words, as a share of the smaller one: the text was drawn twice
_RTL = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_SET_VERTICALLY = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\ufe10-\ufe4f\uff00-\uffef\U00020000-\U0003ffff]")


class Word(NamedTuple):
    """Characters between spaces, with their box; `index` is PDFium's index of the first one."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLine:
    """A run of text on one baseline, split at wide gaps. Points of the upright page, origin top left, y down. `vertical`: a
    column whose characters stand above each other."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    font_size_pt: float
    bold: bool
    vertical: bool = False
    words: tuple[Word, ...] = ()

    def of_words(self, words: Sequence[Word]) -> TextLine:
        """The line reduced to these words of it."""
        return replace(
            self,
            text=" ".join(word.text for word in words),
            x0=min(word.x0 for word in words),
            x1=max(word.x1 for word in words),
            y0=max(self.y0, min(word.y0 for word in words)),
            y1=min(self.y1, max(word.y1 for word in words)),
            words=tuple(words),
        )


class _Run(NamedTuple):
    """Characters of one line, in reading order; `spaced[n]`: a space stands before the n-th."""

    order: Sequence[int]
    spaced: Sequence[bool]
    vertical: bool


def lines_of(
    characters: Characters, *, font_of: Callable[[int], tuple[float, bool]], is_level: Callable[[int], bool]
) -> list[TextLine]:
    """Lines in the order of the content stream. `font_of` tells the size in points (as seen) and the weight at PDFium's index,
    `is_level` whether the character stands upright."""
    if not len(characters):
        return []
    right_to_left = [bool(_RTL.match(text)) for text in characters.texts] if _RTL.search("".join(characters.texts)) else []
    if any(right_to_left):
        runs = _right_to_left_runs(characters, right_to_left, is_level)
    else:
        runs = _runs(characters, is_level)
    return _without_second_drawings([_line(characters, run, font_of) for run in runs])


def _runs(characters: Characters, is_level: Callable[[int], bool]) -> Iterator[_Run]:
    """Characters follow one another on a baseline, or below one another in a column."""
    x0, y0, x1, y1 = characters.x0, characters.y0, characters.x1, characters.y1
    em = np.maximum(y1 - y0, 1.0)[1:]
    middle = ((y0 + y1) / 2)[1:]
    advance = x0[1:] - x1[:-1]
    beside = (y0[:-1] - _SAME_LINE_EM * em <= middle) & (middle <= y1[:-1] + _SAME_LINE_EM * em)
    beside &= (-_BACK_EM * em <= advance) & (advance <= _GAP_EM * em)
    widths = x1 - x0
    overlap = np.minimum(x1[1:], x1[:-1]) - np.maximum(x0[1:], x0[:-1])
    below = ~beside & (overlap > 0.5 * np.minimum(widths[1:], widths[:-1]))
    below &= np.minimum(np.abs(y1[1:] - y0[:-1]), np.abs(y0[1:] - y1[:-1])) <= _BELOW_EM * em
    # PDFium breaks lines at superscripts and between text objects; a word that goes on has no gap there.
    broken_by_gap = advance > _BROKEN_LINE_GAP_EM * em
    spaced = [False, *((space == 2 or (space == 1 and gap)) for space, gap in zip(characters.spaces[1:], broken_by_gap.tolist()))]
    if below.any():
        yield from _with_columns(characters, spaced, beside.tolist(), below.tolist(), is_level)
        return
    breaks = [0, *(np.flatnonzero(~beside) + 1).tolist(), len(characters)]
    for start, end in zip(breaks, breaks[1:], strict=False):
        yield _Run(range(start, end), spaced[start:end], vertical=False)


def _with_columns(
    characters: Characters, spaced: list[bool], beside: list[bool], below: list[bool], is_level: Callable[[int], bool]
) -> Iterator[_Run]:
    start, vertical = 0, False
    for n in range(1, len(characters) + 1):
        if n < len(characters):
            if beside[n - 1] and not vertical:
                continue
            if below[n - 1] and (vertical or (n - start == 1 and _may_stand_above(characters, n, is_level))):
                vertical = True
                continue
        yield _Run(range(start, n), _spaced_in_column(characters, spaced, start, n) if vertical else spaced[start:n], vertical)
        start, vertical = n, False


def _may_stand_above(characters: Characters, n: int, is_level: Callable[[int], bool]) -> bool:
    """Whether a column may begin with the characters n - 1 and n: Chinese or Japanese, or text turned along the margin. Digits
    below one another are the cells of a table."""
    if all(_SET_VERTICALLY.match(characters.texts[place]) for place in (n - 1, n)):
        return True
    return not is_level(characters.indexes[n])


def _spaced_in_column(characters: Characters, spaced: list[bool], start: int, end: int) -> list[bool]:
    """PDFium ends the line after every character of a column; that is no space, except in text that is turned as a whole."""
    texts = characters.texts
    return [
        spaced[n] and (characters.spaces[n] == 2 or not (_SET_VERTICALLY.match(texts[n]) or _SET_VERTICALLY.match(texts[n - 1])))
        for n in range(start, end)
    ]


def _right_to_left_runs(
    characters: Characters, right_to_left: Sequence[bool], is_level: Callable[[int], bool]
) -> Iterator[_Run]:
    """Lines by position alone, then each in reading order; see `right_to_left`."""
    letters = sum(text.isalpha() for text in characters.texts)
    mostly = 2 * sum(right_to_left) > letters
    for run in _joined(characters, list(_runs(characters, is_level))):
        if run.vertical or not any(right_to_left[n] for n in run.order):
            yield run
        else:
            yield _read_from_the_right(characters, run.order, mostly)


def _joined(characters: Characters, runs: list[_Run]) -> list[_Run]:
    """Runs of one baseline that touch become one. In order of first appearance."""
    x0, x1 = characters.x0, characters.x1
    rows: list[list[Any]] = []  # x0, x1, middle, em, run
    for run in runs:
        order = list(run.order)
        left, right = float(x0[order].min()), float(x1[order].max())
        tops, bottoms = median(characters.y0[order].tolist()), median(characters.y1[order].tolist())
        em, middle = max(bottoms - tops, 1.0), (tops + bottoms) / 2
        row = [left, right, middle, em, order, list(run.spaced), run.vertical]
        if not run.vertical:
            while (other := _neighbor(rows, row)) is not None:
                rows.remove(other)
                row = _merged(other, row)
        rows.append(row)
    return [_Run(row[4], row[5], row[6]) for row in sorted(rows, key=lambda row: min(row[4]))]


def _neighbor(rows: list[list[Any]], row: list[Any]) -> list[Any] | None:
    left, right, middle, em = row[:4]
    for other in reversed(rows):
        level = abs(other[2] - middle) <= (0.5 + _SAME_LINE_EM) * max(min(em, other[3]), 1.0) * 0.6
        if level and not other[6] and max(left - other[1], other[0] - right) <= _GAP_EM * min(em, other[3]):
            return other
    return None


def _merged(one: list[Any], other: list[Any]) -> list[Any]:
    first, second = (one, other) if min(one[4]) < min(other[4]) else (other, one)
    weight = len(one[4]) / (len(one[4]) + len(other[4]))
    middle, em = (weight * one[n] + (1 - weight) * other[n] for n in (2, 3))
    spaced = [*first[5], True, *second[5][1:]]
    return [min(one[0], other[0]), max(one[1], other[1]), middle, em, first[4] + second[4], spaced, False]


def _read_from_the_right(characters: Characters, order: Sequence[int], mostly: bool) -> _Run:
    clusters = _clusters(characters, order)
    shown: list[str] = []
    members: list[list[int]] = []
    for previous, cluster in zip([None, *clusters], clusters, strict=False):
        if previous is not None and _is_space_between(characters, previous, cluster):
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
    return _Run(read, spaced, vertical=False)


def _clusters(characters: Characters, order: Sequence[int]) -> list[list[int]]:
    """Characters from left to right; those of one glyph and marks above or below a letter stay with it, in PDFium's order."""
    import unicodedata

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


def _is_space_between(characters: Characters, left: Sequence[int], right: Sequence[int]) -> bool:
    gap = float(characters.x0[right[0]] - characters.x1[left[0]])
    em = max(float(characters.y1[right[0]] - characters.y0[right[0]]), 1.0)
    if gap > _WORD_GAP_EM * em:
        return True
    later, earlier = max(left[0], right[0]), min(left[-1], right[-1])
    return later - earlier == 1 and characters.spaces[later] == 2 and gap > -_WORD_GAP_EM * em


def _line(characters: Characters, run: _Run, font_of: Callable[[int], tuple[float, bool]]) -> TextLine:
    order = run.order
    if isinstance(order, range):
        where: Any = slice(order.start, order.stop)
        texts = characters.texts[where]
    else:
        where = list(order)
        texts = [characters.texts[n] for n in order]
    x0, y0, x1, y1 = (side[where].tolist() for side in (characters.x0, characters.y0, characters.x1, characters.y1))
    starts = [0, *(n for n, space in enumerate(run.spaced) if space and n), len(texts)]
    words = tuple(
        Word(
            "".join(texts[start:end]),
            min(x0[start:end]),
            min(y0[start:end]),
            max(x1[start:end]),
            max(y1[start:end]),
            characters.indexes[order[start]],
        )
        for start, end in zip(starts, starts[1:], strict=False)
    )
    size, bold = font_of(words[len(words) // 2].index)
    first_size, first_bold = font_of(words[0].index) if len(words) > 1 else (size, bold)
    top, bottom = (min(y0), max(y1)) if run.vertical else (_middle(y0), _middle(y1))
    if not run.vertical and size > 0 and bottom - top > 2.0 * size:
        # The font claims letters that are higher than it draws them.
        center = (top + bottom) / 2
        top, bottom = center - 0.6 * size, center + 0.6 * size
    return TextLine(
        text=" ".join(word.text for word in words),
        x0=min(x0),
        y0=top,
        x1=max(x1),
        y1=bottom,
        font_size_pt=size or (bottom - top) * 0.85,
        bold=bold and first_bold,
        vertical=run.vertical,
        words=words,
    )


def _middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def _without_second_drawings(lines: list[TextLine]) -> list[TextLine]:
    """Without words that were drawn before at the same place: programs draw blocks twice to make them bold or to shade them."""
    seen: dict[str, list[Word]] = {}
    kept: list[TextLine] = []
    for line in lines:
        words = []
        for word in line.words:
            earlier = seen.setdefault(word.text, [])
            if not any(_is_same_place(word, other) for other in earlier):
                words.append(word)
            earlier.append(word)
        if len(words) == len(line.words):
            kept.append(line)
        elif words:
            kept.append(line.of_words(words))
    return kept


def _is_same_place(one: Word, other: Word) -> bool:
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    if width <= 0 or height <= 0:
        return False
    area = min((one.x1 - one.x0) * (one.y1 - one.y0), (other.x1 - other.x0) * (other.y1 - other.y0))
    return width * height > _SAME_PLACE * area
