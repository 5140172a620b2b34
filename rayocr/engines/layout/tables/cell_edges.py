"""Finds the columns of a table that has rulings between its rows only, where each cell draws its own part of a ruling.

The ends of the parts are at the same places in every row and are the edges of the columns.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from rayocr.engines.layout.lines import LayoutLine, Ruling

_MEET_PT = 2.5  # largest gap between the parts of one ruling, and largest distance of places that count as equal
_LEAST_PT = 18.0  # a shorter part is a dash
_LEAST_ROWS, _MOST_PARTS = 3, 12
_MOST_RULINGS = 600
# Limits in line heights: height of a row outside the rulings, its distance, and the distance of its lines.
_FIRST_EM, _NEXT_EM, _MOST_EM = 1.2, 0.6, 5.0
_NEAR_BLANK = 1.5  # maximum distance from a border to a blank, in widths of a letter


def implied_borders(rulings: Sequence[Ruling], lines: Sequence[LayoutLine]) -> list[Ruling]:
    """Returns the upright borders of all such tables, and the level borders of a head whose cells have upright ones. No border
    divides one of the lines."""
    if len(rulings) > _MOST_RULINGS:
        return []
    rows: dict[tuple[int, ...], list[tuple[float, list[float]]]] = defaultdict(list)
    for y, edges in _divided(rulings):
        rows[tuple(round(x / _MEET_PT / 2) for x in edges)].append((y, edges))
    uprights = [ruling for ruling in rulings if not ruling.is_horizontal]
    found: list[Ruling] = []
    for alike in rows.values():
        ys = sorted(y for y, _ in alike)
        if len(ys) < _LEAST_ROWS:
            continue
        edges = alike[0][1]
        own = [ruling for ruling in uprights if _is_at(edges, ruling)]
        if any(ruling.y0 < ys[-1] - _MEET_PT and ruling.y1 > ys[0] + _MEET_PT for ruling in own):
            continue  # the grid already has these borders
        head = [ruling for ruling in own if _is_at(edges[1:-1], ruling) and ruling.y1 <= ys[0] + _MEET_PT]
        if len(head) == len(edges) - 2 and len({round(ruling.y1) for ruling in head}) == 1:
            found += [Ruling(x0=edges[0], y0=y, x1=edges[-1], y1=y) for y in (head[0].y0, head[0].y1)]
            ys = [head[0].y0, head[0].y1, *ys]
        above, below = _row_beyond(edges, ys, lines, up=True), _row_beyond(edges, ys, lines, up=False)
        ys = [*above, *ys, *below]
        found += [Ruling(x0=edges[0], y0=y, x1=edges[-1], y1=y) for y in (*above, *below)]
        found += _between_rows(edges, ys, lines)
    return found


def _between_rows(edges: Sequence[float], ys: Sequence[float], lines: Sequence[LayoutLine]) -> list[Ruling]:
    """Returns the borders of each row, without those of rows with only one cell above and below the table."""
    parts: list[list[Ruling]] = []
    for top, bottom in pairwise(ys):
        inside = [line for line in lines if top < line.center_y < bottom]
        free = [x for x in edges[1:-1] if not any(_is_one_cell(line, x, edges) for line in inside)]
        parts.append([Ruling(x0=x, y0=top, x1=x, y1=bottom) for x in (edges[0], *free, edges[-1])])
    while parts and len(parts[-1]) == 2:
        parts.pop()
    while parts and len(parts[0]) == 2:
        parts.pop(0)
    return [ruling for row in parts for ruling in row]


def _row_beyond(edges: Sequence[float], ys: Sequence[float], lines: Sequence[LayoutLine], *, up: bool) -> list[float]:
    """Returns the outer border of a row above the first ruling or below the last one, if its lines are in several columns."""
    border = ys[0] if up else ys[-1]
    inside = [line for line in lines if ys[0] < line.center_y < ys[-1] and edges[0] < line.x1 and line.x0 < edges[-1]]
    if not inside:
        return []
    em = sorted(line.height for line in inside)[len(inside) // 2]
    beyond = [line for line in lines if (line.center_y < border if up else line.center_y > border)]
    edge, group = border, list[LayoutLine]()
    for line in sorted(beyond, key=lambda line: -line.y1 if up else line.y0):
        distance = edge - line.y1 if up else line.y0 - edge
        if distance > (_NEXT_EM if group else _FIRST_EM) * em:
            break
        group.append(line)
        edge = min(edge, line.y0) if up else max(edge, line.y1)
    columns = {bisect_right(edges, (line.x0 + line.x1) / 2) for line in group}
    fits = all(edges[0] - em < line.x0 and line.x1 < edges[-1] + em for line in group)
    if len(columns) < 2 or not fits or abs(edge - border) > _MOST_EM * em:
        return []
    if any(_is_one_cell(line, x, edges) for line in group for x in edges[1:-1]):
        return []
    return [edge - 1 if up else edge + 1]


def _is_one_cell(line: LayoutLine, border: float, edges: Sequence[float]) -> bool:
    """Returns whether a line reaches over this border, and is not the text of two cells with a blank at the border."""
    crossed = [x for x in edges[1:-1] if line.x0 + _MEET_PT < x < line.x1 - _MEET_PT]
    if border not in crossed:
        return False
    letter = line.width / max(len(line.text), 1)
    blanks = (line.x0 + letter * (n + 0.5) for n, char in enumerate(line.text) if char == " ")
    return len(crossed) > 1 or min((abs(x - border) for x in blanks), default=letter * 9) > _MEET_PT + _NEAR_BLANK * letter


def _divided(rulings: Sequence[Ruling]) -> Iterator[tuple[float, list[float]]]:
    """Yields the rulings that consist of several parts: their height, and the ends of their parts from left to right."""
    at: dict[int, list[Ruling]] = defaultdict(list)
    for ruling in rulings:
        if ruling.is_horizontal and abs(ruling.x1 - ruling.x0) >= _LEAST_PT:
            at[round(ruling.y0)].append(ruling)
    for parts in at.values():
        # A part may be drawn twice, once in the color of the paper and a little longer.
        kept: list[Ruling] = []
        for part in sorted(parts, key=lambda part: (part.x0, -part.x1)):
            if not kept or part.x0 > kept[-1].x1 - _MEET_PT:
                kept.append(part)
        is_whole = all(abs(right.x0 - left.x1) <= _MEET_PT for left, right in pairwise(kept))
        if is_whole and 2 <= len(kept) <= _MOST_PARTS:
            yield kept[0].y0, [kept[0].x0, *(part.x1 for part in kept)]


def _is_at(places: Sequence[float], ruling: Ruling) -> bool:
    return any(abs(ruling.x0 - x) <= _MEET_PT for x in places)
