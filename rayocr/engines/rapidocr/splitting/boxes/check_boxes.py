"""Finds printed check boxes beside words by their pixels: the recognition model omits most of them.

A box is a square frame of letter height with straight sides all around. Letters such as O and D have round sides, cells of a
table share sides with their neighbors, and Chinese characters such as 口 are in lines that the model reads as Chinese.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from rayocr.engines.rapidocr.image import cut_out
from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.engines.rapidocr.recognizer.recognition import ReadsLines
from rayocr.engines.rapidocr.splitting.boxes.box_search import boxes_of_page
from rayocr.engines.rapidocr.splitting.boxes.frames import MARGIN, CheckBox

_LATIN = 0.8  # score of a reading that can be joined with its box; others may be read again in another script
_SCORE = 0.95


def with_check_boxes(upright: Any, quads: Any, read: list[LineReading], recognize: ReadsLines) -> tuple[Any, list[LineReading]]:
    """Returns the lines and readings, with a line `[x]` or `[ ]` for each box. Lines with boxes inside them are split there, and
    the parts are read again. `quads`: corners (n, 4, 2), clockwise from the top left, in pixels of `upright`."""
    import numpy as np

    kept: list[int] = []
    parts: list[_Part] = []
    marks: list[tuple[Any, str]] = []  # corners of a box, and its mark
    outside: list[tuple[Any, str]] = []
    for index, (found, wide, reach) in enumerate(boxes_of_page(upright, quads, read)):
        width = round(float(np.linalg.norm(wide[1] - wide[0])))
        inside = [box for box in found if reach <= (box.left + box.right) / 2 <= width - reach]
        outside += [(_slice(wide, box.left, box.right, width), box.mark) for box in found if box not in inside]
        if inside:
            _divide(wide, inside, reach, width, parts, marks)
        else:
            kept.append(index)
    again = recognize([cut_out(upright, part.quad) for part in parts]) if parts else []
    lines = [line for part, reading in zip(parts, again, strict=True) for line in _read_again(part, reading, marks)]
    known = [*(quad for quad, _ in marks), *(part.box for part in parts if part.mark)]
    for quad, mark in outside:
        if not any(_is_same(quad, other) for other in known) and not _is_within(quad, quads[kept]):
            known.append(quad)
            marks.append((quad, mark))
    lines += [(quad, LineReading(mark, _SCORE, _SCORE)) for quad, mark in marks]
    if not lines:
        return quads, read
    return (
        np.concatenate([quads[kept], np.array([quad for quad, _ in lines], np.float32)]),
        [*(read[index] for index in kept), *(reading for _, reading in lines)],
    )


class _Part(NamedTuple):
    """A part of a divided line: its corners, the mark before it (or ""), and the corners of both."""

    quad: Any
    mark: str
    whole: Any

    @property
    def box(self) -> Any:
        """The corners of the mark."""
        import numpy as np

        return np.array([self.whole[0], self.quad[0], self.quad[3], self.whole[3]])


def _divide(wide: Any, inside: list[CheckBox], reach: int, width: int, parts: list[_Part], marks: list[tuple[Any, str]]) -> None:
    """Divides a line at its boxes. Adds to `parts`, or to `marks` for boxes without text behind them."""
    white = MARGIN * inside[0].side
    starts = [(reach, reach, ""), *((box.right + white, box.left, box.mark) for box in inside)]
    ends = [*(box.left - white for box in inside), width - reach]
    for (start, left, mark), end in zip(starts, ends, strict=True):
        if end - start > inside[0].side / 2:
            parts.append(_Part(_slice(wide, start, end, width), mark, _slice(wide, left, end, width)))
        elif mark:
            marks.append((_slice(wide, left, start, width), mark))


def _read_again(part: _Part, reading: LineReading, marks: list[tuple[Any, str]]) -> list[tuple[Any, LineReading]]:
    """Returns the part as a line, with its mark if it is read well. Otherwise adds the mark to `marks`."""
    if part.mark and reading.text.strip() and reading.score >= _LATIN:
        return [(part.whole, reading._replace(text=f"{part.mark} {reading.text.strip()}"))]
    if part.mark:
        marks.append((part.box, part.mark))
    is_long = part.quad[1][0] - part.quad[0][0] > part.quad[3][1] - part.quad[0][1]  # the line may be in another script
    return [(part.quad, reading)] if reading.text.strip() or is_long else []


def _slice(quad: Any, start: float, end: float, width: int) -> Any:
    """Returns the corners of the part of a line between two places of its picture."""
    import numpy as np

    top, bottom = quad[1] - quad[0], quad[2] - quad[3]
    first, last = start / width, end / width
    corners = [quad[0] + first * top, quad[0] + last * top, quad[3] + last * bottom, quad[3] + first * bottom]
    return np.array(corners, np.float32)


def _is_within(quad: Any, lines: Any) -> bool:
    """Returns whether the middle of a box is inside another line, which has no boxes."""
    middle = quad.mean(axis=0)
    return bool(((middle > lines.min(axis=1)) & (middle < lines.max(axis=1))).all(axis=1).any()) if len(lines) else False


def _is_same(quad: Any, other: Any) -> bool:
    import numpy as np

    here, there = np.mean(quad, axis=0), np.mean(other, axis=0)
    return bool(np.abs(here - there).max() < np.linalg.norm(np.subtract(quad[3], quad[0])) / 2)
