"""Determines where a run of height in which a page is set in two columns begins and ends."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from rayocr.engines.layout.lines import Boxed, LayoutLine
from rayocr.engines.layout.order.page_margins import SLACK_EM
from rayocr.engines.layout.order.prose import fullness, is_dense, lines_of
from rayocr.engines.layout.rows import rows_of
from rayocr.engines.layout.units.series import are_lists_in_columns, list_markers

PROSE = 0.5  # share of full lines above which text is prose; rows on common baselines need more
BLOCK_BAND_EM = 1.0  # least white space across the page after blocks that stand side by side, such as addresses
_HANGING_EM = 0.8  # least indentation of the second line of an item
_HEADING, _MOST_BELOW = 1.1, 4  # least ratio of the height of a heading below blocks; most lines of a block below the other one
_SET_OFF_EM = 0.4  # least white space between blocks
# Limits for the head of a page above its columns: number of lines, share of the columns' height, characters of a line.
_HEAD_LINES, _HEAD_SHARE, _HEAD_CHARS = 8, 0.2, 40
LARGEST_BONUS = 1.008  # bonus for a gutter of 4 ems


@dataclass(frozen=True, slots=True)
class Run:
    top: float
    bottom: float
    left: list[Boxed]
    right: list[Boxed]
    has_insets: bool = False


def sides_of(run: Run) -> tuple[list[LayoutLine], list[LayoutLine]]:
    return lines_of(run.left), lines_of(run.right)


def trimmed(run: Run, em: float) -> Run:
    """Removes the lines below both sides after white space, if the longer side is not prose. The body of a letter does not
    continue the address beside its letterhead."""
    bottoms = max(box.y1 for box in run.left), max(box.y1 for box in run.right)
    longer = run.left if bottoms[0] > bottoms[1] else run.right
    end = min(bottoms)
    above = [box for box in longer if box.y0 < end - SLACK_EM * em]
    below = [box for box in longer if box.y0 >= end - SLACK_EM * em]
    above, below = _before_heading(above, below, em)
    lines = lines_of(longer)
    if not above or not below or (fullness(lines, em) >= PROSE and is_dense(lines, em)):
        return run
    bottom = max(box.y1 for box in above)
    if min(box.y0 for box in below) - bottom < _SET_OFF_EM * em:
        return run
    left, right = (above, run.right) if longer is run.left else (run.left, above)
    return Run(run.top, max(bottom, end), left, right)


def _before_heading(above: list[Boxed], below: list[Boxed], em: float) -> tuple[list[Boxed], list[Boxed]]:
    """Moves the last lines of a block above, such as an address with more lines than the block beside it, if a heading is below
    them: a larger line after white space."""
    ordered = sorted(below, key=lambda box: box.y0)
    lowest = sorted(above, key=lambda box: box.y1)[-1:]
    for place, (last, box) in enumerate(pairwise([*lowest, *ordered]) if lowest else ()):
        if box.y0 - last.y1 >= _SET_OFF_EM * em:
            tallest = max(other.y1 - other.y0 for other in (*above, *ordered[:place]))
            is_heading = isinstance(box, LayoutLine) and box.height > _HEADING * tallest
            return ([*above, *ordered[:place]], ordered[place:]) if is_heading else (above, below)
        if place == _MOST_BELOW:
            break
    return above, below


def without_head(run: Run, em: float) -> Run:
    """Removes the lines above both columns and white space, if they are the head of a page: a few lines, several of them side by
    side within one column."""
    ordered = sorted((*run.left, *run.right), key=lambda box: box.y0)
    limit, bottom = run.top + _HEAD_SHARE * (run.bottom - run.top), ordered[0].y1
    for index, box in enumerate(ordered[1 : _HEAD_LINES + 1], start=1):
        if box.y0 > limit:
            break
        if box.y0 - bottom > BLOCK_BAND_EM * em:
            head = {id(above) for above in ordered[:index]}
            parts = [lines_of([box for box in side if id(box) in head]) for side in (run.left, run.right)]
            rest = [[box for box in side if id(box) not in head] for side in (run.left, run.right)]
            rows = [rows_of(part) for part in parts]
            is_head = all(parts) and all(rest) and any(len(row.segments) > 1 for part in rows for row in part)
            texts = [line.text for part in parts for line in part]
            is_head = (
                is_head
                and max(map(len, rows)) > 1
                and max(map(len, texts)) <= _HEAD_CHARS
                and not any(text[:1].islower() for text in texts)
            )
            return Run(box.y0, run.bottom, rest[0], rest[1], run.has_insets) if is_head else run
        bottom = max(bottom, box.y1)
    return run


def lists_within(run: Run, em: float) -> Run | None:
    """Returns the part of a run that is a list in two columns, without the lines above it and those below it; None if there is
    none."""
    first = min(run.right, key=lambda box: box.y0)
    if not isinstance(first, LayoutLine) or not list_markers(first.text):
        return None
    sides = [sorted(side, key=lambda line: line.y0) for side in sides_of(run)]
    if sum(map(len, sides)) != len(run.left) + len(run.right) or not all(sides):
        return None
    top, bottom = max(side[0].y0 for side in sides), min(max(line.y1 for line in side) for side in sides)
    kept = []
    for side in sides:
        lines = [line for line in side if line.y1 > top + SLACK_EM * em]
        left = min((line.x0 for line in lines), default=0.0)
        is_item = [line.y0 < bottom or line.x0 > left + _HANGING_EM * em or bool(list_markers(line.text)) for line in lines]
        kept.append(lines[: is_item.index(False)] if False in is_item else lines)
    left_side, right_side = kept
    if not (left_side and right_side and are_lists_in_columns(left_side, right_side)):
        return None
    return Run(top, max(line.y1 for line in (*left_side, *right_side)), list(left_side), list(right_side))


def gutter(run: Run) -> float:
    """Returns the width of the white space between the columns. One box in four may reach into it, as boxes of scans do."""
    ends, starts = sorted((box.x1 for box in run.left), reverse=True), sorted(box.x0 for box in run.right)
    return starts[len(starts) // 4] - ends[len(ends) // 4]


def gutter_bonus(run: Run, em: float) -> float:
    """Prefers the wider gutter of equally good cuts."""
    return 1.0 + (LARGEST_BONUS - 1.0) * min(gutter(run) / em / 4.0, 1.0)
