"""Finds pictures that PDFium cannot decode. PDFium draws nothing in their place, so a page with content may look blank."""

from __future__ import annotations

import ctypes
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pypdfium2.raw as pdfium

from rayocr.pdf.geometry import Box
from rayocr.pdf.ink import contrast

if TYPE_CHECKING:
    from PIL import Image

_MAX_PICTURES = 64  # number of pictures checked per page, largest first
_MAX_FILTERS = 8
_LEAST_SHARE_OF_PAGE = 0.02  # least share of the page that a picture with content covers
_HUGE_PX = 500_000_000  # PDFium refuses larger pictures
# Maximum size of a picture with one color: zlib needs a thousandth, JPEG one byte per 64 pixels and component.
_FLAT_SHARE = 1 / 200
_FLAT_JPEG_BYTES_PER_PX = 2.5 / 64
_FLAT_BYTES = 1_000
_CODECS = {"DCTDecode", "JPXDecode", "JBIG2Decode", "CCITTFaxDecode"}
_WIDENED = (
    pdfium.FPDF_COLORSPACE_DEVICEGRAY,
    pdfium.FPDF_COLORSPACE_CALGRAY,
    pdfium.FPDF_COLORSPACE_SEPARATION,
    pdfium.FPDF_COLORSPACE_DEVICEN,
)
_GRAYS = (pdfium.FPDF_COLORSPACE_DEVICEGRAY, pdfium.FPDF_COLORSPACE_CALGRAY, pdfium.FPDF_COLORSPACE_ICCBASED)
_HEAD_BYTES, _DENSE_SAMPLE, _LEAST_DENSE_BYTES = 64, 100_000, 500
_DENSE = 0.5  # least size of dense data after another compression, as a share; data of a single color shrink more
_END_BYTES, _JPEG_END = 1_024, b"\xff\xd9"
_RGB_OF_2_BITS = 6  # bits per pixel of colors with 2 bits, for which PDFium reports 8
_LINE_END = 2  # most bytes that some writers add at the end
_LEAST_SHARE = 0.9  # least share of a picture's bytes that must be there; some writers omit the last row
_BYTES_PER_PX = {pdfium.FPDFBitmap_Gray: 1, pdfium.FPDFBitmap_BGR: 3, pdfium.FPDFBitmap_BGRx: 4, pdfium.FPDFBitmap_BGRA: 4}


def undrawn_picture(page: Any, pictures: Sequence[tuple[Any, Box]], image: Image.Image, size_pt: tuple[float, float]) -> str:
    """Returns the reason why a picture of the page cannot be drawn; empty if all are drawn. `pictures`: raw image objects of the
    raw FPDF_PAGE and their boxes in points. `image`: the rendered page in gray. Takes 10 µs per picture."""
    pixels = np.asarray(image)
    by_size = sorted(pictures, key=lambda item: _area(item[1]), reverse=True)[:_MAX_PICTURES]
    for picture, box in by_size:
        metadata = pdfium.FPDF_IMAGEOBJ_METADATA()
        if not pdfium.FPDFImageObj_GetImageMetadata(picture, page, metadata) or not metadata.width or not metadata.height:
            continue  # pictures without pixels cannot be damaged
        filters = _filters(picture)
        what = f"A picture of {metadata.width} x {metadata.height} pixels ({', '.join(filters) or 'not compressed'})"
        if metadata.bits_per_pixel == 0:
            return f"{what} cannot be decoded."
        if _is_cut_off(picture, metadata, filters):
            return f"{what} is cut off."
        size = pdfium.FPDFImageObj_GetImageDataRaw(picture, None, 0)
        # A picture that is covered, or hidden by its mask, has more than one color itself.
        if contrast(pixels, box, size_pt) or (size <= _most_if_flat(metadata, filters) and not _is_dense(picture, size)):
            continue
        if _has_one_color(picture, metadata):
            return f"{what} is damaged: no part of it is visible."
    return ""


