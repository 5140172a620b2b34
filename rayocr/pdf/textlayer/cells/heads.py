"""Splits the heads of columns that are close to each other: "Item no Price" is two cells if figures or texts in columns stand
below each word.

The gap between two heads may be as narrow as a blank, so the rows below decide: their cells begin where a head begins, or end
where one ends, and no word of these rows is in the gap.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise, takewhile

from rayocr.pdf.textlayer.lines import TextLine, Word

_MOST_WORDS = 24  # a line of running text has few wide gaps, a head of a table few words
_LEAST_ROWS, _MOST_ROWS = 3, 12  # number of rows below that have cells on both sides of the gap, and that are examined
_LONG_MARKER, _TEXT_WORDS = 4, 3  # letters of a head, and words of a text behind a marker
_NEAR_EM = 3.5  # maximum distance of the first of these rows, and of the others from each other
_SAME_PT = 1.5
_WIDER, _BLANK_EM = 1.25, 0.26  # least ratio of the gap to the narrowest one of the line, and to a blank of the font


def split_heads(lines: Sequence[TextLine]) -> Iterator[TextLine]:
    """Yields the lines; those that are heads of several columns are split."""
    wide = [[] if line.vertical or line.slanted else _wide_gaps(line) for line in lines]
    if not any(wide):
        yield from lines
        return
    level = sorted((line for line in lines if line.words and not line.vertical and not line.slanted), key=_middle)
    middles = [_middle(line) for line in level]
    for line, gaps in zip(lines, wide, strict=True):
        rows = _rows_below(line, level, middles) if gaps else []
        cuts = [place for place in gaps if _is_between_columns(line.words[place - 1], line.words[place], rows)]
        if cuts and not _begins_with_marker(line, cuts):
            yield from (line.of_words(line.words[start:end]) for start, end in pairwise([0, *cuts, len(line.words)]))
        else:
            yield line


def _begins_with_marker(line: TextLine, cuts: Sequence[int]) -> bool:
    """Returns whether a marker and a text follow each other, as in the lines of a form: "b Add line 3"."""
    first = "".join(word.text for word in line.words[: cuts[0]])
    behind = line.words[cuts[0] : cuts[1]] if len(cuts) > 1 else line.words[cuts[0] :]
    return len(first) < _LONG_MARKER and len(behind) >= _TEXT_WORDS


def _middle(line: TextLine) -> float:
    return (line.y0 + line.y1) / 2


def _wide_gaps(line: TextLine) -> list[int]:
    """Returns the words before which the gap is wider than a blank."""
    if not 2 <= len(line.words) <= _MOST_WORDS:
        return []
    gaps = [right.x0 - left.x1 for left, right in pairwise(line.words)]
    least = _WIDER * max(_BLANK_EM * line.font_size_pt, min(gaps) if len(gaps) > 1 else 0.0)
    return [place for place, gap in enumerate(gaps, 1) if gap > least]


def _rows_below(line: TextLine, level: Sequence[TextLine], middles: Sequence[float]) -> list[list[TextLine]]:
    """Returns the lines of the next rows, each from left to right, as far as they are near."""
    em = line.y1 - line.y0
    rows: list[list[TextLine]] = []
    last = _middle(line)
    for place in range(bisect_left(middles, last + em / 2), len(level)):
        distance = middles[place] - last
        if rows and distance < em / 2:
            rows[-1].append(level[place])
        elif distance > _NEAR_EM * em or len(rows) == _MOST_ROWS:
            break
        else:
            rows.append([level[place]])
            last = middles[place]
    return rows


def _is_between_columns(left: Word, right: Word, rows: Sequence[Sequence[TextLine]]) -> bool:
    """Returns whether the rows have cells on both sides of the gap between two words, which begin or end where the words do."""
    if len(rows) < _LEAST_ROWS:
        return False
    middle = (left.x1 + right.x0) / 2
    begins = ends = 0
    for row in rows[:_LEAST_ROWS]:
        before, after = [line for line in row if line.x1 < middle], [line for line in row if line.x0 > middle]
        if not before or not after or len(before) + len(after) < len(row):
            return False
        begins += abs(min(line.x0 for line in after) - right.x0) < _SAME_PT
        ends += abs(max(line.x1 for line in before) - left.x1) < _SAME_PT
    table = takewhile(lambda row: len(row) > 1, rows)
    is_crossed = any(line.x0 < middle < line.x1 for row in table for line in row)
    return _LEAST_ROWS in (begins, ends) and not is_crossed
