"""Recognizes parts of receipts and forms that look like columns but are read row by row."""

from __future__ import annotations

from collections.abc import Sequence

from rayocr.engines.layout.lines import LayoutLine
from rayocr.engines.layout.order.prose import fullness, sentences_run_on
from rayocr.engines.layout.rows import rows_of

_AMOUNTS, _LEAST = 0.6, 4  # least share of lines that are amounts, and least number of lines
_PROSE = 0.5
# Heads of empty columns: most rows, least number in one of them, most characters; least number of rows below them.
_HEAD_ROWS, _LEAST_HEADS, _HEAD_CHARS, _EMPTY_ROWS = 3, 3, 20, 3
_MOST_HEADS = 45  # in all rows together


def is_of_amounts(left: Sequence[LayoutLine], right: Sequence[LayoutLine], em: float) -> bool:
    """Returns whether the right side consists of amounts, which belong to the texts of their rows. Numbers beside running text
    or other numbers may be those of a chart."""
    if len(right) < _LEAST or _amounts(right) < _AMOUNTS or _amounts(left) > 1 - _AMOUNTS:
        return False
    return fullness(left, em) < _PROSE or not sentences_run_on(left)


def _amounts(lines: Sequence[LayoutLine]) -> float:
    """Returns the share of lines that are amounts, without lines of a single letter, such as a tax code."""
    counts = [(sum(map(str.isalpha, line.text)), sum(map(str.isdigit, line.text))) for line in lines]
    counts = [(letters, digits) for letters, digits in counts if letters + digits > 1 or digits]
    return sum(letters <= 3 and letters < digits for letters, digits in counts) / max(len(counts), 1)


def are_heads_of_empty_columns(left: Sequence[LayoutLine], right: Sequence[LayoutLine]) -> bool:
    """Returns whether the right side consists of the heads of columns that are empty, since a form's rows were not filled in. The
    labels of the rows are on the left, below the row of heads."""
    bottom = max(line.y1 for line in right)
    if len(right) > _MOST_HEADS:
        return False
    band = [*right, *(line for line in left if line.center_y < bottom)]
    if len(band) == len(right) or max(len(line.text) for line in band) > _HEAD_CHARS:
        return False
    rows = rows_of(band)
    heads = [len(row.segments) for row in rows]
    if len(rows) > _HEAD_ROWS or min(heads) < 2 or max(heads) < _LEAST_HEADS:
        return False
    return len(rows_of([line for line in left if line.center_y >= bottom])) >= _EMPTY_ROWS
