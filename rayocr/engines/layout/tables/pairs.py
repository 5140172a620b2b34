"""Separates two lists of fields or amounts side by side, which have common baselines, so they look like one table. Examples:

Starters          Main courses            Description    Amount   Description    Amount
Soup       4.00   Lamb pie      12.50     Basic pay    2,100.00   Income tax     311.40
Trout      6.50   Fish stew     11.00     Travel          42.10   Pension        105.00
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rayocr.engines.layout.lines import LayoutLine
from rayocr.engines.layout.tables.table_rules import is_figure

_MOST_ABOVE = 4  # most rows above the heads
_LEAST_BELOW = 2
_LABELS = 0.8  # least share of cells without figures in the first column of each list
_ALIKE_EM = 1.0  # largest difference of the places of the second columns within both lists

Rows = Sequence[Sequence[Sequence[LayoutLine]]]


def lists_of(rows: Rows) -> list[Rows]:
    """Returns the rows above the lists, if any, then each left list with the right list beside it; the whole table if it is
    one."""
    width = len(rows[0]) // 2
    if len(rows[0]) < 4 or len(rows[0]) % 2:
        return [rows]
    heads = [index for index in range(len(rows) - _LEAST_BELOW) if _begin_lists(rows[index:], width)]
    starts = [index for index in heads if index - 1 not in heads]
    if not starts or starts[0] > _MOST_ABOVE:
        return [rows]
    found: list[Rows] = [rows[: starts[0]]] if starts[0] else []
    for start, end in pairwise([*starts, len(rows)]):
        halves = ([row[:width] for row in rows[start:end]], [row[width:] for row in rows[start:end]])
        found += [[row for row in half if any(row)] for half in halves]
    return found


def _begin_lists(rows: Rows, width: int) -> bool:
    """Returns whether two lists begin with this row: with their heads, or with the same heads of columns."""
    head, below = rows[0], rows[1:]
    if not all(_are_labels([row[n] for row in below]) for n in (0, width)):
        return False
    if _repeats(head, width) or (width == 2 and _repeat_figures(head, below)):
        return True
    if _filled(head) != {0, width} or _filled(below[0]) == {0, width}:
        return False
    return _repeats(below[0], width) or (width == 2 and _are_alike(below))


def _filled(row: Sequence[Sequence[LayoutLine]]) -> set[int]:
    return {number for number, cell in enumerate(row) if cell}


def _repeats(row: Sequence[Sequence[LayoutLine]], width: int) -> bool:
    """Returns whether the row has the heads of both lists, which are the same."""
    texts = [" ".join(line.text.strip() for line in cell) for cell in row]
    return texts[:width] == texts[width:] and all(any(map(str.isalpha, text)) for text in texts)


def _repeat_figures(head: Sequence[Sequence[LayoutLine]], below: Rows) -> bool:
    """Returns whether both lists have the same head above their figures, and other heads above their labels: "Earnings, Amount"
    and "Deductions, Amount"."""
    texts = [" ".join(line.text.strip() for line in cell) for cell in head]
    if not all(any(map(str.isalpha, text)) for text in texts) or texts[1] != texts[3]:
        return False
    return all(sum(is_figure(row[n]) for row in below if row[n]) >= _LEAST_BELOW for n in (1, 3))


def _are_labels(cells: Sequence[Sequence[LayoutLine]]) -> bool:
    filled = [cell for cell in cells if cell]
    return len(filled) >= _LEAST_BELOW and sum(not is_figure(cell) for cell in filled) >= _LABELS * len(filled)


def _are_alike(rows: Rows) -> bool:
    """Returns whether both lists have their second column at the same place, and fill both of their columns."""
    full = [[cell for row in rows for cell in pair if cell] for pair in ([row[:2] for row in rows], [row[2:] for row in rows])]
    both = [sum(bool(row[n] and row[n + 1]) for row in rows) for n in (0, 2)]
    if not all(full) or any(2 * count < sum(bool(row[n]) for row in rows) for n, count in zip((0, 2), both, strict=True)):
        return False
    em = max(line.height for row in rows for cell in row for line in cell)
    starts = [min((line.x0 for row in rows for line in row[n]), default=0.0) for n in range(4)]
    ends = [max((line.x1 for row in rows for line in row[n]), default=0.0) for n in range(4)]
    by_start = abs((starts[1] - starts[0]) - (starts[3] - starts[2]))
    by_end = abs((ends[1] - starts[0]) - (ends[3] - starts[2]))
    return min(by_start, by_end) < _ALIKE_EM * em and all(left < right for left, right in pairwise(starts))
