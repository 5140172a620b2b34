"""Computes gray levels of a picture from its histogram, since numpy's percentiles sort the pixels, which takes ten times as
long."""

from __future__ import annotations

from typing import Any


def levels(gray: Any, *percentages: float) -> tuple[float, ...]:
    """Returns the gray levels below which these percentages of the pixels are, as `numpy.percentile` computes them. `gray`:
    (rows, columns), 8 bits, not empty."""
    import numpy as np

    counts = histogram(gray).cumsum()
    found = []
    for percentage in percentages:
        place = percentage / 100 * (int(counts[-1]) - 1)
        below, above = (int(np.searchsorted(counts, int(rank), side="right")) for rank in (np.floor(place), np.ceil(place)))
        found.append(below + (above - below) * (place - int(place)))
    return tuple(found)


def histogram(gray: Any) -> Any:
    """Returns the number of pixels of each level (256,)."""
    import cv2
    import numpy as np

    return cv2.calcHist([np.ascontiguousarray(gray)], [0], None, [256], [0, 256]).ravel().astype(np.int64)
