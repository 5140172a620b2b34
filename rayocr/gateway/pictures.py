"""Renders pictures of pages for the status page."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from rayocr.ledger.manifest import Manifest
from rayocr.outputs.report.pages import Drawing, draw_page

_KEPT = 64


class Pictures:
    """Renders each page in a separate process, which takes about one second, two at a time. Caches the last pictures, since users
    page back."""

    def __init__(self, drawing: Drawing, draw: Callable[[Manifest, int, Drawing], bytes | None] = draw_page) -> None:
        self._drawing = drawing
        self._draw = draw
        self._turns = threading.Semaphore(2)
        self._kept: OrderedDict[tuple[str, str, int], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def draw(self, manifest: Manifest, page_number: int) -> bytes | None:
        """Renders a page. Blocks. You can call it from any thread."""
        key = (manifest.document_id, manifest.version, page_number)
        with self._turns:
            if (kept := self._kept.get(key)) is not None:
                return kept
            picture = self._draw(manifest, page_number, self._drawing)
        if picture is not None:
            with self._lock:
                self._kept[key] = picture
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        return picture
