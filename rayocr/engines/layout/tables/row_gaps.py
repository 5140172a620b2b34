"""Measures the white space between the rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rayocr.engines.layout.rows import Row

SET_OFF_EM = 0.35
_CLOSER = 1.5  # ratio of the distance of rows to that of a cell's lines
_NEAR_EM = 0.6


def is_set_off(rows: Sequence[Row], index: int, em: float) -> bool:
    """Returns whether white space separates this row from the one above."""
    return rows[index].y0 - rows[index - 1].y1 > SET_OFF_EM * em


def stands_alone(rows: Sequence[Row], start: int, index: int, em: float) -> bool:
    """Returns whether white space separates this row from the table that begins at `start`, and from the row below."""
    if not is_set_off(rows, index, em) or (index + 1 < len(rows) and not is_set_off(rows, index + 1, em)):
        return False
    return not _is_second_line(rows, start, index, em)


def _is_second_line(rows: Sequence[Row], start: int, index: int, em: float) -> bool:
    """Returns whether the row is the second line of a cell: it is nearer to the row above than rows of the table are to each
    other, and is below one of its cells."""
    if index + 1 == len(rows) or index - start < 2 or len(rows[index + 1].segments) < 2:
        return False
    above, row = rows[index - 1], rows[index]
    gap = row.y0 - above.y1
    between = [*(lower.y0 - upper.y1 for upper, lower in pairwise(rows[start:index])), rows[index + 1].y0 - row.y1]
    is_near = gap < _NEAR_EM * em and _CLOSER * gap < min(between)
    return is_near and any(cell.x0 - em / 2 < row.x0 and row.x1 < cell.x1 + em / 2 for cell in above.segments)
