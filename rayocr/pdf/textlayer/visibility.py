"""Compares a page's text with its ink: which words a person sees, and which lines of ink the text does not cover.

The page is rendered twice at low resolution, with and without its text. Where both pictures differ, text is visible; what the
second one still shows is a picture, a drawing or outlined text. 1 to 3 ms for a page without pictures.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium

from rayocr.pdf.geometry import Box, turn_box
from rayocr.pdf.line_boxes import DETECTION_DPI, line_boxes
from rayocr.pdf.textlayer.lines import TextLine, Word

_MAX_PIXELS = 4_000_000
_MAX_TEXT_OBJECTS = 50_000
_MAX_DEPTH = 12  # of forms within forms
_SEEN = 10  # of 255: the least difference that a person sees
_STROKE = 40  # of 255: from a picture's paper to its ink
_TINY_PT = 2.0
_TINY_SHARE = 1 / 400  # of the page's longer side: a small page may have small letters
_TILE_PX = 8
_STROKES_IN_TILE = 4  # in both directions: letters have them, edges of areas and rulings do not
_LEAST_TILES = 3  # fewer are a corner or a bullet
_TEXTURE = 0.3  # of a word's columns must have strokes in them, for the word to be a reading of the ink under it
_COVERED = 0.5  # of a line of ink


@dataclass(frozen=True, slots=True)
class Comparison:
    """`seen`: words that are drawn and can be seen. `read`: words that are not seen, but lie on ink, as those of an OCR layer do.
    `hidden`: all others. `unread`: boxes of ink lines without a word, in points of the upright page. `ink_lines`: how many lines
    the picture without the text has."""

    seen: frozenset[int]
    read: frozenset[int]
    hidden: frozenset[int]
    unread: tuple[Box, ...]
    ink_lines: int


@dataclass(frozen=True, slots=True)
class Pictures:
    """The upright page in gray, with and without its text. `scale`: pixels a point."""

    whole: Any
    without_text: Any
    scale: float
    has_unseen_modes: bool
    unseen_objects: frozenset[int]


def pictures_of(page: Any, size_pt: tuple[float, float]) -> Pictures | None:
    """None where the page cannot be rendered, or has too many objects to take its text away."""
    width_pt, height_pt = size_pt
    if not (width_pt > 0 and height_pt > 0):
        return None
    scale = min(DETECTION_DPI / 72, (_MAX_PIXELS / (width_pt * height_pt)) ** 0.5, 20_000 / max(width_pt, height_pt))
    size = max(1, int(width_pt * scale)), max(1, int(height_pt * scale))
    objects = list(_text_objects(page))
    if len(objects) > _MAX_TEXT_OBJECTS:
        return None
    shown, unseen = [], set()
    for item in objects:
        mode = pdfium.FPDFTextObj_GetTextRenderMode(item)
        if mode in (pdfium.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium.FPDF_TEXTRENDERMODE_CLIP):
            unseen.add(_address(item))
        else:
            shown.append(item)
    try:
        whole = rendered(page, size)
        without = whole
        if shown:
            with _inactive(shown):
                without = rendered(page, size)
    except (pypdfium2.PdfiumError, MemoryError, ValueError):
        return None
    return Pictures(whole, without, size[0] / width_pt, bool(unseen), frozenset(unseen))


@contextmanager
def without_text(page: Any) -> Iterator[None]:
    """The page's text is not rendered within this context."""
    with _inactive(list(_text_objects(page))):
        yield


def compare(
    lines: Sequence[TextLine], words: Sequence[Word], pictures: Pictures, *, turns: int, size_pt: tuple[float, float], text_page: Any
) -> Comparison:
    """`lines` and `words` are on the page after `turns` quarter turns, whose size is `size_pt`; `words` are those of all lines."""
    scale, height, width = pictures.scale, *pictures.whole.shape
    boxes = np.array([turn_box(word[1:5], -turns, size_pt) for word in words], float).reshape(-1, 4)
    corners = _pixels(boxes, scale, width, height)
    import cv2

    drawn = cv2.absdiff(pictures.whole, pictures.without_text) > _SEEN
    seen = _counts(drawn, corners) >= np.maximum(1.0, 0.8 * np.array([len(word.text) for word in words], float))
    tiny = np.minimum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]) < min(_TINY_PT, max(size_pt) * _TINY_SHARE)
    seen &= ~tiny
    if pictures.has_unseen_modes:
        unseen = [_address(pdfium.FPDFText_GetTextObject(text_page, word.index)) in pictures.unseen_objects for word in words]
        seen &= ~np.array(unseen, bool)
    rest = np.flatnonzero(~seen & ~tiny)
    ink = _strokes(pictures.without_text)
    read = frozenset(int(n) for n in rest if _lies_on_strokes(ink, corners[n]))
    hidden = frozenset(np.flatnonzero(~seen).tolist()) - read
    unread, count = _unread(pictures, ink, [corners[n] for n in read])
    return Comparison(frozenset(np.flatnonzero(seen).tolist()), read, hidden, unread, count)


