"""Reads the page numbers at the end of dotted leaders separately.

The detector misses single digits after a leader, and the recognition model loses them after a long row of dots: it reads "Sources
..... 7" as "Sources". This module finds a leader by its dots and reads the text before it and after it as two pictures.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.engines.rapidocr.recognizer.recognition import ReadsLines
from rayocr.pdf.shapes.components import PageInk

_DOT = 0.25  # maximum size of a dot, as a share of a line's height with its margins
_LEVEL = 0.12  # largest distance of a leader's dots from the line through them, in line heights
_PITCH = 0.6  # largest distance of neighboring dots, in line heights
_FEWEST_DOTS = 8
_MOST_DOTS = 20_000  # maximum number of dots on a page; more dots are the raster of a picture
_LEAST_LENGTH = 3.0  # in heights
_BEFORE, _BEHIND = 2.5, 2.0  # largest distance between the leader and the words on either side, in line heights
_ABOVE, _BELOW = 0.75, 0.3  # how far words reach above and below the dots, in line heights
_COLUMN = 6.0  # in line heights; words that follow the number within this distance are a table's next column
_LONGEST_END = 5.0  # largest length of a page number or an amount, in line heights
_LEAST_LETTER = 0.25  # minimum height of a letter, in line heights
_PADDING = 0.2  # white margin of a part, in line heights
_LEAST_SCORE = 0.5
_SURE = 0.9
_LEADER = "....."
_READABLE = re.compile(r"[A-Z\divxlc.,\s€$£%()–-]+")  # matches page numbers, "A-3" and amounts
_DIGIT = re.compile(r"[\divxlcIVXLC]")
_DOTS = re.compile(r"[.…·]")


class Leader(NamedTuple):
    """A row of dots with the words at its end, in pixels: left and right of the dots, their baseline, left and right of the
    words."""

    left: int
    right: int
    base: int
    end_left: int
    end_right: int


def with_page_numbers(
    page: PageInk, quads: Any, read: list[LineReading], recognize: ReadsLines
) -> tuple[Any, list[LineReading], bool]:
    """Returns the lines and readings, with one line for each entry and its page number, and whether a page number could not be
    read. `quads`: corners (n, 4, 2), clockwise from the top left, in pixels of the upright page."""
    import numpy as np

    if not len(quads):
        return quads, read, False
    height = float(np.median(quads[:, 3, 1] - quads[:, 0, 1]))
    boxes = np.concatenate([quads.min(axis=1), quads.max(axis=1)], axis=1)
    asked = _doubtful_leaders(find_leaders(page, height), boxes, read, height)
    if not asked:
        return quads, read, False
    pad = round(_PADDING * height)
    pictures = []
    for leader, head, _ in asked:
        left, top, _, bottom = (max(int(at), 0) for at in boxes[head])
        pictures += [
            page.gray[top:bottom, left : leader.left - 1],
            page.gray[top:bottom, leader.end_left - pad : leader.end_right + pad],
        ]
    again = recognize([np.ascontiguousarray(picture) for picture in pictures])
    gone: set[int] = set()
    new: list[tuple[Any, LineReading]] = []
    unread = False
    for (leader, head, rest), entry, end in zip(asked, again[::2], again[1::2], strict=True):
        words, number = entry.text.strip(" .…·"), end.text.strip(" .…·")
        if min(entry.score, end.score) < _LEAST_SCORE or not words or not (_READABLE.fullmatch(number) and _DIGIT.search(number)):
            unread |= not rest and not _words_after_dots(read[head].text, 2)
            continue
        gone |= {head, *rest}
        (left, top, _, bottom), right = boxes[head].tolist(), leader.end_right + pad
        corners = [[left, top], [right, top], [right, bottom], [left, bottom]]
        text = f"{words} {_LEADER} {number}"
        new.append((corners, LineReading(text, min(entry.score, end.score), min(entry.weakest, end.weakest))))
    if not new:
        return quads, read, unread
    kept = [n for n in range(len(quads)) if n not in gone]
    lines = np.concatenate([quads[kept], np.array([corners for corners, _ in new], np.float32)])
    return lines, [*(read[n] for n in kept), *(reading for _, reading in new)], unread


def _doubtful_leaders(
    leaders: Iterable[Leader], boxes: Any, read: Sequence[LineReading], height: float
) -> list[tuple[Leader, int, list[int]]]:
    """Returns the leaders that are read again, with the line of the entry and the other lines of the row."""
    import numpy as np

    middles = (boxes[:, 1] + boxes[:, 3]) / 2
    asked: list[tuple[Leader, int, list[int]]] = []
    taken: set[int] = set()
    for leader in leaders:
        on_row = (middles > leader.base - _ABOVE * height) & (middles < leader.base + _BELOW * height)
        on_row &= (boxes[:, 2] > leader.left - _BEFORE * height) & (boxes[:, 0] < leader.end_right + _COLUMN * height)
        near = [int(n) for n in np.flatnonzero(on_row)]
        heads = [n for n in near if boxes[n, 0] < leader.left]
        if len(heads) != 1 or any(n in taken or boxes[n, 2] > leader.end_right + height for n in near):
            continue  # two leaders in one line, or words after the number
        taken.update(near)
        if read[heads[0]].score < _SURE or not _words_after_dots(read[heads[0]].text, 4):
            asked.append((leader, heads[0], [n for n in near if n != heads[0]]))
    return asked


def find_leaders(page: PageInk, height: float) -> list[Leader]:
    """Returns the dotted leaders with words after them on an upright page. `height`: of a usual line with its margins."""
    import numpy as np

    stats, centers = page.shapes
    size = _DOT * height
    dots = np.flatnonzero((stats[:, 2] <= 2 * size) & (stats[:, 3] <= size) & (stats[:, 4] > 2))
    letters = stats[(stats[:, 3] >= _LEAST_LETTER * height) & (stats[:, 3] < 1.5 * height)]
    found = []
    for run in _runs(centers[dots], height):
        pieces = stats[dots[run]]
        left, right = int(pieces[:, 0].min()), int((pieces[:, 0] + pieces[:, 2]).max())
        base = int(np.median(pieces[:, 1] + pieces[:, 3]))
        end = _words_behind(letters, right, base, height)
        if right - left >= _LEAST_LENGTH * height and end is not None:
            found.append(Leader(left, right, base, *end))
    return found


def _runs(centers: Any, height: float) -> list[list[int]]:
    """Returns the dots of each row, from left to right."""
    if len(centers) > _MOST_DOTS:
        return []
    level = _LEVEL * height
    latest: dict[int, list[int]] = {}  # the last run of each strip of the page
    runs: list[list[int]] = []
    for n in sorted(range(len(centers)), key=lambda n: float(centers[n][0])):
        x, y = centers[n]
        strip = int(y / level)
        for near in (strip, strip - 1, strip + 1):
            run = latest.get(near)
            if run and x - centers[run[-1]][0] < _PITCH * height and abs(y - centers[run[-1]][1]) < level:
                run.append(n)
                break
        else:
            runs.append(run := [n])
        latest[strip] = run
    return [run for run in runs if len(run) >= _FEWEST_DOTS]


def _words_behind(letters: Any, right: int, base: int, height: float) -> tuple[int, int] | None:
    """Returns the left and right edges of the words after a leader."""
    bottoms = letters[:, 1] + letters[:, 3]
    on_row = letters[(bottoms > base - 0.3 * height) & (bottoms < base + _BELOW * height) & (letters[:, 0] >= right)]
    start, end = None, right
    for x, _, width, _, _ in sorted(on_row.tolist()):
        if x - end > (_BEHIND if start is None else _PITCH) * height:
            break
        start, end = x if start is None else start, x + width
    return (start, end) if start is not None and end - start <= _LONGEST_END * height else None


def _words_after_dots(text: str, fewest: int) -> bool:
    """Returns whether the text ends in words after at least this many dots in a row."""
    parts = _DOTS.split(text)
    return text[-1:].isalnum() and len(parts) > fewest and not any(part.strip() for part in parts[-fewest:-1])
