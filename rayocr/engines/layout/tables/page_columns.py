"""Finds a column of the page's running text beside a table, whose lines are at the heights of the table's rows.

Such a column is no column of the table: its text continues above or below the table, or its sentences continue through rows of
figures, each of which begins a row of the table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from rayocr.engines.layout.lines import LayoutLine
from rayocr.engines.layout.rows import Row
from rayocr.engines.layout.tables.table_rules import MIN_ROWS, WORDY_CHARS, Column, is_figure
from rayocr.engines.layout.units.breaks import SENTENCE_END
from rayocr.engines.layout.units.lines import sentences_run_on

_MOST_OUTSIDE = 12  # number of lines that are read above and below the table
_FULL_EM = 3.5  # a line that ends this close to the edge of its column continues in the next line
_SIMILAR = 0.6  # least width of the first line outside the table, as a share of the column's width
_THROUGH = 2  # least number of lines that continue a sentence beside new figures


def page_column(rows: Sequence[Row], start: int, end: int, columns: Sequence[Column], em: float) -> Column | None:
    """Returns the first or last column of the table in these rows if it is a column of the page; else None."""
    for column in (columns[0], columns[-1]):
        inside = [(row, segment) for row in rows[start:end] for segment in row.segments if column.holds(segment)]
        texts = [segment.text for _, segment in inside]
        if len(inside) < MIN_ROWS:
            continue
        if _runs_through_figures(inside, column, em):
            return column
        if sum(map(len, texts)) < WORDY_CHARS * len(texts):
            continue
        lines = [segment for _, segment in inside]
        outside = [line.text for line in _continued(lines, rows, start, end, column, em)]
        if outside and sentences_run_on(texts if len(outside) < len(texts) else [*texts, *outside]):
            return column
    return None


def _continued(
    inside: Sequence[LayoutLine], rows: Sequence[Row], start: int, end: int, column: Column, em: float
) -> list[LayoutLine]:
    """Returns the lines of the column above and below the table, without white space between them."""
    found: list[LayoutLine] = []
    edge = max(line.y1 for line in inside)
    least = _SIMILAR * (column.x1 - column.x0)
    for row in rows[end : end + _MOST_OUTSIDE]:
        line = next(_within(row, column, em), None)
        if line is not None and line.y0 - edge < em and (found or line.width > least):
            found.append(line)
            edge = line.y1
        elif row.y0 - edge > em:
            break
    below, edge = len(found), min(line.y0 for line in inside)
    for row in reversed(rows[max(0, start - _MOST_OUTSIDE) : start]):
        line = next(_within(row, column, em), None)
        if line is not None and edge - line.y1 < em and (len(found) > below or line.width > least):
            found.append(line)
            edge = line.y0
        elif edge - row.y1 > em:
            break
    return found


def _within(row: Row, column: Column, em: float) -> Iterator[LayoutLine]:
    return (s for s in row.segments if column.x0 - em / 2 < s.x0 < column.x0 + 2 * em and s.x1 < column.x1 + em / 2)


def _runs_through_figures(inside: Sequence[tuple[Row, LayoutLine]], column: Column, em: float) -> bool:
    """Returns whether a sentence that begins with a capital continues from full line to full line although a new row of figures
    is beside each line. A row without figures may be the head of a table whose texts begin in lower case."""
    found = 0
    for (row_above, above), (row, line) in pairwise(inside):
        is_full = above.x1 > column.x1 - _FULL_EM * em and len(above.text) > WORDY_CHARS and not above.text.endswith(SENTENCE_END)
        continues = is_full and line.text[:1].islower() and _has_figures(row, line)
        if not continues or (not found and not (above.text[:1].isupper() and _has_figures(row_above, above))):
            found = 0
        else:
            found += 1
        if found == _THROUGH:
            return True
    return False


def _has_figures(row: Row, beside: LayoutLine) -> bool:
    return any(is_figure([other]) for other in row.segments if other is not beside)
