"""Documents that are asked for again: held by another run, or put off because something was away."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from rayocr.messages import Document

_LONGEST_S = 600.0  # between two tries of a document whose storage fails again and again


@dataclass(slots=True)
class _Put:
    document: Document
    due: float
    held: bool


class DeferredDocuments:
    """As many as the window has room for, and the documents that other runs have in theirs."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._put: dict[str, _Put] = {}
        self._tries: dict[str, int] = {}  # of those that failed, until they do not

    def __len__(self) -> int:
        return len(self._put)

    def __contains__(self, document_id: object) -> bool:
        return document_id in self._put

    @property
    def held(self) -> int:
        """By other runs."""
        return sum(put.held for put in self._put.values())

    def add(self, document: Document, *, after_s: float, held: bool = False) -> None:
        self._put[document.document_id] = _Put(document, self._clock() + after_s, held)

    def add_backing_off(self, document: Document, *, base_s: float) -> None:
        """Twice as long with each failure."""
        tries = self._tries[document.document_id] = self._tries.get(document.document_id, 0) + 1
        self.add(document, after_s=min(_LONGEST_S, base_s * 2.0 ** min(tries - 1, 20)))

    def forget(self, document: Document) -> None:
        self._put.pop(document.document_id, None)
        self._tries.pop(document.document_id, None)

    def due(self, now: float | None) -> list[Document]:
        """Those whose time has come (None: all), in the order of their times; they are here no longer."""
        due = sorted((put for put in self._put.values() if now is None or put.due <= now), key=lambda put: put.due)
        for put in due:
            del self._put[put.document.document_id]
        return [put.document for put in due]
