"""Caches the documents that a worker has open."""

from __future__ import annotations

from collections import Counter, OrderedDict
from typing import Any

from rayocr.pdf.document import PdfFile
from rayocr.pdf.page import Page


class DocumentCache:
    """Keeps the last few documents open. Closes the least recently used first, but never one with an open page. Use it only on
    the PDFium thread.
    """

    def __init__(self, *, keep: int, max_pixels: int) -> None:
        self._keep = keep
        self._max_pixels = max_pixels
        self._files: OrderedDict[str, PdfFile] = OrderedDict()
        self._open_pages: Counter[str] = Counter()

    def open_page(self, document_id: str, page_number: int, data: Any = None) -> Page | None:
        """Opens a page; returns None when the document is not open and no `data` is given to open it."""
        if document_id not in self._files:
            if data is None:
                return None
            self._files[document_id] = PdfFile(data, max_pixels=self._max_pixels)
            self._close_oldest(but=document_id)
        self._files.move_to_end(document_id)
        page = self._files[document_id].page(page_number)
        self._open_pages[document_id] += 1
        return page

    def close_page(self, document_id: str, page: Page) -> None:
        page.close()
        self._open_pages[document_id] -= 1
        if not self._open_pages[document_id]:
            del self._open_pages[document_id]

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _close_oldest(self, *, but: str) -> None:
        idle = [known for known in self._files if known != but and not self._open_pages.get(known)]
        for document_id in idle[: max(0, len(self._files) - self._keep)]:
            self._files.pop(document_id).close()
