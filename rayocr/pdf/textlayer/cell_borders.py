"""Splits lines at the borders of table cells: text of neighboring cells may be closer than the words of one line."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from rayocr.pdf.geometry import Box
from rayocr.pdf.textlayer.lines import TextLine, Word

_CROSSED = 0.2  # share of a word's width; a ruling that crosses more of it is not a cell border
_REACH_PT = 1.0


def split_at_borders(lines: Iterable[TextLine], rulings: Sequence[Box]) -> Iterator[TextLine]:
    """Yields the lines, split between words where a vertical ruling passes. `rulings` are on the page of the lines."""
    borders = sorted((x0, y0, y1) for x0, y0, x1, y1 in rulings if x1 - x0 < y1 - y0)
    places = [x for x, _, _ in borders]
    if not borders:
        yield from lines
        return
    for line in lines:
        near = borders[bisect_left(places, line.x0) : bisect_left(places, line.x1)]
        yield from _parts(line, near) if near and len(line.words) > 1 and not line.vertical else (line,)


def _parts(line: TextLine, borders: Sequence[tuple[float, float, float]]) -> list[TextLine]:
    middle = (line.y0 + line.y1) / 2
    cuts = [x for x, top, bottom in borders if top - _REACH_PT < middle < bottom + _REACH_PT]
    cuts = [x for x in cuts if not any(_crosses(x, word) for word in line.words)]
    groups: dict[int, list[Word]] = {}
    for word in line.words:
        groups.setdefault(bisect_left(cuts, (word.x0 + word.x1) / 2), []).append(word)
    return [line.of_words(group) for group in groups.values()] if len(groups) > 1 else [line]


def _crosses(x: float, word: Word) -> bool:
    inside = _CROSSED * (word.x1 - word.x0)
    return word.x0 + inside < x < word.x1 - inside
