"""Finds the reading order: splits a page into its columns, so they are not read across.

For each x, the lines that cross it separate runs of height in which x may be a gutter. The page is cut at the x whose runs have
the most text on both sides; lines that cross it (headings, captions, footers) come before, between and after the runs. The pieces
are cut again. This is a recursive XY-cut that looks for gutters first: cutting at horizontal white bands first would interleave
columns wherever their paragraphs end at the same height.

Tables without rulings and forms have gutters, too, but are read across. Columns of prose differ from them by lines that fill
their column, or by rows that do not share a baseline.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import lru_cache

from rayocr.engines.layout.fields.beside import have_same_labels, have_same_texts, is_address, is_postal_address
from rayocr.engines.layout.fields.signatures import are_signatures
from rayocr.engines.layout.lines import Boxed, LayoutLine, Ruling
from rayocr.engines.layout.order.dividers import Dividers
from rayocr.engines.layout.order.forms import are_heads_of_empty_columns, are_labels_of_values, is_of_amounts
from rayocr.engines.layout.order.headlines import headlines
from rayocr.engines.layout.order.page_margins import SLACK_EM, columns_of_footer, split_margins
from rayocr.engines.layout.order.prose import (
    REMEMBERED,
    WORDY,
    aligned_share,
    beside_share,
    flows,
    fullness,
    is_dense,
    is_of_answers,
    is_of_codes,
    is_of_marks,
    lines_of,
    long_lines,
    row_texts,
    sentences_run_on,
    text_height,
    typical_chars,
)
from rayocr.engines.layout.order.runs import (
    BLOCK_BAND_EM,
    LARGEST_BONUS,
    PROSE,
    Run,
    gutter,
    gutter_bonus,
    lists_within,
    sides_of,
    trimmed,
    without_head,
)
from rayocr.engines.layout.order.short_paragraphs import are_short_paragraphs
from rayocr.engines.layout.order.side_by_side import are_side_by_side
from rayocr.engines.layout.rows import are_labels, has_labels
from rayocr.engines.layout.units.lines import are_index_entries, has_leader
from rayocr.engines.layout.units.series import are_lists_in_columns

_STEP_PT = 2.0
_MIN_GUTTER_EM = 0.2  # OCR boxes are padded by about a quarter of the line's height on either side
_BAND_EM = 0.5  # least height of white space across the page that separates columns from other text
_SURE_PROSE = 0.75
_SURE_LINES = 8  # columns with fewer short lines are fields unless their sentences run on
_FLOWING_LINES = 6  # least number of lines in a column of ragged prose
_BESIDE = 0.6  # least share of the shorter of two columns that must have text beside it
_MOST_FIELDS = 24
_LONG_LINES = 32  # in characters; table cells are rarely this long on both sides of a gutter, ragged columns often are
_RAGGED_PROSE = 0.4
_BELOW_ADDRESS_EM = 3.0
_MOST_INSETS = 10  # maximum number of lines with text on both sides
_INSET_BESIDE_EM = 3.0  # least width of the text on either side of such a line
_RULE_REACH_EM = 3.0  # a ruling that separates columns reaches at least this far to both sides of the gutter
_DIVIDED_LINES, _DIVIDED_ALIGNED = 8, 0.5  # blocks beside an upright ruling: most lines, and most aligned ones
_RULED_COLUMNS, _RULED_SHARE = 3, 0.5  # number of upright rulings; share of the height of the text
_DIVIDER_EM = 2.5  # largest distance of the ruling's ends from the blocks
_MAX_DEPTH = 12


@dataclass(frozen=True, slots=True)
class _Place:
    """A place where the page may be cut: the rulings across it, all upright rulings, and the minimum score of a run."""

    x: float
    em: float
    across: Sequence[Ruling]
    upright: Sequence[Ruling]
    least: float


def reading_order(boxes: Sequence[Boxed], *, page_height: float, em: float, rulings: Sequence[Ruling] = ()) -> list[list[Boxed]]:
    """Returns blocks in reading order; within a block, boxes are read row by row. Every box is in exactly one block. Level
    `rulings` that reach over a gutter separate the columns above from those below; upright ones separate columns."""
    if not boxes:
        return []
    head, body, foot = split_margins(boxes, page_height, em)
    blocks = _cut(body, em, _MAX_DEPTH, Dividers.of(rulings))
    return [block for block in (head, *blocks, *columns_of_footer(foot, em)) if block]


def prose_columns(lines: Sequence[LayoutLine], em: float, rulings: Sequence[Ruling]) -> list[list[LayoutLine]] | None:
    """Returns the lines before the columns of running text, the columns, and the lines after them; None if no columns are
    certain."""
    long = long_lines(lines)
    if len(long) < 2 * _SURE_LINES or not sentences_run_on(long):
        return None
    run = _best_run(list(lines), em, Dividers.of(rulings))
    if run is None or not all(_is_surely_prose(lines_of(side), em) for side in (run.left, run.right)):
        return None
    return [lines_of(part) for part in _parts(lines, run)]


def _is_surely_prose(lines: Sequence[LayoutLine], em: float) -> bool:
    long = long_lines(lines)
    return len(long) >= _SURE_LINES and fullness(lines, em) >= PROSE and sentences_run_on(long)


def _cut(boxes: list[Boxed], em: float, depth: int, dividers: Dividers) -> list[list[Boxed]]:
    if len(boxes) < 4 or depth == 0:
        return [boxes] if boxes else []
    run = _best_run(boxes, em, dividers)
    if run is None:
        return [boxes]
    return [block for part in _parts(boxes, run) for block in _cut(part, em, depth - 1, dividers)]


def _parts(boxes: Sequence[Boxed], run: Run) -> tuple[list[Boxed], list[Boxed], list[Boxed], list[Boxed]]:
    taken = {id(box) for box in (*run.left, *run.right)}
    rest = [box for box in boxes if id(box) not in taken]
    middle = 2 * run.top if run.has_insets else run.top + run.bottom  # insets come after the columns
    before = [box for box in rest if box.y0 + box.y1 < middle]
    after = [box for box in rest if box.y0 + box.y1 >= middle]
    return before, run.left, run.right, after


def _best_run(boxes: list[Boxed], em: float, dividers: Dividers) -> Run | None:
    """Returns the columns that have the most text beside each other; None if there is no column to split off."""
    left, right = min(box.x0 for box in boxes), max(box.x1 for box in boxes)
    best: Run | None = None
    best_score = -float("inf")
    seen: set[frozenset[int]] = set()
    dividers = dividers.outside(lambda ruling: any(_inside(ruling, box) for box in boxes))
    wide = [box for box in boxes if box.x1 - box.x0 > _INSET_BESIDE_EM * em]
    amid = frozenset(id(box) for box in boxes if isinstance(box, LayoutLine) and _is_amid(box, wide, em))
    slack = SLACK_EM * em
    starts, ends, edges = (
        sorted(box.x0 + slack for box in boxes),
        sorted(box.x1 - slack for box in boxes),
        sorted(box.x1 for box in boxes),
    )
    changes = dividers.changes(_RULE_REACH_EM * em)
    counts: tuple[int, ...] = ()
    x = left + 2 * em
    while x < right - 2 * em:
        before = counts
        counts = (bisect_left(starts, x), bisect_right(ends, x), bisect_right(edges, x + slack), bisect_left(changes, x))
        if counts == before:  # the same boxes are to the left and right of x, and the same rulings across it
            x += _STEP_PT
            continue
        crossing = [box for box in boxes if box.x0 + SLACK_EM * em < x < box.x1 - SLACK_EM * em]
        across = dividers.across(x, _RULE_REACH_EM * em)
        key = frozenset(map(id, (*crossing, *across))) | {-sum(box.x1 <= x + SLACK_EM * em for box in boxes)}
        x += _STEP_PT
        if key in seen or len(crossing) > len(boxes) - 4:
            continue
        seen.add(key)
        place = _Place(x - _STEP_PT, em, across, dividers.upright, best_score)
        for run in _runs(boxes, crossing, amid, place):
            score = min(text_height(run.left), text_height(run.right)) * gutter_bonus(run, em)
            # Lines that jitter into the gutter lower the score. Otherwise the search would exclude them to make the gutter wider.
            beside = [box for box in crossing if run.top - 2 * em < (box.y0 + box.y1) / 2 < run.bottom + 2 * em]
            score -= 0.5 * text_height(beside)
            if score > best_score:
                best, best_score = run, score
    return best


def _runs(boxes: list[Boxed], crossing: list[Boxed], amid: frozenset[int], place: _Place) -> list[Run]:
    """Returns the ranges of height in which no line crosses x and the text on both sides is set in columns. `amid`: the ids of
    lines with text on both sides."""
    insets = [box for box in crossing if id(box) in amid]
    if insets and len(insets) <= _MOST_INSETS:
        inset = {id(box) for box in insets}
        tops = [box.y0 for box in insets]
        runs = _free_runs(boxes, crossing, inset, place)
        runs = [replace(run, has_insets=any(run.top < top < run.bottom for top in tops)) for run in runs]
        if all(not run.has_insets or _is_running_text(run, place.em) for run in runs):
            return runs
    return _free_runs(boxes, crossing, frozenset(), place)


def _is_running_text(run: Run, em: float) -> bool:
    """Returns whether both sides are running text, since only running text runs around a picture or a quotation. Fields beside
    fields are never running text."""
    sides = sides_of(run)
    if any(has_leader(line.text) for lines in sides for line in lines):
        return False
    return all(fullness(lines, em) >= PROSE and sentences_run_on(lines) for lines in sides)


def _free_runs(boxes: list[Boxed], crossing: list[Boxed], inset: AbstractSet[int], place: _Place) -> list[Run]:
    """Returns the ranges as `_runs` does, without checking insets. `inset`: the ids of crossing lines that do not end a range."""
    crossed = {id(box) for box in crossing}
    crossing = [box for box in crossing if id(box) not in inset]
    free = sorted((box for box in boxes if id(box) not in crossed), key=lambda box: box.y0 + box.y1)
    walls = sorted([*crossing, *place.across, *headlines(free, place.x, place.em)], key=lambda box: box.y0 + box.y1)
    blocked = {id(box) for box in walls}
    free = [box for box in free if id(box) not in blocked]
    runs: list[Run] = []
    position = 0
    for wall in [*walls, None]:
        stretch: list[Boxed] = []
        while position < len(free) and (wall is None or free[position].y0 + free[position].y1 < wall.y0 + wall.y1):
            stretch.append(free[position])
            position += 1
        runs += _columns_in(stretch, place)
    return runs


def _is_amid(line: LayoutLine, boxes: Sequence[Boxed], em: float) -> bool:
    """Returns whether the line has text beside it on both sides. If it crosses a gutter, it is a quotation, or the caption of a
    picture around which the text runs."""
    top, bottom = line.y0 + line.height / 2, line.y1 - line.height / 2
    left = right = False
    for other in boxes:
        if other.y0 < bottom and other.y1 > top:
            left = left or other.x1 < line.x0 + SLACK_EM * em
            right = right or other.x0 > line.x1 - SLACK_EM * em
    return left and right


def _inside(ruling: Ruling, box: Boxed) -> bool:
    """Returns whether the ruling belongs to a table or underlines the text of this box."""
    if isinstance(box, LayoutLine):
        return ruling.x0 > box.x0 - 1 and ruling.x1 < box.x1 + 1 and box.y0 < ruling.y0 < box.y1 + box.height
    return box.y0 - 1 < ruling.y0 < box.y1 + 1 and ruling.x1 > box.x0 and ruling.x0 < box.x1


def _columns_in(stretch: list[Boxed], place: _Place) -> list[Run]:
    """Returns the columns of a stretch: the whole stretch, or the part that white space across both sides separates. An address
    beside a date does not mean that the table below them is read in columns.
    """
    x, em = place.x, place.em
    left = [box for box in stretch if (box.x0 + box.x1) / 2 < x]
    right = [box for box in stretch if (box.x0 + box.x1) / 2 >= x]
    if not left or not right or min(text_height(left), text_height(right)) * LARGEST_BONUS <= place.least:
        return []
    run = trimmed(Run(min(box.y0 for box in stretch), max(box.y1 for box in stretch), left, right), em)
    is_columns = (_is_columns(run, em) and not _is_in_ruled_columns(run, place)) or _is_divided(run, place)
    if gutter(run) >= _MIN_GUTTER_EM * em and (lists := lists_within(run, em)) is not None:
        return [lists]
    sides = sides_of(run)
    is_text = any(fullness(lines, em) >= PROSE and sentences_run_on(lines) for lines in sides)
    if is_columns and (is_text or have_same_texts(*sides)):
        return [without_head(run, em)]
    ordered = sorted(stretch, key=lambda box: box.y0)
    widest, middle, bottom = (BLOCK_BAND_EM if is_columns else _BAND_EM) * em, 0, ordered[0].y1
    for index, box in enumerate(ordered[1:], start=1):
        if box.y0 - bottom > widest:
            widest, middle = box.y0 - bottom, index
        bottom = max(bottom, box.y1)
    anew = replace(place, least=-float("inf"))
    parts = _columns_in(ordered[:middle], anew) + _columns_in(ordered[middle:], anew) if middle else []
    return parts or ([run] if is_columns else [])


def _is_level_with(lines: Sequence[LayoutLine], others: Sequence[LayoutLine], em: float) -> bool:
    """Returns whether lines begin and end at the height of others, as the fields beside an address do."""
    above = min(line.y0 for line in others) - min(line.y0 for line in lines)
    below = max(line.y1 for line in lines) - max(line.y1 for line in others)
    return above < em and below < _BELOW_ADDRESS_EM * em


def _is_columns(run: Run, em: float) -> bool:
    if gutter(run) < _MIN_GUTTER_EM * em:
        return False
    left, right = lines_of(run.left), lines_of(run.right)
    if not left or not right:
        return len(run.left) > len(left) or len(run.right) > len(right)  # a side without lines is a table beside text
    return _are_columns(tuple(left), tuple(right), em)


@lru_cache(REMEMBERED)
def _are_columns(left: tuple[LayoutLine, ...], right: tuple[LayoutLine, ...], em: float) -> bool:
    if beside_share(left, right) < _BESIDE or is_of_marks(left) or is_of_marks(right):
        return False
    if is_of_codes(left) or is_of_answers(right) or is_of_amounts(left, right, em) or are_heads_of_empty_columns(left, right):
        return False
    if are_labels_of_values(left, right, em):
        return False
    if have_same_texts(left, right) or are_lists_in_columns(left, right) or are_side_by_side(left, right):
        return True
    if are_short_paragraphs(left, right, em) or are_signatures(left, right, em):
        return True
    if all(are_index_entries([line.text for line in side]) for side in (left, right)):
        return True
    if len(left) > 1 and len(right) < _MOST_FIELDS and _is_beside_fields(left, right, em):
        return True
    if all(2 * sum(has_leader(line.text) for line in side) >= max(4, len(side)) for side in (left, right)):
        return True  # the page is a table of contents in two columns
    least, most = sorted((fullness(left, em), fullness(right, em)))
    aligned = aligned_share(left, right)
    dense = is_dense(left, em) and is_dense(right, em)
    fewer, more = sorted((len(left), len(right)))
    if min(typical_chars(left), typical_chars(right)) >= _LONG_LINES and (fewer >= 4 or (dense and fewer >= 2 and more >= 6)):
        return least >= _RAGGED_PROSE or aligned < 0.9
    if least >= PROSE and (fewer >= _SURE_LINES or sentences_run_on(left) or sentences_run_on(right)):
        return aligned < (0.9 if dense else 0.5) or (dense and least >= _SURE_PROSE and fewer >= 4)
    if min(len(left), len(right)) < 2:
        return False
    if more < _MOST_FIELDS and (
        have_same_labels(left, right) or (dense and is_address(row_texts(left)) and is_address(row_texts(right)))
    ):
        return True
    if fewer >= _FLOWING_LINES and dense and flows(left) and flows(right):
        return True
    fuller = left if fullness(left, em) >= fullness(right, em) else right
    if most >= PROSE and len(fuller) >= 4 and is_dense(fuller, em):
        return aligned < (0.65 if fewer > 2 else 0.25)
    return aligned < 0.5 and min(len(left), len(right)) >= 3 and dense


def _is_in_ruled_columns(run: Run, place: _Place) -> bool:
    """Returns whether upright rulings on both sides of the gutter divide the whole height into columns that are not all text: the
    columns of a form that are empty below their heads."""
    if all(fullness(side, place.em) >= _RAGGED_PROSE and typical_chars(side) >= WORDY for side in sides_of(run)):
        return False
    middle, least = (run.top + run.bottom) / 2, _RULED_SHARE * (run.bottom - run.top)
    x0, x1 = min(box.x0 for box in run.left), max(box.x1 for box in run.right)
    long = [ruling for ruling in place.upright if ruling.y1 - ruling.y0 > least and ruling.y0 < middle < ruling.y1]
    found = {round(ruling.x0 / place.em) for ruling in long if x0 < ruling.x0 < x1}
    at = place.x / place.em
    return len(found) >= _RULED_COLUMNS and min(found) < at - 1 and max(found) > at + 1


def _is_divided(run: Run, place: _Place) -> bool:
    """Returns whether an upright ruling divides two short blocks whose lines are not level with each other, as in the head of a
    form."""
    sides = sides_of(run)
    if not all(1 < len(side) <= _DIVIDED_LINES for side in sides) or sum(map(len, sides)) < len(run.left) + len(run.right):
        return False
    first, last = (pick(box.center_y for side in sides for box in side) for pick in (min, max))
    x0, x1 = max(box.x1 for box in sides[0]), min(box.x0 for box in sides[1])
    top, bottom = run.top - _DIVIDER_EM * place.em, run.bottom + _DIVIDER_EM * place.em  # rulings of tables are longer
    is_ruled = any(
        x0 - 1 < ruling.x0 < x1 + 1 and top < ruling.y0 < first and last < ruling.y1 < bottom for ruling in place.upright
    )
    return (
        is_ruled and aligned_share(*sides) <= _DIVIDED_ALIGNED and not any(is_of_marks([line]) for side in sides for line in side)
    )


def _is_beside_fields(left: Sequence[LayoutLine], right: Sequence[LayoutLine], em: float) -> bool:
    """Returns whether the left side is an address and the right side labels with values."""
    texts = row_texts(left)
    if are_labels(row_texts(right)) and not has_labels(texts):
        return True
    return len(right) > 1 and is_postal_address(texts) and _is_level_with(right, left, em)
