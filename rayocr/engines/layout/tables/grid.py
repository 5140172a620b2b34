"""Builds grids of cells from rulings that cross. Cells without a border between them are merged."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from rayocr.engines.layout.lines import LayoutLine, Ruling
from rayocr.engines.layout.tables.cell_edges import implied_borders

_TOUCH_PT = 4.0  # largest gap between the ends of scanned rulings that meet
_SAME_PT = 3.0  # largest distance of two strokes of one border
_GAP_PT = 6.0  # largest gap in a ruling that noise interrupts
_MIN_LENGTH_PT = 8.0
_BORDER_OVERLAP_PT = 2.0  # text crosses the border if it extends this far into the next cell
_OPEN_RULINGS, _CLOSED_RULINGS = 4, 3  # least number of horizontal borders of a table without both outer ones, and without one
_MANY_COLUMNS = 3  # a table with this many inner borders needs no more horizontal ones if it lacks both outer borders
_FRAME = 2  # least number of cells over all columns that are not part of the table
_MAX_RULINGS = 2000  # drawings and charts have more rulings, and no cells
_MAX_CELLS = 40_000  # a grid of this many cells takes 0.2 s; maps and graph paper have more cells


@dataclass(slots=True)
class Grid:
    """A grid of cells. `xs` and `ys`: positions of the borders, ascending. Cells are (row, column), 0-based."""

    xs: list[float]
    ys: list[float]
    is_open: bool = False  # whether at least one outer border is not drawn
    root: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)  # the top left cell for each part of a merged cell
    drawn: Grid | None = None  # the grid without outer borders that only the joined pieces of broken rulings show

    @property
    def rows(self) -> int:
        return len(self.ys) - 1

    @property
    def columns(self) -> int:
        return len(self.xs) - 1

    @property
    def area(self) -> float:
        return (self.xs[-1] - self.xs[0]) * (self.ys[-1] - self.ys[0])

    @property
    def cell_count(self) -> int:
        return len(set(self.root.values()))

    def contains(self, x: float, y: float) -> bool:
        return self.xs[0] <= x <= self.xs[-1] and self.ys[0] <= y <= self.ys[-1]

    def cell_at(self, x: float, y: float) -> tuple[int, int]:
        row = min(max(bisect_right(self.ys, y) - 1, 0), self.rows - 1)
        column = min(max(bisect_right(self.xs, x) - 1, 0), self.columns - 1)
        return self.root[row, column]

    def spans_rows(self, row: int, column: int) -> bool:
        """Returns whether the cell at this place continues in the row above or below."""
        root = self.root[row, column]
        return root[0] != row or (row + 1 < self.rows and self.root[row + 1, column] == root)

    def borders_crossed(self, x0: float, x1: float, y: float) -> list[float]:
        """Returns the inner vertical borders at this height that the range from x0 to x1 crosses."""
        return [
            x
            for x in self.xs[1:-1]
            if x0 + _BORDER_OVERLAP_PT < x < x1 - _BORDER_OVERLAP_PT and self.cell_at(x - 0.1, y) != self.cell_at(x + 0.1, y)
        ]


def grids_of(rulings: Sequence[Ruling], lines: Sequence[LayoutLine] = ()) -> list[Grid]:
    """Returns all grids with at least two rows and two columns. `lines`: the page's text, which no implied border divides."""
    if len(rulings) > _MAX_RULINGS:
        return []
    rulings = [*rulings, *implied_borders(rulings, lines)]
    horizontal = _merged([_Span(r.y0 + (r.y1 - r.y0) / 2, *sorted((r.x0, r.x1))) for r in rulings if r.is_horizontal])
    vertical = _merged([_Span(r.x0 + (r.x1 - r.x0) / 2, *sorted((r.y0, r.y1))) for r in rulings if not r.is_horizontal])
    grids = (_grid_of(across, down) for across, down in _components(horizontal, vertical))
    return [grid for grid in grids if grid is not None]


def without_frame(grid: Grid) -> Grid:
    """Returns the grid without several cells over all columns above or below the others: the frame of a form around a table. A
    single such cell is the table's title or a note."""
    whole = [len({grid.root[row, column] for column in range(grid.columns)}) == 1 for row in range(grid.rows)]
    if all(whole):
        return grid
    first, last = whole.index(False), grid.rows - whole[::-1].index(False)
    first = first if len({grid.root[row, 0] for row in range(first)}) >= _FRAME else 0
    last = last if len({grid.root[row, 0] for row in range(last, grid.rows)}) >= _FRAME else grid.rows
    if last - first < 2 or (first, last) == (0, grid.rows):
        return grid
    root = {(row - first, column): (top - first, left) for (row, column), (top, left) in grid.root.items() if first <= row < last}
    return Grid(grid.xs, grid.ys[first : last + 1], is_open=grid.is_open, root=root)


@dataclass(frozen=True, slots=True)
class _Span:
    """A ruling along its axis: its position, its start and its end."""

    at: float
    start: float
    end: float


