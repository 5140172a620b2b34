"""Finds lines of ink that look like text, in a picture of the page without its text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from rayocr.pdf.geometry import Box
from rayocr.pdf.line_boxes import line_boxes
from rayocr.pdf.textlayer.ink.dark_lines import dark_lines
from rayocr.pdf.textlayer.ink.strokes import TEXTURE, pixels, strokes_along, strokes_in

_LEAST_LIGHT = 3  # least number of lines of light text in a dark picture
_LEAST_BAND_PX, _LEAST_BARS, _LEVEL_STROKES = 4, 16, 0.01  # for a barcode: rows, columns with strokes, share of level strokes
_COVERED = 0.5  # least share of a line of ink that words must cover


def ink_lines(picture: Any, scale: float, read: Any) -> tuple[tuple[Box, bool], ...]:
    """Returns the boxes of lines of ink, in points, each with a flag that the boxes of `read` cover it."""
    ink = strokes_in(picture)
    if ink is None:
        return ()
    covered = np.zeros(picture.shape, bool)
    for x0, y0, x1, y1 in pixels(read, scale, picture.shape).tolist():
        covered[y0:y1, x0:x1] = True
    return tuple(
        (
            (x / scale, y / scale, (x + width) / scale, (y + height) / scale),
            bool(covered[y : y + height, x : x + width].mean() >= _COVERED),
        )
        for x, y, width, height in (*_lines_beside_barcodes(picture, scale, ink), *_lines_of_screenshots(picture, scale, ink))
        if _looks_like_text(ink, x, y, width, height)
    )


def _lines_of_screenshots(picture: Any, scale: float, ink: tuple[Any, Any]) -> Iterator[tuple[int, int, int, int]]:
    """Yields the boxes of light lines in dark pictures that have several of them."""
    for boxes in dark_lines(picture, scale):
        if sum(_looks_like_text(ink, *box) for box in boxes) >= _LEAST_LIGHT:
            yield from boxes


def _lines_beside_barcodes(picture: Any, scale: float, ink: tuple[Any, Any]) -> list[tuple[int, int, int, int]]:
    """Returns the boxes of lines. The bars of a code are higher than its number, which is found only without them."""
    from PIL import Image

    boxes = line_boxes(Image.fromarray(picture), scale * 72)
    codes = [box for box in boxes if _is_barcode(ink, *box)]
    if not codes:
        return boxes
    rest = picture.copy()
    for x, y, width, height in codes:
        rest[y : y + height, x : x + width] = np.median(picture)
    return line_boxes(Image.fromarray(rest), scale * 72)


def _looks_like_text(ink: tuple[Any, Any], x: int, y: int, width: int, height: int) -> bool:
    """Returns whether the box is at least two letters wide and has strokes along its whole length."""
    if max(width, height) < 1.8 * min(width, height) or min(width, height) < 4:
        return False
    if float(strokes_along(ink, x, y, x + width, y + height).mean()) < TEXTURE:
        return False
    return not _is_barcode(ink, x, y, width, height)


def _is_barcode(ink: tuple[Any, Any], x: int, y: int, width: int, height: int) -> bool:
    """Returns whether the middle of the box has many strokes across its length and none along it, unlike letters."""
    across, along = ink if width >= height else (ink[1].T, ink[0].T)
    if width < height:
        x, y, width, height = y, x, height, width
    band = slice(y + height // 3, y + height - height // 3)
    across, along = across[band, x : x + width], along[band, x : x + width]
    if len(across) < _LEAST_BAND_PX or int(across.any(axis=0).sum()) < _LEAST_BARS:
        return False
    return float(along.mean()) <= _LEVEL_STROKES
