"""Finds the borders of boxes that are filled between two rectangles, as HTML converters draw them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

_THIN_PT = 3.0  # thicker borders are bars
_DRAWN_PT = 0.05  # a border that is thinner has no width
_POINTS = (4, 5, 6)  # number of points of a rectangle, without and with its closing line

Point = tuple[float, float, bool]
Line = tuple[float, float, float, float, float]


def sides_of_frame(points: Sequence[Point]) -> Iterator[Line]:
    """Yields the drawn sides of a frame as x0, y0, x1, y1 and thickness; nothing for other paths. `points`: x, y, and whether a
    new part of the path begins."""
    starts = [index for index, (_, _, moves) in enumerate(points) if moves]
    if len(starts) != 2 or not all(count in _POINTS for count in (starts[1], len(points) - starts[1])) or starts[0] != 0:
        return
    boxes = [_rectangle(points[: starts[1]]), _rectangle(points[starts[1] :])]
    if boxes[0] is None or boxes[1] is None:
        return
    (left, bottom, right, top), inner = sorted(
        (boxes[0], boxes[1]), key=lambda box: (box[2] - box[0]) * (box[3] - box[1]), reverse=True
    )
    margins = (inner[0] - left, inner[1] - bottom, right - inner[2], top - inner[3])
    if min(margins) < -_DRAWN_PT or max(margins) > _THIN_PT:
        return
    at = [outer + margin / 2 for outer, margin in zip((left, bottom), margins, strict=False)]
    at += [outer - margin / 2 for outer, margin in zip((right, top), margins[2:], strict=True)]
    lines = (
        (at[0], bottom, at[0], top),
        (left, at[1], right, at[1]),
        (at[2], bottom, at[2], top),
        (left, at[3], right, at[3]),
    )
    for line, margin in zip(lines, margins, strict=True):
        if margin > _DRAWN_PT:
            yield (*line, margin)


def _rectangle(points: Sequence[Point]) -> tuple[float, float, float, float] | None:
    xs, ys = {round(x, 2) for x, _, _ in points}, {round(y, 2) for _, y, _ in points}
    return (min(xs), min(ys), max(xs), max(ys)) if len(xs) == len(ys) == 2 else None
