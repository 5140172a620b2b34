"""Offers a worker's page to waiting engines (`rayocr.engines.base.OfferedPage`). PDFium is called only on its own thread."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from typing import Any

from rayocr.engines.stages import PageProgress
from rayocr.pdf.cut.content_hash import content_hash
from rayocr.pdf.cut.long_pages import pages_of
from rayocr.pdf.cut.page_document import PICTURE_DPI, media_type, page_document, picture
from rayocr.pdf.page import Page


class ThreadedPage:
    """A page that is cut out or rendered on demand. `on_thread` runs a function on the PDFium thread."""

    def __init__(self, page: Page, on_thread: Callable[..., Any], progress: PageProgress) -> None:
        self._page = page
        self._on_thread = on_thread
        self._progress = progress
        self._document: bytes | None = None  # the page as PDF
        self._hash: str | None = None
        self.sent_pages: int | None = None
        self.give_up_s: float | None = None
        self.batch_keys: list[str] = []

    @property
    def document_id(self) -> str:
        return self._progress.document_id

    @property
    def page_number(self) -> int:
        return self._page.page_number

    @property
    def size_pt(self) -> tuple[float, float]:
        return self._page.width_pt, self._page.height_pt

    async def as_document(self, *, dpi: int = PICTURE_DPI, max_bytes: int | None = None) -> bytes:
        if self._document is None:
            document: bytes = await self._on_thread(partial(page_document, dpi=dpi, max_bytes=max_bytes), self._page)
            if media_type(document) != "application/pdf":
                self.sent_pages = 0
                return document  # an image depends on the requested resolution
            self._document = document
            self.sent_pages = pages_of(document)
        if max_bytes is not None and len(self._document) > max_bytes:
            self.sent_pages = 0
            smaller: bytes = await self._on_thread(partial(picture, dpi=dpi, max_bytes=max_bytes), self._page)
            return smaller
        return self._document

    @property
    def tried(self) -> int:
        return len(self._progress.attempts)

    def let_go(self) -> None:
        self._document = None

    async def content_hash(self) -> str:
        if self._hash is None:
            self._hash = content_hash(await self.as_document())
        return self._hash

    async def as_image(self, *, dpi: int, format: str) -> bytes:
        data: bytes = await self._on_thread(self._encode, dpi, format)
        return data

    def _encode(self, dpi: int, format: str) -> bytes:
        encoded = io.BytesIO()
        # JPEG at quality 85 takes 7 ms at 200 dpi, and the models were tested with it. WebP at method 2 takes a third of the
        # default's time.
        options = {"jpeg": {"quality": 85}, "webp": {"quality": 80, "method": 2}, "png": {"compress_level": 1}}[format]
        self._page.render(dpi=dpi).image.convert("RGB").save(encoded, format=format, **options)
        return encoded.getvalue()
