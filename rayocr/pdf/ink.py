"""Measures ink coverage: the share of small tiles with ink; 0 for a blank page.

Pixels of a small rendering are compared with the surrounding paper. Specks and scanner edges do not count. The share of dark
pixels would be misleading: a gray or speckled blank scan has more of them than a line of text.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from rayocr.pdf.geometry import Box
from rayocr.pdf.marks import has_marks

if TYPE_CHECKING:
    from PIL import Image

BLANK_COVERAGE = 0.004  # a page with less coverage is blank and is not sent; a page with any mark has at least this coverage
RENDER_DPI = 75  # strokes of 8 pt type are one pixel wide; 4 to 25 ms per page

# For scans. JPEG decoders divide by two, four or eight, which gives 20 to 40 dpi; a line of text becomes a gray bar.
COARSE_DPI = 20

SURELY_INKED = 0.10  # below this coverage, the shapes of the ink decide, since shadows along two edges cover .05
_SURELY_INKED_COARSE = 0.20  # for a rendering at COARSE_DPI, whose tiles are three times as large
_TILE_PX = 8  # 2.7 mm
_MARGIN_SHARE = 0.02  # share of each side that may show shadows of the lid, punch holes or the edge of the next sheet
# Gray levels (0 to 255) by which ink is darker than the paper around it, or lighter on dark paper. JPEG noise is below 20.
_CONTRAST = 40.0
_COLOR_CONTRAST = 42.0  # the same for one channel of a color
_STRONG_COLOR = 100  # gray levels: above the darkest channel of paper of a strong color, and below its range of channels
_INK_PX_IN_TILE = 3  # fewer pixels are a speck
_SHADOW_SHARE = 0.5  # dark share of a row or column of pixels along an edge
_BLOCK_PX = 32  # local paper is the bright level of such a block (the dark level if most of it is dark)
_PAPER_RANK = round(0.8 * (_BLOCK_PX**2 - 1))  # the index of the bright level in a block's sorted pixels


def coverage(image: Image.Image, *, dpi: float = RENDER_DPI, clean: bool = False) -> float:
    """Returns the coverage, 0..1, of a page rendered at about RENDER_DPI in any mode: 0 if the page is blank, otherwise at least
    BLANK_COVERAGE. `clean`: the page has no pictures, so every shape on it is intended."""
    pixels = np.asarray(image.convert("L"))
    margin_y, margin_x = (0, 0) if clean else (round(side * _MARGIN_SHARE) for side in pixels.shape)
    inner = pixels[margin_y : pixels.shape[0] - margin_y, margin_x : pixels.shape[1] - margin_x]
    if inner.shape[0] < _TILE_PX or inner.shape[1] < _TILE_PX:
        inner = pixels
    if inner.size == 0:
        return 0.0
    ink = _ink(inner)
    share = _inked_share(ink)
    if share < SURELY_INKED or not clean:
        ink = ink if clean else _without_shadows(ink)
        if _inked_share(ink) < SURELY_INKED:
            return max(share, BLANK_COVERAGE) if has_marks(ink, dpi=dpi, clean=clean) else 0.0
    return share


def with_pale_colors(image: Image.Image) -> Image.Image:
    """Returns a page rendered in RGB as a gray picture in which yellow, pink and light blue are as dark as in their darkest
    channel. In gray, a yellow highlighter or a pale stamp has no contrast. A brown stain of the paper is below the limit for
    ink. On paper of a strong color, each pixel is as dark as its largest difference from the paper in a channel: red on blue has
    the same darkest channel everywhere."""
    from PIL import Image as Pillow

    pixels = np.asarray(image.convert("RGB"))
    paper = np.median(pixels[::4, ::4], axis=(0, 1))
    if paper.min() < _STRONG_COLOR < np.ptp(paper):
        darkness = np.abs(pixels - paper.astype(np.int16)).max(axis=2).astype(np.float32)
    else:
        darkness = 255 - pixels.min(axis=2).astype(np.float32)
    return Pillow.fromarray((255 - darkness * (_CONTRAST / _COLOR_CONTRAST)).clip(0, 255).astype(np.uint8))


def coarse_coverage(image: Image.Image) -> float:
    """Returns the share of tiles with ink in a scan at COARSE_DPI or more, if it is so large that the page is certainly not
    blank; otherwise 0, and `coverage` must decide. Takes 0.5 ms."""
    pixels = np.asarray(image.convert("L"))
    margin_y, margin_x = (round(side * _MARGIN_SHARE) for side in pixels.shape)
    inner = pixels[margin_y : pixels.shape[0] - margin_y, margin_x : pixels.shape[1] - margin_x]
    if min(inner.shape) < 4 * _TILE_PX:
        return 0.0
    share = _inked_share(_without_shadows(_ink(inner)))
    return share if share >= _SURELY_INKED_COARSE else 0.0


def _inked_share(ink: Any) -> float:
    return float(_without_lonely(_ink_in_tiles(ink) >= _INK_PX_IN_TILE).mean())


def contrast(pixels: Any, box: Box, size_pt: tuple[float, float]) -> int | None:
    """Returns the difference, 0..255, between the darkest and the brightest pixel of a gray rendering inside a box. `pixels`: an
    array of rows; the box is in points of a page of this size. Returns None if the box is outside the page."""
    rows, columns = pixels.shape
    across, down = columns / size_pt[0], rows / size_pt[1]
    x0, y0 = max(0, math.floor(box[0] * across)), max(0, math.floor(box[1] * down))
    x1, y1 = min(columns, math.ceil(box[2] * across)), min(rows, math.ceil(box[3] * down))
    if x1 <= x0 or y1 <= y0:
        return None
    inside = pixels[y0:y1, x0:x1]
    return int(inside.max()) - int(inside.min())


def _ink(pixels: Any) -> Any:
    """Returns where a pixel differs from the paper of its block. Computed in bytes, ten times as fast as in floats."""
    blocks = _blocks(pixels, _BLOCK_PX)
    rows, _, columns, _ = blocks.shape
    paper = _paper(blocks).reshape(rows, 1, columns, 1)
    darkest = np.clip(np.ceil(paper - _CONTRAST), 0, 255).astype(np.uint8)
    lightest = np.clip(np.floor(paper + _CONTRAST), 0, 255).astype(np.uint8)
    ink = (blocks < darkest) | (blocks > lightest)
    return ink.reshape(rows * _BLOCK_PX, columns * _BLOCK_PX)[: pixels.shape[0], : pixels.shape[1]]


def _paper(blocks: Any) -> Any:
    """Returns the paper level of each block: the bright end, unless most of the block is ink."""
    rows, _, columns, _ = blocks.shape
    # NumPy sorts bytes with radix sort, which is ten times as fast as np.percentile on every processor.
    ordered = np.sort(blocks.transpose(0, 2, 1, 3).reshape(rows, columns, -1), axis=2, kind="stable")
    levels = ordered[:, :, _PAPER_RANK].astype(np.float32)
    # A block inside a large dark area has no paper, so it is compared with the page's paper, and the area counts as ink.
    page = np.percentile(levels, 80)
    return np.where(levels < page - 2 * _CONTRAST, page, levels)


def _ink_in_tiles(ink: Any) -> Any:
    """Returns the number of ink pixels in each tile."""
    tiles = np.ascontiguousarray(_blocks(ink, _TILE_PX)).view(np.uint64)  # counts eight pixels at a time
    return np.bitwise_count(tiles[..., 0]).sum(axis=1)


def _blocks(pixels: Any, side: int) -> Any:
    """Divides pixels into blocks: (rows, side, columns, side). The last rows and columns are padded with the pixels at the
    edge."""
    height, width = pixels.shape
    padded = np.pad(pixels, ((0, -height % side), (0, -width % side)), mode="edge")
    return padded.reshape(padded.shape[0] // side, side, padded.shape[1] // side, side)


def _without_shadows(ink: Any) -> Any:
    """Removes mostly dark rows and columns along the edges, up to a tenth of each side."""
    (top, bottom), (left, right) = _bands(ink.mean(axis=1)), _bands(ink.mean(axis=0))
    return ink[top : ink.shape[0] - bottom, left : ink.shape[1] - right]


def _bands(shares: Any) -> tuple[int, int]:
    """Returns the number of dark rows or columns at each end."""
    dark, most = shares >= _SHADOW_SHARE, len(shares) // 10
    first, last = (int(np.argmin(np.append(ends[:most], False))) for ends in (dark, dark[::-1]))
    return first, last


def _without_lonely(inked: Any) -> Any:
    """Keeps tiles with a neighbor to the left or right: letters form rows, dust specks are single."""
    padded = np.pad(inked, 1)
    neighbors = padded[1:-1, :-2] | padded[1:-1, 2:]
    return inked & neighbors
