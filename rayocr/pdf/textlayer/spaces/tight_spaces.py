"""Finds spaces that are narrower than those that PDFium reports: "TABLE OF CONTENTS" set with gaps of a twelfth of the font size.

Gaps as narrow as these may also be kerning or tracking. Spaces are gaps of one width between different letters, while all other
letters of the line touch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

_NARROWEST_EM, _WIDEST_EM = 0.05, 0.2  # in heights of the font's box
_TOUCHING_EM = 0.012
_SAME_EM = 0.018  # largest difference between two such spaces; the box of an f may reach into one
_AROUND, _LEAST_TOUCHING = 12, 3  # number of gaps on each side that are compared, and how many must touch
_MOST = 200
_LEAST_KINDS = 3  # number of different letters on each side of such gaps; kerning and wrong widths belong to certain letters


def tight_spaces(texts: Sequence[str], said: Any, gaps: Any) -> Iterator[int]:
    """Yields the characters that such a space precedes. `said[n]`: whether PDFium reports a space after the n-th character;
    `gaps[n]`: in em, after it; infinite between lines."""
    places = np.flatnonzero(~said & (gaps > _NARROWEST_EM) & (gaps < _WIDEST_EM))
    if len(places) < _LEAST_KINDS:
        return
    places = places[~_near(said, gaps)[places]]
    places = np.array([n for n in places.tolist() if texts[n][-1].isalnum() and texts[n + 1][0].isalnum()], int)
    apart = [n for n in places[np.argsort(gaps[places], kind="stable")].tolist() if _is_between_touching(gaps, n)]
    start, widths = 0, gaps[apart]
    while start < len(apart):
        end = int(np.searchsorted(widths, widths[start] + _SAME_EM, "right"))
        own = apart[start:end]
        if min(len({texts[n] for n in own[:_MOST]}), len({texts[n + 1] for n in own[:_MOST]})) >= _LEAST_KINDS:
            yield from (n + 1 for n in own)
            start = end
        else:
            start += 1


def _near(said: Any, gaps: Any) -> Any:
    """Returns, for each gap, whether one of the nearest gaps of its line is a space. Old fonts of TeX have a kern of one width
    between many pairs of letters. Spares the slower comparison of each gap on ordinary pages."""
    places = np.arange(len(gaps))
    found = np.zeros(len(gaps), bool)
    for order in (slice(None), slice(None, None, -1)):
        is_space, is_end = (mask[order] for mask in (said & np.isfinite(gaps), ~np.isfinite(gaps)))
        space, end = (np.maximum.accumulate(np.where(mask, places, -1 - _AROUND)) for mask in (is_space, is_end))
        found |= ((space > end) & (places - space <= _AROUND))[order]
    return found


def _is_between_touching(gaps: Any, place: int) -> bool:
    """Returns whether all letters around a gap on its line touch, except at other gaps as wide."""
    first, last = max(0, place - _AROUND), place + _AROUND + 1
    ends = np.flatnonzero(~np.isfinite(gaps[first:last])) + first
    own = gaps[max(first, int(ends[ends < place].max(initial=-1)) + 1) : int(ends[ends > place].min(initial=last))]
    touch, alike = np.abs(own) <= _TOUCHING_EM, np.abs(own - gaps[place]) <= _SAME_EM
    return int(touch.sum()) >= max(_LEAST_TOUCHING, int(alike.sum())) and bool((touch | alike | (own < 0)).all())
