"""How much of a page is printed on: the share of small tiles with ink in them.

Not the share of dark pixels: a lone line ("ANNEX A") darkens a thousandth of a page and is text, while a grey or speckled blank
scan can darken more. So the page is rendered small, compared with its local paper, freed of specks and of the scanner's edges,
and tiles are counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

# A page below it is blank and never sent anywhere (docs/glossary.md, ink coverage): the share of tiles below.
BLANK_COVERAGE = 0.004
RENDER_DPI = 75  # enough for strokes of 8 pt type to be a pixel wide; 4 to 25 ms a page

_TILE_PX = 8  # 2.7 mm
_MARGIN_SHARE = 0.02  # of each side: shadows of the lid, punch holes, the edge of the next sheet
_CONTRAST = 40.0  # of 255, darker (or, on dark paper, lighter) than the paper around it; JPEG noise stays under 20
_INK_PX_IN_TILE = 3  # fewer are a speck
_BLOCK_PX = 32  # local paper is the bright (or, where most is dark, the dark) level of such a block
_PAPER_RANK = round(0.8 * (_BLOCK_PX**2 - 1))  # of a block's pixels in order


def coverage(image: Image.Image) -> float:
    """0..1 for a page rendered at about RENDER_DPI, any mode."""
    pixels = np.asarray(image.convert("L"))
    margin_y, margin_x = (round(side * _MARGIN_SHARE) for side in pixels.shape)
    inner = pixels[margin_y : pixels.shape[0] - margin_y, margin_x : pixels.shape[1] - margin_x]
    if inner.shape[0] < _TILE_PX or inner.shape[1] < _TILE_PX:
        inner = pixels
    if inner.size == 0:
        return 0.0
    inked = _ink_in_tiles(_ink(inner)) >= _INK_PX_IN_TILE
    return float(_without_lonely(inked).mean())


def _ink(pixels: Any) -> Any:
    """Where a pixel stands out from the paper of its block. In bytes throughout: a tenth of the time of floats."""
    blocks = _blocks(pixels, _BLOCK_PX)
    rows, _, columns, _ = blocks.shape
    paper = _paper(blocks).reshape(rows, 1, columns, 1)
    darkest = np.clip(np.ceil(paper - _CONTRAST), 0, 255).astype(np.uint8)
    lightest = np.clip(np.floor(paper + _CONTRAST), 0, 255).astype(np.uint8)
    ink = (blocks < darkest) | (blocks > lightest)
    return ink.reshape(rows * _BLOCK_PX, columns * _BLOCK_PX)[: pixels.shape[0], : pixels.shape[1]]


def _paper(blocks: Any) -> Any:
    """The paper's level in each block: its bright end, unless most of the block is ink."""
    rows, _, columns, _ = blocks.shape
    # Bytes are sorted by radix, ten times as fast as np.percentile, whatever the processor.
    ordered = np.sort(blocks.transpose(0, 2, 1, 3).reshape(rows, columns, -1), axis=2, kind="stable")
    levels = ordered[:, :, _PAPER_RANK].astype(np.float32)
    # A block inside a large dark area has no paper in it: it takes the page's, so that the area counts as ink.
    page = np.percentile(levels, 80)
    return np.where(levels < page - 2 * _CONTRAST, page, levels)


def _ink_in_tiles(ink: Any) -> Any:
    """How many pixels of ink each tile has."""
    tiles = np.ascontiguousarray(_blocks(ink, _TILE_PX)).view(np.uint64)  # eight pixels at a time
    return np.bitwise_count(tiles[..., 0]).sum(axis=1)


def _blocks(pixels: Any, side: int) -> Any:
    """(rows, side, columns, side); the last rows and columns are padded with what stands at the edge."""
    height, width = pixels.shape
    padded = np.pad(pixels, ((0, -height % side), (0, -width % side)), mode="edge")
    return padded.reshape(padded.shape[0] // side, side, padded.shape[1] // side, side)


def _without_lonely(inked: Any) -> Any:
    """Tiles with at least one neighbour to the left or right: letters come in rows, dust comes alone."""
    padded = np.pad(inked, 1)
    neighbours = padded[1:-1, :-2] | padded[1:-1, 2:]
    return inked & neighbours
