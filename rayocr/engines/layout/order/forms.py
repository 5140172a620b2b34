"""Recognizes parts of receipts and forms that look like columns but are read row by row."""

from __future__ import annotations

from collections.abc import Sequence

from rayocr.engines.layout.lines import LayoutLine
from rayocr.engines.layout.order.prose import fullness, sentences_run_on
from rayocr.engines.layout.rows import rows_of

_AMOUNTS, _LEAST = 0.6, 4  # least share of lines that are amounts, and least number of lines
_PROSE = 0.5
_OWN_LABEL = 3  # a text before as many amounts is their label; receipts have fewer in a row
# Heads of empty columns: most rows, least number in one of them, most characters; least number of rows below them.
_HEAD_ROWS, _LEAST_HEADS, _HEAD_CHARS, _EMPTY_ROWS = 3, 3, 20, 3
# Labels beside values: most characters, largest distance from their common edge, least share of lines at this edge; how much more
# their beginnings are spread than their ends, also in ems.
_LABEL_CHARS, _EDGE_EM, _ALIGNED, _RAGGED, _RAGGED_EM = 32, 0.6, 0.8, 2.0, 0.4
_MOST_HEADS = 45  # in all rows together


def is_of_amounts(left: Sequence[LayoutLine], right: Sequence[LayoutLine], em: float) -> bool:
    """Returns whether the right side consists of amounts, which belong to the texts of their rows. Numbers beside running text
    or other numbers may be those of a chart."""
    head = min(line.y1 for line in right)
    below = [line for line in right if line.center_y > head]  # amounts often have heads
    values = below if 2 * len(below) >= len(right) else right
    if len(right) < _LEAST or _amounts(left) > 1 - _AMOUNTS or max(_amounts(right), _amounts(values)) < _AMOUNTS:
        return False
    rows = rows_of(right)
    if 2 * sum(len(row.segments) > _OWN_LABEL and not _is_amount(row.segments[0].text) for row in rows) > len(rows):
        return False  # a table with labels of its own
    return fullness(left, em) < _PROSE or not sentences_run_on(left)


def _amounts(lines: Sequence[LayoutLine]) -> float:
    """Returns the share of lines that are amounts or codes, without lines of a single letter, such as a tax code."""
    texts = [line.text for line in lines if len(line.text.strip()) > 1 or line.text.strip().isdigit()]
    return sum(map(_is_amount, texts)) / max(len(texts), 1)


def _is_amount(text: str) -> bool:
    """Returns whether the text has more digits than letters, or consists of codes: 28.00 SR; U+0131, U+0152."""
    letters, digits = sum(map(str.isalpha, text)), sum(map(str.isdigit, text))
    return letters <= min(3, digits) or all(any(map(str.isdigit, word)) for word in text.split())


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


def are_labels_of_values(left: Sequence[LayoutLine], right: Sequence[LayoutLine], em: float) -> bool:
    """Returns whether the left side consists of labels that end at one edge, and the right side of their values, which begin at
    one edge. Running text is not aligned at its right edge only."""
    if len(left) < _LEAST or max(len(line.text) for line in left) > _LABEL_CHARS:
        return False
    ends, starts = sorted(line.x1 for line in left), sorted(line.x0 for line in left)
    values = sorted(line.x0 for line in right)
    for edge in (ends, values):
        if sum(abs(x - edge[len(edge) // 2]) < _EDGE_EM * em for x in edge) < _ALIGNED * len(edge):
            return False
    return _spread(starts) > max(_RAGGED * _spread(ends), _RAGGED_EM * em)


def _spread(places: Sequence[float]) -> float:
    """Returns the mean distance from the median place."""
    return sum(abs(x - places[len(places) // 2]) for x in places) / len(places)
