"""Renders a PDFium page to a Pillow image, with its annotations and form fields.

PDFium can be cancelled between the objects of a page and within its pictures, so a page that takes too much CPU time fails with
PageTooSlow, and its process goes on. A single object that takes too long, such as nested patterns, ends the process (guard.py).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pypdfium2
import pypdfium2.raw as pdfium

from rayocr.errors import PageTooSlow
from rayocr.pdf.geometry import Box
from rayocr.pdf.guard import cpu_limit_s, uninterrupted

if TYPE_CHECKING:
    from PIL import Image


MAX_SIDE_PX = 20_000  # for very long and narrow pages: decoders and engines fail at 32,767 pixels or earlier
_SMALL_LONG_SIDE_PX = 1500  # for small pages: at 200 dpi, the letters of a ticket are 12 pixels high
_MAX_SMALL_DPI = 600.0
_MAX_NATIVE_DPI = 1200.0  # a scan can be placed on a one-inch page
_DRAWINGS = 4  # all drawings of a page may take as long as this many that take the limit
_SLOW_PAGES, _SLOW_SHARE = 10, 1 / 20  # a document with 1,000 slow pages takes 8 minutes and 40 more, instead of 12 hours
_PAUSE = dict(pdfium.IFSDK_PAUSE._fields_)["NeedToPauseNow"]


class SlowPages:
    """Counts the pages of one open document that are too slow to draw. After ten, its other pages get a twentieth of the time,
    which is enough for ordinary pages."""

    def __init__(self) -> None:
        self._count = 0

    def add(self) -> None:
        self._count += 1

    @property
    def are_many(self) -> bool:
        return self._count >= _SLOW_PAGES


def render_scale(width_pt: float, height_pt: float, *, dpi: float, max_pixels: int, native_dpi: float = 0.0) -> float:
    """Returns the pixels per point for a page, based on `dpi`. The picture never has more than `max_pixels`, even if the page's
    declared size is huge. Small pages and pages that are one image with a higher resolution (`native_dpi`) get a larger scale, so
    that letters stay legible; large pages get a smaller one.
    """
    long_side_in = max(width_pt, height_pt) / 72
    wanted_dpi = max(dpi, min(_SMALL_LONG_SIDE_PX / long_side_in, _MAX_SMALL_DPI))
    if long_side_in * dpi < _SMALL_LONG_SIDE_PX:
        wanted_dpi = max(wanted_dpi, min(native_dpi, _MAX_NATIVE_DPI))
    by_pixels = math.sqrt(max_pixels / (width_pt * height_pt))
    by_side = MAX_SIDE_PX / max(width_pt, height_pt)
    return min(wanted_dpi / 72, by_pixels, by_side)


def draw(
    page: Any,
    width_px: int,
    height_px: int,
    *,
    grayscale: bool,
    form: Any = None,
    placed: tuple[int, int, int, int] | None = None,
) -> Image.Image:
    """Draws a raw FPDF_PAGE in RGB or gray. `form`: the raw form handle of its document, if it has a form. `placed`: left, top,
    width and height in pixels of the whole page on the image, which may show a part of it.

    Raises PdfiumError, MemoryError or ValueError if the bitmap cannot be created, and PageTooSlow.
    """
    bitmap = pypdfium2.PdfBitmap.new_native(width_px, height_px, pdfium.FPDFBitmap_Gray if grayscale else pdfium.FPDFBitmap_BGR)
    bitmap.fill_rect((255, 255, 255, 255), 0, 0, width_px, height_px)
    flags = pdfium.FPDF_ANNOT | (pdfium.FPDF_GRAYSCALE if grayscale else pdfium.FPDF_REVERSE_BYTE_ORDER)
    area = (*(placed or (0, 0, width_px, height_px)), 0, flags)
    draw_into(bitmap.raw, page, area)
    if form is not None:
        with uninterrupted():
            pdfium.FPDF_FFLDraw(form, bitmap.raw, page, *area)  # only this call draws fields without an appearance
    return _to_pil(bitmap, width_px, height_px, grayscale=grayscale)


def draw_into(bitmap: Any, page: Any, area: tuple[int, int, int, int, int, int]) -> None:
    """Draws a raw FPDF_PAGE into a raw bitmap. `area`: left, top, width, height, rotation and flags, as for
    FPDF_RenderPageBitmap.

    Raises PageTooSlow if it takes more CPU time than `cpu_limit_s`, or all drawings of the page take more than four times that;
    at once for a page that took too long before. If `page.slow_pages` are many, the limit is lower.
    """
    if why := getattr(page, "too_slow", ""):
        raise PageTooSlow(why)
    slow_pages: SlowPages | None = getattr(page, "slow_pages", None)
    is_hurried = slow_pages is not None and slow_pages.are_many
    limit_s = cpu_limit_s() * (_SLOW_SHARE if is_hurried else 1)
    spent_s, started = getattr(page, "spent_s", 0.0), time.thread_time()
    left_s = _DRAWINGS * limit_s - spent_s
    ends_at = started + min(limit_s, left_s)
    pause = pdfium.IFSDK_PAUSE(version=1, NeedToPauseNow=_PAUSE(lambda _: time.thread_time() > ends_at), user=None)
    with uninterrupted():
        state = pdfium.FPDF_RenderPageBitmap_Start(bitmap, page, *area, pause)
        pdfium.FPDF_RenderPage_Close(page)
    page.spent_s = spent_s + time.thread_time() - started
    if state == pdfium.FPDF_RENDER_TOBECONTINUED:
        how = "" if limit_s <= left_s else " several times"
        page.too_slow = f"Drawing the page{how} takes more than {limit_s if not how else _DRAWINGS * limit_s:.3g} s of CPU time"
        page.too_slow += f", after {_SLOW_PAGES} pages of the document took even longer." if is_hurried else "."
        if slow_pages is not None:
            slow_pages.add()
        raise PageTooSlow(page.too_slow)


def paste_boxes(image: Image.Image, other: Image.Image, boxes: Iterable[Box], scale: float) -> None:
    """Copies parts of another picture of the same size. `boxes`: in points; `scale`: pixels per point."""
    for box in boxes:
        corners = [max(0, min(round(at * scale), side)) for at, side in zip(box, image.size * 2, strict=True)]
        image.paste(other.crop(tuple(corners)), tuple(corners))  # type: ignore[arg-type]  # four of each


def _to_pil(bitmap: Any, width: int, height: int, *, grayscale: bool) -> Image.Image:
    from PIL import Image

    mode = "L" if grayscale else "RGB"
    try:
        return Image.frombytes(mode, (width, height), bytes(bitmap.buffer), "raw", mode, bitmap.stride, 1)
    finally:
        bitmap.close()
