"""Joins the lines of a label beside fields, since a long question of a form is set in two to four short lines.

Read row by row, the values of the fields would come between the lines of the label.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace

from rayocr.engines.layout.joining import join_lines
from rayocr.engines.layout.lines import LayoutLine

_MOST_LINES = 4
_LONGEST_CHARS = 160  # maximum number of characters of a label
_NEIGHBOR_CHARS = 45
_PITCH = 1.7  # largest distance of two lines, in line heights
_BEGINS_EM, _HANGING_EM = 0.6, 3.0  # distance of the beginnings of lines; the same after the number of a question
_GAP_EM = 0.8  # largest white space between the label and its fields
_SAME_SIZE = 1.12
_NUMBER = re.compile(r"\(?(?:\d{1,3}[a-z]?|[a-z])[.)]?\s")


def join_wrapped_labels(lines: Sequence[LayoutLine], em: float) -> list[LayoutLine]:
    """Returns the lines, with one line for each label, on the baseline of its first field."""
    down = sorted(lines, key=lambda line: line.center_y)
    centers = [line.center_y for line in down]
    joined: dict[int, LayoutLine] = {}
    taken: set[int] = set()
    chains = _chains(down, centers, em)
    members = {id(line) for chain in chains for line in chain}
    for chain in chains:
        if not 2 <= len(chain) <= _MOST_LINES or sum(len(line.text) for line in chain) > _LONGEST_CHARS:
            continue
        if _continues(chain[0].text) or not all(_continues(line.text) for line in chain[1:]):
            continue
        beside = _beside(chain, down, centers, em)
        if beside is None or any(id(line) in members or len(line.text) > _NEIGHBOR_CHARS for line in beside):
            continue
        joined[id(chain[0])] = _as_one(chain, beside)
        taken |= {id(line) for line in chain[1:]}
    return [joined.get(id(line), line) for line in lines if id(line) not in taken]


def _chains(down: Sequence[LayoutLine], centers: Sequence[float], em: float) -> list[list[LayoutLine]]:
    """Returns lines that are close below each other and begin at one place, as chains of two lines or more."""
    chains: dict[int, list[LayoutLine]] = {}  # chains, by the id of their last line
    for place, line in enumerate(down):
        below = range(place + 1, bisect_left(centers, line.center_y + _PITCH * line.height))
        following = next((down[n] for n in below if _is_below(chains.get(id(line), [line])[0], line, down[n], em)), None)
        if following is not None:
            chains[id(following)] = [*chains.pop(id(line), [line]), following]
    return list(chains.values())


def _is_below(first: LayoutLine, line: LayoutLine, below: LayoutLine, em: float) -> bool:
    if below.y0 < line.center_y or not line.height <= _SAME_SIZE * below.height <= _SAME_SIZE**2 * line.height:
        return False
    is_hanging = line is first and _NUMBER.match(line.text) and -_BEGINS_EM * em < below.x0 - line.x0 < _HANGING_EM * em
    return bool(is_hanging) or abs(below.x0 - line.x0) < _BEGINS_EM * em


def _continues(text: str) -> bool:
    return text[:1].islower() or text[:1] == "("


def _beside(
    chain: Sequence[LayoutLine], down: Sequence[LayoutLine], centers: Sequence[float], em: float
) -> list[LayoutLine] | None:
    """Returns the lines to the right of the label, from top to bottom; None if there are none, or if a line is to the left of
    it."""
    top, bottom = chain[0].y0, chain[-1].y1
    right = max(line.x1 for line in chain) + _GAP_EM * em
    own = {id(line) for line in chain}
    near = down[bisect_left(centers, top) : bisect_left(centers, bottom)]
    others = [line for line in near if id(line) not in own]
    return others if others and all(line.x0 > right for line in others) else None


def _as_one(chain: Sequence[LayoutLine], beside: Sequence[LayoutLine]) -> LayoutLine:
    text, middle, half = join_lines(line.text for line in chain), beside[0].center_y, chain[0].height / 2
    return replace(
        chain[0],
        text=text,
        x0=min(line.x0 for line in chain),
        x1=max(line.x1 for line in chain),
        y0=middle - half,
        y1=middle + half,
        columns="",
    )
