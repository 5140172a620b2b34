"""Finds paragraphs that are crossed out: by the strokes of a large X or by a zigzag line, which cross many words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rayocr.pdf.geometry import Box

if TYPE_CHECKING:
    from rayocr.pdf.textlayer.layer import TextLayer
    from rayocr.pdf.textlayer.lines import Word

MAX_STROKES = 200  # maps and drawings have more oblique lines, and some pass through labels
_LEAST_WORDS, _LEAST_LETTERS = 4, 12
_WITHIN = 0.2  # a stroke crosses a word if it passes this far within its box, as a share of its height


def is_crossed_out(layer: TextLayer, strokes: Sequence[tuple[Box, bool]]) -> bool:
    """Returns whether oblique strokes cross a few words. `strokes`: the box of each on the displayed page, and whether it falls
    from left to right."""
    if layer.turns or layer.is_over_scan or not 0 < len(strokes) <= MAX_STROKES:
        return False
    crossed = [word for line in layer.lines if not line.vertical and not line.slanted for word in _crossed(line.words, strokes)]
    letters = sum(character.isalnum() for word in crossed for character in word.text)
    return len(crossed) >= _LEAST_WORDS and letters >= _LEAST_LETTERS


def _crossed(words: Iterable[Word], strokes: Sequence[tuple[Box, bool]]) -> Iterable[Word]:
    return (word for word in words if any(_passes(word, box, falls) for box, falls in strokes))


def _passes(word: Word, box: Box, falls: bool) -> bool:
    left, right = max(word.x0, box[0]), min(word.x1, box[2])
    if left >= right:
        return False
    rise = (box[3] - box[1]) / max(box[2] - box[0], 0.01)
    at = [box[1] + (x - box[0]) * rise if falls else box[3] - (x - box[0]) * rise for x in (left, right)]
    margin = _WITHIN * (word.y1 - word.y0)
    return min(at) < word.y1 - margin and max(at) > word.y0 + margin
