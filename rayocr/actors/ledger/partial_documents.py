"""Holds the pages of partial documents. These pages stay in storage after the manifest is written and are read only when a retry
requests them, because most partial documents are never retried. Invariant: a document's segments are read at most once until it
is kept again, and concurrent callers wait for that read.
"""

from __future__ import annotations

import asyncio

from rayocr.actors.ledger.survey import read_segments
from rayocr.ledger.segment import DecodedSegment
from rayocr.ledger.segments import SegmentTable
from rayocr.messages import PageRecord
from rayocr.retry import RetryPolicy
from rayocr.storage.base import Storage


class PartialDocuments:
    def __init__(self, state: Storage, segments: SegmentTable, *, policy: RetryPolicy) -> None:
        self._state = state
        self._segments = segments
        self._policy = policy
        self._documents: dict[str, asyncio.Lock] = {}  # document_id -> lock, held while its segments are read
        # Held from the time when a merge deletes the first segment until the table has the new one.
        self.rewriting = asyncio.Lock()

    def keep(self, document_id: str) -> None:
        self._documents.setdefault(document_id, asyncio.Lock())

    def forget(self, document_id: str) -> None:
        """Forgets a document. Idempotent."""
        self._documents.pop(document_id, None)

    async def take(self, document_id: str) -> list[PageRecord]:
        """Returns the document's records on the first call, and none on later calls. Raises StorageError, after which it can be
        called again.

        The call does not find a segment that another run's compaction has rewritten. OtherRuns finds it when it is called
        afterwards.
        """
        lock = self._documents.get(document_id)
        if lock is None:
            return []
        async with lock:
            if self._documents.get(document_id) is not lock:
                return []
            segments = await self._read(document_id)
            self._documents.pop(document_id, None)
        return [record for segment in segments for record in segment.records if record.document_id == document_id]

    async def _read(self, document_id: str) -> list[DecodedSegment]:
        while True:
            names = self._segments.of(document_id)
            segments = await asyncio.to_thread(lambda: list(read_segments(self._state, names, policy=self._policy)))  # noqa: B023
            if len(segments) == len(names):
                return segments
            async with self.rewriting:  # a segment no longer exists; if the table has changed, this run's compaction deleted it
                if self._segments.of(document_id) == names:
                    return segments
