"""Holds documents that are tried again later: another run holds them, or a service was unavailable."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from rayocr.messages import Document

_LONGEST_S = 600.0  # maximum time between two tries of a document whose storage keeps failing


@dataclass(slots=True)
class _Entry:
    document: Document
    due: float
    held: bool


class DeferredDocuments:
    """Holds the deferred documents. There are at most as many as fit into this run's window, plus those in other runs'
    windows."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._entries: dict[str, _Entry] = {}
        self._tries: dict[str, int] = {}  # number of consecutive failures

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, document_id: object) -> bool:
        return document_id in self._entries

    @property
    def held(self) -> int:
        """Number of documents that other runs hold."""
        return sum(entry.held for entry in self._entries.values())

    def add(self, document: Document, *, after_s: float, held: bool = False) -> None:
        self._entries[document.document_id] = _Entry(document, self._clock() + after_s, held)

    def add_backing_off(self, document: Document, *, base_s: float) -> None:
        """Defers a document. The wait doubles with each failure."""
        tries = self._tries[document.document_id] = self._tries.get(document.document_id, 0) + 1
        self.add(document, after_s=min(_LONGEST_S, base_s * 2.0 ** min(tries - 1, 20)))

    def forget(self, document: Document) -> None:
        self._entries.pop(document.document_id, None)
        self._tries.pop(document.document_id, None)

    def due(self, now: float | None) -> list[Document]:
        """Removes and returns the documents that are due (None: all), earliest first."""
        due = sorted((entry for entry in self._entries.values() if now is None or entry.due <= now), key=lambda e: e.due)
        for entry in due:
            del self._entries[entry.document.document_id]
        return [entry.document for entry in due]
