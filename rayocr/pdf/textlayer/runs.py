"""Groups ordered characters into runs: along a baseline, or vertically in a column."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from rayocr.pdf.textlayer.glyphs.characters import Characters
from rayocr.pdf.textlayer.glyphs.superscripts import RAISED_DIGITS
from rayocr.pdf.textlayer.spaces.word_spaces import BESIDE_LATIN_EM, add_spaces_between_sizes, close_up, correct_spaces

GAP_EM = 1.6  # gap on one baseline; a wider gap separates columns or cells and is not a justified space
SAME_LINE_EM = 0.25  # how far the middle of a character may lie outside its neighbor's height
_BACK_EM = 1.0  # a larger jump to the left starts a new line
_STACKED_BACK_EM, _STACKED_EM = 0.15, 0.4
_WATERMARK = 3.0  # least ratio of heights of an upright watermark and the level text beside it
_RETURN_EM = 0.5
_COVERED_EM, _COVERED_LEVEL_EM = 0.3, 0.02  # least overlap of the digits of two cells; limit of other distances
_EXPONENT_GAP_EM, _BASE = 0.25, 1.15  # gap before an exponent, and the minimum ratio of the base's height to the exponent's
_INITIAL, _BELOW_LINE_EM = 1.7, 0.3  # ratio of heights, and how far an initial reaches below its first line
_TOUCHING_EM = 0.2  # characters that follow one another to the left overlap by less
_BELOW_EM = 0.6  # maximum gap between characters of a vertical column
_BROKEN_LINE_GAP_EM = 0.06  # gap at a PDFium line break within a line; a smaller gap is not a space
_REVERSED_PIECE, _REVERSED_PIECES = 2, 4  # text drawn from the right: most characters of a piece; least number of such pieces
_REVERSED_GAP_EM = 0.8
_SPACE_EM = 0.12
_BESIDE_EM = 0.05
_SLANTED_PIECE, _SLANTED_PIECES = 3, 3  # most characters of a piece, and least number of such pieces in a row
_SLANTED_OFF = math.radians(
    30
)  # angle between the baseline and the direction to the next letter's middle, which may be lower or higher
_SLANTED_STEP = 2.0  # maximum distance of two letters, as a multiple of the side of a letter's box
_WORD_OR_POINT = re.compile(r"[A-Za-z0-9]+|[.,:;]")
_SET_VERTICALLY = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\ufe10-\ufe4f\uff00-\uffef\U00020000-\U0003ffff]")


class Run(NamedTuple):
    """Characters of one line, in reading order. `spaced[n]`: a space precedes the n-th character."""

    order: Sequence[int]
    spaced: Sequence[bool]
    vertical: bool
    slanted: bool = False


def runs_of(characters: Characters, is_level: Callable[[int], bool], slant: Callable[[int], float | None]) -> Iterator[Run]:
    """Builds runs of characters along a baseline, or vertically in a column. `slant`: as in `with_slanted`."""
    x0, y0, x1, y1 = characters.x0, characters.y0, characters.x1, characters.y1
    em = np.maximum(y1 - y0, 1.0)[1:]
    middle = ((y0 + y1) / 2)[1:]
    advance = x0[1:] - x1[:-1]
    on_line = (y0[:-1] - SAME_LINE_EM * em <= middle) & (middle <= y1[:-1] + SAME_LINE_EM * em)
    beside = _beside(characters, em, advance, on_line, is_level, slant)
    widths = x1 - x0
    overlap = np.minimum(x1[1:], x1[:-1]) - np.maximum(x0[1:], x0[:-1])
    below = ~beside & (overlap > 0.5 * np.minimum(widths[1:], widths[:-1]))
    side = np.maximum(em, widths[1:])  # rotated letters are as wide as the font is high
    below &= np.minimum(np.abs(y1[1:] - y0[:-1]), np.abs(y0[1:] - y1[:-1])) <= _BELOW_EM * side
    # PDFium breaks lines at superscripts and between text objects. A word that continues has no gap there.
    gaps = advance > _BROKEN_LINE_GAP_EM * em
    spaced = [
        False,
        *((space == 2 or (space == 1 and gap)) for space, gap in zip(characters.spaces[1:], gaps.tolist(), strict=True)),
    ]
    correct_spaces(characters, spaced, np.where(beside, advance / em, np.inf))
    add_spaces_between_sizes(characters, spaced, advance, beside)
    close_up(characters, spaced, advance, em)
    # This is upside-down text on an upright page.
    return_step = x0[:-1] - x1[1:]
    back = on_line & (-_TOUCHING_EM * em <= return_step) & (return_step <= GAP_EM * em)
    if below.any() or back.any():
        yield from _with_turned(characters, spaced, beside.tolist(), below.tolist(), back.tolist(), is_level)
        return
    breaks = [0, *(np.flatnonzero(~beside) + 1).tolist(), len(characters)]
    for start, end in pairwise(breaks):
        yield Run(range(start, end), spaced[start:end], vertical=False)


def _beside(
    characters: Characters,
    em: Any,
    advance: Any,
    on_line: Any,
    is_level: Callable[[int], bool],
    slant: Callable[[int], float | None],
) -> Any:
    """Returns for each character, except the first, whether it continues the run of the character before it. `em`: height of its
    font. `advance`: gap before it. `on_line`: whether it is as high as the character before it."""
    x0, y0, x1, y1 = characters.x0, characters.y0, characters.x1, characters.y1
    beside = on_line & (-_BACK_EM * em <= advance) & (advance <= GAP_EM * em)
    for n in np.flatnonzero(beside & (x1[1:] <= x0[:-1] + _BESIDE_EM * em) & (x0[1:] < x0[:-1])).tolist():
        if characters.spaces[n + 1] != 2 and all(map(_WORD_OR_POINT.fullmatch, characters.texts[n : n + 2])):
            beside[n] = False  # this character was drawn before the one on its left
    for n in np.flatnonzero(beside & (-advance > _COVERED_EM * em) & (np.abs(np.diff(y1)) < _COVERED_LEVEL_EM * em)).tolist():
        beside[n] = not _covers_end_of_cell(characters, n, advance / em)
    tall, low = np.maximum((y1 - y0)[1:], (y1 - y0)[:-1]), np.minimum((y1 - y0)[1:], (y1 - y0)[:-1])
    for n in np.flatnonzero(beside & (tall > _WATERMARK * low)).tolist():
        beside[n] = is_level(characters.indexes[n]) == is_level(characters.indexes[n + 1])
    # Digits to the left and up or down are labels of an axis that nearly touch, or an index under an exponent.
    stacked = (advance < -_STACKED_BACK_EM * em) & (np.abs(np.diff((y0 + y1) / 2)) > _STACKED_EM * em)
    for n in np.flatnonzero(stacked & beside).tolist():
        # In a font with tall boxes, the next line overlaps this one.
        is_next_line = characters.spaces[n + 1] > 0 and advance[n] < -_RETURN_EM * em[n]
        are_digits = characters.texts[n].isdigit() and characters.texts[n + 1].isdigit()
        in_column = advance[n] < -_RETURN_EM * em[n] and all(map(_SET_VERTICALLY.match, characters.texts[n : n + 2]))
        beside[n] = not (are_digits or is_next_line or in_column) or slant(characters.indexes[n]) is not None
    for n in np.flatnonzero(stacked & (y0[1:] > y0[:-1])).tolist():
        if all(text.isascii() and text.isdigit() for text in characters.texts[n : n + 2]) and x1[n + 1] > x0[n]:
            _part_fraction(characters, beside, n)
    for n in np.flatnonzero(beside & ((y1 - y0)[:-1] > _INITIAL * (y1 - y0)[1:])).tolist():
        if (n == 0 or not beside[n - 1]) and y1[n] - y1[n + 1] > _BELOW_LINE_EM * em[n] and characters.texts[n].isupper():
            beside[n] = not _continues_initial("".join(characters.texts[n + 1 : n + 3]))
    for n in np.flatnonzero(~on_line & (np.abs(advance) < _EXPONENT_GAP_EM * em)).tolist():
        if n and beside[n - 1] and characters.texts[n].isdigit() and characters.texts[n + 1] in RAISED_DIGITS:
            is_larger = (y1 - y0)[n - 1] > _BASE * (y1 - y0)[n + 1]
            is_raised = y0[n - 1] - SAME_LINE_EM * em[n] < ((y0 + y1) / 2)[n + 1] < (y0 + y1)[n - 1] / 2
            beside[n] = is_larger and is_raised  # an exponent after an index: x₁²
    same_box = (x0[1:] == x0[:-1]) & (x1[1:] == x1[:-1]) & (y0[1:] == y0[:-1])
    return beside | same_box  # characters of one glyph, such as ffi


def _covers_end_of_cell(characters: Characters, n: int, gaps: Any) -> bool:
    """Returns whether the digit after the n-th character, also a digit, begins the next cell, into which a long text reaches. The
    other digits of both cells do not overlap."""
    around = characters.texts[max(n - 1, 0) : n + 3]
    are_digits = len(around) == 4 and all(text.isascii() and text.isdigit() for text in around)
    return are_digits and bool(abs(gaps[n - 1]) < _COVERED_LEVEL_EM and abs(gaps[n + 1]) < _COVERED_LEVEL_EM)


def _part_fraction(characters: Characters, beside: Any, n: int) -> None:
    """Separates a numerator, which ends with the n-th character, and the number below it from the text around them."""
    y1, texts = characters.y1, characters.texts
    start, end = n, n + 1
    while start and beside[start - 1] and texts[start - 1].isdigit() and y1[start - 1] == y1[n]:
        start -= 1
    while end < len(beside) and beside[end] and texts[end + 1].isdigit() and y1[end + 1] == y1[n + 1]:
        end += 1
    if start and y1[start - 1] != y1[n]:
        beside[start - 1] = False
    if end < len(beside) and y1[end + 1] != y1[n + 1]:
        beside[end] = False


def _continues_initial(text: str) -> bool:
    """Returns whether the text may be the rest of a word that begins with an initial of several lines: small letters or
    capitals."""
    return text[:1].isalpha() and (text[:1].islower() or text.isupper())


def _with_turned(
    characters: Characters,
    spaced: list[bool],
    beside: list[bool],
    below: list[bool],
    back: list[bool],
    is_level: Callable[[int], bool],
) -> Iterator[Run]:
    """Builds runs on pages where some characters do not advance to the right."""
    start = 0
    direction: list[bool] | None = None  # the direction of the run, once it has two characters
    for n in range(1, len(characters) + 1):
        if n < len(characters):
            if direction is None and n - start == 1:
                direction = _direction_at(characters, n, beside, below, back, is_level)
            if direction is not None and direction[n - 1]:
                continue
        vertical = direction is below
        yield Run(range(start, n), _spaced_in_column(characters, spaced, start, n) if vertical else spaced[start:n], vertical)
        start, direction = n, None


def _direction_at(
    characters: Characters, n: int, beside: list[bool], below: list[bool], back: list[bool], is_level: Callable[[int], bool]
) -> list[bool] | None:
    """Returns the direction of a run that begins with the characters n - 1 and n; None if they do not belong together."""
    if back[n - 1] and not is_level(characters.indexes[n]):
        return back
    if beside[n - 1]:
        return beside
    return below if below[n - 1] and _may_stand_above(characters, n, is_level) else None


def _may_stand_above(characters: Characters, n: int, is_level: Callable[[int], bool]) -> bool:
    """Returns whether a column may begin with the characters n - 1 and n: Chinese, Japanese, or rotated text along the margin.
    Stacked digits are table cells."""
    if all(_SET_VERTICALLY.match(characters.texts[place]) for place in (n - 1, n)):
        return True
    return not is_level(characters.indexes[n])


def _spaced_in_column(characters: Characters, spaced: list[bool], start: int, end: int) -> list[bool]:
    """Returns where spaces are in a column. PDFium's line break after every character is not a space, except in rotated text."""
    return [spaced[n] and (n == start or not _is_close(characters, n)) for n in range(start, end)]


