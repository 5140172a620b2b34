"""Finds tables without a full grid of rulings: columns of short text on common baselines, whose cells may have several lines.

Prose set in columns is also aligned. Unlike in a table, its lines fill their column in every column, and its rows do not begin
together. In doubt, a range of rows is not a table, and its lines are read in the order of columns or rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from rayocr.engines.layout.fields.beside import is_postal_address
from rayocr.engines.layout.headings import is_headline
from rayocr.engines.layout.joining import join_lines
from rayocr.engines.layout.lines import LayoutLine, Ruling
from rayocr.engines.layout.rows import MARKER, Row, are_labels, has_labels, rows_of
from rayocr.engines.layout.tables.row_gaps import SET_OFF_EM, is_set_off, stands_alone
from rayocr.engines.layout.units.lines import has_leader, sentences_run_on

_CELL_GAP_EM = 0.5  # least white space between cells of one row
_COLUMN_GAP_EM = 0.45  # least white space between columns; boxes of scans are wider than their text
_OVERLAP_EM = 0.25  # an overlap this small is jitter of the boxes
_MAX_GAP_EM = 2.6  # largest white space above a row that belongs to the table
_MIN_ROWS = 3
# Number of rows from which the start of a table is tried; trying each row of a receipt of a thousand rows would take a minute.
_ATTEMPTS = 100
_WORDY_CHARS = 18  # columns with several longer lines are running text
_SENTENCE_END = tuple(".!?:;。！？।॥")
_FULL_EM = 3.5  # running text that ends this close to the edge of its column continues
_TERMS = 0.6  # largest width of a column of terms, as a share of the column of explanations
_LOWER = 0.4  # with a larger share of cells that begin in lower case, the rows are running text
_NEW_ROW = 1.16  # least ratio of the distance between rows to the distance of lines within a cell
_BULLETS = frozenset("•●▪■◦○‣∙⁃➢➤❖")
# Share of rows with leaders; number of columns of a form: head of a part, question, number of the question, answer.
_LEADERS_SHARE, _FORM_COLUMNS = 0.4, 4
_FIRST_ROWS = 0.6
_YEAR_DIGITS = 4  # shorter numbers before texts are item numbers
_LEVEL = 0.25  # largest distance of the centers of cells on one baseline, as a share of their height
_SAME_PT = 1.5  # largest distance of the parts of an interrupted ruling
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
        return [[join_lines((part.text for part in rows_of(cell)), known_words=known_words) for cell in row] for row in self.rows]


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
        if len(columns) > 1 and (beside := _page_column(rows, start, end, columns, em)) is not None:
            columns = [column for column in columns if column is not beside]
            kept = [tuple(segment for segment in row.segments if not beside.holds(segment)) for row in found]
            found = [Row(segments) for segments in kept if segments]
        table = _logical_rows(found, columns, rulings, em)
        if table is not None:
            tables.append(AlignedTable(table))
            taken |= {id(line) for row in found for line in row.segments}
        start = end if table is not None else start + max(1, (end - start) // _ATTEMPTS)
    return tables, [line for line in lines if id(line) not in taken]


@dataclass(slots=True)
class _Column:
    x0: float
    x1: float

    def holds(self, line: LayoutLine) -> bool:
        return self.x0 <= (line.x0 + line.x1) / 2 <= self.x1


def _aligned_rows(rows: Sequence[Row], start: int, em: float) -> tuple[int, Sequence[Row], Sequence[_Column]]:
    """Returns the rows from this one on whose cells are in the same columns: the row after them, the rows, and the columns."""
    cells = _segments(rows[start], em)
    if len(cells) < 2:
        return start + 1, (), ()
    columns = [_Column(cell[0].x0, cell[-1].x1) for cell in cells]
    end = start + 1
    widest, most = 0.0, len(cells)
    while end < len(rows):
        gap = rows[end].y0 - max(row.y1 for row in rows[max(start, end - 3) : end])
        if gap > SET_OFF_EM * em and _begins_another(rows, start, end, columns, most, em):
            break
        if gap > max(_MAX_GAP_EM * em, 1.5 * widest) or (widened := _with(columns, rows[end], em)) is None:
            break
        if len(_segments(rows[end], em)) == 1 and (stands_alone(rows, start, end, em) or is_headline(rows[end], rows[start:end])):
            break
        columns = widened
        widest, most = max(widest, min(gap, _MAX_GAP_EM * em)), max(most, len(_segments(rows[end], em)))
        end += 1
    while end > start + 1 and len(_segments(rows[end - 1], em)) == 1 and is_set_off(rows, end - 1, em):
        end -= 1
    return end, rows[start:end], columns


def _begins_another(rows: Sequence[Row], start: int, end: int, columns: Sequence[_Column], most: int, em: float) -> bool:
    """Returns whether a row after white space begins another table: the row is in none of the columns of the row above, or it is
    the head of a table with more columns. `most`: the largest number of cells in the rows above."""
    cells, above = _segments(rows[end], em), _segments(rows[end - 1], em)
    if len(cells) > max(most + 1, _MIN_ROWS) and (len(cells) > 2 * most or end - start >= _MIN_ROWS):
        return True
    if len(cells) < 2 or len(above) < 2:
        return False
    used = [
        {n for n, column in enumerate(columns) for cell in row if cell[0].x0 < column.x1 and cell[-1].x1 > column.x0}
        for row in (cells, above)
    ]
    return not used[0] & used[1] or (used[0] & used[1] == {0} and not any(map(_is_figure, (*cells[1:], *above[1:]))))


def _page_column(rows: Sequence[Row], start: int, end: int, columns: Sequence[_Column], em: float) -> _Column | None:
    """Returns the first or last column if it is a column of the page, whose text continues above or below the table."""
    for column in (columns[0], columns[-1]):
        inside = [segment for row in rows[start:end] for segment in row.segments if column.holds(segment)]
        if len(inside) < _MIN_ROWS or sum(len(segment.text) for segment in inside) < _WORDY_CHARS * len(inside):
            continue
        if not sentences_run_on([segment.text for segment in inside]):
            continue
        top, bottom = min(segment.y0 for segment in inside), max(segment.y1 for segment in inside)
        for segment in (segment for row in (*rows[max(0, start - 3) : start], *rows[end : end + 3]) for segment in row.segments):
            near = max(top - segment.y1, segment.y0 - bottom) < em
            within = column.x0 - em / 2 < segment.x0 < column.x0 + 2 * em and segment.x1 < column.x1 + em / 2
            if near and within and segment.width > 0.6 * (column.x1 - column.x0):
                return column
    return None


def _segments(row: Row, em: float) -> list[list[LayoutLine]]:
    """Returns the cells of a row: its segments, joined over gaps that are no wider than a blank."""
    cells: list[list[LayoutLine]] = []
    for segment in row.segments:
        if cells and segment.x0 - cells[-1][-1].x1 < _CELL_GAP_EM * em:
            cells[-1].append(segment)
        else:
            cells.append([segment])
    return cells


def _with(columns: Sequence[_Column], row: Row, em: float) -> list[_Column] | None:
    """Returns the columns, widened by the row's cells; None if a cell reaches over two of them."""
    widened = [_Column(column.x0, column.x1) for column in columns]
    for cell in _segments(row, em):
        x0, x1 = cell[0].x0, cell[-1].x1
        touched = [column for column in widened if x0 < column.x1 - _OVERLAP_EM * em and x1 > column.x0 + _OVERLAP_EM * em]
        if len(touched) > 1:
            return None
        if touched:
            touched[0].x0, touched[0].x1 = min(touched[0].x0, x0), max(touched[0].x1, x1)
        else:
            widened.append(_Column(x0, x1))
    widened.sort(key=lambda column: column.x0)
    if any(right.x0 - left.x1 < _COLUMN_GAP_EM * em for left, right in pairwise(widened)):
        return None
    return widened


