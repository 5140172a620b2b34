"""Prepares pixels for rapidocr's models: stretches contrast, turns pages, cuts out lines. Gray arrays (height, width)."""

from __future__ import annotations

from typing import Any

from rayocr.pdf.shapes.components import PageInk
from rayocr.pdf.shapes.levels import histogram, levels

# The models do not normalize contrast. They read normally at a quarter of full contrast. At a tenth, they miss one line in twelve
# (CER .078; .004 after stretching). Pages with less contrast are blank paper.
_FAINT, _FLAT = 100, 16  # gray levels (0 to 255) between the darkest and the lightest pixels
_LEVEL_PX = 0.5  # boxes whose corners deviate by less are not rotated
_MARGIN = 0.12  # share of a line's height
_DARKEST, _LIGHTEST = 0.0005, 0.995  # shares of the pixels; two lines of text cover a thousandth of a page


def with_contrast(image: Any) -> Any:
    """Stretches a faint page to black on white; returns other pages unchanged. Takes 1 ms per page."""
    import cv2
    import numpy as np

    counts = histogram(image[::2, ::2]).cumsum()
    darkest, lightest = (int(np.searchsorted(counts, share * counts[-1])) for share in (_DARKEST, _LIGHTEST))
    span = lightest - darkest
    if not _FLAT < span < _FAINT:
        return image
    levels = np.clip((np.arange(256) - darkest) * 255 / span, 0, 255).astype(np.uint8)
    return cv2.LUT(image, levels)


def turned_image(image: Any, quarter_turns: int) -> Any:
    """Rotates the image counter-clockwise."""
    import numpy as np

    return np.ascontiguousarray(np.rot90(image, quarter_turns)) if quarter_turns % 4 else image


def cut_out(image: Any, quad: Any) -> Any:
    """Returns the picture inside four corners (4, 2), clockwise from the top left, rotated to level."""
    import cv2
    import numpy as np

    (x0, y0), (x1, y1) = quad.min(axis=0), quad.max(axis=0)
    if np.abs(quad - [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]).max() < _LEVEL_PX:
        left, top = max(round(float(x0)), 0), max(round(float(y0)), 0)
        return image[top : max(round(float(y1)), top + 1), left : max(round(float(x1)), left + 1)]

    width = max(int(max(np.linalg.norm(quad[0] - quad[1]), np.linalg.norm(quad[2] - quad[3]))), 1)
    height = max(int(max(np.linalg.norm(quad[0] - quad[3]), np.linalg.norm(quad[1] - quad[2]))), 1)
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    transform = cv2.getPerspectiveTransform(np.asarray(quad, np.float32), target)
    return cv2.warpPerspective(image, transform, (width, height), borderMode=cv2.BORDER_REPLICATE, flags=cv2.INTER_CUBIC)


class TurnedPage:
    """A page in each orientation. The page is turned, its ink is found, and each line is cut out, once."""

    def __init__(self, image: Any) -> None:
        self._images = {0: image}
        self._inks: dict[int, PageInk] = {}
        self._lines: dict[tuple[int, bytes], Any] = {}

    def image(self, quarter_turns: int) -> Any:
        if quarter_turns not in self._images:
            self._images[quarter_turns] = turned_image(self._images[0], quarter_turns)
        return self._images[quarter_turns]

    def ink(self, quarter_turns: int) -> PageInk:
        if quarter_turns not in self._inks:
            self._inks[quarter_turns] = PageInk(self.image(quarter_turns))
        return self._inks[quarter_turns]

    def line(self, quarter_turns: int, quad: Any) -> Any:
        """Returns the picture inside four corners on the turned page, as `cut_out` does."""
        key = quarter_turns, quad.tobytes()
        if key not in self._lines:
            self._lines[key] = cut_out(self.image(quarter_turns), quad)
        return self._lines[key]


def with_margin(quad: Any) -> Any:
    """Returns the corners of a level line, with a margin above and below: the detector's boxes cut off dots and accents."""
    import numpy as np

    down = _MARGIN * (quad[3] - quad[0] + quad[2] - quad[1]) / 2
    return quad + np.array([-down, -down, down, down], np.float32)


def ink_of(line: Any) -> float:
    """Returns the contrast between a line's paper and its ink, 0..255."""
    paper, dark = levels(line, 50, 2)
    return paper - dark