def _merged(spans: Sequence[_Span]) -> list[_Span]:
    """Merges the strokes of one border and drops stubs."""
    merged: list[_Span] = []
    for span in sorted(spans, key=lambda span: (span.at, span.start)):
        partner = None
        for index in range(len(merged) - 1, -1, -1):
            other = merged[index]
            if span.at - other.at > _SAME_PT:
                break
            if span.start <= other.end + _GAP_PT and span.end >= other.start - _GAP_PT:
                partner = index
                break
        if partner is None:
            merged.append(span)
        else:
            other = merged[partner]
            merged[partner] = _Span(other.at, min(span.start, other.start), max(span.end, other.end))
    return [span for span in merged if span.end - span.start >= _MIN_LENGTH_PT]


def _components(horizontal: Sequence[_Span], vertical: Sequence[_Span]) -> list[tuple[list[_Span], list[_Span]]]:
    """Groups rulings that touch each other, directly or through others."""
    group = list(range(len(horizontal) + len(vertical)))

    def find(index: int) -> int:
        while group[index] != index:
            group[index] = group[group[index]]
            index = group[index]
        return index

    for i, across in enumerate(horizontal):
        for j, down in enumerate(vertical, start=len(horizontal)):
            if (
                across.start - _TOUCH_PT <= down.at <= across.end + _TOUCH_PT
                and down.start - _TOUCH_PT <= across.at <= down.end + _TOUCH_PT
            ):
                group[find(i)] = find(j)
    found: dict[int, tuple[list[_Span], list[_Span]]] = {}
    for index in range(len(group)):
        across_list, down_list = found.setdefault(find(index), ([], []))
        if index < len(horizontal):
            across_list.append(horizontal[index])
        else:
            down_list.append(vertical[index - len(horizontal)])
    return list(found.values())


def _with_outer_borders(across: Sequence[_Span], down: Sequence[_Span]) -> list[_Span]:
    """Returns the vertical borders, with outer ones that a scan lacks or that were never drawn, at the ends of equal horizontal
    borders. With fewer horizontal borders, a vertical ruling may divide columns of text instead."""
    if not across or not down:
        return list(down)
    start, end = median(span.start for span in across), median(span.end for span in across)
    equal = [span.at for span in across if max(abs(span.start - start), abs(span.end - end)) <= _TOUCH_PT]
    missing = [x for x in (start, end) if not any(abs(span.at - x) <= _TOUCH_PT for span in down)]
    least = _OPEN_RULINGS if len(missing) > 1 and len(_positions(down)) < _MANY_COLUMNS else _CLOSED_RULINGS
    if len(equal) < least:
        return list(down)
    return [*down, *(_Span(x, min(equal), max(equal)) for x in missing)]


def _grid_of(across: Sequence[_Span], down: Sequence[_Span]) -> Grid | None:
    pieces = [_at(across, y) for y in _positions(across)]
    joined = [_Span(same[0].at, min(span.start for span in same), max(span.end for span in same)) for same in pieces]
    borders, certain = (_with_outer_borders(spans, down) for spans in (joined, across))
    grid = _grid(across, borders, is_open=len(borders) > len(down))
    if grid is not None and len(borders) > len(certain):
        grid.drawn = _grid(across, certain, is_open=len(certain) > len(down))
    return grid


def _grid(across: Sequence[_Span], down: Sequence[_Span], *, is_open: bool) -> Grid | None:
    """Returns the grid of these borders, without the frame around it; None if it has a single row or column."""
    xs, ys = _positions(down), _positions(across)
    if len(xs) < 3 or len(ys) < 3:
        return None
    grid = Grid(xs, ys, is_open=is_open)
    if grid.rows * grid.columns > _MAX_CELLS:
        return None
    cells = [(row, column) for row in range(grid.rows) for column in range(grid.columns)]
    grid.root = {cell: cell for cell in cells}
    below, right = [_at(across, y) for y in ys[1:]], [_at(down, x) for x in xs[1:]]
    for row, column in cells:
        middle_y = (ys[row] + ys[row + 1]) / 2
        middle_x = (xs[column] + xs[column + 1]) / 2
        if column + 1 < grid.columns and not _passes(right[column], middle_y):
            _unite(grid, (row, column), (row, column + 1))
        if row + 1 < grid.rows and not _passes(below[row], middle_x):
            _unite(grid, (row, column), (row + 1, column))
    for cell in cells:
        grid.root[cell] = _root(grid, cell)
    return without_frame(grid)


def _positions(spans: Sequence[_Span]) -> list[float]:
    positions: list[float] = []
    for span in sorted(spans, key=lambda span: span.at):
        if not positions or span.at - positions[-1] > _SAME_PT:
            positions.append(span.at)
    return positions


def _at(spans: Sequence[_Span], position: float) -> list[_Span]:
    """Returns the strokes of one border."""
    return [span for span in spans if abs(span.at - position) <= _SAME_PT]


def _passes(strokes: Sequence[_Span], along: float) -> bool:
    return any(span.start - _TOUCH_PT <= along <= span.end + _TOUCH_PT for span in strokes)


def _root(grid: Grid, cell: tuple[int, int]) -> tuple[int, int]:
    while grid.root[cell] != cell:
        cell = grid.root[cell]
    return cell


def _unite(grid: Grid, cell: tuple[int, int], other: tuple[int, int]) -> None:
    first, second = sorted((_root(grid, cell), _root(grid, other)))
    grid.root[second] = first
