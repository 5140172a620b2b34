"""Finds tables without a full grid of rulings: columns of short text on common baselines, whose cells may have several lines.

Prose set in columns is also aligned. Unlike in a table, its lines fill their column in every column, and its rows do not begin
together. In doubt, a range of rows is not a table, and its lines are read in the order of columns or rows.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from statistics import median

from rayocr.engines.layout.headings import is_headline
from rayocr.engines.layout.lines import LayoutLine, Ruling
from rayocr.engines.layout.rows import MARKER, Row, rows_of
from rayocr.engines.layout.tables.bands import joined_rows
from rayocr.engines.layout.tables.cell_text import cell_texts
from rayocr.engines.layout.tables.page_columns import page_column
from rayocr.engines.layout.tables.row_gaps import SET_OFF_EM, is_set_off, stands_alone
from rayocr.engines.layout.tables.table_rules import (
    LEAST_EQUAL,
    MIN_ROWS,
    WORDY_CHARS,
    Column,
    are_equal_rows,
    is_figure,
    is_table,
    widest_gap,
)

_CELL_GAP_EM = 0.5  # least white space between cells of one row
_COLUMN_GAP_EM = 0.45  # least white space between columns; boxes of scans are wider than their text
_CLOSE_EM = 0.25  # the same, if all rows have a cell on both sides
_TIGHT_EM = 0.08  # the same for columns of numbers, if the first rows have the same number of cells
_OVERLAP_EM = 0.25  # an overlap this small is jitter of the boxes
_MARKS = frozenset("-\u2010\u2011\u2012\u2013\u2014\u2212|/·*")  # cells that may be narrower than the jitter
_MAX_GAP_EM = 2.6  # largest white space above a row that belongs to the table
# Number of rows from which the start of a table is tried; trying each row of a receipt of a thousand rows would take a minute.
_ATTEMPTS = 100
_SENTENCE_END = tuple(".!?:;。！？।॥")
_FULL_EM = 3.5  # running text that ends this close to the edge of its column continues
_NEW_ROW = 1.16  # least ratio of the distance between rows to the distance of lines within a cell
_OPEN_EM = 1.5  # lines of a cell are closer
_CODE, _LEAST_COLUMNS = 5, 4  # most characters of a code; least columns of a table in which codes show the rows
_SAME_PT = 1.5  # largest distance of the parts of an interrupted ruling, and of a head from the start of its column
_RULE_SHARE = 0.6  # least share of the table's width; shorter rulings do not separate rows


@dataclass(slots=True)
class AlignedTable:
    """Rows of cells, each with its lines. The reading order treats it as one box. `by_columns`: blocks of text side by side."""

    rows: list[list[list[LayoutLine]]]
    by_columns: bool = False

    @property
    def lines(self) -> list[LayoutLine]:
        return [line for row in self.rows for cell in row for line in cell]

    @property
    def x0(self) -> float:
        return min(line.x0 for line in self.lines)

    @property
    def x1(self) -> float:
        return max(line.x1 for line in self.lines)

    @property
    def y0(self) -> float:
        return min(line.y0 for line in self.lines)

    @property
    def y1(self) -> float:
        return max(line.y1 for line in self.lines)

    def cells(self, known_words: frozenset[str]) -> list[list[str]]:
        return cell_texts([[[part.text for part in rows_of(cell)] for cell in row] for row in self.rows], known_words)


def take_aligned_tables(
    lines: Sequence[LayoutLine], rulings: Sequence[Ruling], em: float
) -> tuple[list[AlignedTable], list[LayoutLine]]:
    """Returns the tables and the lines outside them."""
    rows = rows_of(lines)
    tables: list[AlignedTable] = []
    taken: set[int] = set()
    start = 0
    while start < len(rows):
        end, found, columns = _aligned_rows(rows, start, em)
        if len(columns) > 1 and (beside := page_column(rows, start, end, columns, em)) is not None:
            columns = [column for column in columns if column is not beside]
            kept = [tuple(segment for segment in row.segments if not beside.holds(segment)) for row in found]
            found = [Row(segments) for segments in kept if segments]
        table = _logical_rows(found, columns, rulings, em)
        if table is not None:
            tables.append(AlignedTable(table))
            taken |= {id(line) for row in found for line in row.segments}
        start = end if table is not None else start + max(1, (end - start) // _ATTEMPTS)
    return tables, [line for line in lines if id(line) not in taken]


def _aligned_rows(rows: Sequence[Row], start: int, em: float) -> tuple[int, Sequence[Row], Sequence[Column]]:
    """Returns the rows from this one on whose cells are in the same columns: the row after them, the rows, and the columns."""
    found = _rows_below(rows, start, _segments(rows[start], em), em, _COLUMN_GAP_EM)
    if (heads := _heads(rows, start, em)) is not None:
        close = _rows_below(rows, start, heads, em, _CLOSE_EM)
        found = close if close[0] >= found[0] else found
    if are_equal_rows(rows[start : start + LEAST_EQUAL]):
        tight = _rows_below(rows, start, [[segment] for segment in rows[start].segments], em, _TIGHT_EM)
        found = tight if tight[0] >= max(found[0], start + LEAST_EQUAL) and len(tight[2]) > len(found[2]) else found
    return found


def _rows_below(
    rows: Sequence[Row], start: int, cells: Sequence[Sequence[LayoutLine]], em: float, least_gap_em: float
) -> tuple[int, Sequence[Row], Sequence[Column]]:
    """Does the same with these cells of the first row."""
    if len(cells) < 2:
        return start + 1, (), ()
    columns = [Column(cell[0].x0, cell[-1].x1) for cell in cells]
    end = start + 1
    widest, most = 0.0, len(cells)
    while end < len(rows):
        gap = rows[end].y0 - max(row.y1 for row in rows[max(start, end - 3) : end])
        if gap > SET_OFF_EM * em and _begins_another(rows, start, end, columns, most, em):
            break
        if gap > max(_MAX_GAP_EM * em, 1.5 * widest) or (widened := _with(columns, rows[end], em, least_gap_em * em)) is None:
            break
        if len(_segments(rows[end], em)) == 1 and (stands_alone(rows, start, end, em) or is_headline(rows[end], rows[start:end])):
            break
        columns = widened
        widest, most = max(widest, min(gap, _MAX_GAP_EM * em)), max(most, len(_segments(rows[end], em)))
        end += 1
    while end > start + 1 and len(_segments(rows[end - 1], em)) == 1 and is_set_off(rows, end - 1, em):
        end -= 1
    return end, rows[start:end], columns


def _begins_another(rows: Sequence[Row], start: int, end: int, columns: Sequence[Column], most: int, em: float) -> bool:
    """Returns whether a row after white space begins another table: the row is in none of the columns of the row above, or it is
    the head of a table with more columns. `most`: the largest number of cells in the rows above."""
    cells, above = _segments(rows[end], em), _segments(rows[end - 1], em)
    if len(cells) > max(most + 1, MIN_ROWS) and (len(cells) > 2 * most or end - start >= MIN_ROWS):
        lefts = [cell[0].x0 for cell in cells]
        return end - start > 1 or not all(any(abs(cell[0].x0 - x) < _SAME_PT for x in lefts) for cell in above)
    if len(cells) < 2 or len(above) < 2:
        return False
    used = [
        {n for n, column in enumerate(columns) for cell in row if cell[0].x0 < column.x1 and cell[-1].x1 > column.x0}
        for row in (cells, above)
    ]
    return not used[0] & used[1] or (used[0] & used[1] == {0} and not any(map(is_figure, (*cells[1:], *above[1:]))))


def _segments(row: Row, em: float) -> list[list[LayoutLine]]:
    """Returns the cells of a row: its segments, joined over gaps that are no wider than a blank."""
    cells: list[list[LayoutLine]] = []
    for segment in row.segments:
        if cells and segment.x0 - cells[-1][-1].x1 < _CELL_GAP_EM * em:
            cells[-1].append(segment)
        else:
            cells.append([segment])
    return cells


def _heads(rows: Sequence[Row], start: int, em: float) -> list[list[LayoutLine]] | None:
    """Returns the cells of the first row of a table if some of them are as close as words, but each is above its own column."""
    cells, heads = _segments(rows[start], em), [[segment] for segment in rows[start].segments]
    below = _segments(rows[start + 1], em) if len(heads) > len(cells) and start + 1 < len(rows) else []
    are_above = len(heads) == len(below) and all(
        head[0].x0 < cell[-1].x1 and head[0].x1 > cell[0].x0 for head, cell in zip(heads, below, strict=True)
    )
    return heads if are_above else None


def _with(columns: Sequence[Column], row: Row, em: float, least_gap: float) -> list[Column] | None:
    """Returns the columns, widened by the row's cells; None if a cell reaches over two of them."""
    widened = [Column(column.x0, column.x1) for column in columns]
    waiting = list(reversed(_segments(row, em)))
    while waiting:
        cell = waiting.pop()
        x0, x1 = cell[0].x0, cell[-1].x1
        is_mark = len(cell) == 1 and cell[0].text in _MARKS
        slack = min(_OVERLAP_EM * em, (x1 - x0) / 2) if is_mark else _OVERLAP_EM * em
        touched = [column for column in widened if x0 < column.x1 - slack and x1 > column.x0 + slack]
        if len(touched) > 1 and (len(cell) == 1 or least_gap >= _COLUMN_GAP_EM * em):
            return None
        if len(touched) > 1:  # its parts may be the cells of several columns that are close
            waiting += [[segment] for segment in reversed(cell)]
        elif touched:
            touched[0].x0, touched[0].x1 = min(touched[0].x0, x0), max(touched[0].x1, x1)
        else:
            widened.append(Column(x0, x1))
    widened.sort(key=lambda column: column.x0)
    if any(right.x0 - left.x1 < least_gap for left, right in pairwise(widened)):
        return None
    return widened


