"""Builds lines of text from characters with boxes: runs on one baseline, vertical columns, and right-to-left lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise, product
from typing import Any, NamedTuple

from rayocr.pdf.textlayer.glyphs.characters import Characters
from rayocr.pdf.textlayer.right_to_left_runs import right_to_left_runs
from rayocr.pdf.textlayer.runs import Run, runs_of, with_reversed, with_slanted, with_upturned

_ROW_PT = 8.0  # largest distance of the two drawings of a word
_COLUMN_PT, _MOST_EQUAL = 16.0, 30  # width of a tile of equal words, and maximum number of words in it
_TILE_PT, _MOST_TILES = (64.0, 16.0), 50  # size of a tile, and maximum number of tiles of a box in each direction
_MOST_IN_TILE = 200  # maximum number of words in a tile; with more, they cover each other
_MOST_BESIDE = 20  # number of lines of a row that are compared with the next one; more cover each other
_SAME_LINE, _TOUCHING = 0.15, 0.1  # largest distance of the middles of alternating lines, and overlap of their words, in heights
_SAME_PLACE = 0.6  # overlap of two equal words, as a share of the smaller one, at which the text was drawn twice
# Limits as shares of the font size: how far a box reaches at least above its baseline, and how far above it a box may end.
_LEAST_ABOVE, _MOST_BELOW = 0.15, 0.5
_ABOVE, _BELOW = 0.9, 0.25  # the usual box, in shares of the font size
_MOST_BASES = 8  # number of words whose baselines are compared with the box of their line
_TILTED = 0.5  # maximum rise of a level line, in heights of a letter
_NARROWEST, _WIDEST = 0.15, 1.5  # smallest and largest width of a letter, in font sizes
_RTL = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
# A character that widens a word to justify the line and is not a letter.
_STRETCH = re.compile("(?<=[\u0620-\u064a])\u0640+(?=[\u0620-\u064a])")


class Word(NamedTuple):
    """The characters between two spaces, with their box. `first`: PDFium's index of the first character."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    first: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLine:
    """A run of text on one baseline, split at wide gaps. Coordinates are in points of the upright page, origin top left, y down.
    `vertical`: a column of stacked characters. `slanted`: at an angle, with a narrow box in the middle."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    font_size_pt: float
    bold: bool
    vertical: bool = False
    slanted: bool = False
    words: tuple[Word, ...] = ()

    def of_words(self, words: Sequence[Word]) -> TextLine:
        """Returns the line with only these of its words."""
        return replace(
            self,
            text=" ".join(word.text for word in words),
            x0=min(word.x0 for word in words),
            x1=max(word.x1 for word in words),
            y0=max(self.y0, min(word.y0 for word in words)),
            y1=min(self.y1, max(word.y1 for word in words)),
            words=tuple(words),
        )


def lines_of(
    characters: Characters,
    *,
    font_of: Callable[[int], tuple[float, bool]],
    is_level: Callable[[int], bool],
    slant: Callable[[int], float | None],
    baseline_of: Callable[[int], float | None] = lambda index: None,
) -> list[TextLine]:
    """Builds the lines, in the order of the content stream. `font_of` returns the displayed size in points and the weight at
    PDFium's index, `is_level` whether the character is upright, `slant` the angle of a baseline that is neither level nor
    upright, `baseline_of` the height of a level character's baseline."""
    if not len(characters):
        return []
    right_to_left = [bool(_RTL.match(text)) for text in characters.texts] if _RTL.search("".join(characters.texts)) else []
    runs = runs_of(characters, is_level, slant)
    if any(right_to_left):
        runs = right_to_left_runs(characters, list(runs), right_to_left, lambda index: font_of(index)[0])
    else:
        level = list(with_reversed(characters, list(with_slanted(characters, list(runs), slant))))
        runs = with_upturned(characters, level, is_level)
    lines: list[TextLine] = []
    for run in runs:
        run = run._replace(slanted=run.slanted or _is_tilted(characters, run, slant))
        line = _line(characters, run, font_of)
        is_flat = not run.vertical and not run.slanted and is_level(line.words[0].first)
        lines.append(_at_baseline(line, slant, baseline_of) if is_flat else line)
    return _with_interleaved(lines)


