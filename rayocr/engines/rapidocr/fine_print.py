"""Decides whether a page is read again at the resolution of its picture, because its print is too small at the usual resolution.

A screenshot of ten screens that is placed on a sheet of A4 has letters of four pixels at 200 dpi: the detector finds at most a
heading, with high confidence. The picture itself has two to five times the resolution.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rayocr.messages import PageText

_MORE_DETAIL = 1.15  # resolution of the picture relative to the rendering; below this, a second reading has no benefit
_MOST_MORE = 3.0  # more resolution is not needed: letters that were illegible at first are large enough
_SMALL_PX = 24.0  # lines lower than this, with their margins, are fine print; 10 pt has 45 pixels at 200 dpi
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


def _is_small(answer: PageText, scale: float) -> bool:
    heights = sorted(min(box.x1 - box.x0, box.y1 - box.y0) * scale for box in answer.boxes or () if len(box.text) > 1)
    return bool(heights) and heights[len(heights) // 2] < _SMALL_PX


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
