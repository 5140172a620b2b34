"""Transforms four-cornered OCR boxes of a rendering: rotates them by quarter turns, deskews them, and maps them to the page.

Corners are arrays (4, 2) of x, y in pixels, clockwise from the top left of the text as displayed. `quarter_turns`: number of
counter-clockwise quarter turns that make the text upright, as in numpy.rot90.
"""

from __future__ import annotations

import math
from typing import Any

_LONG_ASPECT = 4.0  # shorter lines do not show the skew
_MAX_SKEW_DEG = 15.0  # larger angles are intended


def turned(quads: Any, quarter_turns: int, width: float, height: float) -> Any:
    """Returns the corners (n, 4, 2) on the image rotated by numpy.rot90(image, quarter_turns). Width and height are those before
    the rotation."""
    import numpy as np

    x, y = quads[..., 0], quads[..., 1]
    quarter_turns %= 4
    if quarter_turns == 1:
        x, y = y, width - x
    elif quarter_turns == 2:
        x, y = width - x, height - y
    elif quarter_turns == 3:
        x, y = height - y, x
    return np.roll(np.stack([x, y], axis=-1), -quarter_turns, axis=1)


def sides(quads: Any) -> tuple[Any, Any]:
    """Returns widths and heights of boxes (n, 4, 2)."""
    import numpy as np

    return np.linalg.norm(quads[:, 1] - quads[:, 0], axis=1), np.linalg.norm(quads[:, 3] - quads[:, 0], axis=1)


def skew_deg(quads: Any) -> float:
    """Returns the skew of text lines in degrees (clockwise positive): the median of long lines, or 0 if unclear."""
    import numpy as np

    widths, heights = sides(quads)
    long = widths > _LONG_ASPECT * heights
    if not long.any():
        return 0.0
    along = quads[long, 1] - quads[long, 0] + quads[long, 2] - quads[long, 3]
    angles = np.degrees(np.arctan2(along[:, 1], along[:, 0]))
    order = np.argsort(angles)
    half = np.cumsum(widths[long][order])
    angle = float(angles[order][np.searchsorted(half, half[-1] / 2)])
    return angle if abs(angle) <= _MAX_SKEW_DEG else 0.0


def levelled(quads: Any, skew: float, width: float, height: float) -> Any:
    """Returns upright boxes (n, 4) x0, y0, x1, y1 after rotating the image back by `skew` about its center."""
    import numpy as np

    centers = quads.mean(axis=1) - (width / 2, height / 2)
    cosine, sine = math.cos(math.radians(skew)), math.sin(math.radians(skew))
    x = width / 2 + cosine * centers[:, 0] + sine * centers[:, 1]
    y = height / 2 - sine * centers[:, 0] + cosine * centers[:, 1]
    widths, heights = sides(quads)
    return np.stack([x - widths / 2, y - heights / 2, x + widths / 2, y + heights / 2], axis=1)
