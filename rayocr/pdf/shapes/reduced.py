"""Reduces pictures of pages for steps that need no details."""

from __future__ import annotations

from typing import Any

_NEAR_HALF = 0.002  # OpenCV averages blocks of four pixels in 0.2 ms per page; any other factor takes 6 ms


def reduced(gray: Any, factor: float) -> tuple[Any, float]:
    """Returns the picture (rows, columns) at about `factor` times its size, and the exact factor: at most 1."""
    import cv2

    if factor >= 1:
        return gray, 1.0
    if abs(factor - 0.5) < _NEAR_HALF:
        factor = 0.5
    return cv2.resize(gray, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), factor