def _logical_rows(
    rows: Sequence[Row], columns: Sequence[Column], rulings: Sequence[Ruling], em: float
) -> list[list[list[LayoutLine]]] | None:
    if len(columns) < 2 or len(rows) < MIN_ROWS:
        return None
    rows, columns = _parted(rows, columns, em)
    grid = [_placed(row, columns) for row in rows]
    wordy = [_is_wordy([cell for line in grid if (cell := line[number])]) for number in range(len(columns))]
    ruled = _ruled_apart(rows, columns, rulings)
    edges = [column.x1 - _FULL_EM * em if is_wordy else float("inf") for column, is_wordy in zip(columns, wordy, strict=True)]
    begins = _row_begins(grid, rows, edges, ruled, em)
    logical = joined_rows(grid, begins)
    together = [row for row, begin in zip(grid, begins, strict=True) if begin]
    if len(logical) < MIN_ROWS or not is_table(together, columns, wordy, ruled=sum(ruled) >= 2, wrapped=len(grid) > len(logical)):
        return None
    return logical


def _parted(rows: Sequence[Row], columns: Sequence[Column], em: float) -> tuple[Sequence[Row], Sequence[Column]]:
    """Divides columns in which several rows have two cells. A cell across the gutter, as the engine reads two short heads that
    are close, is divided at a blank."""
    parted: list[Column] = []
    for column in columns:
        inside = [[s for s in row.segments if column.x0 - 0.1 <= (s.x0 + s.x1) / 2 <= column.x1 + 0.1] for row in rows]
        pairs = [max(pairwise(cell), key=lambda pair: pair[1].x0 - pair[0].x1) for cell in inside if len(cell) > 1]
        left, right = _between(pairs)
        if right - left < _COLUMN_GAP_EM * em and len(pairs) > MIN_ROWS and len(inside[0]) == max(map(len, inside)):
            left, right = _between(pairs[1:])  # heads are often wider than the cells below them
        if is_below_close_heads := not pairs and len(inside[0]) == 1:
            left, right = widest_gap([cell[0] for cell in inside[1:] if cell])
        middle = (left + right) / 2
        across = [s for cell in inside for s in cell if s.x0 < middle - em and s.x1 > middle + em / 2]
        are_items = column is columns[0] and all(MARKER.match(pair[0].text.strip()) for pair in pairs)
        are_all = len(pairs) == sum(map(bool, inside)) >= MIN_ROWS and not are_items
        least = (_CLOSE_EM if are_all else _COLUMN_GAP_EM) * em
        is_known = len(pairs) > 1 or (is_below_close_heads and across == inside[0])
        if not is_known or right - left < least or len(across) > max(1, len(rows) // 8):
            parted.append(column)
            continue
        halves = {id(line): line.parted_at(middle) for line in across}
        if None in halves.values():
            parted.append(column)
            continue
        rows = [Row(tuple(part for s in row.segments for part in halves.get(id(s)) or (s,))) for row in rows]
        parted += [Column(column.x0, left), Column(right, column.x1)]
    return rows, parted


def _between(pairs: Sequence[tuple[LayoutLine, LayoutLine]]) -> tuple[float, float]:
    """Returns the ends of the white space between the cells of all pairs."""
    return max((pair[0].x1 for pair in pairs), default=0.0), min((pair[1].x0 for pair in pairs), default=0.0)


def _placed(row: Row, columns: Sequence[Column]) -> list[list[LayoutLine]]:
    cells: list[list[LayoutLine]] = [[] for _ in columns]
    for segment in row.segments:
        middle = (segment.x0 + segment.x1) / 2
        nearest = min(range(len(columns)), key=lambda n: max(columns[n].x0 - middle, middle - columns[n].x1))
        cells[nearest].append(segment)
    return cells


def _is_wordy(cells: Sequence[Sequence[LayoutLine]]) -> bool:
    lengths = sorted(sum(len(line.text) for line in cell) for cell in cells)
    return len(lengths) > 1 and lengths[len(lengths) // 2] >= WORDY_CHARS


def _ruled_apart(rows: Sequence[Row], columns: Sequence[Column], rulings: Sequence[Ruling]) -> list[bool]:
    """Returns for each row whether a ruling over most of the table's width is between it and the row above."""
    width = columns[-1].x1 - columns[0].x0
    level = [ruling for ruling in rulings if ruling.is_horizontal and ruling.x1 - ruling.x0 < 1.5 * width]
    covered = sorted((ruling.y0, max(0.0, min(ruling.x1, columns[-1].x1) - max(ruling.x0, columns[0].x0))) for ruling in level)
    heights, sums = [y for y, _ in covered], [0.0, *accumulate(part for _, part in covered)]
    across = [
        y
        for y in heights
        if sums[bisect_left(heights, y + _SAME_PT)] - sums[bisect_right(heights, y - _SAME_PT)] > _RULE_SHARE * width
    ]
    found = [False]
    for above, below in pairwise(rows):
        found.append(bisect_right(across, above.center_y) < bisect_left(across, below.center_y))
    return found


def _row_begins(
    grid: Sequence[Sequence[Sequence[LayoutLine]]], rows: Sequence[Row], edges: Sequence[float], ruled: Sequence[bool], em: float
) -> list[bool]:
    """Returns for each row of lines whether a row of the table begins with it. `edges`: where a line of running text is full;
    infinite for columns without such lines."""
    if sum(ruled) >= max(MIN_ROWS, len(rows) // 6):
        stacked = [False, *(_is_stacked(above, cells) for above, cells in pairwise(grid))]
        return [place == 0 or apart or figures for place, (apart, figures) in enumerate(zip(ruled, stacked, strict=True))]
    pitches = [below.center_y - above.center_y for above, below in pairwise(rows)]
    if (min(pitches) > _OPEN_EM * em and all(cells[0] for cells in grid)) or _have_codes(grid):
        return [True] * len(grid)
    limit = _NEW_ROW * sorted(pitches)[len(pitches) // 5] + 0.1 * em
    apart = sum(pitch > limit for pitch in pitches) >= 2
    usual = median(sum(map(bool, cells)) for cells in grid)
    begins = [True]
    for place, (above, cells, pitch) in enumerate(zip(grid, grid[1:], pitches, strict=False)):
        filled = [number for number, cell in enumerate(cells) if cell]
        if place == 0 and sum(map(bool, above)) < len(filled) and not cells[0]:
            begins.append(True)  # the heads of the first row are over several columns
        elif any(is_figure(cells[number]) for number in filled) or (apart and pitch > limit):
            begins.append(True)
        elif filled == [0] and not _has_no_room(above[0], cells[0], grid):
            begins.append(True)  # the row is the head of a group of rows
        elif not cells[0] or (apart and len(filled) < usual):
            begins.append(False)
        else:
            begins.append(not any(_goes_on(above[number], edges[number]) for number in filled))
    return begins


def _have_codes(grid: Sequence[Sequence[Sequence[LayoutLine]]]) -> bool:
    """Returns whether every line below the heads fills every column, and those of two columns or more are codes, such as "F / M",
    which are too short to continue."""
    if len(grid) <= MIN_ROWS or len(grid[0]) < _LEAST_COLUMNS or not all(all(cells) for cells in grid):
        return False
    columns = zip(*grid[1:], strict=True)
    return sum(all(sum(len(line.text) for line in cell) <= _CODE for cell in cells) for cells in columns) > 1


def _is_stacked(above: Sequence[Sequence[LayoutLine]], cells: Sequence[Sequence[LayoutLine]]) -> bool:
    """Returns whether a label with a number is below another number, as in the totals of an invoice."""
    return sum(map(bool, cells)) > 1 and any(is_figure(cell) and is_figure(over) for over, cell in zip(above, cells, strict=True))


def _goes_on(cell: Sequence[LayoutLine], edge: float) -> bool:
    """Returns whether the sentence of a cell does not end with this line, which is full."""
    return bool(cell) and cell[-1].x1 > edge and not cell[-1].text.endswith(_SENTENCE_END)


def _has_no_room(above: Sequence[LayoutLine], cell: Sequence[LayoutLine], grid: Sequence[Sequence[Sequence[LayoutLine]]]) -> bool:
    """Returns whether the text of a first cell continues in the next line, which begins in lower case or whose first word did not
    fit."""
    text = cell[0].text.strip()
    if not above or text[:1].islower():
        return bool(above)
    edge = max(line.x1 for cells in grid for line in cells[0])
    letter = cell[0].width / max(len(text), 1)
    return above[-1].x1 + (len(text.split(" ", 1)[0]) + 2) * letter > edge
