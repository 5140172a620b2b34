"""Divides lines that the detector joined over the gutter between two columns.

On the reduced page a gutter of 4 mm is hardly wider than a blank. One line that reaches over it would separate the columns above
from those below. A line is divided where other lines near it end and begin, if the pixels show more white than a blank has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_WIDE = 8.0  # aspect ratio of lines that may be two
_NEAR = 15.0  # largest distance of other lines that show the gutter, in line heights
_LEAST_LINES = 3  # number of lines that end at the gutter, and of lines that begin at it
_WIDEST = 3.0  # widest gutter, in line heights
_MOST_CROSSING = 0.4  # largest share of the near lines that may reach over the gutter
_LEAST_JOINED, _MOST_WHITE = 4, 0.8  # least number of joined lines around a gutter, and least share of them with white there
_BESIDE = 0.3  # largest distance from the start of lines to the white space before them, in line heights
_WHITE = 0.45  # least white space in a line, in heights of its box; a blank has 0.2 to 0.35
_RULE = 0.12  # widest ruling in a gutter, in line heights
_INK = 0.04  # largest share of dark pixels in a white column of a scan
_INSIDE = 0.18  # share of the height that is ignored above and below, where neighboring lines reach in
_KEPT = 0.12  # white space that is kept on either side, in line heights


def parted_at_gutters(image: Any, quads: Any) -> Any:
    """Returns the corners (n, 4, 2) with such lines divided. Lines that run down the page stay unchanged."""
    import numpy as np

    if len(quads) < 2 * _LEAST_LINES + 1:
        return quads
    x0, x1 = quads[:, :, 0].min(axis=1), quads[:, :, 0].max(axis=1)
    middle = quads[:, :, 1].mean(axis=1)
    height = np.linalg.norm(quads[:, 3] - quads[:, 0], axis=1)
    width = np.linalg.norm(quads[:, 1] - quads[:, 0], axis=1)
    parts: list[Any] = []
    seen: dict[tuple[int, int], bool] = {}

    def is_white(index: int, start: float) -> bool:
        """Returns whether line `index` has white space where other lines start."""
        if (key := (index, round(start))) not in seen:
            before = start - _BESIDE * height[index], start
            seen[key] = _white_run(image, quads[index], before, height[index], width[index]) is not None
        return seen[key]

    for index, quad in enumerate(quads):
        tall = height[index]
        gutter = None
        if width[index] > _WIDE * tall:
            near = (np.abs(middle - middle[index]) < _NEAR * tall) & (np.arange(len(quads)) != index)
            edges = np.abs(x0[near] - x0[index]), np.abs(x1[near] - x1[index])
            if max(int((edge < tall / 2).sum()) for edge in edges) > 1:  # a centered line begins and ends elsewhere
                gutter = _gutter(x0[near], x1[near], x0[index], x1[index], tall)
                near[index] = True
                gutter = gutter or _gutter_of_joined(x0, x1, np.flatnonzero(near), tall, is_white)
        cut = _white_run(image, quad, gutter, tall, width[index]) if gutter is not None else None
        parts += [quad] if cut is None else _halves(quad, *cut)
    return np.asarray(parts, quads.dtype) if len(parts) > len(quads) else quads


def _gutter(x0: Any, x1: Any, left: float, right: float, tall: float) -> tuple[float, float] | None:
    """Returns where near lines end and begin inside a line from `left` to `right`, if enough of them do and few cross."""
    import numpy as np

    best: tuple[int, float, float] | None = None
    for start in np.unique(np.round(x0[(x0 > left + 3 * tall) & (x0 < right - 3 * tall)])):
        starts = x0[np.abs(x0 - start) < 0.6 * tall]
        ends = x1[(x1 < start + 0.3 * tall) & (x1 > start - _WIDEST * tall)]
        if len(starts) < _LEAST_LINES or len(ends) < _LEAST_LINES:
            continue
        end = float(np.percentile(ends, 75))
        at = (end + float(start)) / 2
        crossing = ((x0 < at - tall) & (x1 > at + tall)).sum()
        if crossing <= _MOST_CROSSING * (len(starts) + len(ends)) / 2 and (best is None or len(starts) > best[0]):
            best = len(starts), min(end, float(start)), max(end, float(start))
    return None if best is None else best[1:]


def _gutter_of_joined(
    x0: Any, x1: Any, near: Any, tall: float, is_white: Callable[[int, float], bool]
) -> tuple[float, float] | None:
    """Returns the gutter where some near lines start, if almost all lines that cross it have white space there: the detector
    joined most lines of both columns."""
    import numpy as np

    for start in np.unique(np.round(x0[near])):
        crossing = [index for index in near if x0[index] < start - 3 * tall and x1[index] > start + 3 * tall]
        starts = (np.abs(x0[near] - start) < 0.6 * tall).sum()
        if starts < _LEAST_LINES or len(crossing) < _LEAST_JOINED:
            continue
        if sum(is_white(index, float(start)) for index in crossing) >= _MOST_WHITE * len(crossing):
            return float(start) - _BESIDE * tall, float(start)
    return None


def _white_run(image: Any, quad: Any, gutter: tuple[float, float], tall: float, width: float) -> tuple[float, float] | None:
    """Returns the start and end, as shares of the line's length, of the white space at the gutter."""
    import numpy as np

    from rayocr.engines.rapidocr.image import cut_out

    crop = cut_out(image, quad)
    if crop.shape[0] > crop.shape[1]:
        return None
    scale = crop.shape[1] / width
    edge = float(quad[:, 0].min())
    inside = round(_INSIDE * crop.shape[0])
    body = crop[inside : crop.shape[0] - inside].astype(np.float32)
    dark = body < (np.percentile(body, 2) + np.percentile(body, 80)) / 2
    white = dark.mean(axis=0) <= _INK
    _close(white, round(_RULE * tall * scale) + 1, round(_WHITE * tall * scale / 4))
    low, high = ((x - edge) * scale for x in (gutter[0] - 0.5 * tall, gutter[1] + 0.5 * tall))
    best = (0, 0)
    for start, end in _runs(white):
        if start < high and end > low and end - start > best[1] - best[0]:
            best = start, end
    if best[1] - best[0] < _WHITE * tall * scale or best[0] == 0 or best[1] == len(white):
        return None
    kept = _KEPT * tall * scale
    return (best[0] + kept) / crop.shape[1], (best[1] - kept) / crop.shape[1]


def _close(white: Any, widest: int, beside: int) -> None:
    """Makes dark runs white that are no wider than a ruling and have white space on both sides."""
    for start, end in _runs(~white):
        if end - start <= widest and start >= beside and white[start - beside : start].all() and white[end : end + beside].all():
            white[start:end] = True


def _runs(mask: Any) -> list[tuple[int, int]]:
    import numpy as np

    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def _halves(quad: Any, end: float, start: float) -> list[Any]:
    import numpy as np

    top, bottom = quad[1] - quad[0], quad[2] - quad[3]
    left = np.stack([quad[0], quad[0] + end * top, quad[3] + end * bottom, quad[3]])
    right = np.stack([quad[0] + start * top, quad[1], quad[2], quad[3] + start * bottom])
    return [left, right]
