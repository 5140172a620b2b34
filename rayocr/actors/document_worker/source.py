"""Provides a document's source during assembly under the limits of `rayocr.pdf.guard`. A call that exceeds them ends the
process."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from typing import Any

from rayocr.config import LimitsConfig
from rayocr.pdf.document import PdfFile
from rayocr.pdf.guard import bounded
from rayocr.pdf.page import Page

_MAX_PIXELS = 4_000_000  # limit for a page image in an output


class GuardedSource(PdfFile):
    """An open document. The limits apply to opening it, to each use of its catalog, and to a page from `page` to `close`. Handles
    one page at a time."""

    def __init__(self, data: Any, limits: LimitsConfig) -> None:
        self._limits = limits
        with self._guard():
            super().__init__(data, max_pixels=_MAX_PIXELS)

    def page_size(self, page_number: int) -> tuple[float, float]:
        with self._guard():
            return super().page_size(page_number)

    def page_label(self, page_number: int) -> str:
        with self._guard():
            return super().page_label(page_number)

    def page(self, page_number: int) -> Page:
        with ExitStack() as stack:
            stack.enter_context(self._guard())
            page = super().page(page_number)
            page.when_closed(stack.pop_all().close)
            return page

    def _guard(self) -> AbstractContextManager[None]:
        return bounded(seconds=self._limits.page_timeout_s, memory_bytes=self._limits.page_memory)
