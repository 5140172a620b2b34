"""Finds the faint, dotted and dashed rulings of a scan: on gray paper, a gray hairline has hardly more contrast than the noise.

The letters are removed, and the gray levels are averaged along the ruling, which removes the noise. Such rulings count only where
they form a grid with others: text that shows through and dotted leaders have no uprights. Takes 20 ms per page.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rayocr.engines.layout.lines import Ruling
from rayocr.pdf.shapes.components import components

# Lengths in pixels are for 100 dpi.
_NEIGHBORHOOD = 25  # side of the square around a letter whose mean replaces it, in pixels
_COARSE = 4
_LEAST_RUN = 20  # pixels; the strokes of letters are shorter
_LONGEST_DASH, _THICKEST_DASH, _LARGEST_POINT = 9, 4, 4  # pixels
_BESIDE = 3  # pixels; points and strokes this close to letters are parts of the text
_FULL = 0.45  # least share of its box that a letter fills; rulings that cross fill less
_MOST_TOUCHING = 0.15  # largest share of its length where a ruling touches letters
_DASH_CONTRAST = 60  # gray levels; darker dashes count as this dark
_ALONG = 13  # pixels over which the gray levels are averaged
_THICKEST = 5  # pixels; thicker shapes are bars
_SEEN, _GUESSED = 5, 3  # least mean contrast of a ruling, and least contrast of its parts, in gray levels
_NOISE_SHARE = 0.95  # share of the page with less contrast, which is noise
_LARGEST_GAP = 9  # pixels
_SHORTEST_IN = 0.5
_MEET_PT, _LEAST_MET = 5.0, 2  # largest distance of the ends of rulings that meet; least number of rulings that one meets
_FEWEST = 3  # level rulings without faint uprights
_CLEAR, _BESIDE_SHARE = 3, 0.8  # number of well visible uprights beside a false one, and their share of its height
_MOST_FOUND = 600


def faint_rulings(small: Any, dark: Any, known: Sequence[Ruling], *, dpi: float) -> list[Ruling]:
    """Returns the faint rulings in points. `small`: 8-bit level page (height, width) at about 100 dpi; `dark`: 255 for its ink;
    `known`: the other rulings of the page."""
    import cv2
    import numpy as np

    to_pt = 72.0 / dpi
    shapes = _Shapes(dark)
    level = np.zeros_like(dark)
    boxes, level = _found(shapes.removed(small, level, across=True), shapes.letters, level, dpi)
    paper = shapes.removed(small, level, across=False)
    turned = cv2.transpose(shapes.letters), cv2.transpose(level)
    uprights, _ = _found(cv2.transpose(paper), *turned, dpi)
    found = [Ruling(x0=start * to_pt, y0=at * to_pt, x1=end * to_pt, y1=at * to_pt, is_faint=True) for start, end, at in boxes]
    found += [
        Ruling(x0=at * to_pt, y0=start * to_pt, x1=at * to_pt, y1=end * to_pt, is_faint=True) for start, end, at in uprights
    ]
    return in_grids(found, known)


def _found(paper: Any, letters: Any, level: Any, dpi: float) -> tuple[list[tuple[float, float, float]], Any]:
    """Returns start, end and place of the rulings from left to right, in pixels, and a picture of them with 255 for each.
    `level`: such a picture of the rulings of the other direction, which interrupt them; `letters`: not 0 for letters."""
    import cv2
    import numpy as np

    contrast = cv2.morphologyEx(cv2.blur(paper, (_ALONG, 1)), cv2.MORPH_BLACKHAT, np.ones((_THICKEST, 1), np.uint8))
    counts = np.bincount(contrast[::3, ::3].ravel()).cumsum()
    noise = int(np.searchsorted(counts, _NOISE_SHARE * counts[-1]))
    seen, guessed = max(_SEEN, 2 * noise), max(_GUESSED, noise + 2)
    mask = cv2.threshold(contrast, guessed - 1, 255, cv2.THRESH_BINARY)[1]
    mask = cv2.dilate(mask, np.ones((3, 1), np.uint8))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((1, _LARGEST_GAP), np.uint8)) | level
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((1, int(_SHORTEST_IN * dpi)), np.uint8))
    shapes = components(mask)[0].tolist()
    found: list[tuple[float, float, float]] = []
    for x, y, w, h, _area in shapes if len(shapes) < _MOST_FOUND else ():
        means = contrast[y : y + h, x : x + w].mean(axis=1)
        touching = (letters[y + int(means.argmax()), x : x + w] > 0).mean()
        if means.max() >= seen and touching <= _MOST_TOUCHING:
            found.append((x, x + w, y + h / 2))
    return found, mask


class _Shapes:
    """The shapes of a page's ink: letters, and the parts of dotted and dashed rulings."""

    def __init__(self, dark: Any) -> None:
        import cv2
        import numpy as np

        self._runs = np.zeros_like(dark)  # long strokes, which are rulings
        for shape in ((1, _LEAST_RUN), (_LEAST_RUN, 1)):
            self._runs |= cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones(shape, np.uint8))
        ink = dark & ~self._runs
        _, labels, self._stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8, ltype=cv2.CV_32S)
        self._places = np.flatnonzero(ink)
        self._labels = labels.ravel()[self._places]
        widths, heights, areas = self._stats[:, 2:].T
        is_letter = (np.minimum(widths, heights) > _THICKEST_DASH) & (areas > _FULL * widths * heights)
        self.letters = self._drawn(is_letter)

    def removed(self, small: Any, level: Any, *, across: bool) -> Any:
        """Returns the page with paper in place of letters and of the rulings in `level`. Points and dashes that are not beside
        letters remain; `across`: the dashes are those of level rulings."""
        import cv2
        import numpy as np

        widths, heights = self._stats[:, 2], self._stats[:, 3]
        along, thick = (widths, heights) if across else (heights, widths)
        is_point = np.maximum(widths, heights) <= _LARGEST_POINT
        is_dash = is_point | ((along <= _LONGEST_DASH) & (thick <= _THICKEST_DASH) & (along > thick))
        beside = cv2.dilate(self._drawn(~is_dash), np.ones((1, 2 * _BESIDE + 1), np.uint8))
        is_text = np.zeros(len(is_dash), bool)
        is_text[self._labels[beside.ravel()[self._places] > 0]] = True
        is_dash &= ~(is_text & is_point) if across else ~is_text
        gone = (cv2.dilate(self._drawn(~is_dash), np.ones((3, 3), np.uint8)) & ~self._runs) | level
        mean = _mean_of_paper(small, gone)
        paper = cv2.max(small, cv2.subtract(mean, _DASH_CONTRAST))
        cv2.copyTo(mean, gone, paper)
        return paper

    def _drawn(self, chosen: Any) -> Any:
        """Returns 255 for the pixels of the chosen shapes."""
        import numpy as np

        drawn = np.zeros_like(self._runs)
        drawn.ravel()[self._places] = np.where(chosen, 255, 0).astype(np.uint8)[self._labels]
        return drawn


