"""Distinguishes faint print and pencil from worn paper: folds, crumpled paper, stains, rings of cups, the print of the other
side.

Contrast does not distinguish them: pencil and bleached receipts have 15 % of the contrast of print, folds and stains up to 25 %.
Sharpness does: the edge of a printed or drawn stroke is a tenth of a millimeter wide, the edge of wear several tenths. Measured
on 20 drawn pages of each kind: half of the contrast within a pixel at FINE_DPI for strokes (at least .36), at most .3 for wear.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from rayocr.pdf.marks import Shape, is_leftover, is_line, without_edges, without_folds

if TYPE_CHECKING:
    from PIL import Image

FINE_DPI = 150  # strokes of 8 pt type are two pixels wide

_SHARP = 0.33  # change of gray per pixel at a shape's edges, as a share of its contrast; worn paper has less
_WEAR_CONTRAST = 60  # gray levels (0 to 255); worn paper has less contrast
_MARGIN_SHARE = 0.02
_PAPER_MM = 6.0  # side of the area whose median gray is the paper around a stroke
_LEAST_CONTRAST, _NOISE = 10.0, 3.5  # gray levels; number of standard deviations of the paper's noise
_FIGURE_CONTRAST = 22.0
_LETTER_MM, _WIDEST_LETTER_MM = (0.9, 9.0), 12.0  # range of heights; the minimum is the x-height of 6 pt
_LEAST_PX = 6
_ROW, _GAP, _MAX_LETTERS = 4, 1.6, 3_000  # letters in a row; gap in letter heights; with more letters, rows are not searched
_SHAPE_MM, _FIGURE_MM = 1.5, 5.0  # smaller shapes are dust; a figure is a drawing, handwriting or a word
_FEW, _LONE_MM = 8, 2.0  # on a page with so few shapes, one of this height (8 pt) may be a page number
_EDGE_MM = 4.0
_MAX_SHAPES = 2_000
_SAMPLED = 40  # minimum number of letters of a row


@dataclass(slots=True, eq=False)
class _Row:
    last: Shape
    letters: list[int]


class FineMarks:
    """Finds marks on a page that is rendered in gray at about FINE_DPI. Takes 40 to 80 ms for A4."""

    def __init__(self, image: Image.Image, *, dpi: float) -> None:
        import cv2

        pixels = np.asarray(image.convert("L"))
        margin_y, margin_x = (round(side * _MARGIN_SHARE) for side in pixels.shape)
        self._gray: Any = np.ascontiguousarray(
            pixels[margin_y : pixels.shape[0] - margin_y, margin_x : pixels.shape[1] - margin_x]
        )
        self._px_per_mm = dpi / 25.4
        height, width = self._gray.shape
        self._is_small = min(height, width) < 4 * _SHAPE_MM * self._px_per_mm
        if self._is_small:
            return
        quarter = cv2.resize(self._gray, (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_AREA)
        paper = cv2.medianBlur(quarter, max(3, int(_PAPER_MM / 4 * self._px_per_mm) | 1))
        self._contrast: Any = cv2.absdiff(cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR), self._gray)
        self._noise = 1.4826 * float(np.median(self._contrast))

    def has_faint_lines(self) -> bool:
        """Returns whether the page has a row of sharp shapes of letter size, even a faint one."""
        if self._is_small:
            return False
        labels, shapes = self._shapes(max(_LEAST_CONTRAST, _NOISE * self._noise))
        low, high = (size * self._px_per_mm for size in _LETTER_MM)
        letters = [
            number
            for number, shape in enumerate(shapes)
            if low <= shape.height <= high and shape.width <= _WIDEST_LETTER_MM * self._px_per_mm and shape.area >= _LEAST_PX
        ]
        if len(letters) > _MAX_LETTERS:
            return self._median_sharpness(labels, shapes, letters[:: len(letters) // 200]) >= _SHARP
        rows = _rows_of(shapes, letters)
        sampled = [number for row in rows if len(row) >= _ROW for number in row[:_SAMPLED]]
        return bool(sampled) and self._median_sharpness(labels, shapes, sampled) >= _SHARP

    def has_faint_figures(self) -> bool:
        """Returns whether the page has a faint but sharp drawing, signature or handwritten word."""
        labels, shapes = self._intended
        large = [number for number, shape in enumerate(shapes) if shape.long >= _SHAPE_MM * self._px_per_mm]
        figures = [number for number in large if shapes[number].long >= _FIGURE_MM * self._px_per_mm]
        if len(large) <= _FEW:
            figures += [number for number in large if self._is_alone(shapes[number])]
        return any(self._sharpness(labels, shapes[number], number) >= _SHARP for number in figures)

    def _is_alone(self, shape: Shape) -> bool:
        """Returns whether the shape is large enough for a page number and is not beside the edge of the sheet."""
        height, width = self._gray.shape
        edge = min(shape.x, shape.y, width - shape.x - shape.width, height - shape.y - shape.height)
        return shape.short > 1 and shape.height >= _LONE_MM * self._px_per_mm and edge >= _EDGE_MM * self._px_per_mm

    def are_only_wear(self) -> bool:
        """Returns whether everything on the page is blurred and pale, and is not a row of letters."""
        if self._is_small:
            return False
        labels, shapes = self._intended
        if len(shapes) > _MAX_SHAPES:
            return False
        least = _SHAPE_MM * self._px_per_mm
        large = [number for number, shape in enumerate(shapes) if shape.long >= least]
        return not any(self._is_stroke(labels, shapes[number], number) for number in large) and not self.has_faint_lines()

    @cached_property
    def _intended(self) -> tuple[Any, list[Shape]]:
        """Returns all shapes except lines across the page and remnants of the edge of a scan."""
        if self._is_small:
            return None, []
        labels, shapes = self._shapes(max(_FIGURE_CONTRAST, _NOISE * self._noise), clean=True)
        height, width = self._gray.shape
        kept = [not is_line(s, self._px_per_mm) and not is_leftover(s, width, height, self._px_per_mm) for s in shapes]
        return labels, [shape if keep else Shape(0, 0, 0, 0, 0) for shape, keep in zip(shapes, kept, strict=True)]

    def _shapes(self, threshold: float, *, clean: bool = False) -> tuple[Any, list[Shape]]:
        import cv2

        ink = (self._contrast > threshold).astype(np.uint8)
        if clean:
            ink = without_edges(without_folds(ink, self._px_per_mm))
        _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
        return labels, [Shape(*row) for row in stats[1:].tolist()]

    def _is_stroke(self, labels: Any, shape: Shape, number: int) -> bool:
        inside, mask = self._inside(labels, shape, number)
        dark = float(np.percentile(self._contrast[inside][mask], 90))
        return dark >= _WEAR_CONTRAST or self._sharpness(labels, shape, number) >= _SHARP

    def _median_sharpness(self, labels: Any, shapes: list[Shape], numbers: list[int]) -> float:
        return float(np.median([self._sharpness(labels, shapes[number], number) for number in numbers]))

    def _sharpness(self, labels: Any, shape: Shape, number: int) -> float:
        """Returns the gray levels per pixel at the steep places of a shape, relative to its contrast."""
        inside, mask = self._inside(labels, shape, number)
        return float(np.percentile(self._slopes[inside][mask], 75) / np.percentile(self._contrast[inside][mask], 90))

    def _inside(self, labels: Any, shape: Shape, number: int) -> tuple[Any, Any]:
        inside = np.s_[shape.y : shape.y + shape.height, shape.x : shape.x + shape.width]
        return inside, labels[inside] == number + 1

    @cached_property
    def _slopes(self) -> Any:
        import cv2

        across, down = (cv2.Sobel(self._gray, cv2.CV_32F, *order, ksize=3) for order in ((1, 0), (0, 1)))
        return np.hypot(across, down) / 8


def _rows_of(shapes: list[Shape], letters: list[int]) -> list[list[int]]:
    """Returns the rows of letters, each as indexes of `shapes` from left to right."""
    rows: list[_Row] = []
    ended: list[_Row] = []
    for number in sorted(letters, key=lambda number: shapes[number].x):
        shape = shapes[number]
        row = next((row for row in reversed(rows) if _continues(row.last, shape)), None)
        if row is None:
            rows.append(_Row(shape, [number]))
        else:
            row.last = shape
            row.letters.append(number)
        if len(rows) > _SAMPLED:
            reach = shape.x - _GAP * max(other.last.height for other in rows) - shape.height * 3
            ended += [row for row in rows if row.last.x + row.last.width < reach]
            rows = [row for row in rows if row.last.x + row.last.width >= reach]
    return [row.letters for row in (*ended, *rows)]


def _continues(before: Shape, shape: Shape) -> bool:
    low, high = sorted((before.height, shape.height))
    overlap = min(before.y + before.height, shape.y + shape.height) - max(before.y, shape.y)
    return high <= 2.5 * low and overlap >= 0.5 * low and -0.3 * high <= shape.x - before.x - before.width <= _GAP * high
