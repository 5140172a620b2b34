"""Divides a page that is too long or too wide to be legible as one picture: a receipt of two meters, a plan on A0, a screenshot
of ten screens. rayocr sends a PDF that shows the whole page and, on further pages, its parts.

Gemini reduces each page of a PDF to 3072 pixels (ai.google.dev, "Document understanding"), which leaves four pixels for the
letters of such a receipt. Takes 30 to 200 ms for pages of this kind. All other pages are ruled out by their size.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pypdfium2

from rayocr.pdf.geometry import Box
from rayocr.pdf.line_boxes import line_boxes

if TYPE_CHECKING:
    from rayocr.pdf.page import Page

_SHOWN_PX = 3072  # longer side of a page as a model receives it
_LONG_PT = 1684.0  # the long side of A2, on which 8 pt letters are 14 pixels high and legible
# Sides of a picture that may be a screenshot; its resolution relative to the one that a model receives.
_SLENDER, _MORE_DETAIL = 2.0, 1.2
_LEAST_SCALE, _MOST_PIXELS = 2.0, 8_000_000  # pixels per point and pixels of the rendering in which letters are measured
_LINES_DPI = 100.0  # `line_boxes` finds letters of 4 to 70 pixels
_FEWEST_LINES, _LINE_ASPECT = 5, 2.0
_LEGIBLE_PX, _GOOD_PX = 11.0, 18.0  # height of a line as a model receives it
_MOST_PARTS = 16  # most parts in each direction; each part costs as much as a page
_STROKE = 25  # gray levels (0 to 255) between neighboring pixels
_SEARCHED = 0.3  # share of a part's length that is searched for white space on both sides of its end
_JPEG_QUALITY = 85
_SMALLER, _TRIES = 0.75, 5
_IN_PARTS = re.compile(rb"\n% one page in parts: (\d{1,3}) pages\n\Z")
_IN_PARTS_BYTES = 40  # length of the comment at the end of the file


def is_in_parts(data: bytes) -> bool:
    """Returns whether the file is a result of `in_parts`."""
    return _IN_PARTS.search(data, max(0, len(data) - _IN_PARTS_BYTES)) is not None


def pages_of(data: bytes) -> int:
    """Returns the number of pages of the PDF of one page: more than one if it is a result of `in_parts`."""
    marked = _IN_PARTS.search(data, max(0, len(data) - _IN_PARTS_BYTES))
    return int(marked[1]) if marked else 1


def in_parts(page: Page, whole: bytes | None, *, dpi: int, max_bytes: int | None) -> bytes | None:
    """Returns a PDF of the whole page, followed by pictures of its parts from top to bottom and from left to right. `whole`: a
    PDF of the page that looks like it, or None to show a picture. Returns None if the page is legible as a whole, or if the PDF
    would have more than `max_bytes`. Raises PageUnrenderable."""
    boxes = parts_of(page)
    if len(boxes) < 2:
        return None
    everything = (0.0, 0.0, page.width_pt, page.height_pt)
    longest = max(max(x1 - x0, y1 - y0) for x0, y0, x1, y1 in boxes)
    scale = min(_SHOWN_PX / longest, max(dpi, page.detail_dpi) / 72)
    overview = _jpeg(page, everything, min(scale, _SHOWN_PX / max(everything)))
    for _ in range(_TRIES):
        pictures = [(_jpeg(page, box, scale), box) for box in boxes]
        data = _document(whole, [*(() if whole else ((overview, everything),)), *pictures])
        if max_bytes is None or len(data) <= max_bytes:
            return data
        scale *= _SMALLER
        whole = None
    return None


def parts_of(page: Page) -> list[Box]:
    """Returns the parts in points of the displayed page, without blank ones; empty if the page is legible as a whole."""
    width, height = page.width_pt, page.height_pt
    longer, shorter = max(width, height), min(width, height)
    if not shorter > 0 or not (longer > _LONG_PT or _has_fine_print(page, longer, shorter)):
        return []
    scale = min(max(_SHOWN_PX / longer, _LEAST_SCALE), math.sqrt(_MOST_PIXELS / (width * height)))
    rendering = page.render(dpi=max(1, round(scale * 72)), grayscale=True)
    letters_pt = _usual_height(rendering.image) / rendering.scale
    if not 0 < letters_pt < _LEGIBLE_PX * longer / _SHOWN_PX:
        return []
    most_pt = max(letters_pt * _SHOWN_PX / _GOOD_PX, longer / _MOST_PARTS)
    return _divided(rendering.image, (width, height), most_pt)


def _has_fine_print(page: Page, longer: float, shorter: float) -> bool:
    """Returns whether a long, narrow picture on the page may have print that is illegible in a rendering of the whole page."""
    return page.detail_dpi > _MORE_DETAIL * _SHOWN_PX / longer * 72 and longer > _SLENDER * shorter


def _usual_height(image: Any) -> float:
    """Returns the usual height of a line in pixels, weighted by the length of the lines; 0 if unknown."""
    lines = [(min(box[2:]), max(box[2:])) for box in line_boxes(image, _LINES_DPI) if max(box[2:]) > _LINE_ASPECT * min(box[2:])]
    if len(lines) < _FEWEST_LINES:
        return 0.0
    half, passed = sum(length for _, length in lines) / 2, 0
    for height, length in sorted(lines):
        passed += length
        if passed >= half:
            return float(height)
    return 0.0


def _divided(image: Any, size_pt: tuple[float, float], most_pt: float) -> list[Box]:
    import numpy as np

    gray = np.asarray(image).astype(np.int16)
    across, down = gray.shape[1] / size_pt[0], gray.shape[0] / size_pt[1]  # pixels per point, which differ on long, narrow pages
    strokes = np.abs(np.diff(gray, axis=1)) > _STROKE
    rows = _ends(np.count_nonzero(strokes, axis=1), most_pt * down)
    boxes = []
    for top, bottom in zip([0, *rows], [*rows, gray.shape[0]], strict=True):
        downward = np.abs(np.diff(gray[top:bottom], axis=0)) > _STROKE
        columns = _ends(np.count_nonzero(downward, axis=0), most_pt * across)
        for left, right in zip([0, *columns], [*columns, gray.shape[1]], strict=True):
            if strokes[top:bottom, left:right].any():
                boxes.append((left / across, top / down, right / across, bottom / down))
    return boxes


def _ends(strokes: Any, most_px: float) -> list[int]:
    """Returns where to cut: in the widest white space near the end of each part. `strokes`: the number of strokes in each row or
    column."""
    import numpy as np

    count = math.ceil(len(strokes) / most_px)
    length, ends = len(strokes) / max(count, 1), []
    for number in range(1, count):
        first = int((number - _SEARCHED) * length)
        near = strokes[first : int((number + _SEARCHED) * length)]
        edges = np.flatnonzero(np.diff(np.concatenate(([False], near == near.min(), [False])).astype(np.int8)))
        start, end = max(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True), key=lambda run: run[1] - run[0])
        ends.append(first + (start + end) // 2)
    return ends


def _jpeg(page: Page, box: Box, scale: float) -> bytes:
    data = io.BytesIO()
    page.render_part(box, scale).save(data, format="jpeg", quality=_JPEG_QUALITY)
    return data.getvalue()


def _document(whole: bytes | None, pictures: Sequence[tuple[bytes, Box]]) -> bytes:
    with pypdfium2.PdfDocument.new() as document:
        if whole:
            with pypdfium2.PdfDocument(whole) as cut:
                document.import_pages(cut, [0])
        for picture, (x0, y0, x1, y1) in pictures:
            image = pypdfium2.PdfImage.new(document)
            image.load_jpeg(io.BytesIO(picture), inline=True)
            image.set_matrix(pypdfium2.PdfMatrix().scale(x1 - x0, y1 - y0))
            sheet = document.new_page(x1 - x0, y1 - y0)
            sheet.insert_obj(image)
            sheet.gen_content()
            sheet.close()
        data = io.BytesIO()
        document.save(data)
        return data.getvalue() + b"\n%% one page in parts: %d pages\n" % len(document)
