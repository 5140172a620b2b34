"""Maps segments to the unfinished documents in them, so that a segment can be deleted when the last of these is finished."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable


class SegmentTable:
    def __init__(self) -> None:
        self._documents: dict[str, set[str]] = {}  # segment name -> document_ids
        self._segments: defaultdict[str, set[str]] = defaultdict(set)  # document_id -> segment names

    def __len__(self) -> int:
        return len(self._documents)

    def add(self, name: str, document_ids: Iterable[str]) -> None:
        self._documents[name] = documents = set(document_ids)
        for document_id in documents:
            self._segments[document_id].add(name)

    def of(self, document_id: str) -> list[str]:
        """Returns the segments with pages of an unfinished document, in order."""
        return sorted(self._segments.get(document_id, ()))

    def finish(self, document_id: str) -> list[str]:
        """Removes a finished document; returns and forgets the segments that no document needs."""
        dead = []
        for name in self._segments.pop(document_id, ()):
            documents = self._documents[name]
            documents.discard(document_id)
            if not documents:
                del self._documents[name]
                dead.append(name)
        return dead

    def replace(self, names: Iterable[str], by: str) -> bool:
        """Replaces segments by the segment into which they were merged; returns whether a document still needs it."""
        needed: set[str] = set()
        for name in names:
            for document_id in self._documents.pop(name, ()):
                self._segments[document_id].discard(name)
                needed.add(document_id)
        if needed:
            self.add(by, needed)
        return bool(needed)
