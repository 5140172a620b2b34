"""The Ledger actor keeps the durable record of finished pages, and provides the texts of unfinished documents to the assembler.

Invariant: `record` returns only after the segment with those pages was written, so an acknowledged page is durable. Records that
arrive while a segment is being written, or since the last one, go into the next segment together (group commit). If the process
is killed, it rebuilds its index from the segments in `__init__`. `record` is idempotent on (document_id, page_number), so calls
may be repeated.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import count

from rayocr.actors.ledger.other_runs import OtherRuns
from rayocr.actors.ledger.partial_documents import PartialDocuments
from rayocr.actors.ledger.survey import LedgerSurvey, read_segments, report_damage, survey
from rayocr.errors import ObjectNotFound, PreconditionFailed, StorageError
from rayocr.ledger.compaction import CompactionPlan, Merge, apply_plan, is_needed, plan_compaction
from rayocr.ledger.copies import PageDuplicates
from rayocr.ledger.index import LedgerIndex
from rayocr.ledger.segment import encode_segment, run_id_of, segment_name
from rayocr.ledger.segments import SegmentTable
from rayocr.messages import DocumentOutcome, LedgerState, PageRecord, PageSummary
from rayocr.observe.logs import log_event
from rayocr.retry import RetryPolicy, call
from rayocr.storage.base import Storage

log = logging.getLogger(__name__)

_OVERHEAD_BYTES = 400  # bytes per record in addition to its text; used to decide when a segment is full


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerReport:
    """The findings and actions of the ledger, for the summary of a run."""

    damaged_segments: tuple[str, ...]


class Ledger:
    def __init__(
        self,
        state: Storage,
        *,
        run_id: str,
        flush_interval_s: float,
        flush_bytes: int,
        memory_bytes: int,
        copies_bytes: int = 0,
        policy: RetryPolicy,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._state = state
        self._run_id = run_id
        self._flush_interval_s = flush_interval_s
        self._flush_bytes = flush_bytes
        self._policy = policy
        self._clock = clock
        self._index = LedgerIndex(memory_bytes=memory_bytes)
        self._copies = PageDuplicates(memory_bytes=copies_bytes)
        self._segments = SegmentTable()
        self._kept = PartialDocuments(state, self._segments, policy=policy)
        self._damaged: list[str] = []
        self._written = 0
        self._recorded = 0
        self._written_bytes = 0
        self._pending: list[tuple[tuple[PageRecord, ...], asyncio.Future[None]]] = []
        self._pending_bytes = 0
        self._last_flush = -flush_interval_s
        self._last_write_s = 0.0
        self._full = asyncio.Event()
        self._flushing: asyncio.Task[None] | None = None
        self._found = LedgerSurvey()
        names = self._load()
        self._others = OtherRuns(
            state,
            run_id=run_id,
            known=names,
            interval_s=flush_interval_s,
            policy=policy,
            on_damage=self._damaged.append,
            clock=clock,
        )
        self.page_count = self._index.page_count  # number of pages of unfinished documents that earlier runs recorded

    # -- pages --------------------------------------------------------------------------------------------------------------

    async def record(self, records: Sequence[PageRecord]) -> None:
        """Records pages. Returns when all of them are durable. Raises StorageError when the segment could not be written."""
        written = asyncio.get_running_loop().create_future()
        self._pending.append((tuple(records), written))
        self._pending_bytes += sum(len(record.text) + len(record.boxes) + _OVERHEAD_BYTES for record in records)
        if self._pending_bytes >= self._flush_bytes:
            self._full.set()
        if self._flushing is None:
            self._flushing = asyncio.get_running_loop().create_task(self._flush_all())
        await written

    async def open_document(self, document_id: str, fingerprint: str | None = None) -> tuple[PageSummary, ...]:
        """Returns the document's recorded pages, from any run; with a fingerprint, only those that were read with its settings.

        For a partial document it returns the pages that were read, so that the retry reads only the others; with a fingerprint it
        returns no pages, because then the whole document is read. Raises StorageError.
        """
        if fingerprint is None:
            for record in await self._kept.take(document_id):
                # Failed pages and their failed attempts are dropped, since a retry tries every engine again.
                if record.outcome.final and not record.wants_retry:
                    self._index.add(record)
        else:
            self._kept.forget(document_id)
        for record in await self._others.records_of(document_id):
            self._index.add(record)
        return self._index.pages(document_id, fingerprint=fingerprint)

    async def texts(self, document_id: str, first_page: int, last_page: int) -> tuple[PageRecord, ...]:
        """Returns the records of a range of pages, both ends included, in order. Raises StorageError."""
        found = self._index.texts(document_id, first_page, last_page)
        if len(found) <= last_page - first_page and (kept := await self._kept.take(document_id)):
            # This actor was killed after the retry of a partial document had begun.
            for record in (*kept, *await self._others.records_of(document_id)):
                self._index.add(record)
            found = self._index.texts(document_id, first_page, last_page)
        return found

    async def copies(self, fingerprint: str, content_hashes: Sequence[str]) -> tuple[PageRecord | None, ...]:
        """Returns, for each page, an identical page that was read with the same settings, if there is one."""
        return tuple(self._copies.get(fingerprint, content_hash) for content_hash in content_hashes)

    async def close_document(self, document_id: str, outcome: DocumentOutcome) -> None:
        """Forgets the document because its manifest is written. The records of partial documents stay in storage for a retry."""
        self._index.drop(document_id)
        if outcome is DocumentOutcome.PARTIAL:
            self._kept.keep(document_id)
        else:
            self._kept.forget(document_id)
            await self._delete_segments(self._segments.finish(document_id))

    async def state(self) -> LedgerState:
        return LedgerState(
            segments=self._written,
            bytes=self._written_bytes,
            flush_s=self._last_write_s,
            pending_pages=sum(len(batch) for batch, _ in self._pending),
            recorded_pages=self._recorded,
        )

    async def close(self) -> LedgerReport:
        """Flushes the records and returns the report. Idempotent."""
        while (flushing := self._flushing) is not None:
            self._full.set()
            await asyncio.wait([flushing])
        return LedgerReport(damaged_segments=tuple(self._damaged))

    # -- segments -----------------------------------------------------------------------------------------------------------

    async def _flush_all(self) -> None:
        try:
            await asyncio.sleep(0)  # batches that arrive in the same iteration of the loop join this segment
            while self._pending:
                wait_s = self._last_flush + self._pause_s() - self._clock()
                if wait_s > 0 and self._pending_bytes < self._flush_bytes:
                    # After an idle period the first page does not wait.
                    try:
                        await asyncio.wait_for(self._full.wait(), wait_s)
                    except TimeoutError:
                        pass
                self._full.clear()
                batches, self._pending, self._pending_bytes = self._pending, [], 0
                started = self._last_flush = self._clock()
                await self._flush(batches)
                self._last_write_s = self._clock() - started
        finally:
            self._flushing = None

    def _pause_s(self) -> float:
        """Returns the time between two segments: the interval, or less if writing is quick (a local disk), so that
        acknowledgements do not wait a second for a write of five milliseconds. Writing takes at most a twentieth of the time."""
        return min(self._flush_interval_s, 20 * self._last_write_s)

    async def _flush(self, batches: list[tuple[tuple[PageRecord, ...], asyncio.Future[None]]]) -> None:
        records = [record for batch, _ in batches for record in batch]
        try:
            name, size_bytes = await asyncio.to_thread(self._write_segment, records)
        except Exception as error:  # passed to the callers that wait for the acknowledgement; no page was acknowledged
            log_event(log, "segment_write_failed", "Cannot write a ledger segment.", level=logging.ERROR, error=str(error))
            failure = error if isinstance(error, StorageError) else StorageError(f"The ledger could not write: {error}")
            for _, written in batches:
                if not written.done():
                    written.set_exception(failure)
            return
        self._written += 1
        self._written_bytes += size_bytes
        self._recorded += sum(record.outcome.final for record in records)
        self._segments.add(name, (record.document_id for record in records))
        for record in records:
            self._index.add(record)
            self._copies.add(record)
        for _, written in batches:
            if not written.done():
                written.set_result(None)

    def _write_segment(self, records: Sequence[PageRecord]) -> tuple[str, int]:
        while True:
            seq = next(self._next_seq)  # also used by a thread that compacts
            data = encode_segment(records, run_id=self._run_id, seq=seq)
            name = segment_name(self._run_id, seq)
            try:
                call(lambda: self._state.write(name, data, if_absent=True), policy=self._policy)  # noqa: B023 - called at once
            except PreconditionFailed:
                continue  # this actor wrote it before it was killed, or in a try whose response was lost; take the next number
            return name, len(data)

    async def _delete_segments(self, names: Sequence[str]) -> None:
        def delete() -> None:
            for name in names:
                self._delete_segment(name)

        if names:
            await asyncio.to_thread(delete)

    def _delete_segment(self, name: str) -> None:
        try:
            self._state.delete(name)
        except ObjectNotFound:
            pass
        except StorageError as error:  # this only wastes space; the next start tries again
            log_event(log, "segment_delete_failed", "Cannot delete an unused ledger segment.", error=str(error), segment=name)

    # -- compaction ---------------------------------------------------------------------------------------------------------

    async def other_runs(self) -> tuple[str, ...]:
        """Returns the runs that wrote segments found at the start. Includes segments that seem unused: a document that a live run
        overwrites still has its old manifest."""
        runs = {segment.run_id for segment in self._found.live} | {run_id_of(name) for name in self._found.dead}
        return tuple(sorted(runs - {self._run_id}))

    async def compact(self, live_runs: Collection[str]) -> int:
        """Deletes unused segments, and rewrites the needed records of small and sparse segments of dead runs; returns how many
        segments were removed. Call it once per run. Does not change segments of `live_runs`. Pages can be recorded at the same
        time. Never raises StorageError; the next start repeats failed steps.
        """
        found, self._found = self._found, LedgerSurvey()
        plan = plan_compaction(found.live, finished=found.finished, live_runs={*live_runs, self._run_id})
        dead = [name for name in found.dead if run_id_of(name) not in live_runs]
        await self._delete_segments(dead)
        gone = len(dead)
        for merge in plan.merges:
            async with self._kept.rewriting:
                try:
                    written = await asyncio.to_thread(self._apply, merge)
                except StorageError as error:
                    log_event(
                        log, "compaction_failed", "Old segments could not be merged.", level=logging.WARNING, error=str(error)
                    )
                    break
                for name in written:
                    gone += len(merge.sources)
                    # All documents of the segment were finished in the meantime.
                    if not self._segments.replace(merge.sources, by=name):
                        await self._delete_segments([name])
        if gone:
            log_event(log, "ledger_compacted", "Compacted segments of earlier runs.", segments=gone)
        return gone

    def _apply(self, merge: Merge) -> list[str]:
        def read(name: str) -> list[PageRecord] | None:
            segment = next(read_segments(self._state, [name], policy=self._policy), None)
            return segment.records if segment is not None and not segment.damage else None

        return apply_plan(
            CompactionPlan(delete=(), merges=(merge,)),
            read=read,
            write=lambda records: self._write_segment(records)[0],
            delete=self._delete_segment,
        )

    # -- start --------------------------------------------------------------------------------------------------------------

    def _load(self) -> list[str]:
        """Returns the names of the segments that were found."""
        start = survey(self._state, policy=self._policy, run_id=self._run_id)
        live = [segment.name for segment in start.live]
        for decoded in read_segments(self._state, live, policy=self._policy):
            if decoded.damage:
                self._damaged.append(decoded.name)
                report_damage(decoded)
            own = run_id_of(decoded.name) == self._run_id  # this actor was killed; the pages that it had acknowledged count
            for record in decoded.records:
                if own or record.document_id not in start.finished:
                    self._index.add(record)
                elif is_needed(record.document_id, start.finished):
                    self._kept.keep(record.document_id)
                self._copies.add(record)
            if needed := [document_id for document_id in decoded.documents if own or is_needed(document_id, start.finished)]:
                self._segments.add(decoded.name, needed)
        self._next_seq = count(max((_seq_after(name, self._run_id) for name in start.names), default=0))
        self._found = start
        return start.names


def _seq_after(name: str, run_id: str) -> int:
    folder, _, file = name.rpartition("/")
    stem = file.split(".")[0]
    return int(stem) + 1 if folder.endswith("/" + run_id) and stem.isascii() and stem.isdigit() else 0
