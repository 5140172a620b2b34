"""Draws one page at different sizes and in different colors."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pypdfium2

from rayocr.errors import PageUnrenderable
from rayocr.pdf.drawing.lone_picture import LonePicture
from rayocr.pdf.drawing.rendering import MAX_SIDE_PX, draw, render_scale
from rayocr.pdf.geometry import Box
from rayocr.pdf.ink import with_pale_colors

if TYPE_CHECKING:
    from PIL import Image

_ROUNDING = 1e-6  # pixels; the exact scale of a picture gives the same picture again


@dataclass(frozen=True, slots=True)
class Rendering:
    """A rendered page. `scale` is pixels per point: divide a box in pixels by it to get points of the upright page."""

    image: Image.Image
    scale: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PageDrawing:
    """Draws a raw FPDF_PAGE with its annotations and form fields. Sizes are in points of the upright page. `form`: the raw form
    handle of its document, if it has a form. `complete`: adds what PDFium does not draw to a picture with this scale. `lone`:
    returns the picture of a page that consists of one picture.

    Every method raises PageUnrenderable or PageTooSlow.
    """

    page: Any
    page_number: int
    size_pt: tuple[float, float]
    max_pixels: int
    form: Any
    complete: Callable[[Image.Image, float], None]
    lone: Callable[[], LonePicture | None]

    def at(self, dpi: int, *, grayscale: bool, native_dpi: float) -> Rendering:
        """Draws the page for reading; see `render_scale`."""
        self._check_area()
        scale = render_scale(*self.size_pt, dpi=dpi, max_pixels=self.max_pixels, native_dpi=native_dpi)
        width, height, scale = self._pixels(scale)
        lone = self.lone() if grayscale else None
        if lone is not None and (image := lone.draw((width, height))) is not None:
            return Rendering(image=image, scale=scale)
        return self._draw(scale, grayscale=grayscale)

    def pale(self, dpi: float, *, has_color: bool) -> tuple[Image.Image, float]:
        """Returns a gray rendering at exactly `dpi`, or less for huge pages, and its scale. `has_color`: makes pale colors as
        dark as their darkest channel."""
        found = self.small(dpi, grayscale=not has_color, max_pixels=4_000_000)
        return with_pale_colors(found.image) if has_color else found.image, found.scale

    def small(self, dpi: float, *, grayscale: bool, max_pixels: int) -> Rendering:
        """Draws the page at exactly `dpi`, or less if it would have more than `max_pixels`."""
        self._check_area()
        width_pt, height_pt = self.size_pt
        scale = min(dpi / 72, math.sqrt(min(self.max_pixels, max_pixels) / (width_pt * height_pt)))
        return self._draw(min(scale, MAX_SIDE_PX / max(self.size_pt)), grayscale=grayscale)

    def part(self, box: Box, scale: float) -> Image.Image:
        """Draws a part of the page in RGB, at `scale` pixels per point."""
        x0, y0, x1, y1 = (round(at * scale) for at in box)
        placed = (-x0, -y0, round(self.size_pt[0] * scale), round(self.size_pt[1] * scale))
        with self._unrenderable():
            return draw(self.page, max(1, x1 - x0), max(1, y1 - y0), grayscale=False, form=self.form, placed=placed)

    def _draw(self, scale: float, *, grayscale: bool) -> Rendering:
        width, height, scale = self._pixels(scale)
        with self._unrenderable():
            image = draw(self.page, width, height, grayscale=grayscale, form=self.form)
            self.complete(image, scale)
        return Rendering(image=image, scale=scale)

    def _pixels(self, scale: float) -> tuple[int, int, float]:
        """Returns width, height and the exact scale. PDFium rounds sides up; one pixel less keeps the product below the limit."""
        width, height = (max(1, math.floor(side * scale + _ROUNDING)) for side in self.size_pt)
        return width, height, width / self.size_pt[0] if width > 1 else height / self.size_pt[1]

    def _check_area(self) -> None:
        width_pt, height_pt = self.size_pt
        if not (width_pt > 0 and height_pt > 0):
            raise PageUnrenderable(f"Page {self.page_number} has no area ({width_pt:g} x {height_pt:g} pt).")

    @contextmanager
    def _unrenderable(self) -> Iterator[None]:
        try:
            yield
        except (pypdfium2.PdfiumError, MemoryError, ValueError) as error:
            raise PageUnrenderable(f"Page {self.page_number} cannot be rendered: {error}") from error
