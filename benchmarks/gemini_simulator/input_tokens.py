"""Counts the input tokens of a request as Google documents it, with noise. Does not use rayocr's own code, so that an error in
that code is visible."""

from __future__ import annotations

import base64
import io
import math
from typing import Any

import pypdfium2

from benchmarks.gemini_simulator.page_texts import lot_of

_OF_GEMINI_3 = {  # per PDF page, per picture
    "MEDIA_RESOLUTION_UNSPECIFIED": (560, 1120),
    "MEDIA_RESOLUTION_LOW": (280, 280),
    "MEDIA_RESOLUTION_MEDIUM": (560, 560),
    "MEDIA_RESOLUTION_HIGH": (1120, 1120),
}


def media_tokens(model: str, resolution: str, *, pdf_pages: int, size_px: tuple[int, int] = (0, 0)) -> int:
    """`pdf_pages` is 0 for a picture of `size_px`."""
    if not model.startswith(("gemini-1", "gemini-2")):
        page, picture = _OF_GEMINI_3[resolution]
        return page * pdf_pages or picture
    if pdf_pages:
        return 258 * pdf_pages
    if max(size_px) <= 384:
        return 258
    if resolution == "MEDIA_RESOLUTION_LOW":
        return 66
    tile = min(768, max(256, math.floor(min(size_px) / 1.5)))
    return 258 * math.ceil(size_px[0] / tile) * math.ceil(size_px[1] / tile)


def with_noise(tokens: float, key: str, noise: float) -> int:
    """`noise`: the largest deviation, relative to the tokens. `key` determines it, so that a repeated request costs the same."""
    return max(1, round(tokens * (1 + noise * (2 * lot_of(key, salt="tokens") - 1))))


def input_tokens(model: str, body: dict[str, Any], *, noise: float) -> int:
    resolution = body.get("generationConfig", {}).get("mediaResolution", "MEDIA_RESOLUTION_UNSPECIFIED")
    tokens, key = 0.0, ""
    for part in (part for content in body["contents"] for part in content["parts"]):
        if "text" in part:
            tokens += len(part["text"]) / 4
        else:
            encoded = part["inlineData"]["data"]
            key = encoded[-200:]
            tokens += _of_file(model, resolution, base64.b64decode(encoded.replace("-", "+").replace("_", "/") + "=="))
    return with_noise(tokens, key, noise)


def _of_file(model: str, resolution: str, data: bytes) -> int:
    if not data.startswith(b"%PDF"):
        from PIL import Image

        return media_tokens(model, resolution, pdf_pages=0, size_px=Image.open(io.BytesIO(data)).size)
    with pypdfium2.PdfDocument(data) as document:
        return media_tokens(model, resolution, pdf_pages=len(document))