def _with_interleaved(lines: list[TextLine]) -> list[TextLine]:
    """Returns the lines, with one line in place of two whose words alternate on one baseline: formulas are drawn font by font."""
    level = sorted((n for n, line in enumerate(lines) if not line.vertical and not line.slanted), key=lambda n: lines[n].x0)
    rows: dict[int, list[int]] = {}  # lines that may reach beyond the start of the next one
    joined = dict(enumerate(lines))
    for n in level:
        line, row = lines[n], int((lines[n].y0 + lines[n].y1) / 2 // _ROW_PT)
        for near in (row - 1, row, row + 1):
            rows[near] = [m for m in rows.get(near, ()) if line.x0 < joined[m].x1][-_MOST_BESIDE:]
        for m in (m for near in (row - 1, row, row + 1) for m in rows[near]):
            if words := _alternating(joined[m], line):
                joined[m] = joined[m].of_words(words)
                del joined[n]
                break
        else:
            rows[row].append(n)
    return list(joined.values())


def _alternating(one: TextLine, other: TextLine) -> list[Word]:
    """Returns the words of both lines from left to right; empty if the lines are not on one baseline, if words overlap, or if a
    line does not run to the right."""
    height = min(one.y1 - one.y0, other.y1 - other.y0)
    if (
        abs(one.y0 + one.y1 - other.y0 - other.y1) / 2 > _SAME_LINE * height
        or max(one.y1 - one.y0, other.y1 - other.y0) > 2 * height
    ):
        return []
    if any(left.x0 > right.x0 for line in (one, other) for left, right in pairwise(line.words)):
        return []  # lines that are upside down or read from right to left have their words in another order
    words = sorted((*one.words, *other.words), key=lambda word: word.x0)
    overlap = max(left.x1 - right.x0 for left, right in pairwise(words))
    return words if overlap < _TOUCHING * height else []


def _is_tilted(characters: Characters, run: Run, slant: Callable[[int], float | None]) -> bool:
    """Returns whether the large letters of a stamp rise or fall along the line, although each overlaps with the next one."""
    first, last = run.order[0], run.order[-1]
    height = float(characters.y1[first] - characters.y0[first])
    rises = abs(float(characters.y0[first] - characters.y0[last])) > _TILTED * height
    return rises and not run.vertical and slant(characters.indexes[first]) is not None


def _at_baseline(line: TextLine, slant: Callable[[int], float | None], baseline_of: Callable[[int], float | None]) -> TextLine:
    """Returns the line with a box around its baseline, if a font with a wrong bounding box places the box elsewhere."""
    size = line.font_size_pt
    # Tall brackets and roots extend down from their baseline, and so does a sum, whose character may be a letter.
    letters = [word.first for word in line.words if word.text[:1].isalnum()]
    bases: list[float] = []
    for first in letters[:: 1 + len(letters) // _MOST_BASES]:
        if (base := baseline_of(first)) is not None:
            if line.y0 < base - _LEAST_ABOVE * size and base < line.y1 + _MOST_BELOW * size:
                return line  # the box is right; another baseline may belong to a large initial
            bases.append(base)
    if not bases:
        return line
    first, base = line.words[0].first, sorted(bases)[len(bases) // 2]
    letter = (line.x1 - line.x0) / max(len(line.text), 1)
    if slant(first) is not None or not _NARROWEST * size < letter < _WIDEST * size:
        return line  # a Type 3 font may have its size in other units
    top, bottom = base - _ABOVE * size, base + _BELOW * size
    return replace(line, y0=top, y1=bottom, words=tuple(word._replace(y0=top, y1=bottom) for word in line.words))


def _line(characters: Characters, run: Run, font_of: Callable[[int], tuple[float, bool]]) -> TextLine:
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
            _STRETCH.sub("", "".join(texts[start:end])),
            min(x0[start:end]),
            min(y0[start:end]),
            max(x1[start:end]),
            max(y1[start:end]),
            characters.indexes[order[start]],
        )
        for start, end in pairwise(starts)
    )
    bold = font_of(words[len(words) // 2].first)[1]
    # Words in small capitals are smaller than their line, and so is the number of a footnote.
    sizes = sorted(font_of(words[n].first)[0] for n in {0, len(words) // 2, len(words) - 1})
    size = sizes[len(sizes) // 2]
    # A sentence may begin with bold words.
    bold = bold and all(font_of(word.first)[1] for word in words if any(map(str.isalpha, word.text)))
    top, bottom = (min(y0), max(y1)) if run.vertical else (_middle(y0), _middle(y1))
    left, right = min(x0), max(x1)
    if run.slanted:  # a slanted line's box would cover the lines that it crosses, so the line gets a small box in its middle
        center, half = (left + right) / 2, 0.5 * (size or 10.0)
        left, right, top, bottom = center - half, center + half, min(y0), max(y1)
    elif not run.vertical and size > 0 and bottom - top > 2.0 * size:
        # The font declares taller letters than it draws.
        center = (top + bottom) / 2
        top, bottom = center - 0.6 * size, center + 0.6 * size
    return TextLine(
        text=" ".join(word.text for word in words),
        x0=left,
        y0=top,
        x1=right,
        y1=bottom,
        font_size_pt=size or (bottom - top) * 0.85,
        bold=bold,
        vertical=run.vertical,
        slanted=run.slanted,
        words=words,
    )


def _middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def without_second_drawings(lines: Sequence[TextLine]) -> list[TextLine]:
    """Removes words that are drawn twice at the same place: some programs do this for bold text or shadows."""
    seen: dict[tuple[str, int, int], list[Word]] = {}  # words by text and tile, since a page contains "the" thirty times
    kept: list[TextLine] = []
    for line in lines:
        words = []
        for word in line.words:
            row = int((word.y0 + word.y1) / 2 // _ROW_PT)
            first, last = int(word.x0 // _COLUMN_PT), int(word.x1 // _COLUMN_PT)
            columns = range(first, min(last, first + _MOST_TILES) + 1)
            tiles = product((row - 1, row, row + 1), columns)
            earlier = (other for tile in tiles for other in seen.get((word.text, *tile), ()))
            if not any(is_same_place(word, other) for other in earlier):
                words.append(word)
            for column in columns:
                tiled = seen.setdefault((word.text, row, column), [])
                if len(tiled) < _MOST_EQUAL:
                    tiled.append(word)
        if len(words) == len(line.words):
            kept.append(line)
        elif words:
            kept.append(line.of_words(words))
    return kept


class WordIndex:
    """Finds the words near a place without comparing all of them: a drawing may have ten thousand labels."""

    def __init__(self, words: Iterable[Word]) -> None:
        self._tiles: dict[tuple[int, int], list[Word]] = {}
        for word in words:
            for tile in _tiles(word):
                tiled = self._tiles.setdefault(tile, [])
                if len(tiled) < _MOST_IN_TILE:
                    tiled.append(word)

    def near(self, box: Word | TextLine) -> Iterator[Word]:
        """Yields the words near a box, some of them several times."""
        return chain.from_iterable(self._tiles.get(tile, ()) for tile in _tiles(box))

    def has_at_same_place(self, word: Word) -> bool:
        return any(is_same_place(word, other) for other in self.near(word))


def _tiles(box: Word | TextLine) -> Iterator[tuple[int, int]]:
    left, top = int(box.x0 // _TILE_PT[0]), int(box.y0 // _TILE_PT[1])
    right, bottom = int(box.x1 // _TILE_PT[0]), int(box.y1 // _TILE_PT[1])
    return product(range(left, min(right, left + _MOST_TILES) + 1), range(top, min(bottom, top + _MOST_TILES) + 1))


def is_same_place(one: Word, other: Word) -> bool:
    """Returns whether the words mostly overlap."""
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    if width <= 0 or height <= 0:
        return False
    area = min((one.x1 - one.x0) * (one.y1 - one.y0), (other.x1 - other.x0) * (other.y1 - other.y0))
    return width * height > _SAME_PLACE * area
