"""Matches the characters of a reading with the ink of its picture, in order from left to right.

The recognizer's places are off by up to a step and a half, which is the distance of two digits.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache

from rayocr.engines.rapidocr.numerals.glyphs import Shape

_UNMATCHED_INK, _UNMATCHED_CHARACTER = 1.5, 1.2  # costs, in steps
_SHARED = 0.6  # cost of each further character of one shape
_FARTHEST = 3.5  # largest distance of a character from its ink, in steps
_MOST_SHARED = 4
_FREE = 0.2


def match(places: Sequence[float], shapes: Sequence[Shape], *, step: float, several: Collection[Shape] = ()) -> list[range]:
    """Returns for each shape the indexes of its characters. `places`: of the visible characters, in pixels, `step`: the pixels of
    a step. Shapes of `several` may have up to four characters, or none."""
    if len(places) == len(shapes) and not several:
        return [range(n, n + 1) for n in range(len(places))]
    centers = [(shape.x0 + shape.x1) / 2 for shape in shapes]

    def cost_of(first: int, count: int, at: int) -> float:
        shape = shapes[at]
        if shape in several:
            outside = sum(max(shape.x0 - places[n], places[n] - shape.x1, 0) for n in range(first, first + count))
            return _FREE + outside / step
        width = (shape.x1 - shape.x0) / count
        off = sum(abs(places[first + n] - shape.x0 - (n + 0.5) * width) for n in range(count))
        return off / step + _SHARED * (count - 1)

    @cache
    def best(first: int, at: int) -> tuple[float, int]:
        """Returns the least cost of the characters and shapes from here on, and the choice: -1 leaves out a character, others are
        the number of characters of this shape."""
        if at == len(shapes):
            return _UNMATCHED_CHARACTER * (len(places) - first), -1
        choices = [(best(first, at + 1)[0] + (_FREE if shapes[at] in several else _UNMATCHED_INK), 0)]
        if first < len(places) and places[first] < centers[at] + _FARTHEST * step:
            choices.append((best(first + 1, at)[0] + _UNMATCHED_CHARACTER, -1))
        for count in range(1, min(_MOST_SHARED, len(places) - first) + 1):
            reach = _FARTHEST * step + (shapes[at].x1 - shapes[at].x0) / 2
            if abs(places[first + count - 1] - centers[at]) > reach or abs(places[first] - centers[at]) > reach:
                break
            choices.append((best(first + count, at + 1)[0] + cost_of(first, count, at), count))
        return min(choices)

    found: list[range] = []
    first = at = 0
    while at < len(shapes):
        _, count = best(first, at)
        if count < 0:
            first += 1
            continue
        found.append(range(first, first + count))
        first, at = first + count, at + 1
    return found
