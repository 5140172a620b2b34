"""Detects rows with line numbers in the margin, as in pleadings, bills and transcripts: they keep their lines, so that no number
becomes part of a sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

_NUMBER = re.compile(r"(\d{1,4})\s+(?=(\S))")
_LEAST_ROWS, _LEAST_ROWS_APART = 4, 3  # least numbered rows; the second value is for pages that number every fifth row
_MOST_APART = 5
_RUNS_ON = 0.3  # share of the numbered rows that begin in lower case, unlike the entries of a list


def with_line_numbers(texts: Sequence[str]) -> list[bool]:
    """Returns for each row of a column whether it belongs to text with line numbers."""
    counted: dict[int, list[int]] = {}  # indexes of numbered rows, by the difference between number and index
    found = [_NUMBER.match(text) for text in texts]
    for place, match in enumerate(found):
        if match is not None:
            counted.setdefault(int(match.group(1)) - place, []).append(place)
    marked = [False] * len(texts)
    for places in counted.values():
        first, last = places[0], places[-1]
        steps = {after - before for before, after in pairwise(places)}
        is_counted = len(steps) == 1 and len(places) >= (_LEAST_ROWS if steps == {1} else _LEAST_ROWS_APART)
        lower = sum(match.group(2).islower() for match in (found[place] for place in places) if match is not None)
        if is_counted and max(steps) <= _MOST_APART and lower >= _RUNS_ON * len(places):
            marked[first : last + 1] = [True] * (last + 1 - first)
    return marked
