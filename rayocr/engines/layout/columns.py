"""Finds the reading order: splits a page into its columns, so they are not read across.

For each x, the lines that cross it separate runs of height in which x may be a gutter. The page is cut at the x whose runs have
the most text on both sides; lines that cross it (headings, captions, footers) come before, between and after the runs. The pieces
are cut again. This is a recursive XY-cut that looks for gutters first: cutting at horizontal white bands first would interleave
columns wherever their paragraphs end at the same height.

Tables without rulings and forms have gutters, too, but are read across. Columns of prose differ from them by lines that fill
their column, or by rows that do not share a baseline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from rayocr.engines.layout.lines import Boxed, LayoutLine

_STEP_PT = 2.0
_MIN_GUTTER_EM = 0.45  # OCR boxes are padded by about a quarter of the line's height on either side
_SLACK_EM = 0.3  # boxes jitter, so smaller overlaps are ignored
_FULL_EM = 2.5  # a line that ends this close to the edge fills its column
_SET_OFF_EM = 0.9  # white space between blocks
_DENSE_EM = 1.75  # distance of lines; forms have more, for handwriting
_FULL_SHARE = 0.2  # or within this share of the column's width, if that is less
_PROSE_CHARS = 14
_PROSE = 0.5  # share of full lines; rows on common baselines need more
_SURE_PROSE = 0.75
_LONG_LINES = 32  # characters; table cells are rarely this long on both sides of a gutter, ragged columns often are
_RAGGED_PROSE = 0.4
_HEADLINE = 1.5  # ratio of heights; a single line that is larger is above all columns
_MARGIN_SHARE = 0.12  # share of the page's height for running headers and footers
_MAX_DEPTH = 12


@dataclass(frozen=True, slots=True)
class _Run:
    top: float
    bottom: float
    left: list[Boxed]
    right: list[Boxed]


def reading_order(boxes: Sequence[Boxed], *, page_height: float, em: float) -> list[list[Boxed]]:
    """Returns blocks in reading order; within a block, boxes are read row by row. Every box is in exactly one block."""
    if not boxes:
        return []
    head, body, foot = _peel_margins(boxes, page_height, em)
    blocks = _cut(body, em, _MAX_DEPTH)
    return [block for block in (head, *blocks, foot) if block]


def _peel_margins(boxes: Sequence[Boxed], page_height: float, em: float) -> tuple[list[Boxed], list[Boxed], list[Boxed]]:
    """Splits off one running header and one footer if white space separates them; their pieces belong to no column."""
    ordered = sorted(boxes, key=lambda box: box.y0)
    head = _first_band(ordered, em)
    if not head or len(head) == len(ordered) or max(box.y1 for box in head) > page_height * _MARGIN_SHARE:
        head = []
    rest = ordered[len(head) :]
    upward = sorted(rest, key=lambda box: -box.y1)
    foot = _first_band([_Flipped(box) for box in upward], em)
    lifted = [item.box for item in foot if isinstance(item, _Flipped)]
    if not lifted or len(lifted) == len(rest) or min(box.y0 for box in lifted) < page_height * (1 - _MARGIN_SHARE):
        lifted = []
    taken = {id(box) for box in lifted}
    return list(head), [box for box in rest if id(box) not in taken], lifted


@dataclass(frozen=True, slots=True)
class _Flipped:
    """A box on the page turned upside down, so one function finds headers and footers."""

    box: Boxed

    @property
    def x0(self) -> float:
        return self.box.x0

    @property
    def x1(self) -> float:
        return self.box.x1

    @property
    def y0(self) -> float:
        return -self.box.y1

    @property
    def y1(self) -> float:
        return -self.box.y0


def _first_band(ordered: Sequence[Boxed], em: float) -> list[Boxed]:
    """Returns the boxes of the first row if a gap follows it."""
    band = [ordered[0]] if ordered else []
    bottom = ordered[0].y1 if ordered else 0.0
    for box in ordered[1:]:
        if box.y0 > bottom + 0.6 * em:
            break
        band.append(box)
        bottom = max(bottom, box.y1)
    top = min((box.y0 for box in band), default=0.0)
    return band if bottom - top < 2.2 * em else []


def _cut(boxes: list[Boxed], em: float, depth: int) -> list[list[Boxed]]:
    if len(boxes) < 4 or depth == 0:
        return [boxes] if boxes else []
    runs = _best_runs(boxes, em)
    if not runs:
        return [boxes]
    blocks: list[list[Boxed]] = []
    remaining = sorted(boxes, key=lambda box: box.y0)
    taken = {id(box) for run in runs for box in (*run.left, *run.right)}
    for run in runs:
        before = [box for box in remaining if id(box) not in taken and box.y0 + box.y1 < run.top + run.bottom]
        blocks += _cut(before, em, depth - 1)
        gone = {id(box) for box in before}
        remaining = [box for box in remaining if id(box) not in gone]
        blocks += _cut(run.left, em, depth - 1)
        blocks += _cut(run.right, em, depth - 1)
    return blocks + _cut([box for box in remaining if id(box) not in taken], em, depth - 1)


def _best_runs(boxes: list[Boxed], em: float) -> list[_Run]:
    """Returns the runs of the best gutter, from top to bottom; empty if there is no column to split off."""
    left, right = min(box.x0 for box in boxes), max(box.x1 for box in boxes)
    best: list[_Run] = []
    best_score = -float("inf")
    seen: set[frozenset[int]] = set()
    x = left + 2 * em
    while x < right - 2 * em:
        crossing = [box for box in boxes if box.x0 + _SLACK_EM * em < x < box.x1 - _SLACK_EM * em]
        key = frozenset(id(box) for box in crossing) | {-sum(box.x1 <= x + _SLACK_EM * em for box in boxes)}
        x += _STEP_PT
        if key in seen or len(crossing) > len(boxes) - 4:
            continue
        seen.add(key)
        runs = [run for run in _runs(boxes, crossing, x - _STEP_PT, em) if _is_columns(run, em)]
        score = sum(min(_text_height(run.left), _text_height(run.right)) * _gutter_bonus(run, em) for run in runs)
        score -= 0.5 * _text_height(crossing)  # otherwise a line that jitters into the gutter would be excluded to make it wider
        if runs and score > best_score:
            best, best_score = runs, score
    return best


def _runs(boxes: list[Boxed], crossing: list[Boxed], x: float, em: float) -> list[_Run]:
    """Returns the ranges of height in which nothing crosses x, with the boxes on its left and right."""
    crossed = {id(box) for box in crossing}
    free = sorted((box for box in boxes if id(box) not in crossed), key=lambda box: box.y0 + box.y1)
    walls = sorted([*crossing, *_headlines(free, x, em)], key=lambda box: box.y0 + box.y1)
    blocked = {id(box) for box in walls}
    free = [box for box in free if id(box) not in blocked]
    runs: list[_Run] = []
    position = 0
    for wall in [*walls, None]:
        stretch: list[Boxed] = []
        while position < len(free) and (wall is None or free[position].y0 + free[position].y1 < wall.y0 + wall.y1):
            stretch.append(free[position])
            position += 1
        left = [box for box in stretch if (box.x0 + box.x1) / 2 < x]
        right = [box for box in stretch if (box.x0 + box.x1) / 2 >= x]
        if left and right:
            run = _Run(min(box.y0 for box in stretch), max(box.y1 for box in stretch), left, right)
            runs.append(_trimmed(run, em))
    return runs


def _trimmed(run: _Run, em: float) -> _Run:
    """Removes what is below both sides after white space, if the longer side is not prose: the body of a letter does not continue
    the address beside its letterhead."""
    bottoms = max(box.y1 for box in run.left), max(box.y1 for box in run.right)
    longer = run.left if bottoms[0] > bottoms[1] else run.right
    end = min(bottoms)
    above = [box for box in longer if box.y0 < end - _SLACK_EM * em]
    below = [box for box in longer if box.y0 >= end - _SLACK_EM * em]
    lines = _lines(longer)
    if not above or not below or (_fullness(lines, em) >= _PROSE and _is_dense(lines, em)):
        return run
    bottom = max(box.y1 for box in above)
    if min(box.y0 for box in below) - bottom < _SET_OFF_EM * em:
        return run
    left, right = (above, run.right) if longer is run.left else (run.left, above)
    return _Run(run.top, max(bottom, end), left, right)


def _headlines(boxes: list[Boxed], x: float, em: float) -> list[Boxed]:
    """Returns large lines left of x with nothing beside them. They are above both columns even if they are short."""
    found: list[Boxed] = []
    for box in boxes:
        if isinstance(box, LayoutLine) and box.height > _HEADLINE * em and box.x1 < x and len(box.text) > 3:
            beside = any(other.x0 > x and other.y0 < box.y1 + em and other.y1 > box.y0 - 0.5 * em for other in boxes)
            if not beside:
                found.append(box)
    return found


def _is_columns(run: _Run, em: float) -> bool:
    gutter = min(box.x0 for box in run.right) - max(box.x1 for box in run.left)
    if gutter < _MIN_GUTTER_EM * em:
        return False
    left, right = _lines(run.left), _lines(run.right)
    if not left or not right:
        return len(run.left) > len(left) or len(run.right) > len(right)  # a table beside text
    fullness = min(_fullness(left, em), _fullness(right, em)), max(_fullness(left, em), _fullness(right, em))
    if min(len(left), len(right)) >= 4 and min(_typical_chars(left), _typical_chars(right)) >= _LONG_LINES:
        return fullness[0] >= _RAGGED_PROSE or _aligned_share(left, right) < 0.9
    aligned = _aligned_share(left, right)
    dense = _is_dense(left, em) and _is_dense(right, em)
    if fullness[0] >= _PROSE:
        return aligned < (0.9 if dense else 0.5) or (dense and fullness[0] >= _SURE_PROSE)
    if min(len(left), len(right)) < 2 or not _overlap_in_height(run, em):
        return False
    fuller = left if _fullness(left, em) >= _fullness(right, em) else right
    if fullness[1] >= _PROSE and len(fuller) >= 4 and _is_dense(fuller, em):
        return aligned < 0.65
    return aligned < 0.5 and min(len(left), len(right)) >= 3 and dense


def _fullness(lines: Sequence[LayoutLine], em: float) -> float:
    """Returns the share of the text in lines that reach the edge of their column, as only prose does; 0 for short cells. Weighted
    by length, since a small table in a column has as many lines as the text around it. The text may still contain several
    columns: a line is compared with the lines that begin at the same x."""
    if len(lines) < 2 or _typical_chars(lines) < _PROSE_CHARS:
        return 0.0
    ordered = sorted(lines, key=lambda line: line.x0)
    full = 0
    start = 0
    for end in range(1, len(ordered) + 1):
        if end < len(ordered) and ordered[end].x0 - ordered[start].x0 < 2 * em:
            continue
        group = ordered[start:end]
        edges = sorted(line.x1 for line in group)
        edge = edges[int(len(edges) * 0.8)] if len(edges) > 2 else edges[-1]
        slack = min(_FULL_EM * em, _FULL_SHARE * (edge - ordered[start].x0))
        if len(group) > 1:  # a single line does not fill a column: a date, a centered line of a letterhead
            full += sum(len(line.text) for line in group if line.x1 > edge - slack)
        start = end
    return full / sum(len(line.text) for line in lines)


def _is_dense(lines: Sequence[LayoutLine], em: float) -> bool:
    """Whether most lines are as close as those of a paragraph, and not as far apart as the rows of a form."""
    pitches = sorted(below - above for above, below in pairwise(sorted(line.center_y for line in lines)))
    return bool(pitches) and pitches[len(pitches) // 2] < _DENSE_EM * em


def _typical_chars(lines: Sequence[LayoutLine]) -> float:
    """Returns the length of the line that contains the median character."""
    lengths = sorted(len(line.text) for line in lines)
    half = sum(lengths) / 2
    middle = next(length for length, total in zip(lengths, accumulate(lengths), strict=True) if total >= half)
    return middle * _wideness("".join(line.text[:3] for line in lines))


def _wideness(text: str) -> float:
    return 2.0 if text and ord(text[len(text) // 2]) > 0x2E80 else 1.0


def _aligned_share(left: Sequence[LayoutLine], right: Sequence[LayoutLine]) -> float:
    """Returns the share of lines of the shorter side that have a baseline in common with a line of the other side."""
    few, many = (left, right) if len(left) <= len(right) else (right, left)
    hits = sum(any(abs(line.center_y - other.center_y) < 0.25 * min(line.height, other.height) for other in many) for line in few)
    return hits / len(few)


def _overlap_in_height(run: _Run, em: float) -> bool:
    bottom = min(max(box.y1 for box in run.left), max(box.y1 for box in run.right))
    top = max(min(box.y0 for box in run.left), min(box.y0 for box in run.right))
    return bottom - top > 2 * em


def _gutter_bonus(run: _Run, em: float) -> float:
    """Prefers the wider gutter of equally good cuts."""
    gutter = min(box.x0 for box in run.right) - max(box.x1 for box in run.left)
    return 1.0 + 0.002 * min(gutter / em, 4.0)


def _text_height(boxes: Sequence[Boxed]) -> float:
    return sum(box.y1 - box.y0 for box in boxes)


def _lines(boxes: Sequence[Boxed]) -> list[LayoutLine]:
    return [box for box in boxes if isinstance(box, LayoutLine)]
