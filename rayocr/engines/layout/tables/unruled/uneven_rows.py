"""Finds tables without a grid whose cells have several lines and are in the middle or at the bottom of their rows. Example:

        The tenant reviews the
Paint   figures once a quarter   Check the flexible   1,204
        and signs them.          timber

Their lines have no common baselines. White space or a ruling across the whole table separates their rows. Columns of running text
and sidebars do not have their blocks in the middle or at the bottom of each other, row after row.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from rayocr.engines.layout.lines import LayoutLine, Ruling
from rayocr.engines.layout.rows import MARKER, has_label, rows_of
from rayocr.engines.layout.tables.alignment import AlignedTable
from rayocr.engines.layout.tables.table_rules import MIN_ROWS, Column, is_figure, runs_on

_OVERLAP_EM = 0.25  # boxes of scans are wider than their text, so the boxes of two columns may touch
# Least distance of the middles of two lines of different rows: a multiple of that of the lines of a cell, and more in addition.
_NEW_ROW, _ROW_GAP_EM = 1.16, 0.1
_MAX_GAP_EM = 4.0
_RULE_SHARE = 0.5  # least share of the width of the text that a ruling between rows has
_LEVEL_EM = 0.25  # largest distance of the tops, middles or bottoms of two cells that are level
_LEAST_UNEVEN, _UNEVEN = 2, 0.8  # least number of rows with cells of different height, and least share of them that agree
_LEAST_TERMS, _TERMS, _LEVEL_ROWS = 4, 0.6, 0.9  # rows; width of the terms, as a share of the explanations; share of level rows
_SMALL = 0.93  # least ratio of the heights of terms and explanations
_FILLED = 0.6  # least share of rows with text in two columns
_MOST_LINES = 12
_LEAST_LINES = 8  # of a page with such a table
_ATTEMPTS = 3  # number of rows of a region from which the start of a table is tried

_Band = list[LayoutLine]
_Rows = Sequence[Sequence[Sequence[LayoutLine]]]


def take_uneven_tables(
    lines: Sequence[LayoutLine], rulings: Sequence[Ruling], em: float
) -> tuple[list[AlignedTable], list[LayoutLine]]:
    """Returns the tables and the lines outside them."""
    if len(lines) < _LEAST_LINES:
        return [], list(lines)
    bands = _bands(lines, rulings, em)
    found: list[AlignedTable] = []
    taken: set[int] = set()
    start = attempts = 0
    while start < len(bands):
        end, inside, columns = _in_columns(bands, start, em)
        inside = _without_single(inside, columns)
        table = _table(inside, columns, em)
        if table is not None:
            found.append(AlignedTable(table))
            taken |= {id(line) for band in inside for line in band}
        attempts += 1
        if table is not None or attempts == _ATTEMPTS or end <= start + 1:
            start, attempts = max(end, start + 1), 0
        else:
            start += 1
    return found, [line for line in lines if id(line) not in taken]


def _bands(lines: Sequence[LayoutLine], rulings: Sequence[Ruling], em: float) -> list[_Band]:
    """Returns the lines between white space, or rulings, that crosses the page."""
    ordered = sorted(lines, key=lambda line: line.center_y)
    width = max(line.x1 for line in lines) - min(line.x0 for line in lines)
    rules = sorted(ruling.y0 for ruling in rulings if ruling.is_horizontal and ruling.x1 - ruling.x0 > _RULE_SHARE * width)
    least = _NEW_ROW * _pitch(lines, em) + _ROW_GAP_EM * em
    bands: list[_Band] = []
    bottom, middle = -1e9, -1e9
    for line in ordered:
        slack = 0.3 * line.height
        ruled = line.y0 > bottom - slack and any(bottom - slack < y < line.y0 + slack for y in rules)
        if line.center_y - middle > least or ruled:
            bands.append([line])
            bottom = line.y1
        else:
            bands[-1].append(line)
            bottom = max(bottom, line.y1)
        middle = line.center_y
    return bands


def _pitch(lines: Sequence[LayoutLine], em: float) -> float:
    """Returns the distance of most lines from the line below them."""
    rows = sorted(lines, key=lambda line: line.center_y)
    pitches: list[float] = []
    for index, line in enumerate(rows):
        below = (
            other
            for other in rows[index + 1 : index + 12]
            if other.center_y > line.center_y + 0.5 * em and min(other.x1, line.x1) > max(other.x0, line.x0)
        )
        if (other := next(below, None)) is not None and other.y0 - line.y1 < em:
            pitches.append(other.center_y - line.center_y)
    pitches.sort()
    return pitches[len(pitches) // 3] if pitches else em


def _in_columns(bands: Sequence[_Band], start: int, em: float) -> tuple[int, list[_Band], list[Column]]:
    """Returns the band after those from this one on whose lines are in the same columns, these bands, and the columns. Of the
    bands above and below them, the lines beside text over several columns are part of the table."""
    columns: list[Column] = []
    end = start
    while end < len(bands) and (end == start or _are_near(bands[end - 1], bands[end], em)):
        widened = _widened(columns, bands[end], em)
        if widened is None or len(widened) < 2:
            break
        columns = widened
        end += 1
    inside = list(bands[start:end])
    if len(inside) < MIN_ROWS - 1:
        return end, inside, columns
    if end < len(bands) and (part := _part(bands[end], columns, em, from_below=False)):
        inside, columns = [*inside, part], _widened(columns, part, em) or columns
    if start and (part := _part(bands[start - 1], columns, em, from_below=True)):
        inside, columns = [part, *inside], _widened(columns, part, em) or columns
    return end, inside, columns


def _without_single(bands: Sequence[_Band], columns: Sequence[Column]) -> list[_Band]:
    """Returns the bands without the first and last ones in only one column, such as headings."""
    wide = [n for n, band in enumerate(bands) if sum(any(column.holds(line) for line in band) for column in columns) > 1]
    return list(bands[wide[0] : wide[-1] + 1]) if wide else []


def _are_near(above: _Band, below: _Band, em: float) -> bool:
    return min(line.y0 for line in below) - max(line.y1 for line in above) < _MAX_GAP_EM * em


def _part(band: _Band, columns: Sequence[Column], em: float, *, from_below: bool) -> _Band:
    """Returns the lines of a band above (or below) its text over several columns, if they are in the columns of the table and
    in two or more of them."""
    across = [line for line in band if _touched(columns, line, em) > 1]
    if not across:
        return []
    if from_below:
        edge = max(line.center_y for line in across)
        part = [line for line in band if line.y0 > edge]
    else:
        edge = min(line.center_y for line in across)
        part = [line for line in band if line.y1 < edge]
    used = sum(any(column.holds(line) for line in part) for column in columns)
    return part if used > 1 and _widened(columns, part, em) is not None else []


def _touched(columns: Sequence[Column], line: LayoutLine, em: float) -> int:
    return sum(line.x0 < column.x1 - _OVERLAP_EM * em and line.x1 > column.x0 + _OVERLAP_EM * em for column in columns)


def _widened(columns: Sequence[Column], band: _Band, em: float) -> list[Column] | None:
    """Returns the columns with the lines of the band; None if they would join two columns."""
    found = [Column(column.x0, column.x1) for column in columns]
    for line in band:
        touched = [
            column for column in found if line.x0 < column.x1 - _OVERLAP_EM * em and line.x1 > column.x0 + _OVERLAP_EM * em
        ]
        if len(touched) > 1:
            return None
        if touched:
            touched[0].x0, touched[0].x1 = min(touched[0].x0, line.x0), max(touched[0].x1, line.x1)
        else:
            found.append(Column(line.x0, line.x1))
    found.sort(key=lambda column: column.x0)
    return None if any(right.x0 < left.x1 for left, right in pairwise(found)) else found


def _table(bands: Sequence[_Band], columns: Sequence[Column], em: float) -> list[list[list[LayoutLine]]] | None:
    """Returns the rows of the table; None if the bands are not a table."""
    if len(bands) < MIN_ROWS:
        return None
    rows = [
        [sorted((line for line in band if column.holds(line)), key=lambda line: line.y0) for column in columns] for band in bands
    ]
    counts = [[len(rows_of(cell)) for cell in row] for row in rows]
    if max(max(row) for row in counts) > _MOST_LINES or sum(len([n for n in row if n]) > 1 for row in counts) < _FILLED * len(
        rows
    ):
        return None
    uneven = [row for row, numbers in zip(rows, counts, strict=True) if len({n for n in numbers if n}) > 1]
    if len(uneven) < _LEAST_UNEVEN or not (_are_level(rows, uneven, em) or _are_terms(rows, columns, em)):
        return None
    stacked = any(sum(is_figure([line]) for line in cell) > 1 for row in rows for cell in row)
    if stacked or any(_runs_on([row[n] for row in rows]) for n in range(len(columns))):
        return None
    return rows


def _runs_on(cells: Sequence[Sequence[LayoutLine]]) -> bool:
    """Does what `runs_on` does, without cells of one word, such as names of parameters."""
    return runs_on([cell for cell in cells if cell and " " in cell[0].text.strip()])


def _are_level(rows: _Rows, uneven: _Rows, em: float) -> bool:
    """Returns whether the middles or the bottoms of the cells are level in most rows and in most uneven ones, whose tops are not
    level."""
    beside = [row for row in rows if sum(map(bool, row)) > 1]
    tops, *others = _level(uneven, em)
    return any(
        count >= _UNEVEN * len(uneven) and count > tops and of_all >= _UNEVEN * len(beside)
        for count, of_all in zip(others, _level(beside, em)[1:], strict=True)
    )


def _level(rows: _Rows, em: float) -> list[int]:
    """Returns in how many rows the tops, the middles and the bottoms of the cells are level."""
    found: list[list[bool]] = []
    for row in rows:
        spans = [(min(line.y0 for line in cell), max(line.y1 for line in cell)) for cell in row if cell]
        places = zip(*((top, (top + bottom) / 2, bottom) for top, bottom in spans), strict=True)
        found.append([_spread(place) < _LEVEL_EM * em for place in places])
    return [sum(counts) for counts in zip(*found, strict=True)]


def _are_terms(rows: _Rows, columns: Sequence[Column], em: float) -> bool:
    """Returns whether the rows are terms beside explanations: in two columns, all of whose cells have text and begin level with
    each other. The small type of notes in the margin is not a column of terms."""
    if len(columns) != 2 or len(rows) < _LEAST_TERMS or not all(all(row) for row in rows):
        return False
    if columns[0].x1 - columns[0].x0 > _TERMS * (columns[1].x1 - columns[1].x0):
        return False
    if any(MARKER.match(cells[0].text.strip()) or has_label(cells[0].text) for cells, _ in rows):
        return False
    level = sum(_spread([cell[0].center_y for cell in row]) < _LEVEL_EM * em for row in rows)
    heights = [median(line.height for row in rows for line in row[n]) for n in (0, 1)]
    return level >= _LEVEL_ROWS * len(rows) and heights[0] > _SMALL * heights[1]


def _spread(values: Sequence[float]) -> float:
    return max(values) - min(values)
