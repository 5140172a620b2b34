"""Decides whether a page is read again at the resolution of its picture, because its print is too small at the usual resolution,
and whether the picture itself is too coarse.

A screenshot of ten screens that is placed on a sheet of A4 has letters of four pixels at 200 dpi: the detector finds at most a
heading, with high confidence. The picture itself has two to five times the resolution.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from rayocr.messages import LOW_CONFIDENCE, PageText

_MORE_DETAIL = 1.15  # resolution of the picture relative to the rendering; below this, a second reading has no benefit
_MOST_MORE = 3.0  # more resolution is not needed: letters that were illegible at first are large enough
_SMALL_PX = 24.0  # lines lower than this, with their margins, are fine print; 10 pt has 45 pixels at 200 dpi
_COARSE_PX, _FEWEST_LINES = 11.0, 4  # lines lower than this in the picture have letters of four pixels
# Of 16 drawn pages of numbers in 6 to 8 pt, the 5 with lines below this had 4 to 12 misread numbers each: lost points above all.
_FINE_PX, _FEWEST_NUMBERS = 22.0, 10
_NUMBER = re.compile(r"\d[.,'’]\d")
_BLOCK_PX = 16
_CONTRAST = 40  # gray levels (0 to 255) between the darkest and the lightest pixel of a block with ink
_UNCOVERED = 0.5  # least share of the blocks with ink that no line covers
_FEWEST_BLOCKS = 100


def better_dpi(gray: Any, answer: PageText, *, scale: float, detail_dpi: float) -> float | None:
    """Returns the resolution at which the page should be read again; None if the answer may be kept. `gray`: the page as it was
    read, `scale`: its pixels per point, `detail_dpi`: the resolution of the page's picture."""
    dpi = scale * 72
    if detail_dpi < _MORE_DETAIL * dpi or not (_is_small(answer, scale) or _has_unread_ink(gray, answer, scale)):
        return None
    return min(detail_dpi, _MOST_MORE * dpi)


def surer(first: PageText, second: PageText) -> PageText:
    """Returns the answer that has more text with high confidence."""
    return max(first, second, key=lambda answer: sum(box.confidence * len(box.text) for box in answer.boxes or ()))


def with_doubt_if_coarse(answer: PageText, *, detail_dpi: float) -> PageText:
    """Returns the answer with a doubt if the page's picture has too few pixels for its print: on such pages, "55.3" was read as
    "553" and "no" as "06" with scores as high as those of correct words. Pages with many numbers need more pixels."""
    heights = _heights(answer)
    if not detail_dpi or len(heights) < _FEWEST_LINES:
        return answer
    height_px = _usual(heights) * detail_dpi / 72
    if height_px >= _COARSE_PX and (height_px >= _FINE_PX or _numbers(answer) < _FEWEST_NUMBERS):
        return answer
    return replace(answer, doubts=tuple(dict.fromkeys((*answer.doubts, LOW_CONFIDENCE))))


def _is_small(answer: PageText, scale: float) -> bool:
    heights = _heights(answer)
    return bool(heights) and _usual(heights) * scale < _SMALL_PX


def _heights(answer: PageText) -> list[float]:
    """Returns the heights of the lines, in points."""
    return sorted(min(box.x1 - box.x0, box.y1 - box.y0) for box in answer.boxes or () if len(box.text) > 1)


def _numbers(answer: PageText) -> int:
    """Returns the number of points, commas and apostrophes in numbers."""
    return sum(len(_NUMBER.findall(box.text)) for box in answer.boxes or ())


def _usual(heights: list[float]) -> float:
    return heights[len(heights) // 2]


def _has_unread_ink(gray: Any, answer: PageText, scale: float) -> bool:
    import numpy as np

    rows, columns = gray.shape[0] // _BLOCK_PX, gray.shape[1] // _BLOCK_PX
    if not (rows and columns):
        return False
    blocks = gray[: rows * _BLOCK_PX, : columns * _BLOCK_PX].reshape(rows, _BLOCK_PX, columns, _BLOCK_PX)
    inked = blocks.max(axis=(1, 3)).astype(np.int16) - blocks.min(axis=(1, 3)) > _CONTRAST
    count = int(inked.sum())
    for box in answer.boxes or ():
        x0, y0, x1, y1 = (at * scale / _BLOCK_PX for at in (box.x0, box.y0, box.x1, box.y1))
        inked[max(0, int(y0)) : int(y1) + 1, max(0, int(x0)) : int(x1) + 1] = False
    return count >= _FEWEST_BLOCKS and int(inked.sum()) > _UNCOVERED * count
