"""Joins letters below each other to the word that they spell, as in labels beside groups of rows and in shop signs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from rayocr.engines.layout.lines import LayoutLine

_LETTER = re.compile("[A-Za-z\u00c0-\u024f\u0370-\u03ff\u0400-\u04ff]")
_VOWELS = frozenset("AEIOUYaeiouyΑΕΗΙΟΥΩαεηιουωАЕИОУЫЭЮЯаеиоуыэюя")
_LEAST_LETTERS, _LEAST_DISTINCT = 4, 3
_ALIKE = 1.3  # largest ratio of the heights of two letters, and of their distances
_CENTERED = 0.35  # largest horizontal distance of their middles, in letter heights
_PITCHES = (0.6, 1.6)  # distance of two letters, in letter heights
_FARTHEST = _ALIKE * _PITCHES[1]
_LEVEL, _MOST_LEVEL = 0.15, 0.75  # distance from a baseline, in heights; share of the letters with a line on their baseline


def join_stacked_letters(lines: Sequence[LayoutLine]) -> list[LayoutLine]:
    """Returns the lines, with one line for each stack of letters that may be a word."""
    letters = [line for line in lines if _LETTER.fullmatch(line.text.strip())]
    if len(letters) < _LEAST_LETTERS:
        return list(lines)
    joined: dict[int, LayoutLine] = {}
    taken: set[int] = set()
    for stack in _stacks(letters):
        if _is_word([line.text.strip() for line in stack]) and not _are_cells(stack, lines):
            joined[id(stack[0])] = replace(
                stack[0],
                text="".join(line.text.strip() for line in stack),
                x0=min(line.x0 for line in stack),
                x1=max(line.x1 for line in stack),
                y1=stack[-1].y1,
                turned=True,
            )
            taken |= {id(line) for line in stack[1:]}
    return [joined.get(id(line), line) for line in lines if id(line) not in taken]


def _stacks(letters: Sequence[LayoutLine]) -> list[list[LayoutLine]]:
    """Returns letters at equal distances below each other."""
    found: list[list[LayoutLine]] = []
    near: list[list[LayoutLine]] = []
    for letter in sorted(letters, key=lambda line: line.center_y):
        near = [stack for stack in near if letter.center_y - stack[-1].center_y < _FARTHEST * stack[-1].height]
        stack = next((stack for stack in near if _continues(stack, letter)), None)
        if stack is None:
            found.append([letter])
            near.append(found[-1])
        else:
            stack.append(letter)
    return found


def _continues(stack: Sequence[LayoutLine], letter: LayoutLine) -> bool:
    above = stack[-1]
    pitch = letter.center_y - above.center_y
    smaller, larger = sorted((above.height, letter.height))
    if larger > _ALIKE * smaller or not _PITCHES[0] * larger < pitch < _PITCHES[1] * larger:
        return False
    if len(stack) > 1:
        low, high = sorted((pitch, above.center_y - stack[-2].center_y))
        if high > _ALIKE * low:
            return False
    return abs(letter.x0 + letter.x1 - above.x0 - above.x1) / 2 < _CENTERED * larger


def _is_word(letters: Sequence[str]) -> bool:
    """Returns whether the letters may spell a word; the letters of items (A, B, C) and of answers do not."""
    word = "".join(letters)
    plain = unicodedata.normalize("NFD", word)
    vowels = sum(char in _VOWELS for char in plain)
    is_sequence = all(ord(after) - ord(before) == 1 for before, after in pairwise(letters))
    cased = word.isupper() or word[1:].islower()
    return (
        len(letters) >= _LEAST_LETTERS
        and len(set(letters)) >= _LEAST_DISTINCT
        and 0 < vowels < len(word)
        and cased
        and not is_sequence
    )


def _are_cells(stack: Sequence[LayoutLine], lines: Sequence[LayoutLine]) -> bool:
    """Returns whether most letters have a line on their baseline, like codes and answers in the rows of a table."""
    others = [line for line in lines if len(line.text.strip()) > 1 or not _LETTER.fullmatch(line.text.strip())]
    level = sum(any(abs(line.center_y - letter.center_y) < _LEVEL * letter.height for line in others) for letter in stack)
    return level > _MOST_LEVEL * len(stack)
