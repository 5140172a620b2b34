"""Estimates the input tokens of a Gemini request from its shape, by Google's documentation.

Sources, read on 2026-11-27: ai.google.dev, "Media resolution" (Gemini 3: tokens per PDF page and picture), "Document
understanding" and "Image understanding" (earlier models: 258 per PDF page and per tile of a picture). The text of a PDF page is
not counted in addition.
"""

from __future__ import annotations

import math

from rayocr.config import GeminiConfig
from rayocr.engines.base import OfferedPage
from rayocr.messages import RequestShape

_PDF_PAGE = {"default": 560, "low": 280, "medium": 560, "high": 1120}
_PICTURE = {"default": 1120, "low": 280, "medium": 560, "high": 1120}
_EARLIER_MODELS = ("gemini-1", "gemini-2")
_TILE, _TILE_LOW = 258, 66
_SMALL_PX = 384  # a picture up to this size is one tile
_TILES_ACROSS = 1.5  # a large picture has this many tiles along its shorter side
_SMALLEST_TILE_PX, _LARGEST_TILE_PX = 256, 768
_LATIN_CHARS, _OTHER_CHARS = 4.0, 1.5  # characters of a prompt per token


def request_shape(config: GeminiConfig, model: str, page: OfferedPage, *, prompt_tokens: float) -> RequestShape:
    """Returns the shape of the page's request. A page that was not converted yet counts as a PDF of one page."""
    earlier = model.removeprefix("models/").startswith(_EARLIER_MODELS)
    resolution = config.media_resolution
    pages = page.sent_pages if config.page_format == "pdf" else 0
    if pages == 0:
        tiles = _tiles(page, config.dpi) if earlier and resolution != "low" else 1
        each = (_TILE_LOW if resolution == "low" else _TILE) if earlier else _PICTURE[resolution]
        return RequestShape(f"picture {tiles}", tiles * each + prompt_tokens)
    each = _TILE if earlier else _PDF_PAGE[resolution]
    return RequestShape(f"pdf {pages}", (pages or 1) * each + prompt_tokens)


def text_tokens(text: str) -> float:
    """Returns the approximate tokens of a prompt."""
    latin = sum(char < "\u0250" for char in text)
    return latin / _LATIN_CHARS + (len(text) - latin) / _OTHER_CHARS


def _tiles(page: OfferedPage, dpi: int) -> int:
    width, height = (max(1.0, side * dpi / 72) for side in page.size_pt)
    if max(width, height) <= _SMALL_PX:
        return 1
    tile = min(_LARGEST_TILE_PX, max(_SMALLEST_TILE_PX, min(width, height) / _TILES_ACROSS))
    return math.ceil(width / tile) * math.ceil(height / tile)