def _is_close(characters: Characters, n: int) -> bool:
    """Returns whether two characters of a column, at least one of them Chinese or Japanese, have no space between them."""
    if not any(map(_SET_VERTICALLY.match, characters.texts[n - 1 : n + 1])):
        return False
    gap = max(float(characters.y0[n] - characters.y1[n - 1]), float(characters.y0[n - 1] - characters.y1[n]))
    return characters.spaces[n] != 2 or gap < BESIDE_LATIN_EM * max(float(characters.x1[n] - characters.x0[n]), 1.0)


def with_slanted(characters: Characters, runs: Sequence[Run], slant: Callable[[int], float | None]) -> Iterator[Run]:
    """Joins the letters of slanted lines (watermarks, stamps), which would otherwise be runs of one or two characters. `slant`
    gives the angle at PDFium's index, in radians clockwise, or None for a level or upright line."""
    position = 0
    while position < len(runs):
        end = position
        while end < len(runs) and len(runs[end].order) <= _SLANTED_PIECE:
            end += 1
        if end - position >= _SLANTED_PIECES and any(
            slant(characters.indexes[run.order[0]]) is not None for run in runs[position : position + _SLANTED_PIECES]
        ):
            yield from _slanted_lines(characters, [n for run in runs[position:end] for n in run.order], slant)
            position = end
        else:
            stop = max(end, position + 1)
            yield from runs[position:stop]
            position = stop


