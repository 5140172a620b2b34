"""Decides whether a page with little ink is blank, by its fine marks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rayocr.pdf.blank.fine_marks import FINE_DPI, FineMarks
from rayocr.pdf.ink import BLANK_COVERAGE, SURELY_INKED

if TYPE_CHECKING:
    from PIL import Image

SCAN_OF_PAGE = 0.8  # with pictures over at least this share of the page, folds and stains are in the pictures


def refined(seen: float, *, image_share: float, render: Callable[[float], tuple[Image.Image, float]]) -> float:
    """Returns the ink coverage, corrected for faint print and for worn paper. `render`: renders the page at no more than this
    resolution in dpi, and returns the image and its pixels per point."""
    if seen >= SURELY_INKED or (seen >= BLANK_COVERAGE and image_share < SCAN_OF_PAGE):
        return seen
    image, scale = render(FINE_DPI)
    marks = FineMarks(image, dpi=scale * 72)
    if seen >= BLANK_COVERAGE:
        return 0.0 if marks.are_only_wear() else seen
    is_faint = marks.has_faint_lines() or (image_share >= SCAN_OF_PAGE and marks.has_faint_figures())
    return BLANK_COVERAGE if is_faint else seen
