"""Recognizes short texts beside each other that are read one by one: steps with numbers, figures with captions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rayocr.engines.layout.lines import LayoutLine
from rayocr.engines.layout.units.series import markers_of

_SAME_ROW = 0.5  # largest distance of the centers of lines of one row, as a share of their height
_MOST_LINES = 4  # most lines below the first one
_LARGE = 1.4  # least ratio of the height of a figure to that of its caption
_SAME_EDGE = 0.5  # largest distance of left edges or centers, as a share of the height of a caption's line


def are_side_by_side(left: Sequence[LayoutLine], right: Sequence[LayoutLine]) -> bool:
    """Returns whether both sides consist of such texts: each has its number, or its large figure, in the first row."""
    lines = sorted((*left, *right), key=lambda line: line.center_y)
    top = [line for line in lines if line.center_y - lines[0].center_y < _SAME_ROW * lines[0].height]
    below = lines[len(top) :]
    if not len(top) <= len(below) <= _MOST_LINES * len(top) or not all(
        any(line in side for line in top) for side in (left, right)
    ):
        return False
    if not any(line.text[:1].islower() for line in below):
        return False
    top.sort(key=lambda line: line.x0)
    return _are_steps(top, below) or _are_captioned(top, below)


def _are_steps(top: Sequence[LayoutLine], below: Sequence[LayoutLine]) -> bool:
    """Returns whether the first row has consecutive numbers, and no other line has one: (1), (2), (3)."""
    if any(markers_of(line.text) for line in below):
        return False
    return all(
        any(one.is_before(two) for one in markers_of(left.text) for two in markers_of(right.text))
        for left, right in pairwise(top)
    )


def _are_captioned(top: Sequence[LayoutLine], below: Sequence[LayoutLine]) -> bool:
    """Returns whether all other lines are smaller and each is below a line of the first row: 48 %, of all homes."""
    tallest = max(line.height for line in below)
    return min(line.height for line in top) >= _LARGE * tallest and all(
        any(
            min(abs(line.x0 - large.x0), abs(line.x0 + line.x1 - large.x0 - large.x1) / 2) < _SAME_EDGE * line.height
            for large in top
        )
        for line in below
    )
