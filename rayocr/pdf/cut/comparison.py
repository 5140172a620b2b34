"""Checks whether two renderings of a page look the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

COMPARISON_DPI = 75
_DIFFERENCE = 48  # gray levels (0 to 255); edges of thin strokes that differ by a fraction of a pixel are below this
_WINDOW_PX = 8  # 2.7 mm
_PIXELS_IN_WINDOW = 6  # edges differ by fewer pixels, a hidden word of 6 pt by more


def look_alike(one: Image.Image, other: Image.Image) -> bool:
    """Compares two renderings at COMPARISON_DPI. Takes 1 ms for A4."""
    if one.size != other.size:
        return False
    first, second = (np.asarray(image.convert("L"), dtype=np.int16) for image in (one, other))
    differs = np.abs(first - second) > _DIFFERENCE
    if not differs.any():
        return True
    padded = np.pad(differs, ((0, -differs.shape[0] % _WINDOW_PX), (0, -differs.shape[1] % _WINDOW_PX)))
    windows = padded.reshape(padded.shape[0] // _WINDOW_PX, _WINDOW_PX, padded.shape[1] // _WINDOW_PX, _WINDOW_PX)
    return int(windows.sum(axis=(1, 3)).max()) < _PIXELS_IN_WINDOW