def _logical_rows(
    rows: Sequence[Row], columns: Sequence[_Column], rulings: Sequence[Ruling], em: float
) -> list[list[list[LayoutLine]]] | None:
    if len(columns) < 2 or len(rows) < _MIN_ROWS:
        return None
    rows, columns = _parted(rows, columns, em)
    grid = [_placed(row, columns) for row in rows]
    wordy = [_is_wordy([cell for line in grid if (cell := line[number])]) for number in range(len(columns))]
    ruled = _ruled_apart(rows, columns, rulings)
    edges = [column.x1 - _FULL_EM * em if is_wordy else float("inf") for column, is_wordy in zip(columns, wordy, strict=True)]
    begins = _row_begins(grid, rows, edges, ruled, em)
    logical: list[list[list[LayoutLine]]] = []
    for cells, begin in zip(grid, begins, strict=True):
        if begin or not logical:
            logical.append([list(cell) for cell in cells])
        else:
            for cell, more in zip(logical[-1], cells, strict=True):
                cell.extend(more)
    together = [row for row, begin in zip(grid, begins, strict=True) if begin]
    if len(logical) < _MIN_ROWS or not _is_table(
        together, columns, wordy, ruled=sum(ruled) >= 2, wrapped=len(grid) > len(logical)
    ):
        return None
    return logical