def _mean_of_paper(small: Any, gone: Any) -> Any:
    """Returns the mean gray level around each pixel without the pixels that are gone. It is smooth, so it is computed on a
    smaller picture."""
    import cv2
    import numpy as np

    free = cv2.bitwise_not(gone)
    size = (max(small.shape[1] // _COARSE, 1), max(small.shape[0] // _COARSE, 1))
    height, width = size[1] * _COARSE, size[0] * _COARSE  # OpenCV is fast with whole factors only
    parts = [
        cv2.resize(part[:height, :width], size, interpolation=cv2.INTER_AREA).astype(np.float32) for part in (small & free, free)
    ]
    around = (_NEIGHBORHOOD // _COARSE, _NEIGHBORHOOD // _COARSE)
    total, count = (cv2.blur(part, around) for part in parts)
    mean = np.clip(total / np.maximum(count / 255, 1e-3), 0, 255).astype(np.uint8)
    return cv2.resize(mean, small.shape[::-1], interpolation=cv2.INTER_LINEAR)


def in_grids(found: Sequence[Ruling], known: Sequence[Ruling]) -> list[Ruling]:
    """Returns the rulings that meet two others or more of the other direction. Uprights beside several well visible ones are
    false: a table's rulings look alike. So are one or two level ones alone, which are edges of shaded rows, and an upright alone
    at the ends of level ones: the sides of two boxes of a form."""
    clear = [ruling for ruling in known if not ruling.is_horizontal]
    kept = [ruling for ruling in found if ruling.is_horizontal or sum(_is_beside(ruling, other) for other in clear) < _CLEAR]
    while kept:
        across = [ruling for ruling in (*known, *kept) if ruling.is_horizontal]
        down = [ruling for ruling in (*known, *kept) if not ruling.is_horizontal]
        left = [ruling for ruling in kept if _met(ruling, down if ruling.is_horizontal else across) >= _LEAST_MET]
        left = [ruling for ruling in left if ruling.is_horizontal or not _is_side_alone(ruling, across, down)]
        if len(left) == len(kept):
            break
        kept = left
    return kept if len(kept) >= _FEWEST or not all(ruling.is_horizontal for ruling in kept) else []


def _is_side_alone(upright: Ruling, across: Sequence[Ruling], down: Sequence[Ruling]) -> bool:
    """Returns whether an upright ruling only meets ends of level ones, and no other upright meets these."""
    met = [ruling for ruling in across if _met(upright, [ruling])]
    is_at_ends = all(min(abs(ruling.x0 - upright.x0), abs(ruling.x1 - upright.x0)) < _MEET_PT for ruling in met)
    return is_at_ends and not any(_met(other, met) for other in down if other is not upright)


def _is_beside(ruling: Ruling, other: Ruling) -> bool:
    """Returns whether another upright ruling has most of the height of this one."""
    return min(ruling.y1, other.y1) - max(ruling.y0, other.y0) > _BESIDE_SHARE * (ruling.y1 - ruling.y0)


def _met(ruling: Ruling, others: Sequence[Ruling]) -> int:
    """Returns at how many places rulings of the other direction meet this one."""
    slack = _MEET_PT
    if ruling.is_horizontal:
        near = [r.x0 for r in others if ruling.x0 - slack < r.x0 < ruling.x1 + slack and r.y0 - slack < ruling.y0 < r.y1 + slack]
    else:
        near = [r.y0 for r in others if ruling.y0 - slack < r.y0 < ruling.y1 + slack and r.x0 - slack < ruling.x0 < r.x1 + slack]
    return len({round(place / slack) for place in near})