def _slanted_lines(characters: Characters, places: Sequence[int], slant: Callable[[int], float | None]) -> Iterator[Run]:
    x, y = (characters.x0 + characters.x1) / 2, (characters.y0 + characters.y1) / 2
    side = np.maximum(characters.x1 - characters.x0, characters.y1 - characters.y0)
    order: list[int] = []
    spaced: list[bool] = []
    angle: float | None = None
    for n in places:
        if order:
            dx, dy = float(x[n] - x[order[-1]]), float(y[n] - y[order[-1]])
            follows = angle is not None and abs(math.remainder(math.atan2(dy, dx) - angle, math.tau)) < _SLANTED_OFF
            if follows and math.hypot(dx, dy) < _SLANTED_STEP * float(side[n]):
                spaced.append(characters.spaces[n] == 2)
                order.append(n)
                continue
            yield Run(order, spaced, vertical=False, slanted=angle is not None)
        order, spaced, angle = [n], [False], slant(characters.indexes[n])
    if order:
        yield Run(order, spaced, vertical=False, slanted=angle is not None)


def with_upturned(characters: Characters, runs: Iterable[Run], is_level: Callable[[int], bool]) -> Iterator[Run]:
    """Orders the level lines that are upside down on an upright page. PDFium gives their text objects from left to right."""
    waiting: Run | None = None
    for run in runs:
        upturned = _upturned(characters, run, is_level)
        if upturned is None:
            if waiting is not None:
                yield waiting
            waiting = None
            yield run
        elif waiting is not None and (gap := _gap_to(characters, waiting, upturned)) is not None:
            spaced = [*upturned.spaced, gap > _SPACE_EM, *waiting.spaced[1:]]
            waiting = Run([*upturned.order, *waiting.order], spaced, vertical=False)
        else:
            if waiting is not None:
                yield waiting
            waiting = upturned
    if waiting is not None:
        yield waiting


