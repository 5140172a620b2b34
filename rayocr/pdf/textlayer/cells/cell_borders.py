"""Splits lines at the borders of table cells and at the gutters of columns: their texts may be closer than the words of one
line.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from rayocr.pdf.geometry import Box
from rayocr.pdf.textlayer.letters import LettersOf, Span
from rayocr.pdf.textlayer.lines import TextLine, Word

_CROSSED = 0.2  # share of a word's width; a ruling that crosses more of it is not a cell border
_REACH_PT = 1.0
_CELLS_APART_PT = 0.45  # by which the gap between the letters of two cells is wider than the gaps within a word
_GUTTER_EM = 0.45  # width of the narrowest gutter between columns
_WIDER = 1.8  # least ratio of a gutter to the other gaps of its line, which may be justified
_BESIDE_CHARS = 12  # minimum length of the text before a gutter; markers of list items are shorter
_SAME_START_PT = 1.5
_COLUMN_LINES = 3  # minimum number of lines that begin at a gutter, above and below
_NARROW_EM, _MORE_LINES = 0.8, 5  # a narrower gutter needs more such lines
_NEAR_EM = 12.0  # other lines of the column must be within this height above and below a line
_NEXT_EM = 3.0  # no word may be in the gutter within this height above and below a line


def split_at_borders(
    lines: Iterable[TextLine], rulings: Sequence[Box], letters: LettersOf = lambda word: ()
) -> Iterator[TextLine]:
    """Yields the lines, split between words, and between the letters of words, where a vertical ruling passes. `rulings` have the
    coordinates of the lines."""
    borders = sorted((x0, y0, y1) for x0, y0, x1, y1 in rulings if x1 - x0 < y1 - y0)
    places = [x for x, _, _ in borders]
    if not borders:
        yield from lines
        return
    for line in lines:
        near = borders[bisect_left(places, line.x0) : bisect_left(places, line.x1)]
        yield from _parts(line, near, letters) if near and not line.vertical else (line,)


def _parts(line: TextLine, borders: Sequence[tuple[float, float, float]], letters: LettersOf) -> list[TextLine]:
    middle = (line.y0 + line.y1) / 2
    cuts = [x for x, top, bottom in borders if top - _REACH_PT < middle < bottom + _REACH_PT]
    words = [part for word in line.words for part in _cut(word, [x for x in cuts if word.x0 < x < word.x1], letters)]
    if len(words) > len(line.words):
        line = replace(line, words=tuple(words))
    cuts = [x for x in cuts if not any(_crosses(x, word) for word in line.words)]
    groups: dict[int, list[Word]] = {}
    for word in line.words:
        groups.setdefault(bisect_left(cuts, (word.x0 + word.x1) / 2), []).append(word)
    return [line.of_words(group) for group in groups.values()] if len(groups) > 1 else [line]


def _cut(word: Word, borders: Sequence[float], letters: LettersOf) -> list[Word]:
    """Returns the parts of a word that consists of the ends of several cells: 1|450."""
    spans = letters(word) if borders else ()
    gaps = [(left[1], right[0]) for left, right in pairwise(spans)]
    cuts = [n for n, (left, right) in enumerate(gaps, 1) if any(left < x < right for x in borders)]
    widest = max((right - left for n, (left, right) in enumerate(gaps, 1) if n not in cuts), default=0.0)
    cuts = [n for n in cuts if gaps[n - 1][1] - gaps[n - 1][0] > max(widest, 0.0) + _CELLS_APART_PT]
    return [_part(word, start, end, spans) for start, end in pairwise([0, *cuts, len(spans)])] if cuts else [word]


def _part(word: Word, start: int, end: int, spans: Sequence[Span]) -> Word:
    left, right = min(span[0] for span in spans[start:end]), max(span[1] for span in spans[start:end])
    return word._replace(text=word.text[start:end], x0=left, x1=right, first=word.first + start)


def _crosses(x: float, word: Word) -> bool:
    inside = _CROSSED * (word.x1 - word.x0)
    return word.x0 + inside < x < word.x1 - inside


def split_at_gutters(lines: Sequence[TextLine]) -> Iterator[TextLine]:
    """Yields the lines, split where the text of a neighboring column begins. Lines above and below begin at this place, and none
    crosses it."""
    wide = {id(line): gaps for line in lines if (gaps := _wide_gaps(line))}
    if not wide:
        yield from lines
        return
    ordered = sorted(lines, key=lambda line: line.x0)
    starts = [(line.x0, line.y0) for line in ordered if len(line.text) >= _BESIDE_CHARS]
    starts += [(right.x0, line.y0) for line in lines for _, right in wide.get(id(line), [])]
    starts.sort()
    for line in lines:
        gaps = wide.get(id(line), [])
        cuts = [
            right.x0 for left, right in gaps if _is_gutter(line, left, right, starts) and not _is_passed(line, right, ordered)
        ]
        if not cuts:
            yield line
            continue
        groups: dict[int, list[Word]] = {}
        for word in line.words:
            groups.setdefault(bisect_left(cuts, word.x0 + 0.01), []).append(word)
        yield from (line.of_words(group) for group in groups.values())


def _wide_gaps(line: TextLine) -> list[tuple[Word, Word]]:
    """Returns the pairs of words with a gap that may be a gutter. The text before the gap is longer than a marker."""
    if line.vertical or len(line.text) < _BESIDE_CHARS:
        return []
    least = _GUTTER_EM * (line.y1 - line.y0)
    gaps = [right.x0 - left.x1 for left, right in pairwise(line.words)]
    if max(gaps, default=0.0) < least:
        return []
    usual = sorted(gaps)[len(gaps) // 2] if len(gaps) > 2 else 0.0
    found: list[tuple[Word, Word]] = []
    before = 0
    for place, gap in enumerate(gaps):
        left, right = line.words[place : place + 2]
        before += len(left.text) + 1
        is_wide = gap >= max(least, _WIDER * usual) and before >= _BESIDE_CHARS
        if is_wide and any(map(str.isalnum, left.text)) and any(map(_has_letters, line.words[place + 1 :])):
            found.append((left, right))
    return found


def _has_letters(word: Word) -> bool:
    """Returns whether the token is a word. An amount or a page number after a leader belongs to its line."""
    return sum(map(str.isalpha, word.text)) > 1


def _is_gutter(line: TextLine, left: Word, right: Word, starts: Sequence[tuple[float, float]]) -> bool:
    """Returns whether other lines above and below begin where the right word does. `starts`: left and upper edges of the lines,
    in ascending order."""
    em, x = line.y1 - line.y0, right.x0
    first, last = bisect_left(starts, (x - _SAME_START_PT, 0.0)), bisect_left(starts, (x + _SAME_START_PT, 0.0))
    least = _COLUMN_LINES if x - left.x1 >= _NARROW_EM * em else _MORE_LINES
    return sum(0.1 < abs(y - line.y0) < _NEAR_EM * em for _, y in starts[first:last]) >= least


def _is_passed(line: TextLine, right: Word, ordered: Sequence[TextLine]) -> bool:
    """Returns whether a word above or below is in the gutter before this word. `ordered`: all lines, from left to right."""
    em = line.y1 - line.y0
    top, bottom, middle = line.y0 - _NEXT_EM * em, line.y1 + _NEXT_EM * em, right.x0 - _GUTTER_EM * em / 2
    for other in ordered:
        if other.x0 > middle:
            break
        if other.x1 > middle and top < other.y0 < bottom and any(word.x0 < middle < word.x1 for word in other.words):
            return True
    return False
