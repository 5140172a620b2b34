"""Restores points, commas and apostrophes that the models lose in numbers of fine print: they read +21.7 as "+217", with scores
up to .99.

The ink shows the marks if no digits touch. An apostrophe before a group of three digits is certain; a point is put in, and stays
a doubt, since it may be a comma or dirt.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from rayocr.engines.rapidocr.image import cut_out
from rayocr.engines.rapidocr.numerals.words import Ink, word_at
from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.pdf.shapes.components import components, ink_mask

_FINE_PX = 36  # height of a line with its margins; in larger print no marks are lost
_NUMBER = re.compile(r"(?<!\S)[-+$€£(]?\.?\d[\d.,'’]*\d[)]?(?!\S)")
_MARKS = frozenset(".,'’-+")
_LOW, _HIGH = ".,", "'’"
# Sizes and places are relative to the height of the tallest sign of the number.
_TALL, _SMALL, _NARROW = 0.7, 0.42, 0.35
_FOOT, _HEAD = 0.7, 0.35  # below and above these heights are the middles of points and of apostrophes
_LEAST_PX = 2
_GROUP = re.compile(r"\d{3}(?!\d)")


class _Mark(NamedTuple):
    before: int  # number of tall signs before it
    is_low: bool


def with_lost_marks(upright: Any, quads: Any, read: Sequence[LineReading]) -> list[LineReading]:
    """Returns the readings with the marks of their numbers. `quads`: corners (n, 4, 2) in pixels of `upright`. Takes no time in
    ordinary print, and .2 ms for a line of fine print with numbers."""
    heights = quads[:, :, 1].max(axis=1) - quads[:, :, 1].min(axis=1)
    return [
        _corrected(cut_out(upright, quad), reading)
        if height < _FINE_PX and len(reading.places) == len(reading.text) and _NUMBER.search(reading.text)
        else reading
        for quad, height, reading in zip(quads, heights.tolist(), read, strict=True)
    ]


def _corrected(line: Any, reading: LineReading) -> LineReading:
    height, width = line.shape
    if height > width:
        return reading
    shapes: list[Ink] = sorted(components(ink_mask(line))[0].tolist())
    text, places, lost = reading.text, list(reading.places), reading.lost
    for found in reversed(list(_NUMBER.finditer(text))):
        middle = (reading.places[found.start()] + reading.places[found.end() - 1]) / 2
        for mark in reversed(_marks(word_at(shapes, middle * width, height), found[0])):
            at = _index_after(text, found.start(), mark.before)
            if not _is_missing(text, at) or not (mark.is_low or _GROUP.match(text, at)):
                continue
            lost |= mark.is_low
            text = f"{text[:at]}{'.' if mark.is_low else chr(39)}{text[at:]}"
            places.insert(at, (places[max(at - 1, 0)] + places[min(at, len(places) - 1)]) / 2)
    if text == reading.text:
        return reading
    return reading._replace(text=text, places=tuple(places), lost=lost, look_alikes=(), weak_digits=())


def _marks(word: Sequence[Ink], number: str) -> list[_Mark]:
    """Returns the marks of a number from left to right; none if its digits touch each other or others."""
    tallest = max((tall for *_, tall, _ in word), default=0)
    signs = [shape for shape in word if shape[3] >= _TALL * tallest]
    if len(signs) != sum(sign not in _MARKS for sign in number):
        return []
    top = min(y for _, y, *_ in signs)
    found = []
    for left, y, wide, tall, _ in word:
        middle = (y + tall / 2 - top) / tallest
        is_mark = min(wide, tall) >= _LEAST_PX and tall <= _SMALL * tallest and wide <= _NARROW * tallest
        before = sum(x + width / 2 < left + wide / 2 for x, _, width, _, _ in signs)
        if is_mark and before < len(signs) and (middle > _FOOT or (middle < _HEAD and before)):
            found.append(_Mark(before, middle > _FOOT))
    return found


def _index_after(text: str, start: int, signs: int) -> int:
    """Returns the index behind so many tall signs of a number that starts there."""
    at = start
    while signs or (text[at] in "-+"):
        signs -= text[at] not in _MARKS
        at += 1
    return at


def _is_missing(text: str, at: int) -> bool:
    """Returns whether the text has no mark there. A mark of another kind may be the same one."""
    return text[at] not in _LOW + _HIGH and text[at - 1 : at] not in (*_LOW, *_HIGH)
