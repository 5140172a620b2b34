"""Recognizes signatures side by side: names above offices, below white space for signing or in the middle of their columns. They
are read one by one. Examples:

Dunbar, 1 April 2010       Dunbar, 11 March 2013            Greta Jessop       Lionel Ingram
                                                              Director         Course leader
Vera Drummond              Piers Penhaligon
Landlord                   Tenant
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rayocr.engines.layout.lines import LayoutLine
from rayocr.engines.layout.rows import Row, rows_of

_ROWS, _COLUMNS = (2, 5), (2, 4)
_SPACE_EM = 1.5  # least white space for a signature above the name
_NEAR_EM = 0.8  # largest white space between name and office
_ALIGNED_EM = 0.5  # largest distance of left edges, or of middles
_UNLIKE_EM = 0.6  # least difference of left edges that shows that lines are centered
_LONGEST = 40


def are_signatures(left: Sequence[LayoutLine], right: Sequence[LayoutLine], em: float) -> bool:
    """Returns whether the lines of both sides are such blocks."""
    if not left or not right or len(left) + len(right) > _ROWS[1] * _COLUMNS[1]:
        return False
    rows = rows_of([*left, *right])
    count = len(rows[0].segments)
    if not _ROWS[0] <= len(rows) <= _ROWS[1] or not _COLUMNS[0] <= count <= _COLUMNS[1]:
        return False
    if any(len(row.segments) != count for row in rows) or not all(_is_name(it.text) for row in rows[-2:] for it in row.segments):
        return False
    names, offices = rows[-2:]
    if offices.y0 - names.y1 > _NEAR_EM * em or any(_is_long(it.text) for row in rows for it in row.segments):
        return False
    columns = [[row.segments[n] for row in rows] for n in range(count)]
    if len(rows) == _ROWS[0]:
        unlike = any(abs(one.x0 - two.x0) > _UNLIKE_EM * em for one, two in columns)
        return unlike and all(_have_same_middle(column, em) for column in columns)
    return (
        names.y0 - rows[-3].y1 > _SPACE_EM * em
        and all(_are_aligned(column, em) for column in columns)
        and _are_close(rows[:-2], em)
    )


def _is_name(text: str) -> bool:
    text = text.strip()
    return text[:1].isupper() and not any(map(str.isdigit, text)) and ":" not in text


def _is_long(text: str) -> bool:
    return len(text) > _LONGEST


def _have_same_middle(column: Sequence[LayoutLine], em: float) -> bool:
    middle = column[0].x0 + column[0].x1
    return all(abs(line.x0 + line.x1 - middle) < 2 * _ALIGNED_EM * em for line in column)


def _are_aligned(column: Sequence[LayoutLine], em: float) -> bool:
    first = column[0]
    return all(abs(line.x0 - first.x0) < _ALIGNED_EM * em for line in column) or _have_same_middle(column, em)


def _are_close(rows: Sequence[Row], em: float) -> bool:
    return all(below.y0 - above.y1 < _NEAR_EM * em for above, below in pairwise(rows))
