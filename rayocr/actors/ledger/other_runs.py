"""Finds pages that other runs record during this run, so that this run can reuse the pages of a document that a dead run had.

The Ledger asks for a document's pages after its lease was acquired. Pages acknowledged before that are on storage by then, so a
listing that begins after the request finds them. Concurrent requests share a listing, and listings are spaced like flushes
(docs/decisions/0004). Memory holds names and document_ids, never texts, since a run reads only the documents that it takes over.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterable

from rayocr.actors.ledger.survey import report_damage
from rayocr.errors import ObjectNotFound
from rayocr.ledger.segment import LEDGER_PREFIX, DecodedSegment, load_segment
from rayocr.messages import PageRecord
from rayocr.retry import RetryPolicy, call
from rayocr.storage.base import Storage


class OtherRuns:
    """Reads the segments that other runs write. `known`: the segments that were read at the start. `on_damage(name)` is called
    once for each damaged segment."""

    def __init__(
        self,
        state: Storage,
        *,
        run_id: str,
        known: Iterable[str],
        interval_s: float,
        policy: RetryPolicy,
        on_damage: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._state = state
        self._own = f"{LEDGER_PREFIX}{run_id}/"
        self._seen = set(known)
        self._documents: dict[str, set[str]] = {}  # segment -> document_ids with pages in it
        self._interval_s = interval_s
        self._policy = policy
        self._on_damage = on_damage
        self._clock = clock
        self._names: defaultdict[str, set[str]] = defaultdict(set)  # document_id -> segments with pages of it
        self._waiting: list[asyncio.Future[None]] = []
        self._listing: asyncio.Task[None] | None = None
        self._listed_at = float("-inf")
        self._listing_s = 0.0

    async def records_of(self, document_id: str) -> list[PageRecord]:
        """Returns the records that other runs wrote since the start. Raises StorageError."""
        while True:
            listed = asyncio.get_running_loop().create_future()
            self._waiting.append(listed)
            if self._listing is None:
                self._listing = asyncio.get_running_loop().create_task(self._list_for_waiters())
            await listed
            names = sorted(self._names.get(document_id, ()))
            segments = await asyncio.to_thread(lambda: [self._read(name) for name in names]) if names else []  # noqa: B023
            there = [segment for segment in segments if segment is not None]
            if len(there) == len(names):
                return [record for segment in there for record in segment.records if record.document_id == document_id]
            # A segment was deleted between the listing and now. If another run's compaction rewrote it, the next listing finds
            # it.

    async def _list_for_waiters(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(max(0.0, self._listed_at + self._pause_s() - self._clock()))
                waiting, self._waiting = self._waiting, []
                started = self._listed_at = self._clock()
                try:
                    self._note(*await asyncio.to_thread(self._list_segments, frozenset(self._seen)))
                except Exception as error:  # passed to every caller that waits for this listing
                    for listed in waiting:
                        if not listed.done():
                            listed.set_exception(error)
                    continue
                self._listing_s = self._clock() - started
                for listed in waiting:
                    if not listed.done():
                        listed.set_result(None)
        finally:
            self._listing = None

    def _pause_s(self) -> float:
        return min(self._interval_s, 20 * self._listing_s)

    def _list_segments(self, seen: frozenset[str]) -> tuple[set[str], dict[str, set[str]]]:
        """Returns the names of all segments of other runs, and the document_ids in the new ones. Runs on a thread."""
        entries = call(lambda: list(self._state.list(LEDGER_PREFIX)), policy=self._policy)
        there = {entry.name for entry in entries if not entry.name.startswith(self._own)}
        found = {}
        for name in sorted(there - seen):
            if (segment := self._read(name)) is None:
                continue
            found[name] = {record.document_id for record in segment.records}
            if segment.damage:
                self._on_damage(name)
                report_damage(segment)
        return there, found

    def _note(self, there: set[str], found: dict[str, set[str]]) -> None:
        for name in self._seen - there:  # the documents of the segment are finished
            for document_id in self._documents.pop(name, ()):
                self._names[document_id].discard(name)
                if not self._names[document_id]:
                    del self._names[document_id]
        for name, document_ids in found.items():
            self._documents[name] = document_ids
            for document_id in document_ids:
                self._names[document_id].add(name)
        self._seen = there

    def _read(self, name: str) -> DecodedSegment | None:
        """Reads a segment; returns None if another run has deleted it because it is no longer needed."""
        try:
            return load_segment(name, lambda: call(lambda: self._state.read(name), policy=self._policy))
        except ObjectNotFound:
            return None
