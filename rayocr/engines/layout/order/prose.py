"""Distinguishes columns of running text from columns of a table or a form."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise

from rayocr.engines.layout.lines import Boxed, LayoutLine
from rayocr.engines.layout.rows import rows_of
from rayocr.engines.layout.units.lines import sentences_run_on as texts_run_on

_FULL_EM = 2.5  # a line that ends this close to the edge fills its column
_SAME_END_EM = 0.4  # largest distance of the ends of justified lines
_DENSE_EM = 1.75  # largest distance of lines of prose; forms have more, for handwriting
_FULL_SHARE = 0.2  # lines also count as full within this share of the column's width, if that is less
_PROSE_CHARS = 14
_SAME_LINE = 0.26  # largest distance of the centers of lines on one baseline, as a share of their height
_FLOWING_CHARS, _FLOWING = 20, 0.5  # ragged prose: least typical length of lines, least share of lines in lower case
_BOX = re.compile(r"\[[ xX]\]|[☐☑☒]")
_ANSWER = 6  # maximum number of letters beside a check box: "Yes No"
_ITEM_NUMBER, _MOST_NUMBERS = re.compile(r"\d{1,2}[a-z]?[.)]?"), 7
_NUMBERS, _CODE = 0.6, 2  # least share of lines that are numbers; most letters of a code
WORDY = 18  # least number of characters of a line of running text in a column
REMEMBERED = 256  # size of a cache; the search for columns measures the same lines many times


def fullness(lines: Sequence[LayoutLine], em: float) -> float:
    """Returns the share of the text in lines that reach the edge of their column, as only prose does; 0 for short cells and
    figures. Weighted by length, since a small table in a column has as many lines as the text around it. The text may still
    contain several columns: a line is compared with the lines that begin at the same x."""
    return _fullness(tuple(lines), em)


@lru_cache(REMEMBERED)
def _fullness(lines: tuple[LayoutLine, ...], em: float) -> float:
    if len(lines) < 2 or typical_chars(lines) < _PROSE_CHARS or not _has_words(lines):
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
        if len(group) > 1:  # a single line, such as a date or a centered line of a letterhead, does not fill a column
            inside = justified(group, em)
            full += sum(len(line.text) for line in group if line.x1 > edge - slack or id(line) in inside)
        start = end
    return full / sum(len(line.text) for line in lines)


def justified(group: Sequence[LayoutLine], em: float) -> set[int]:
    """Returns the ids of lines that end where those above and below end, as beside a picture around which the text runs."""
    down = sorted(group, key=lambda line: line.center_y)
    return {
        id(line)
        for above, line, below in zip(down, down[1:], down[2:], strict=False)
        if max(abs(line.x1 - above.x1), abs(line.x1 - below.x1)) < _SAME_END_EM * em
    }


def _has_words(lines: Sequence[LayoutLine]) -> bool:
    """Returns whether most characters are letters, and not figures such as times."""
    counts = [_letters_and_signs(line.text) for line in lines]
    return 2 * sum(letters for letters, _ in counts) > sum(signs for _, signs in counts)


@lru_cache(REMEMBERED)
def _letters_and_signs(text: str) -> tuple[int, int]:
    return sum(map(str.isalpha, text)), len(text) - sum(map(str.isspace, text))


def is_of_marks(lines: Sequence[LayoutLine]) -> bool:
    """Returns whether these lines are check boxes, some with their answers, or a few item numbers. Such lines belong to the texts
    beside them."""
    texts = [line.text.strip() for line in lines]
    if any(map(_BOX.search, texts)):
        return all(sum(map(str.isalpha, _BOX.sub("", text))) <= _ANSWER for text in texts)
    return len(texts) <= _MOST_NUMBERS and all(map(_ITEM_NUMBER.fullmatch, texts))


def is_of_answers(lines: Sequence[LayoutLine]) -> bool:
    """Returns whether these lines have no words, or most are numbers of a form's lines, repeated where the answers are
    written."""
    if is_of_codes(lines) or not any(map(_letters, lines)):
        return True
    return sum(_ITEM_NUMBER.fullmatch(line.text.strip()) is not None for line in lines) >= _NUMBERS * len(lines)


def is_of_codes(lines: Sequence[LayoutLine]) -> bool:
    """Returns whether all lines are a few letters, with or without digits: A1, b."""
    return 0 < max(map(_letters, lines)) <= _CODE


def _letters(line: LayoutLine) -> int:
    return sum(map(str.isalpha, line.text))


def flows(lines: Sequence[LayoutLine]) -> bool:
    """Returns whether most lines begin in the middle of a sentence, as those of ragged prose do."""
    return typical_chars(lines) >= _FLOWING_CHARS and sum(line.text[:1].islower() for line in lines) >= _FLOWING * len(lines)


def is_dense(lines: Sequence[LayoutLine], em: float) -> bool:
    """Returns whether most lines are as close as those of a paragraph, and not as far apart as the rows of a form."""
    pitches = sorted(below - above for above, below in pairwise(sorted(line.center_y for line in lines)))
    return bool(pitches) and pitches[len(pitches) // 2] < _DENSE_EM * em


def sentences_run_on(lines: Sequence[LayoutLine]) -> bool:
    return _run_on(tuple(line.text for line in lines))


@lru_cache(REMEMBERED)
def _run_on(texts: tuple[str, ...]) -> bool:
    return texts_run_on(texts)


def row_texts(lines: Sequence[LayoutLine]) -> list[str]:
    return list(_row_texts(tuple(lines)))


@lru_cache(REMEMBERED)
def _row_texts(lines: tuple[LayoutLine, ...]) -> tuple[str, ...]:
    return tuple(row.text for row in rows_of(lines))


def typical_chars(lines: Sequence[LayoutLine]) -> float:
    """Returns the length of the line that contains the median character."""
    return _typical_chars(tuple(line.text for line in lines))


@lru_cache(REMEMBERED)
def _typical_chars(texts: tuple[str, ...]) -> float:
    lengths = sorted(map(len, texts))
    half = sum(lengths) / 2
    middle = next(length for length, total in zip(lengths, accumulate(lengths), strict=True) if total >= half)
    return middle * wideness("".join(text[:3] for text in texts))


def wideness(text: str) -> float:
    return 2.0 if text and ord(text[len(text) // 2]) > 0x2E80 else 1.0


def aligned_share(left: Sequence[LayoutLine], right: Sequence[LayoutLine]) -> float:
    """Returns the share of lines of the shorter side that have a baseline in common with a line of the other side. Lines without
    text beside them do not count."""
    few, many = (left, right) if len(left) <= len(right) else (right, left)
    has_beside = _overlaps(many)
    beside = [line for line in few if has_beside(line)]
    down = sorted(many, key=lambda line: line.center_y)
    centers = [line.center_y for line in down]
    hits = 0
    for line in beside:
        reach = _SAME_LINE * line.height
        near = down[bisect_right(centers, line.center_y - reach) : bisect_left(centers, line.center_y + reach)]
        hits += any(abs(line.center_y - other.center_y) < _SAME_LINE * min(line.height, other.height) for other in near)
    return hits / max(len(beside), 1)


def beside_share(left: Sequence[Boxed], right: Sequence[Boxed]) -> float:
    """Returns the share of the boxes of the side with less text that have one of the other side beside them."""
    less, more = (left, right) if text_height(left) <= text_height(right) else (right, left)
    return sum(map(_overlaps(more), less)) / len(less)


def _overlaps(boxes: Sequence[Boxed]) -> Callable[[Boxed], bool]:
    """Returns a function that tests whether any of these boxes is level with a given box."""
    down = sorted(boxes, key=lambda box: box.y0)
    tops, lowest = [box.y0 for box in down], list(accumulate((box.y1 for box in down), max))

    def has_beside(box: Boxed) -> bool:
        above = bisect_left(tops, box.y1)
        return above > 0 and lowest[above - 1] > box.y0

    return has_beside


def text_height(boxes: Sequence[Boxed]) -> float:
    return sum(box.y1 - box.y0 for box in boxes)


def lines_of(boxes: Sequence[Boxed]) -> list[LayoutLine]:
    return [box for box in boxes if isinstance(box, LayoutLine)]


def long_lines(lines: Sequence[LayoutLine]) -> list[LayoutLine]:
    """Returns the lines that are not cells of a table."""
    return [line for line in lines if len(line.text) * wideness(line.text) >= WORDY]
