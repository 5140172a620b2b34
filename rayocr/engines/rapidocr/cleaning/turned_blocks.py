"""Finds a block of print that is upside down or mirrored on a page whose other print is upright, or a page that is mirrored as a
whole, and turns it in the picture. Its lines would be read as junk, or as another script.

Two receipts are scanned on one sheet, one of them upside down; a transparency lies with its wrong side on the glass. On such
lines in three sizes of print, the score is .6 to .75, and .97 and more for the turned picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from rayocr.engines.layout.quads import sides, turned
from rayocr.engines.rapidocr.image import cut_out
from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.engines.rapidocr.recognizer.recognition import ReadsLines
from rayocr.messages import PageText, TextBox

_BADLY, _WELL = 0.85, 0.93  # scores of the lines of a block, and of its turned lines
_LONG = 4.0  # least width of its lines, in their heights
_FEWEST, _SAMPLE = 3, 2
_LETTERS, _FEW_LETTERS = 8, 3  # least number of letters and digits in each line of the sample, and in the others
_MOST_OTHERS = 0.2  # share of lines between those of the block that are read well as they are
_WHOLE = 0.7  # share of the page's lines from which the whole page is turned
_NEAR, _MARGIN = 2.0, 0.3  # reach to short lines beside the block, and margin around it, in heights of its lines
_FLIPS = ((True, True), (True, False), (False, True))  # left to right, top to bottom


class TurnedBlock(NamedTuple):
    """`image`: the upright gray page (height, width) with the turned block. `box`: x0, y0, x1, y1 of the block in pixels.
    `across`, `down`: whether it was flipped from left to right, and from top to bottom."""

    image: Any
    box: tuple[int, int, int, int]
    across: bool
    down: bool

    def with_places(self, answer: PageText, *, turns: int, scale: float) -> PageText:
        """Returns the reading of `image`, turned by `-turns` quarter turns, with the boxes where the page shows them. `scale`:
        pixels per point."""
        import numpy as np

        x0, y0, x1, y1 = self.box
        corners = np.array([[(x0, y0), (x1, y0), (x1, y1), (x0, y1)]], np.float32)
        height, width = self.image.shape
        shown = turned(corners, -turns, width, height)[0] / scale
        (left, top), (right, bottom) = shown.min(axis=0).tolist(), shown.max(axis=0).tolist()
        across, down = (self.down, self.across) if turns % 2 else (self.across, self.down)

        def placed(box: TextBox) -> TextBox:
            if not (left < (box.x0 + box.x1) / 2 < right and top < (box.y0 + box.y1) / 2 < bottom):
                return box
            a, b = (left + right - box.x1, left + right - box.x0) if across else (box.x0, box.x1)
            c, d = (top + bottom - box.y1, top + bottom - box.y0) if down else (box.y0, box.y1)
            return replace(box, x0=a, y0=c, x1=b, y1=d, angle_deg=box.angle_deg + (180 if self.across and self.down else 0))

        return replace(answer, boxes=None if answer.boxes is None else tuple(map(placed, answer.boxes)))


def find_turned_block(upright: Any, quads: Any, read: Sequence[LineReading], recognize: ReadsLines) -> TurnedBlock | None:
    """Returns the block, or None if there is none. `quads`: corners (n, 4, 2) in pixels of `upright`. Takes no time if most long
    lines are read well."""
    import numpy as np

    widths, heights = sides(quads)
    badly = [n for n, reading in enumerate(read) if reading.score < _BADLY and widths[n] > _LONG * heights[n]]
    if len(badly) < _FEWEST:
        return None
    badly.sort(key=lambda n: -widths[n])
    for across, down in _FLIPS:
        flip = np.s_[:: -1 if down else 1, :: -1 if across else 1]
        sample = _read_flipped(upright, quads[badly[:_SAMPLE]], flip, recognize)
        if not all(_is_read_well(reading, _LETTERS) for reading in sample):
            continue
        rest = _read_flipped(upright, quads[badly[_SAMPLE:]], flip, recognize)
        own = badly[:_SAMPLE] + [
            n for n, reading in zip(badly[_SAMPLE:], rest, strict=True) if _is_read_well(reading, _FEW_LETTERS)
        ]
        if len(own) < _FEWEST or (box := _box_of(quads, own, read, heights, upright.shape)) is None:
            return None
        x0, y0, x1, y1 = box
        image = upright.copy()
        image[y0:y1, x0:x1] = upright[y0:y1, x0:x1][flip]
        return TurnedBlock(image, box, across, down)
    return None


def _read_flipped(upright: Any, quads: Any, flip: Any, recognize: ReadsLines) -> list[LineReading]:
    import numpy as np

    return recognize([np.ascontiguousarray(cut_out(upright, quad)[flip]) for quad in quads]) if len(quads) else []


def _is_read_well(reading: LineReading, letters: int) -> bool:
    return reading.score >= _WELL and sum(map(str.isalnum, reading.text)) >= letters


def _box_of(
    quads: Any, own: Sequence[int], read: Sequence[LineReading], heights: Any, shape: tuple[int, int]
) -> tuple[int, int, int, int] | None:
    """Returns the box of a block, in pixels, with the short lines beside it; None if several lines in it are read well."""
    import numpy as np

    height, width = shape
    if len(own) >= _WHOLE * len(quads):
        return 0, 0, width, height
    usual, centers = float(np.median(heights[own])), quads.mean(axis=1)
    scores = np.array([reading.score for reading in read])
    chosen = np.isin(np.arange(len(quads)), own)
    for reach in (_NEAR * usual, _NEAR * usual, _MARGIN * usual):
        low, high = quads[chosen].min(axis=(0, 1)) - reach, quads[chosen].max(axis=(0, 1)) + reach
        inside = (centers > low).all(axis=1) & (centers < high).all(axis=1)
        chosen |= inside & (scores < _BADLY)
    if np.count_nonzero(inside & (scores >= _WELL)) > _MOST_OTHERS * len(own):
        return None
    return max(0, int(low[0])), max(0, int(low[1])), min(width, int(high[0]) + 1), min(height, int(high[1]) + 1)