def undecodable_share(page: Any, pictures: Sequence[tuple[Any, Box]], size_pt: tuple[float, float]) -> float:
    """Returns the share of the raw FPDF_PAGE, 0..1, that is missing because its large pictures cannot be decoded. Takes 0.3 ms
    per picture."""
    lost = 0.0
    for picture, box in sorted(pictures, key=lambda item: _area(item[1]), reverse=True)[:_MAX_PICTURES]:
        share = _area((max(box[0], 0.0), max(box[1], 0.0), min(box[2], size_pt[0]), min(box[3], size_pt[1]))) / _area(
            (0, 0, *size_pt)
        )
        metadata = pdfium.FPDF_IMAGEOBJ_METADATA()
        if share < _LEAST_SHARE_OF_PAGE or not pdfium.FPDFImageObj_GetImageMetadata(picture, page, metadata):
            continue
        if metadata.width and metadata.height and metadata.bits_per_pixel == 0:
            lost += share
    return min(lost, 1.0)


def may_have_color(page: Any, pictures: Sequence[tuple[Any, Box]]) -> bool:
    """Returns whether the raw FPDF_PAGE may have colors. Other drawings than pictures count as colored."""
    metadata = pdfium.FPDF_IMAGEOBJ_METADATA()
    for picture, _ in pictures[:_MAX_PICTURES]:
        known = pdfium.FPDFImageObj_GetImageMetadata(picture, page, metadata)
        if not known or metadata.bits_per_pixel > 8 or (metadata.bits_per_pixel > 1 and metadata.colorspace not in _GRAYS):
            return True
    return not pictures


def _is_dense(picture: Any, size: int) -> bool:
    """Returns whether the encoded data have few repetitions. Data of a picture with one color repeat."""
    if size < _LEAST_DENSE_BYTES:
        return False
    sample = _raw_data(picture, size)[_HEAD_BYTES:_DENSE_SAMPLE]
    return len(zlib.compress(sample)) > _DENSE * len(sample)


def _cut_off_rows(picture: Any, metadata: Any) -> float:
    """Returns the share of a picture's rows, 0..1, that are missing at its end because its data end early."""
    filters = _filters(picture)
    if not metadata.width or not metadata.height or metadata.width * metadata.height > _HUGE_PX:
        return 0.0
    if not _CODECS.intersection(filters):
        missing = _missing_bytes(picture, metadata)
        return missing if filters and missing > 1 - _LEAST_SHARE else 0.0
    size = pdfium.FPDFImageObj_GetImageDataRaw(picture, None, 0)
    if filters != ["DCTDecode"] or size < _HEAD_BYTES or _JPEG_END in _raw_data(picture, size)[-_END_BYTES:]:
        return 0.0
    with _rows_of(picture) as rows:  # PDFium fills the rest with one color
        if rows is None or not rows.size:
            return 0.0
        differs = (rows != rows[-1]).any(axis=(1, 2))
        return float(np.argmax(differs[::-1])) / len(rows) if differs.any() else 1.0


def _raw_data(picture: Any, size: int) -> bytes:
    data = (ctypes.c_ubyte * size)()
    pdfium.FPDFImageObj_GetImageDataRaw(picture, data, size)
    return bytes(data)


def cut_off_share(page: Any, pictures: Sequence[tuple[Any, Box]], size_pt: tuple[float, float]) -> float:
    """Returns the share of the raw FPDF_PAGE, 0..1, that is missing because the data of its large pictures end early. Decodes
    pictures whose end is missing."""
    lost = 0.0
    for picture, box in sorted(pictures, key=lambda item: _area(item[1]), reverse=True)[:_MAX_PICTURES]:
        share = _area((max(box[0], 0.0), max(box[1], 0.0), min(box[2], size_pt[0]), min(box[3], size_pt[1]))) / _area(
            (0, 0, *size_pt)
        )
        metadata = pdfium.FPDF_IMAGEOBJ_METADATA()
        if share >= _LEAST_SHARE_OF_PAGE and pdfium.FPDFImageObj_GetImageMetadata(picture, page, metadata):
            lost += share * _cut_off_rows(picture, metadata)
    return min(lost, 1.0) if lost > _LEAST_SHARE_OF_PAGE else 0.0


