"""Finds strokes: the places of a gray picture where neighboring pixels differ. Letters, drawings and pictures have them."""

from __future__ import annotations

from typing import Any

import numpy as np

_STROKE = 40  # gray levels (0 to 255) between a picture's paper and its ink
_TILE_PX = 8
_LINES_IN_TILE = 4  # least number of columns and of rows with strokes; crossing rules have fewer
TEXTURE = 0.3  # share of a box's columns that must have strokes, for it to contain a line of letters
_LEAST_TILES = 3  # least number of such tiles; a corner or a bullet has fewer


def pixels(boxes: Any, scale: float, shape: tuple[int, int]) -> Any:
    """Returns the corners x0, y0, x1, y1 of boxes in whole pixels, within the picture and at least one pixel apart."""
    height, width = shape
    low = np.clip(np.floor(boxes[:, :2] * scale).astype(int), 0, (width - 1, height - 1))
    high = np.clip(np.ceil(boxes[:, 2:] * scale).astype(int), low + 1, (width, height))
    return np.hstack([low, high])


def strokes_in(picture: Any) -> tuple[Any, Any] | None:
    """Returns where neighboring pixels differ, horizontally and vertically; None for an empty picture."""
    import cv2

    low, high, _, _ = cv2.minMaxLoc(picture)
    if high - low <= _STROKE:
        return None
    sideways = cv2.absdiff(picture[:, 1:], picture[:, :-1]) > _STROKE
    downward = cv2.absdiff(picture[1:], picture[:-1]) > _STROKE
    return sideways, downward


def strokes_along(ink: tuple[Any, Any], x0: int, y0: int, x1: int, y1: int) -> Any:
    """Returns, for each pixel of the box's length, whether a stroke crosses it."""
    inside = ink[0][y0:y1, x0:x1] if x1 - x0 >= y1 - y0 else ink[1][y0:y1, x0:x1].T
    return inside.any(axis=0)


def may_hold_lines(ink: tuple[Any, Any]) -> bool:
    """Returns whether some tiles have strokes in many columns and many rows. Crossing rules have them in two or three."""
    rows, columns = (min(mask.shape[side] for mask in ink) // _TILE_PX for side in (0, 1))
    if not (rows and columns):
        return False
    sideways, downward = (
        np.ascontiguousarray(mask[: rows * _TILE_PX, : columns * _TILE_PX]).view(np.uint64).reshape(rows, _TILE_PX, columns)
        for mask in ink
    )  # eight pixels at a time, one byte each
    inked_columns = np.bitwise_count(np.bitwise_or.reduce(sideways, axis=1))
    inked_rows = np.count_nonzero(downward, axis=1)
    return int(((inked_columns >= _LINES_IN_TILE) & (inked_rows >= _LINES_IN_TILE)).sum()) >= _LEAST_TILES
