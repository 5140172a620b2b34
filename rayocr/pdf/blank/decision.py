"""Measures the ink of a page, and decides by its fine marks whether a page with little ink is blank."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rayocr.pdf.blank.fine_marks import FINE_DPI, FineMarks
from rayocr.pdf.ink import BLANK_COVERAGE, COARSE_DPI, RENDER_DPI, SURELY_INKED, coarse_coverage, coverage

if TYPE_CHECKING:
    from PIL import Image

    from rayocr.pdf.drawing.page_drawing import PageDrawing
    from rayocr.pdf.objects import PageObjects

SCAN_OF_PAGE = 0.8  # with pictures over at least this share of the page, folds and stains are in the pictures


def certain_coverage(scan_at: Callable[[float], Image.Image | None], long_side_in: float) -> float:
    """Returns the ink coverage of a scan that is certainly not blank; 0 if this is unknown. `scan_at` returns the scan at a
    resolution in dpi, or None. `long_side_in`: the longer side of the page, in inches."""
    if (coarse := scan_at(COARSE_DPI)) is not None and (share := coarse_coverage(coarse)):
        return share
    if (reduced := scan_at(RENDER_DPI)) is not None:
        quick = coverage(reduced, dpi=max(reduced.size) / long_side_in)
        return quick if quick >= SURELY_INKED else 0.0
    return 0.0


def drawn_coverage(
    drawing: PageDrawing, small: Image.Image, objects: PageObjects, long_side_in: float, may_have_color: Callable[[], bool]
) -> float:
    """Returns the ink coverage of a page as it is drawn. `small`: its rendering at RENDER_DPI or less."""
    dpi, clean = max(small.size) / long_side_in, not objects.pictures
    seen = coverage(small, dpi=dpi, clean=clean)
    unsure = SURELY_INKED if objects.image_share >= SCAN_OF_PAGE else BLANK_COVERAGE
    if has_color := seen < unsure and may_have_color():
        seen = max(seen, coverage(drawing.pale(dpi, has_color=True)[0], dpi=dpi, clean=clean))
    return refined(seen, image_share=objects.image_share, render=lambda dpi: drawing.pale(dpi, has_color=has_color))


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
