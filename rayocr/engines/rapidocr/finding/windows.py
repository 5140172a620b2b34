"""Divides the inked parts of a page into windows that fit into the model's memory.

White bands, a third of an ordinary page, are skipped. Long remaining parts are divided into overlapping windows, so that a till
receipt of three meters or a wide panorama is processed at the same resolution as a sheet of A4. Text near a window's edge is
taken from the neighboring window, which contains it completely.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

_BLOCK_PX = 32
# Gray levels (0 to 255) between the darkest and the lightest pixel of a block with ink; faint pages were stretched before.
_CONTRAST = 14
_BAND_BLOCKS = 3  # white bands of at least this height are skipped; narrower ones cost less than another model call
_WINDOW_PX = 1344  # A4 at the detector's resolution is 1286 pixels high
_OVERLAP_PX = 192  # lines are 15 to 40 pixels high


@dataclass(frozen=True, slots=True)
class Span:
    """A part of an axis. The model gets `start` to `end`; only `first` to `last` of its output is used."""

    start: int
    end: int
    first: int
    last: int


def windows(gray: Any) -> Iterator[tuple[Span, Span]]:
    """Returns the rows and columns of each window, from the top; empty for a blank page."""
    for rows, columns in _inked_areas(gray):
        for down in spans(*rows):
            for across in spans(*columns):
                yield down, across


def spans(start: int, end: int) -> list[Span]:
    """Returns windows of equal length from `start` to `end`. Their used parts cover every pixel exactly once."""
    if end - start <= _WINDOW_PX:
        return [Span(start, end, start, end)]
    count = -(-(end - start - _OVERLAP_PX) // (_WINDOW_PX - _OVERLAP_PX))
    starts = [start + round(index * (end - start - _WINDOW_PX) / (count - 1)) for index in range(count)]
    seams = [start, *(after + (before + _WINDOW_PX - after) // 2 for before, after in pairwise(starts)), end]
    return [Span(at, at + _WINDOW_PX, seams[index], seams[index + 1]) for index, at in enumerate(starts)]


def _inked_areas(gray: Any) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Returns (first row, last row), (first column, last column) of each stretch of the page between white bands."""
    import cv2
    import numpy as np

    height, width = gray.shape
    padded = cv2.copyMakeBorder(gray, 0, -height % _BLOCK_PX, 0, -width % _BLOCK_PX, cv2.BORDER_REPLICATE)
    blocks = padded.reshape(padded.shape[0] // _BLOCK_PX, _BLOCK_PX, -1, _BLOCK_PX)
    inked = blocks.max(axis=(1, 3)).astype(np.int16) - blocks.min(axis=(1, 3)) > _CONTRAST
    inked = cv2.dilate(inked.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)  # with paper around the letters
    rows = np.flatnonzero(inked.any(axis=1))
    if not len(rows):
        return []
    areas = []
    for band in np.split(rows, np.flatnonzero(np.diff(rows) > _BAND_BLOCKS) + 1):
        first, last = int(band[0]), int(band[-1]) + 1
        columns = np.flatnonzero(inked[first:last].any(axis=0))
        areas.append(
            (
                (first * _BLOCK_PX, min(last * _BLOCK_PX, height)),
                (int(columns[0]) * _BLOCK_PX, min((int(columns[-1]) + 1) * _BLOCK_PX, width)),
            )
        )
    return areas
