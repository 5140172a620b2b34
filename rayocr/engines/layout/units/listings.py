"""Detects code listings: rows in a monospaced font that contain characters typical of code, or indented blocks among proportional
text. Keeps their indentation and line numbers.

The letter width is measured, not read from the font: in a listing, a row of n letters is n letter widths wide. That works for
text layers and, less precisely, for scans.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from rayocr.engines.layout.lines import LayoutLine
from rayocr.engines.layout.rows import Row
from rayocr.engines.layout.units.monospaced import monospaced_blocks

_CODE = re.compile(
    r"[;{}]\s*$|^\s*[{}#$]|==|!=|<=|>=|[-=]>|::|[+*/-]=|&&|\|\||//|/\*|\*/|\w\(|\)\s*[{:;]?\s*$|\w\[\w|\"\"\"|'''|</?\w|\w_\w|\s=\s"
    r"|^(?:\d{1,5}[:|.]?\s)?\s*(?:def|class|import|from|return|if|elif|else|for|while|try|except|with|print|public|private|static|void|int|var|let|const|"
    r"function|func|fn|end|begin|select|insert|where|echo|sudo|git|cd|ls|pip|npm|make|\$|>>>)(?=$|[\s:({])"
    r"|^[-dlbc][-rwxsStT]{9}[@+.]?\s|^[\w./-]+:\d+:",
    re.IGNORECASE,
)
_SURE = re.compile(
    r"[;{}]\s*$|^\s*[{}]|==|!=|[-=]>|::|[+*/-]=|&&|\|\||\w\(\w{0,99}\)|\"\"\"|</\w|\w_\w|\s=\s|:\s*$|^\s*(?:\$|>>>|#include)\s?"
    r"|^[-dlbc][-rwxsStT]{9}[@+.]?\s"
)
_MIN_ROWS = 3
_CODE_SHARE = 0.6
_SURE_SHARE = 0.3
_SAME_WIDTH = 0.025  # tolerance of a row's length, as a share of its letters; boxes of text layers are exact
_SLACK_LETTERS = 0.8  # the same in letters, for scans, whose boxes end near the last letter
_MIN_LETTERS = 8  # shorter rows do not determine the letter width
_BLANK_LINE = 1.6  # a distance above this multiple of the usual one is a blank line


def listings(rows: Sequence[Row], widths: Sequence[float] = ()) -> list[tuple[int, int, list[str]]]:
    """Returns (first row, end, lines) of each listing in the rows of a column, from top to bottom. `widths`: the mean letter
    widths of the page's long lines, in points."""
    found = _by_words(rows)
    for start, end in monospaced_blocks(rows, widths):
        within = [part for part in found if part[0] < end and start < part[1]]
        if all(start <= part[0] and part[1] <= end for part in within):
            found = sorted([part for part in found if part not in within] + [(start, end)])
    return [(start, end, _lines(rows[start:end])) for start, end in found]


def _by_words(rows: Sequence[Row]) -> list[tuple[int, int]]:
    """Returns (first row, end) of each listing that has characters typical of code."""
    if sum(_CODE.search(row.text) is not None for row in rows) < _MIN_ROWS:
        return []
    found: list[tuple[int, int]] = []
    start = 0
    while start < len(rows):
        end = _end_of_listing(rows, start)
        if end is None:
            start += 1
            continue
        found.append((start, end))
        start = end
    return found


def _end_of_listing(rows: Sequence[Row], start: int) -> int | None:
    if _CODE.search(rows[start].text) is None:
        return None
    end = start + 1
    last_code = start
    while end < len(rows) and _goes_on(rows[start:end], rows[end]):
        if _CODE.search(rows[end].text):
            last_code = end
        end += 1
    end = last_code + 1
    group = rows[start:end]
    texts = [row.text for row in group]
    code, sure = (sum(pattern.search(text) is not None for text in texts) for pattern in (_CODE, _SURE))
    is_code = len(group) >= _MIN_ROWS and code >= _CODE_SHARE * len(group) and sure >= max(1.0, _SURE_SHARE * len(group))
    return end if is_code and _pitch(group) is not None else None


def _goes_on(group: Sequence[Row], row: Row) -> bool:
    """Returns whether the row continues the listing: its letters are as wide as those above, and it is close enough."""
    if row.y0 - group[-1].y1 > 2.5 * max(group[-1].height, row.height):
        return False
    known = [above for above in group if len(above.text) >= _MIN_LETTERS]
    if not known:
        return True
    pitch = median(_width(above) for above in known)
    letters = (row.x1 - row.x0) / pitch
    return abs(letters - _letters(row, pitch)) < max(_SLACK_LETTERS, _SAME_WIDTH * letters)


def _pitch(group: Sequence[Row]) -> float | None:
    """Returns the letter width; None if the letters are not equally wide."""
    long = [row for row in group if len(row.text) >= _MIN_LETTERS]
    if len(long) < 2:
        return None
    pitch = median(_width(row) for row in long)
    fits = sum(abs((row.x1 - row.x0) / pitch - _letters(row, pitch)) < _SLACK_LETTERS for row in group)
    return pitch if fits >= 0.8 * len(group) else None


def _width(row: Row) -> float:
    longest = max(row.segments, key=lambda segment: len(segment.text))
    return (longest.x1 - longest.x0) / max(len(_blanks_kept(longest)), 1)


def _blanks_kept(segment: LayoutLine) -> str:
    return segment.columns or segment.text.strip()


def _letters(row: Row, pitch: float) -> float:
    """Returns the number of letters of the row, with the spaces that fit between its segments."""
    between = sum(max(0.0, right.x0 - left.x1) / pitch for left, right in pairwise(row.segments))
    return sum(len(_blanks_kept(segment)) for segment in row.segments) + between


def _lines(group: Sequence[Row]) -> list[str]:
    pitch = _pitch(group) or 1.0
    left = min(row.x0 for row in group)
    distances = sorted(below.center_y - above.center_y for above, below in pairwise(group))
    usual = distances[len(distances) // 3] if distances else 1.0
    lines: list[str] = []
    for above, row in zip([None, *group[:-1]], group, strict=True):
        if above is not None and (distance := row.center_y - above.center_y) > _BLANK_LINE * usual:
            lines += [""] * min(3, max(1, round(distance / max(usual, 1.0)) - 1))
        line = ""
        for segment in row.segments:
            column = round((segment.x0 - left) / pitch)
            line = line.ljust(column if column > len(line) else len(line) + bool(line)) + _blanks_kept(segment)
        lines.append(line)
    return lines
