"""Decides whether rows of aligned cells are a table, and not running text, a list, a table of contents or an address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from rayocr.engines.layout.fields.beside import is_postal_address
from rayocr.engines.layout.lines import LayoutLine
from rayocr.engines.layout.rows import MARKER, Row, are_labels, has_labels
from rayocr.engines.layout.units.lines import are_index_entries, has_leader

MIN_ROWS = 3
WORDY_CHARS = 18  # columns with several longer lines are running text
_TERMS = 0.6  # largest width of a column of terms, as a share of the column of explanations
_LOWER = 0.4  # with a larger share of cells that begin in lower case, the rows are running text
_SYMBOL = 2  # most characters of a symbol
_BULLETS = frozenset("•●▪■◦○‣∙⁃➢➤❖")
# Share of rows with leaders; number of columns of a form: head of a part, question, number of the question, answer.
_LEADERS_SHARE, _FORM_COLUMNS = 0.4, 4
_FIRST_ROWS = 0.6
_YEAR_DIGITS = 4  # shorter numbers before texts are item numbers
_LEVEL = 0.25  # largest distance of the centers of cells on one baseline, as a share of their height


LEAST_EQUAL, _LEAST_CELLS = 4, 4  # rows and cells of rows of numbers
_NUMBERS = 0.6  # least share of numbers in the rows below the first one, without their first cells


@dataclass(slots=True)
class Column:
    x0: float
    x1: float

    def holds(self, line: LayoutLine) -> bool:
        return self.x0 <= (line.x0 + line.x1) / 2 <= self.x1


def widest_gap(lines: Sequence[LayoutLine]) -> tuple[float, float]:
    """Returns the ends of the widest white space with two lines or more on both sides; 0, 0 if there is none."""
    ordered = sorted(lines, key=lambda line: line.x0)
    ends = list(accumulate((line.x1 for line in ordered), max))
    places = range(2, len(ordered) - 1)
    best = max(places, key=lambda n: ordered[n].x0 - ends[n - 1], default=0)
    return (ends[best - 1], ordered[best].x0) if best and ordered[best].x0 > ends[best - 1] else (0.0, 0.0)


def is_table(
    begins: Sequence[Sequence[Sequence[LayoutLine]]],
    columns: Sequence[Column],
    wordy: Sequence[bool],
    *,
    ruled: bool,
    wrapped: bool,
) -> bool:
    """Returns whether these rows are a table. `begins`: the first line of each row of the table."""
    count = len(wordy)
    filled = [sum(map(bool, cells)) for cells in begins]
    if sum(number >= 2 for number in filled) < max(MIN_ROWS, 0.7 * len(begins)):
        return False
    if sum(filled) < 0.5 * count * len(begins):
        return False
    texts = ["".join(line.text for line in cells[0]).strip() for cells in begins if cells[0]]
    if not ruled and any(sum(_is_bulleted(cells[n]) for cells in begins) > 1 for n in range(1, count)):
        return False  # the rows are lists beside other text
    if _is_contents(begins) or all(are_index_entries([line.text for cells in begins for line in cells[n]]) for n in range(count)):
        return False
    if count > 2 and (_ends_before_others(begins) or (is_postal_address(texts) and not _has_amounts(begins))):
        return False  # the rows are an address beside fields
    if not ruled and any(runs_on([cells[n] for cells in begins]) for n in range(count) if wordy[n]):
        return False  # the rows are columns of running text
    if any(are_labels([line.text for cells in begins for line in cells[n]]) for n in range(1, count)) and not has_labels(texts):
        return False  # the rows are an address beside labels with values
    markers = sum(MARKER.match(text) is not None or (text.isdigit() and len(text) < _YEAR_DIGITS) for text in texts)
    if sum(sum(bool(cells[n]) for cells in begins) > 1 for n in range(count)) == 2:
        if markers > 0.5 * len(texts) or not (wrapped or ruled) or not _is_narrower(columns):
            return False
        return sum(number == 2 for number in filled) >= 0.8 * len(begins) and (ruled or _are_level(begins))
    if sum(wordy) <= count - 2:
        return len(begins) > MIN_ROWS or ruled or count > 3
    return (ruled or wrapped) and sum(number == count for number in filled) >= 0.8 * len(begins) and not all(wordy)


def is_figure(cell: Sequence[LayoutLine]) -> bool:
    """Returns whether the cell holds a number or an amount, which does not continue a cell above."""
    text = "".join(line.text for line in cell)
    letters = sum(char.isalpha() for char in text)
    return letters <= 3 and sum(char.isdigit() for char in text) > letters


def are_equal_rows(rows: Sequence[Row]) -> bool:
    """Returns whether these rows have the same number of cells, four or more, most of them numbers, that are below each other,
    as in a timetable. Such columns may be as close as words."""
    count = len(rows[0].segments) if rows else 0
    if len(rows) < LEAST_EQUAL or count < _LEAST_CELLS or any(len(row.segments) != count for row in rows):
        return False
    columns = list(zip(*(row.segments for row in rows), strict=True))
    ends = [(min(cell.x0 for cell in column), max(cell.x1 for cell in column)) for column in columns]
    if any(right[0] <= left[1] for left, right in pairwise(ends)):
        return False
    numbers = sum(is_figure([cell]) for column in columns[1:] for cell in column[1:])
    return numbers >= _NUMBERS * (count - 1) * (len(rows) - 1)


def runs_on(cells: Sequence[Sequence[LayoutLine]]) -> bool:
    """Returns whether the first lines of cells begin in lower case, as lines of running text do. Symbols, such as those of a
    list of parameters, are no running text."""
    texts = [cell[0].text for cell in cells if cell]
    if all(len(text.strip()) <= _SYMBOL for text in texts):
        return False
    begins = [text[:1] for text in texts]
    return sum(begin.islower() for begin in begins) > _LOWER * len(begins)


def _is_bulleted(cell: Sequence[LayoutLine]) -> bool:
    text = cell[0].text.strip() if cell else ""
    return text[:1] in _BULLETS and len(text) > WORDY_CHARS


def _is_contents(begins: Sequence[Sequence[Sequence[LayoutLine]]]) -> bool:
    """Returns whether the cells are entries and page numbers of a table of contents, in one column of the page or in several, or
    lines of a form beside the heads of its parts."""
    leaders = [{n for n, cell in enumerate(cells) for line in cell if has_leader(line.text)} for cells in begins]
    within = set().union(*leaders) if sum(map(bool, leaders)) > _LEADERS_SHARE * len(begins) else set()
    return bool(within) and (len(begins[0]) == 2 or len(within) > 1 or (0 not in within and len(begins[0]) <= _FORM_COLUMNS))


def _ends_before_others(begins: Sequence[Sequence[Sequence[LayoutLine]]]) -> bool:
    """Returns whether the first column has text in the first rows only, not only numbers, and the next text of these rows is not
    a number."""
    last = max((place for place, cells in enumerate(begins) if cells[0]), default=0)
    first = begins[: last + 1]
    beside = [next((cell for cell in cells[1:] if cell), []) for cells in first]
    if not all(cells[0] for cells in first) or all(is_figure(cells[0]) for cells in first[1:]):
        return False
    return 0 < last < _FIRST_ROWS * len(begins) - 1 and not any(map(is_figure, beside))


def _has_amounts(begins: Sequence[Sequence[Sequence[LayoutLine]]]) -> bool:
    """Returns whether most cells of two columns or more are numbers: rows such as "7 Free Gift", 1, 0.00 look like an address."""
    columns = ([cell for cell in column if cell] for column in zip(*begins, strict=True))
    return sum(2 * sum(map(is_figure, cells)) > max(len(cells), MIN_ROWS) for cells in columns) >= 2


def _are_level(begins: Sequence[Sequence[Sequence[LayoutLine]]]) -> bool:
    """Returns whether the cells of most rows begin on one baseline, unlike the lines of a sidebar and those of the text beside
    it."""
    pairs = [(cells[0][0], other[0]) for cells in begins for other in cells[1:] if cells[0] and other]
    level = sum(abs(first.center_y - other.center_y) < _LEVEL * min(first.height, other.height) for first, other in pairs)
    return level >= 0.8 * len(pairs)


def _is_narrower(columns: Sequence[Column]) -> bool:
    """Returns whether the first column is a column of terms beside their explanations."""
    return columns[0].x1 - columns[0].x0 < _TERMS * (columns[1].x1 - columns[1].x0)