def _upturned(characters: Characters, run: Run, is_level: Callable[[int], bool]) -> Run | None:
    """Returns the run in reading order if its letters are upside down; None for all others."""
    first, last = run.order[0], run.order[-1]
    if run.vertical or run.slanted or not characters.texts[first].isalnum():
        return None
    if any(is_level(characters.indexes[n]) for n in (first, run.order[len(run.order) // 2], last)):
        return None
    if float(characters.x1[first] - characters.x0[first]) > 3 * float(characters.y1[first] - characters.y0[first]):
        return None
    if characters.x0[last] <= characters.x0[first]:
        return run
    spaces = [bool(space) for space in run.spaced[1:]]
    return Run(list(reversed(run.order)), [False, *reversed(spaces)], vertical=False)


def _gap_to(characters: Characters, left: Run, right: Run) -> float | None:
    """Returns the gap in em between two pieces of one line; None if they are not beside each other."""
    one, other = left.order[0], right.order[-1]
    em = max(float(characters.y1[one] - characters.y0[one]), 1.0)
    gap = float(characters.x0[other] - characters.x1[one]) / em
    is_level = abs(float(characters.y1[one] - characters.y1[other])) < SAME_LINE_EM * em
    return gap if is_level and -_TOUCHING_EM < gap < GAP_EM else None


def with_reversed(characters: Characters, runs: Sequence[Run]) -> Iterator[Run]:
    """Joins the letters of level lines that are drawn letter by letter from the right."""
    group: list[Run] = []
    for run in runs:
        if group and not _continues_to_the_left(characters, group[-1], run):
            yield from _turned(characters, group)
            group = []
        group.append(run)
    yield from _turned(characters, group)


def _is_one_word(characters: Characters, group: Sequence[Run]) -> bool:
    """Returns whether the pieces, given from right to left, touch."""
    first = group[0].order[0]
    least = _SPACE_EM * max(float(characters.y1[first] - characters.y0[first]), 1.0)
    return all(float(characters.x0[right.order[0]] - characters.x1[left.order[-1]]) < least for right, left in pairwise(group))


def _continues_to_the_left(characters: Characters, right: Run, left: Run) -> bool:
    if right.vertical or left.vertical or max(len(right.order), len(left.order)) > _REVERSED_PIECE:
        return False
    one, other = right.order[0], left.order[-1]
    em = max(float(characters.y1[one] - characters.y0[one]), 1.0)
    is_level = abs(float(characters.y1[one] - characters.y1[other])) < SAME_LINE_EM * em
    return is_level and -_TOUCHING_EM * em <= float(characters.x0[one] - characters.x1[other]) <= _REVERSED_GAP_EM * em


def _turned(characters: Characters, group: Sequence[Run]) -> Iterator[Run]:
    if len(group) < (2 if _is_one_word(characters, group) else _REVERSED_PIECES):
        yield from group
        return
    order: list[int] = []
    spaced: list[bool] = []
    following = None
    for run in reversed(group):
        # PDFium reports the space before the piece on its left, which it read later.
        begins_word = following is not None and characters.spaces[following] == 2
        spaced += [begins_word, *run.spaced[1:]]
        order += run.order
        following = run.order[0]
    yield Run(order, spaced, vertical=False)
