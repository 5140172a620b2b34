"""Finds the headlines that belong to no column of their page."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

from rayocr.engines.layout.lines import Boxed, LayoutLine

_HEADLINE = 1.25  # ratio of heights; a single line that is larger is above all columns if nothing is beside it
_ALONE_EM = 0.85  # least white space above and below a line between two parts of the page
_HEADLINE_FREE = (0.5, 0.6)  # least white space above and below a headline without text beside it, in ems
_ALIKE = 0.06  # largest difference of the heights of headlines of one kind
_LARGE, _LARGE_FREE = 1.7, (0.1, 0.1)  # the same two values for very large lines, beside which paragraphs hardly ever end


def headlines(boxes: list[Boxed], x: float, em: float) -> list[Boxed]:
    """Returns lines without text beside them that belong to no column even if they are short: large lines, and lines between
    columns above and below, with white space around them. `boxes` are ordered from top to bottom.
    """
    found: list[Boxed] = []
    heights: list[float] | None = None
    right = [box for box in boxes if (box.x0 + box.x1) / 2 >= x]
    left = [box for box in boxes if (box.x0 + box.x1) / 2 < x]
    for above, box, below in zip([None, *boxes], boxes, [*boxes[1:], None], strict=False):
        if not isinstance(box, LayoutLine) or len(box.text) <= 3:
            continue
        is_alone = above is not None and below is not None and min(box.y0 - above.y1, below.y0 - box.y1) > _ALONE_EM * em
        if not is_alone and box.height <= _HEADLINE * em:
            continue
        if not any(other.y0 > box.y1 for other in right):
            continue
        is_large = box.height >= _LARGE * em
        if is_alone and _stands_between(box, left, em) and _stands_between(box, right, em):
            found.append(box)
        elif (box.x0 + box.x1) / 2 < x and box.height > _HEADLINE * em:
            free = _is_free(box, right, _LARGE_FREE if is_large else _HEADLINE_FREE, em)
            if free and not is_large and heights is None:
                heights = _heights_beside(left, right)
            found += [box] * (free and (is_large or not _has_alike(box, heights or [])))
        elif is_large and any(other.y0 > box.y1 for other in left):
            found += [box] * _is_free(box, left, _LARGE_FREE, em)
    return found


def _heights_beside(left: Sequence[Boxed], right: Sequence[Boxed]) -> list[float]:
    """Returns the heights, in order, of the lines that have a line of the other column beside them."""
    found: list[float] = []
    for side, others in ((left, right), (right, left)):
        spans = sorted((other.y0, other.y1) for other in others if isinstance(other, LayoutLine))
        tops, bottoms = [top for top, _ in spans], list(accumulate((bottom for _, bottom in spans), max))
        for box in side:
            above = bisect_left(tops, box.y1)
            if above and bottoms[above - 1] > box.y0 and isinstance(box, LayoutLine):
                found.append(box.height)
    return sorted(found)


def _has_alike(headline: LayoutLine, heights: Sequence[float]) -> bool:
    """Returns whether another headline of this height is within one of the columns, as numbered sections are. `heights`: see
    `_heights_beside`."""
    place = bisect_right(heights, (1 - _ALIKE) * headline.height)
    return place < len(heights) and heights[place] < (1 + _ALIKE) * headline.height


def _is_free(box: Boxed, others: Sequence[Boxed], free: tuple[float, float], em: float) -> bool:
    """Returns whether no other box is beside this one or in the white space above and below it."""
    top, bottom = box.y0 - free[0] * em, box.y1 + free[1] * em
    return not any(other.y0 < bottom and other.y1 > top for other in others)


def _stands_between(line: LayoutLine, boxes: Sequence[Boxed], em: float) -> bool:
    """Returns whether these boxes are above and below the line, with white space."""
    above = [line.y0 - other.y1 for other in boxes if other is not line and other.y0 < line.y0]
    below = [other.y0 - line.y1 for other in boxes if other is not line and other.y0 >= line.y0]
    return bool(above and below) and min(*above, *below) > _ALONE_EM * em