def _parted(rows: Sequence[Row], columns: Sequence[_Column], em: float) -> tuple[Sequence[Row], Sequence[_Column]]:
    """Divides columns in which several rows have two cells. A cell across the gutter, as the engine reads two short heads that
    are close, is divided at a blank."""
    parted: list[_Column] = []
    for column in columns:
        inside = [[s for s in row.segments if column.x0 - 0.1 <= (s.x0 + s.x1) / 2 <= column.x1 + 0.1] for row in rows]
        pairs = [max(pairwise(cell), key=lambda pair: pair[1].x0 - pair[0].x1) for cell in inside if len(cell) > 1]
        left, right = max((pair[0].x1 for pair in pairs), default=0.0), min((pair[1].x0 for pair in pairs), default=0.0)
        middle = (left + right) / 2
        across = [s for cell in inside for s in cell if s.x0 < middle - em and s.x1 > middle + em / 2]
        if len(pairs) < 2 or right - left < _COLUMN_GAP_EM * em or len(across) > max(1, len(rows) // 8):
            parted.append(column)
            continue
        halves = {id(line): line.parted_at(middle) for line in across}
        if None in halves.values():
            parted.append(column)
            continue
        rows = [Row(tuple(part for s in row.segments for part in halves.get(id(s)) or (s,))) for row in rows]
        parted += [_Column(column.x0, left), _Column(right, column.x1)]
    return rows, parted


def _placed(row: Row, columns: Sequence[_Column]) -> list[list[LayoutLine]]:
    cells: list[list[LayoutLine]] = [[] for _ in columns]
    for segment in row.segments:
        middle = (segment.x0 + segment.x1) / 2
        nearest = min(range(len(columns)), key=lambda n: max(columns[n].x0 - middle, middle - columns[n].x1))
        cells[nearest].append(segment)
    return cells


def _is_wordy(cells: Sequence[Sequence[LayoutLine]]) -> bool:
    lengths = sorted(sum(len(line.text) for line in cell) for cell in cells)
    return len(lengths) > 1 and lengths[len(lengths) // 2] >= _WORDY_CHARS


def _ruled_apart(rows: Sequence[Row], columns: Sequence[_Column], rulings: Sequence[Ruling]) -> list[bool]:
    """Returns for each row whether a ruling over most of the table's width is between it and the row above."""
    width = columns[-1].x1 - columns[0].x0
    level = [ruling for ruling in rulings if ruling.is_horizontal and ruling.x1 - ruling.x0 < 1.5 * width]
    covered = [(ruling.y0, max(0.0, min(ruling.x1, columns[-1].x1) - max(ruling.x0, columns[0].x0))) for ruling in level]
    across = [y for y, _ in covered if sum(part for other, part in covered if abs(other - y) < _SAME_PT) > _RULE_SHARE * width]
    found = [False]
    for above, below in pairwise(rows):
        found.append(any(above.center_y < y < below.center_y for y in across))
    return found


def _row_begins(
    grid: Sequence[Sequence[Sequence[LayoutLine]]], rows: Sequence[Row], edges: Sequence[float], ruled: Sequence[bool], em: float
) -> list[bool]:
    """Returns for each row of lines whether a row of the table begins with it. `edges`: where a line of running text is full;
    infinite for columns without such lines."""
    if sum(ruled) >= max(_MIN_ROWS, len(rows) // 6):
        stacked = [False, *(_is_stacked(above, cells) for above, cells in pairwise(grid))]
        return [place == 0 or apart or figures for place, (apart, figures) in enumerate(zip(ruled, stacked, strict=True))]
    pitches = [below.center_y - above.center_y for above, below in pairwise(rows)]
    limit = _NEW_ROW * sorted(pitches)[len(pitches) // 5] + 0.1 * em
    apart = sum(pitch > limit for pitch in pitches) >= 2
    usual = median(sum(map(bool, cells)) for cells in grid)
    begins = [True]
    for above, cells, pitch in zip(grid, grid[1:], pitches, strict=False):
        filled = [number for number, cell in enumerate(cells) if cell]
        if any(_is_figure(cells[number]) for number in filled) or (apart and pitch > limit):
            begins.append(True)
        elif filled == [0] and not _has_no_room(above[0], cells[0], grid):
            begins.append(True)  # the row is the head of a group of rows
        elif not cells[0] or (apart and len(filled) < usual):
            begins.append(False)
        else:
            begins.append(not any(_goes_on(above[number], edges[number]) for number in filled))
    return begins


def _is_stacked(above: Sequence[Sequence[LayoutLine]], cells: Sequence[Sequence[LayoutLine]]) -> bool:
    """Returns whether a label with a number is below another number, as in the totals of an invoice."""
    return sum(map(bool, cells)) > 1 and any(
        _is_figure(cell) and _is_figure(over) for over, cell in zip(above, cells, strict=True)
    )


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


def _is_figure(cell: Sequence[LayoutLine]) -> bool:
    """Returns whether the cell holds a number or an amount, which does not continue a cell above."""
    text = "".join(line.text for line in cell)
    letters = sum(char.isalpha() for char in text)
    return letters <= 3 and sum(char.isdigit() for char in text) > letters


def _runs_on(cells: Sequence[Sequence[LayoutLine]]) -> bool:
    """Returns whether the first lines of cells begin in lower case, as lines of running text do."""
    begins = [cell[0].text[:1] for cell in cells if cell]
    return sum(begin.islower() for begin in begins) > _LOWER * len(begins)


def _is_bulleted(cell: Sequence[LayoutLine]) -> bool:
    text = cell[0].text.strip() if cell else ""
    return text[:1] in _BULLETS and len(text) > _WORDY_CHARS


def _is_contents(begins: Sequence[Sequence[Sequence[LayoutLine]]]) -> bool:
    """Returns whether the cells are entries and page numbers of a table of contents, in one column of the page or in several, or
    lines of a form beside the heads of its parts."""
    leaders = [{n for n, cell in enumerate(cells) for line in cell if has_leader(line.text)} for cells in begins]
    within = set().union(*leaders) if sum(map(bool, leaders)) > _LEADERS_SHARE * len(begins) else set()
    return bool(within) and (len(begins[0]) == 2 or len(within) > 1 or (0 not in within and len(begins[0]) <= _FORM_COLUMNS))


def _ends_before_others(begins: Sequence[Sequence[Sequence[LayoutLine]]]) -> bool:
    """Returns whether the first column has text in the first rows only, and the next text of these rows is not a number."""
    last = max((place for place, cells in enumerate(begins) if cells[0]), default=0)
    first = begins[: last + 1]
    beside = [next((cell for cell in cells[1:] if cell), []) for cells in first]
    return all(cells[0] for cells in first) and 0 < last < _FIRST_ROWS * len(begins) - 1 and not any(map(_is_figure, beside))


def _are_level(begins: Sequence[Sequence[Sequence[LayoutLine]]]) -> bool:
    """Returns whether the cells of most rows begin on one baseline, unlike the lines of a sidebar and those of the text beside
    it."""
    pairs = [(cells[0][0], other[0]) for cells in begins for other in cells[1:] if cells[0] and other]
    level = sum(abs(first.center_y - other.center_y) < _LEVEL * min(first.height, other.height) for first, other in pairs)
    return level >= 0.8 * len(pairs)


def _is_narrower(columns: Sequence[_Column]) -> bool:
    """Returns whether the first column is a column of terms beside their explanations."""
    return columns[0].x1 - columns[0].x0 < _TERMS * (columns[1].x1 - columns[1].x0)


def _is_table(
    begins: Sequence[Sequence[Sequence[LayoutLine]]],
    columns: Sequence[_Column],
    wordy: Sequence[bool],
    *,
    ruled: bool,
    wrapped: bool,
) -> bool:
    """Returns whether these rows are a table. `begins`: the first line of each row of the table."""
    count = len(wordy)
    filled = [sum(map(bool, cells)) for cells in begins]
    if sum(number >= 2 for number in filled) < max(_MIN_ROWS, 0.7 * len(begins)):
        return False
    if sum(filled) < 0.5 * count * len(begins):
        return False
    texts = ["".join(line.text for line in cells[0]).strip() for cells in begins if cells[0]]
    if not ruled and any(sum(_is_bulleted(cells[n]) for cells in begins) > 1 for n in range(1, count)):
        return False  # the rows are lists beside other text
    if _is_contents(begins):
        return False
    if count > 2 and (_ends_before_others(begins) or is_postal_address(texts)):
        return False  # the rows are an address beside fields
    if not ruled and any(_runs_on([cells[n] for cells in begins]) for n in range(count) if wordy[n]):
        return False  # the rows are columns of running text
    if any(are_labels([line.text for cells in begins for line in cells[n]]) for n in range(1, count)) and not has_labels(texts):
        return False  # the rows are an address beside labels with values
    markers = sum(MARKER.match(text) is not None or (text.isdigit() and len(text) < _YEAR_DIGITS) for text in texts)
    if sum(sum(bool(cells[n]) for cells in begins) > 1 for n in range(count)) == 2:
        if markers > 0.5 * len(texts) or not (wrapped or ruled) or not _is_narrower(columns):
            return False
        return sum(number == 2 for number in filled) >= 0.8 * len(begins) and (ruled or _are_level(begins))
    if sum(wordy) <= count - 2:
        return len(begins) > _MIN_ROWS or ruled or count > 3
    return (ruled or wrapped) and sum(number == count for number in filled) >= 0.8 * len(begins) and not all(wordy)
