"""Reads a lone word that ends a paragraph again, beside well-read lines of the same page.

Tesseract reads words in the context of their line. It did not read a lone Arabic word in its own picture, but read all but one of
its letters when the picture was at the end of another line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rayocr.engines.tesseract.line_sheet import HEIGHT, LineSheet
from rayocr.engines.tesseract.lines import TsvWord
from rayocr.engines.tesseract.program import Tesseract
from rayocr.engines.tesseract.scripts import ARABIC, HEBREW
from rayocr.engines.tesseract.voting import voted, whole_words

_LONGEST = 5.0  # maximum length of a lone word, in line heights
_NEIGHBORS = 3  # number of lines whose readings vote
_CONTEXT, _GAP = 10.0, 0.35  # width of the neighbor's part, and of the space before the word, in line heights
_READ_WELL = 0.8
_MOST = 8  # maximum number of lone words of a page


def with_lone_words(
    read: Sequence[list[TsvWord]],
    lines: Sequence[Any],
    packs: Sequence[str],
    tesseract: Tesseract,
    *,
    confidence: Callable[[Sequence[TsvWord]], float],
    least: float,
) -> list[list[TsvWord]]:
    """Returns the words of each line, with a new reading of short lines whose confidence is below `least`, if it is better. Calls
    Tesseract once if there are any. `lines`: gray pictures (rows, columns)."""
    better = list(read)
    neighbors = sorted(range(len(lines)), key=lambda n: -confidence(read[n]))[:_NEIGHBORS]
    neighbors = [n for n in neighbors if confidence(read[n]) >= _READ_WELL]
    lone = [n for n, line in enumerate(lines) if confidence(read[n]) < least and line.shape[1] < _LONGEST * line.shape[0]][:_MOST]
    if not lone or len(neighbors) < _NEIGHBORS:
        return better
    at_left = packs[0] in ARABIC | HEBREW
    pairs = [(word, other) for word in lone for other in neighbors]
    pictures = [_beside(lines[word], lines[other], at_left=at_left) for word, other in pairs]
    found = LineSheet(pictures).read(tesseract, packs)
    readings: dict[int, list[list[TsvWord]]] = {}
    for (word, _), picture, words in zip(pairs, pictures, found, strict=True):
        scale = HEIGHT / picture.shape[0]
        end = HEIGHT // 2 + lines[word].shape[1] * scale  # LineSheet's margin is half a line
        start = HEIGHT // 2 + (picture.shape[1] - lines[word].shape[1]) * scale
        own = [w for w in words if (_middle(w) < end if at_left else _middle(w) > start)]
        readings.setdefault(word, []).append(whole_words(own))
    for word, own_readings in readings.items():
        better[word] = max(better[word], voted(own_readings), key=confidence)
    return better


def _beside(word: Any, line: Any, *, at_left: bool) -> Any:
    """Returns the end of the line's picture with the word after it. The background has the paper color of the word's picture."""
    import numpy as np

    reach = round(_CONTEXT * line.shape[0])
    part = line[:, -reach:] if at_left else line[:, :reach]
    height = max(word.shape[0], part.shape[0])
    paper = int(np.median(word))
    gap = np.full((height, round(_GAP * height)), paper, word.dtype)
    pieces = [_padded(word, height, paper), gap, _padded(part, height, paper)]
    return np.hstack(pieces if at_left else pieces[::-1])


def _padded(picture: Any, height: int, paper: int) -> Any:
    import numpy as np

    above = (height - picture.shape[0]) // 2
    return np.pad(picture, ((above, height - picture.shape[0] - above), (0, 0)), constant_values=paper)


def _middle(word: TsvWord) -> float:
    return word.left + word.width / 2