def rendered(page: Any, size: tuple[int, int]) -> Any:
    """The raw page in gray, as an array (height, width)."""
    width, height = size
    bitmap = pypdfium2.PdfBitmap.new_native(width, height, pdfium.FPDFBitmap_Gray)
    try:
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, width, height)
        pdfium.FPDF_RenderPageBitmap(bitmap.raw, page, 0, 0, width, height, 0, pdfium.FPDF_ANNOT | pdfium.FPDF_GRAYSCALE)
        return np.frombuffer(bitmap.buffer, np.uint8).reshape(height, bitmap.stride)[:, :width].copy()
    finally:
        bitmap.close()


def _text_objects(page: Any) -> Iterator[Any]:
    def walk(get: Any, count: int, depth: int) -> Iterator[Any]:
        for index in range(count):
            item = get(index)
            kind = pdfium.FPDFPageObj_GetType(item)
            if kind == pdfium.FPDF_PAGEOBJ_TEXT:
                yield item
            elif kind == pdfium.FPDF_PAGEOBJ_FORM and depth < _MAX_DEPTH:
                inner = pdfium.FPDFFormObj_CountObjects(item)
                yield from walk(lambda n, form=item: pdfium.FPDFFormObj_GetObject(form, n), inner, depth + 1)

    yield from walk(lambda n: pdfium.FPDFPage_GetObject(page, n), pdfium.FPDFPage_CountObjects(page), 0)


@contextmanager
def _inactive(objects: Sequence[Any]) -> Iterator[None]:
    for item in objects:
        pdfium.FPDFPageObj_SetIsActive(item, False)
    try:
        yield
    finally:
        for item in objects:
            pdfium.FPDFPageObj_SetIsActive(item, True)


def _address(item: Any) -> int:
    return ctypes.cast(item, ctypes.c_void_p).value or 0


def _pixels(boxes: Any, scale: float, width: int, height: int) -> Any:
    """Corners x0, y0, x1, y1 of boxes in whole pixels, within the picture and at least a pixel large."""
    low = np.floor(boxes[:, :2] * scale).astype(int)
    high = np.ceil(boxes[:, 2:] * scale).astype(int)
    low = np.clip(low, 0, (width - 1, height - 1))
    return np.hstack([low, np.clip(np.maximum(high, low + 1), 1, (width, height))])


def _counts(mask: Any, corners: Any) -> Any:
    """How many pixels of the mask each box holds."""
    import cv2

    sums = cv2.integral(mask.view(np.uint8))
    x0, y0, x1, y1 = corners.T
    return sums[y1, x1] - sums[y0, x1] - sums[y1, x0] + sums[y0, x0]


def _strokes(picture: Any) -> tuple[Any, Any]:
    """Where the picture changes from one pixel to the next, sideways and downward."""
    import cv2

    sideways = cv2.absdiff(picture[:, 1:], picture[:, :-1]) > _STROKE
    downward = cv2.absdiff(picture[1:], picture[:-1]) > _STROKE
    return sideways, downward


def _lies_on_strokes(ink: tuple[Any, Any], corners: Any) -> bool:
    x0, y0, x1, y1 = (int(value) for value in corners)
    inside = ink[0][y0:y1, x0:x1] if x1 - x0 >= y1 - y0 else ink[1][y0:y1, x0:x1].T
    return inside.size > 0 and float(inside.any(axis=0).mean()) >= _TEXTURE


def _unread(pictures: Pictures, ink: tuple[Any, Any], read: Sequence[Any]) -> tuple[tuple[Box, ...], int]:
    """The boxes, in points, of lines of ink that no word covers, and how many lines of ink there are."""
    if not _may_hold_lines(ink):
        return (), 0
    from PIL import Image

    scale = pictures.scale
    found = line_boxes(Image.fromarray(pictures.without_text), scale * 72)
    covered = np.zeros(pictures.whole.shape, bool)
    for x0, y0, x1, y1 in read:
        covered[y0:y1, x0:x1] = True
    unread = []
    for x, y, width, height in found:
        if covered[y : y + height, x : x + width].mean() < _COVERED and _looks_like_text(ink, x, y, width, height):
            unread.append((x / scale, y / scale, (x + width) / scale, (y + height) / scale))
    return tuple(unread), len(found)


def _may_hold_lines(ink: tuple[Any, Any]) -> bool:
    """Whether enough tiles have strokes in both directions."""
    tiles = None
    for mask in ink:
        height, width = (side - side % _TILE_PX for side in mask.shape)
        if not (height and width):
            return False
        blocks = mask[:height, :width].reshape(height // _TILE_PX, _TILE_PX, width // _TILE_PX, _TILE_PX)
        enough = blocks.sum(axis=(1, 3), dtype=np.uint8) >= _STROKES_IN_TILE
        if tiles is None:
            tiles = enough
        else:
            rows, columns = min(tiles.shape[0], enough.shape[0]), min(tiles.shape[1], enough.shape[1])
            tiles = tiles[:rows, :columns] & enough[:rows, :columns]
    return tiles is not None and int(tiles.sum()) >= _LEAST_TILES


def _looks_like_text(ink: tuple[Any, Any], x: int, y: int, width: int, height: int) -> bool:
    """Wider than a letter, with strokes along all of its width."""
    if width < 1.8 * height or height < 4:
        return False
    columns = ink[0][y : y + height, x : x + width].sum(axis=0)
    return float((columns > 0).mean()) >= _TEXTURE and float(columns.sum()) >= 0.5 * width
