"""Finds invisible words at the place of visible ones: a hidden layer's other wording, a number that was painted over and retyped.

Comparing the page with and without its text cannot distinguish such words, since something is visible in their place. So each
text object that overlaps another is removed by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pypdfium2.raw as pdfium

from rayocr.pdf.textlayer.lines import Word
from rayocr.pdf.textlayer.rendered_text import address_of

_SAME_PLACE = 0.5  # overlap of two words, as a share of the smaller one; boxes of neighboring lines overlap by less
_MOST_STEPS = 300  # number of words at one height that are compared; a column of vertical text is beside all lines
_MOST_OBJECTS = 40  # with more text objects, nothing is checked; each takes one rendering, 2 to 10 ms


def hidden_behind_others(
    text_page: Any, words: Sequence[Word], seen: Any, render: Callable[[], Any], is_drawn: Callable[[Any, Any, int, int], bool]
) -> list[int]:
    """Returns the indexes of words that look visible only because of another word at their place. `render` returns the page in
    gray. `is_drawn(before, after, n, letters)`: whether the renderings differ inside the n-th word's box by as much as this
    number of letters. Words of more than 40 text objects are not checked."""
    suspects = _overlapping(words, np.flatnonzero(seen).tolist())
    if not suspects:
        return []
    objects = {address_of(item): item for n in suspects for item in _objects_of(text_page, words[n])}
    if len(objects) < 2 or len(objects) > _MOST_OBJECTS:
        return []
    parts = {n: Counter(map(address_of, _objects_of(text_page, words[n]))) for n in np.flatnonzero(seen).tolist()}
    members: dict[int, list[int]] = {address: [n for n, own in parts.items() if address in own] for address in objects}
    without_effect: dict[int, set[int]] = {n: set() for n in parts}
    removed: list[Any] = []
    before = render()
    try:
        # Texts are removed in drawing order, since later text covers earlier text. An object without effect is not restored.
        # Otherwise, of two equal objects at the same place, neither would have an effect.
        for address, item in objects.items():
            pdfium.FPDFPageObj_SetIsActive(item, False)
            after = render()
            unseen = [n for n in members[address] if not is_drawn(before, after, n, parts[n][address])]
            for n in unseen:
                without_effect[n].add(address)
            if len(unseen) == len(members[address]):
                removed.append(item)
                before = after
            else:
                pdfium.FPDFPageObj_SetIsActive(item, True)
    finally:
        for item in removed:
            pdfium.FPDFPageObj_SetIsActive(item, True)
    return [n for n, own in parts.items() if own and own.keys() <= without_effect[n]]


def _objects_of(text_page: Any, word: Word) -> list[Any]:
    items = (pdfium.FPDFText_GetTextObject(text_page, word.first + offset) for offset in range(len(word.text)))
    return [item for item in items if item]


def _overlapping(words: Sequence[Word], places: Sequence[int]) -> list[int]:
    """Returns the words that overlap a word with another text, in the order of the file. Takes 1 ms per page."""
    boxes = np.array([words[n][1:5] for n in places], float).reshape(-1, 4)
    order = np.argsort(boxes[:, 1], kind="stable")
    x0, y0, x1, y1 = boxes[order].T
    area = (x1 - x0) * (y1 - y0)
    found: set[int] = set()
    for step in range(1, min(len(order), _MOST_STEPS)):  # compares each word with the one this many words further down
        height = np.minimum(y1[step:], y1[:-step]) - y0[step:]
        if not (height > 0).any():
            break
        width = np.minimum(x1[step:], x1[:-step]) - np.maximum(x0[step:], x0[:-step])
        shared = np.clip(width, 0, None) * np.clip(height, 0, None)
        for upper in np.flatnonzero(shared > _SAME_PLACE * np.minimum(area[step:], area[:-step])).tolist():
            one, other = places[order[upper]], places[order[upper + step]]
            if words[one].text != words[other].text:
                found |= {one, other}
    return sorted(found, key=lambda n: words[n].first)
