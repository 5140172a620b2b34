"""Finds the ink of a word in the picture of a line, by the place of one of its characters."""

from __future__ import annotations

from collections.abc import Sequence

Ink = Sequence[int]  # left, top, width, height and area of a shape, in pixels

_BLANK = 0.16  # white space between words, in heights of the line
_NEAR = 0.35  # largest distance of a word from its place, in heights of the line


def word_at(shapes: Sequence[Ink], place: float, height: int) -> list[Ink]:
    """Returns the shapes of the word at or next to a place in pixels, from left to right; none if no word is near. `shapes`: from
    left to right, `height`: of the line with its margins, in pixels."""
    words: list[list[Ink]] = []
    end = float("-inf")
    for shape in shapes:
        if shape[0] - end > _BLANK * height:
            words.append([])
        words[-1].append(shape)
        end = max(end, shape[0] + shape[2])

    def distance(word: list[Ink]) -> float:
        return max(word[0][0] - place, place - max(left + wide for left, _, wide, _, _ in word), 0)

    near = [word for word in words if distance(word) < _NEAR * height]
    return min(near, key=distance, default=[])
