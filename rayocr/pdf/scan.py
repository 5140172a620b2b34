"""Recognizes pages that are one picture, and decodes their JPEG at a reduced size, which is several times faster than at full
size."""

from __future__ import annotations

import ctypes
import io
from typing import TYPE_CHECKING, Any

import pypdfium2.raw as pdfium

from rayocr.pdf.drawing.lone_picture import LonePicture
from rayocr.pdf.geometry import Box
from rayocr.pdf.objects import PageObjects

if TYPE_CHECKING:
    from PIL import Image

SCAN_SHARE = 0.5  # least share of a scanned page under pictures
_MAX_PIXELS = 80_000_000  # pixels of the full image; Pillow warns above 89 million
_MAX_LONE_PIXELS = 16_000_000  # of the stored picture: A4 in color at 400 dpi, 48 MB; PDFium draws larger ones in strips
_JPEG = b"DCTDecode\0"


def is_full_page_scan(found: PageObjects, size_pt: tuple[float, float]) -> bool:
    """Returns whether one picture is nearly all that the page shows, without being cropped or covered."""
    x0, y0, x1, y1 = found.largest_image_box
    beyond = max(-x0, x1 - size_pt[0], -y0, y1 - size_pt[1])
    others_share = (found.image_area - found.largest_image_area) / found.page_area  # a small logo beside the scan is allowed
    is_whole = beyond <= 0.02 * max(size_pt) and others_share <= 0.1
    return is_whole and found.image_share >= SCAN_SHARE and not found.cover_count


def lone_picture(page: Any, found: PageObjects, size_pt: tuple[float, float]) -> LonePicture | None:
    """Returns the picture of a raw FPDF_PAGE that shows one opaque picture, neither skewed, clipped nor within a marked part, and
    nothing else. The caller excludes masks and layers of the picture, since PDFium does not report them."""
    item = found.largest_image
    if found.count != 1 or item is None or found.largest_image_turns is None or pdfium.FPDFPage_GetAnnotCount(page):
        return None
    if pdfium.FPDFPageObj_CountMarks(item) or pdfium.FPDFPageObj_HasTransparency(item):
        return None
    clip = pdfium.FPDFPageObj_GetClipPath(item)
    facts = pdfium.FPDF_IMAGEOBJ_METADATA()
    if (clip and pdfium.FPDFClipPath_CountPaths(clip) > 0) or not pdfium.FPDFImageObj_GetImageMetadata(item, page, facts):
        return None
    # A stencil, which paints one color through its pixels, has no color space.
    is_stencil = facts.colorspace == pdfium.FPDF_COLORSPACE_UNKNOWN
    if is_stencil or not 0 < facts.width * facts.height <= _MAX_LONE_PIXELS:
        return None
    return LonePicture(item, found.largest_image_box, found.largest_image_turns, size_pt)


def reduced_jpeg(image: Any, long_side_px: float) -> Image.Image | None:
    """Returns the image in gray, with a long side of one to two times `long_side_px`; None if it is damaged or not a plain JPEG.

    `image` is a raw image object of an open page. Takes 3 to 6 ms for an A4 scan at 200 dpi. /Decode, masks and rotation are
    ignored: the result is only for detecting ink, not for reading.
    """
    from PIL import Image

    name = ctypes.create_string_buffer(len(_JPEG))
    if pdfium.FPDFImageObj_GetImageFilterCount(image) != 1:
        return None
    if pdfium.FPDFImageObj_GetImageFilter(image, 0, name, len(_JPEG)) != len(_JPEG) or name.raw != _JPEG:
        return None
    columns, rows = ctypes.c_uint(), ctypes.c_uint()
    pdfium.FPDFImageObj_GetImagePixelSize(image, columns, rows)
    if columns.value * rows.value > _MAX_PIXELS:
        return None
    size = pdfium.FPDFImageObj_GetImageDataRaw(image, None, 0)
    data = ctypes.create_string_buffer(size)
    pdfium.FPDFImageObj_GetImageDataRaw(image, data, size)
    try:
        with Image.open(io.BytesIO(data.raw), formats=("JPEG",)) as jpeg:
            width, height = jpeg.size
            factor = long_side_px / max(width, height)
            jpeg.draft("L", (max(1, round(width * factor)), max(1, round(height * factor))))
            return jpeg.convert("L")
    except (
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
    ):  # Pillow raises these for damaged files; the page is then rendered
        return None


def whole_page(image: Image.Image, box: Box, size_pt: tuple[float, float], *, dpi: float) -> tuple[Any, float]:
    """Returns the gray page of this size on which the image fills the box, as an array with about `dpi`, and its pixels per
    point."""
    import numpy as np
    from PIL import Image

    scale = dpi / 72
    x0, y0, x1, y1 = (round(side * scale) for side in box)
    sheet = Image.new("L", (max(1, round(size_pt[0] * scale)), max(1, round(size_pt[1] * scale))), 255)
    sheet.paste(image.resize((max(1, x1 - x0), max(1, y1 - y0)), Image.Resampling.BOX), (x0, y0))
    return np.asarray(sheet), scale
