"""Joins a large initial with the rest of its word. If it were read line by line, "THIS paper" would become "T HIS paper"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rayocr.engines.layout.joining import page_words
from rayocr.engines.layout.lines import LayoutLine

_LARGER = 1.7  # least ratio of the initial's height to that of the line
_GAP_EM = 0.8  # largest gap between the initial and its word
_OVERLAP = 0.35  # share of the initial's width, since boxes are wider than letters
_BELOW = 0.6  # the word begins in this upper share of the initial
_WORDS = frozenset("AIO")  # initials that may be words themselves


def join_initials(lines: Sequence[LayoutLine]) -> list[LayoutLine]:
    """Returns the lines, with each initial moved to the beginning of the line beside it."""
    initials = [line for line in lines if len(line.text.strip()) == 1 and line.text.strip().isupper()]
    joined = {id(line): line for line in lines}
    for initial in initials:
        beside = [line for line in lines if _begins_beside(line, initial)]
        if not beside:
            continue
        first = min(beside, key=lambda line: line.y0)
        letter, rest = initial.text.strip(), joined[id(first)].text.lstrip()
        begin = "".join(rest.split(maxsplit=1)[:1]).strip(",.;:").lower()
        space = " " if letter in _WORDS and begin in page_words(line.text for line in lines if line is not first) else ""
        joined[id(first)] = replace(first, text=f"{letter}{space}{rest}", columns="")
        del joined[id(initial)]
    return [joined[id(line)] for line in lines if id(line) in joined]


def _begins_beside(line: LayoutLine, initial: LayoutLine) -> bool:
    """Returns whether the line begins with a letter directly to the right of the upper part of the initial."""
    if not line.text[:1].isalpha() or len(line.text) < 2 or initial.height < _LARGER * line.height:
        return False
    is_beside = -_OVERLAP * initial.width < line.x0 - initial.x1 < _GAP_EM * line.height
    return is_beside and initial.y0 - line.height < line.y0 < initial.y0 + _BELOW * initial.height
