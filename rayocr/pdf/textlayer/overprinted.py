"""Finds invisible words at the place of visible ones: a hidden layer's other wording, a number that was painted over and retyped.

Comparing the page with and without its text cannot distinguish such words, since something is visible in their place. So each
text object that overlaps another is removed alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pypdfium2.raw as pdfium

from rayocr.pdf.textlayer.lines import Word
from rayocr.pdf.textlayer.rendered_text import address_of

_SAME_PLACE = 0.5  # overlap of two words, as a share of the smaller one; boxes of neighboring lines overlap by less
_BAND_PT = 8.0
_MOST_OBJECTS = 40  # one rendering each, 2 to 10 ms


def hidden_behind_others(
    text_page: Any, words: Sequence[Word], seen: Any, render: Callable[[], Any], is_drawn: Callable[[Any, Any, int], bool]
) -> list[int]:
    """The indexes of words that look visible only because of another word at their place. `render` returns the page in gray.
    `is_drawn(before, after, n)`: whether the two renderings differ inside the n-th word's box. Words of more than 40 text objects
    are not checked."""
    suspects = _overlapping(words, np.flatnonzero(seen).tolist())
    if not suspects:
        return []
    objects = {address_of(item): item for item in (_object_of(text_page, words[n]) for n in suspects) if item}
    if len(objects) < 2 or len(objects) > _MOST_OBJECTS:
        return []
    members: dict[int, list[int]] = {address: [] for address in objects}
    for n in np.flatnonzero(seen).tolist():
        members.get(address_of(_object_of(text_page, words[n])), []).append(n)
    hidden: list[int] = []
    removed: list[Any] = []
    before = render()
    try:
        # In the order of drawing, since later text covers earlier text. An object without effect is not put back: of two at the
        # same place, neither would have an effect.
        for address, item in objects.items():
            pdfium.FPDFPageObj_SetIsActive(item, False)
            after = render()
            unseen = [n for n in members[address] if not is_drawn(before, after, n)]
            hidden += unseen
            if len(unseen) == len(members[address]):
                removed.append(item)
                before = after
            else:
                pdfium.FPDFPageObj_SetIsActive(item, True)
    finally:
        for item in removed:
            pdfium.FPDFPageObj_SetIsActive(item, True)
    return hidden


def _object_of(text_page: Any, word: Word) -> Any:
    return pdfium.FPDFText_GetTextObject(text_page, word.first)


def _overlapping(words: Sequence[Word], places: Sequence[int]) -> list[int]:
    """Those of the words that overlap a word with another text, in the order of the file."""
    bands: dict[int, list[int]] = {}
    found: set[int] = set()
    for n in places:
        word = words[n]
        first, last = int(word.y0 // _BAND_PT), int(word.y1 // _BAND_PT)
        for other in {other for band in range(first, last + 1) for other in bands.get(band, ())}:
            if word.text != words[other].text and _overlap(word, words[other]):
                found |= {n, other}
        for band in range(first, last + 1):
            bands.setdefault(band, []).append(n)
    return sorted(found, key=lambda n: words[n].first)


def _overlap(one: Word, other: Word) -> bool:
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    if width <= 0 or height <= 0:
        return False
    area = min((one.x1 - one.x0) * (one.y1 - one.y0), (other.x1 - other.x0) * (other.y1 - other.y0))
    return width * height > _SAME_PLACE * area