def _most_if_flat(metadata: Any, filters: Sequence[str]) -> float:
    """Returns the maximum number of encoded bytes of a picture with one color only."""
    pixels = metadata.width * metadata.height
    if pixels > _HUGE_PX:
        return 0
    if "DCTDecode" in filters:
        return pixels * _FLAT_JPEG_BYTES_PER_PX * max(1, metadata.bits_per_pixel // 8) + _FLAT_BYTES
    if not filters:
        return float("inf")
    return float(pixels * metadata.bits_per_pixel / 8 * _FLAT_SHARE + _FLAT_BYTES)


def _is_cut_off(picture: Any, metadata: Any, filters: Sequence[str]) -> bool:
    """Returns whether a picture in a common compression has too few bytes for its pixels. PDFium fills the rest with black."""
    if _CODECS.intersection(filters):
        return False  # the decoded size is unknown
    return _missing_bytes(picture, metadata) > 1 - _LEAST_SHARE


def _missing_bytes(picture: Any, metadata: Any) -> float:
    """Returns the share of the picture's decoded data, 0..1, that is missing at its end. PDFium reports 8 bits per color for
    pictures that have 4 or 2, so data of exactly the length for 4 or 2 bits are complete."""
    bits, size = _bits_of(metadata), pdfium.FPDFImageObj_GetImageDataDecoded(picture, None, 0)
    fewer_bits = (bits // 2, bits // 4, _RGB_OF_2_BITS)
    if any(0 <= size - metadata.height * -(-metadata.width * fewer // 8) <= _LINE_END for fewer in fewer_bits):
        return 0.0
    return float(max(0.0, 1 - size / max(metadata.height * -(-metadata.width * bits // 8), 1)))


def _bits_of(metadata: Any) -> int:
    """Returns the minimum number of bits per pixel."""
    bits = metadata.bits_per_pixel if metadata.bits_per_pixel < 32 else 8  # PDFium reports 32 for a gray picture with a color key
    if bits > 8 and metadata.colorspace in _WIDENED:
        bits = 8  # PDFium reports its own format; the file has at least this many, 16 bits of gray or several inks
    return int(bits)


def _has_one_color(picture: Any, metadata: Any) -> bool:
    """Decodes the whole picture, which takes 10 to 90 ms. Returns True if PDFium cannot decode it."""
    if metadata.width * metadata.height > _HUGE_PX:
        return True
    with _rows_of(picture) as rows:
        if rows is None or not rows.size:
            return True
        return bool((rows == rows[0, 0]).all())


@contextmanager
def _rows_of(picture: Any) -> Iterator[Any]:
    """Yields the decoded picture (height, width, bytes of a pixel), or None if PDFium cannot decode it."""
    bitmap = pdfium.FPDFImageObj_GetBitmap(picture)
    if not bitmap:
        yield None
        return
    try:
        pixel = _BYTES_PER_PX.get(pdfium.FPDFBitmap_GetFormat(bitmap), 1)
        height, width, stride = (
            read(bitmap) for read in (pdfium.FPDFBitmap_GetHeight, pdfium.FPDFBitmap_GetWidth, pdfium.FPDFBitmap_GetStride)
        )
        buffer = ctypes.cast(pdfium.FPDFBitmap_GetBuffer(bitmap), ctypes.POINTER(ctypes.c_ubyte))
        pixels = np.ctypeslib.as_array(buffer, (stride * height,))
        yield pixels.reshape(height, stride)[:, : width * pixel].reshape(height, width, pixel)
    finally:
        pdfium.FPDFBitmap_Destroy(bitmap)


def _filters(picture: Any) -> list[str]:
    names = []
    for index in range(min(pdfium.FPDFImageObj_GetImageFilterCount(picture), _MAX_FILTERS)):
        name = ctypes.create_string_buffer(32)
        if pdfium.FPDFImageObj_GetImageFilter(picture, index, name, len(name)):
            names.append(name.value.decode("latin-1"))
    return names


def _area(box: Box) -> float:
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)
