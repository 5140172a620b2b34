"""Finds invisible words at the place of visible ones: a hidden layer's other wording, a number that was painted over and retyped.

Comparing the page with and without its text cannot distinguish such words, since something is visible in their place. So each
text object that overlaps another is removed by itself. Of many such objects, half are removed at a time, by each digit of their
binary numbers: the digits for which a pixel changes are the number of the object that draws it.
"""

from __future__ import annotations

import ctypes
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pypdfium2.raw as pdfium

from rayocr.pdf.textlayer.lines import Word
from rayocr.pdf.textlayer.rendered_text import address_of, inactive

_SAME_PLACE = 0.5  # overlap of two words, as a share of the smaller one; boxes of neighboring lines overlap by less
_MOST_STEPS = 300  # number of words at one height that are compared; a column of vertical text is beside all lines
_MOST_OBJECTS = 16  # more text objects are removed by halves, in fewer renderings; each takes 2 to 10 ms
_MOST_HALVED = 8_192  # with more, nothing is checked
_DIFFERS = 10  # gray levels (0 to 255)


def hidden_behind_others(
    text_page: Any,
    words: Sequence[Word],
    seen: Any,
    render: Callable[[], Any],
    boxes: Sequence[Sequence[int]],
    drawn: Sequence[Any] = (),
) -> list[int]:
    """Returns the indexes of words that look visible only because of another word at their place.

    `render` returns the page in gray. `boxes`: the corners x0, y0, x1, y1 of the words in its pixels. `drawn`: the visible raw
    text objects of the page. Up to 16 text objects take a rendering each, more take two for each binary digit of their number:
    20 for 1,000 objects."""
    places = np.flatnonzero(seen).tolist()
    objects = _objects_at(text_page, words, _overlapping(words, places))
    if not 2 <= len(objects) <= _MOST_HALVED:
        return []
    parts = {n: Counter(map(address_of, _objects_of(text_page, words[n]))) for n in places}
    find = _hidden_one_by_one if len(objects) <= _MOST_OBJECTS else _hidden_by_halves
    hidden = find(objects, parts, render, boxes)
    # The lines of a hidden layer may also be between the visible lines, where a few pixels of these make them look visible.
    everything = _objects_at(text_page, words, places) if hidden else {}
    if len(objects) < len(everything) <= _MOST_HALVED:
        hidden += _hidden_by_halves(everything, parts, render, boxes)
    return _without_second_drawings(text_page, words, hidden, drawn, render, boxes) if hidden else []


def _without_second_drawings(
    text_page: Any,
    words: Sequence[Word],
    hidden: Sequence[int],
    drawn: Sequence[Any],
    render: Callable[[], Any],
    boxes: Sequence[Sequence[int]],
) -> list[int]:
    """Returns the hidden words without those that are drawn a second time, at the same place and visibly. PDFium omits the second
    drawing of a text, which may be the visible one: the first may be under a bar."""
    named = {address_of(pdfium.FPDFText_GetTextObject(text_page, n)) for n in range(pdfium.FPDFText_CountChars(text_page))}
    again: dict[tuple[int, ...], list[Any]] = {}
    for item in (item for item in drawn if address_of(item) not in named):
        again.setdefault(_place_of(item), []).append(item)
    seconds = {n: [item for own in _objects_of(text_page, words[n]) for item in again.get(_place_of(own), ())] for n in hidden}
    if not any(seconds.values()):
        return sorted(seconds)
    whole = render()
    with inactive([item for items in seconds.values() for item in items]):
        rest = render()
    return [n for n in sorted(seconds) if not seconds[n] or not _is_drawn(_differ(whole, rest, boxes[n]), len(words[n].text))]


def _place_of(item: Any) -> tuple[int, ...]:
    """Returns a text object's font and its bounds in points."""
    sides = [ctypes.c_float() for _ in range(4)]
    pdfium.FPDFPageObj_GetBounds(item, *sides)
    return address_of(pdfium.FPDFTextObj_GetFont(item)), *(round(side.value) for side in sides)


def _hidden_one_by_one(
    objects: Mapping[int, Any], parts: Mapping[int, Counter[int]], render: Callable[[], Any], boxes: Sequence[Sequence[int]]
) -> list[int]:
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
            unseen = [n for n in members[address] if not _is_drawn(_differ(before, after, boxes[n]), parts[n][address])]
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


def _hidden_by_halves(
    objects: Mapping[int, Any], parts: Mapping[int, Counter[int]], render: Callable[[], Any], boxes: Sequence[Sequence[int]]
) -> list[int]:
    whole = render()
    number = {address: n for n, address in enumerate(objects)}
    drawn_by = _numbers_of_pixels(list(objects.values()), whole, render)
    hidden = []
    for n, own in parts.items():
        if own and own.keys() <= number.keys():
            x0, y0, x1, y1 = boxes[n]
            is_own = np.isin(drawn_by[y0:y1, x0:x1], [number[address] for address in own])
            hidden += [] if _is_drawn(is_own, own.total()) else [n]
    # Of two equal objects at the same place, neither draws a pixel by itself.
    with inactive([objects[address] for address in {address for n in hidden for address in parts[n]}]):
        rest = render()
    return [n for n in hidden if not _is_drawn(_differ(whole, rest, boxes[n]), parts[n].total())]


def _numbers_of_pixels(objects: Sequence[Any], whole: Any, render: Callable[[], Any]) -> Any:
    """Returns the number of the object that alone draws each pixel; -1 for all other pixels."""
    numbers, is_single = np.zeros(whole.shape, np.int32), np.ones(whole.shape, bool)
    everywhere = (0, 0, whole.shape[1], whole.shape[0])
    for digit in range((len(objects) - 1).bit_length()):
        changes = []
        for half in (0, 1):
            with inactive([item for n, item in enumerate(objects) if n >> digit & 1 == half]):
                changes.append(_differ(whole, render(), everywhere))
        is_single &= changes[0] ^ changes[1]
        numbers |= changes[1].astype(np.int32) << digit
    numbers[~is_single] = -1
    return numbers


def _differ(before: Any, after: Any, box: Sequence[int]) -> Any:
    x0, y0, x1, y1 = box
    return np.abs(before[y0:y1, x0:x1].astype(np.int16) - after[y0:y1, x0:x1]) > _DIFFERS


def _is_drawn(pixels: Any, letters: int) -> bool:
    """Returns whether these pixels of a word are enough for this number of letters."""
    return int(pixels.sum()) >= max(1.0, 0.5 * letters)


def _objects_at(text_page: Any, words: Sequence[Word], places: Sequence[int]) -> dict[int, Any]:
    return {address_of(item): item for n in places for item in _objects_of(text_page, words[n])}


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
