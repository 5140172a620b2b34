"""Implements a worker's client of the Ledger: sends finished pages in small batches and reports when they are acknowledged. A
page is sent within `linger_s` after it is finished, so a killed worker loses little besides its pages in flight. Pages that
finish within this time are sent together, and `flush` sends them at once. Once the ledger has a page, the worker no longer needs
its copies elsewhere (`PageRecorder`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

from rayocr.actors.page_worker.page_dedup import PageDeduplicator
from rayocr.engines.base import BatchQueuePort
from rayocr.messages import PageRecord

LINGER_S = 0.1
# For engines that compute: a worker that is killed computes these pages again, at no cost. Fewer calls save
# CPU time of the ledger.
COMPUTED_LINGER_S = 1.0


class LedgerPort(Protocol):
    async def record(self, records: Sequence[PageRecord]) -> None: ...

    async def texts(self, document_id: str, first_page: int, last_page: int) -> Sequence[PageRecord]: ...


class LedgerClient:
    """Sends a worker's pages to the ledger. At most `max_unacknowledged` records are pending. Above that, `put` waits, which is
    the backpressure of slow storage."""

    def __init__(
        self, ledger: LedgerPort, *, linger_s: float = LINGER_S, max_batch: int = 64, max_unacknowledged: int = 1024
    ) -> None:
        self._ledger = ledger
        self._linger_s = linger_s
        self._max_batch = max_batch
        self._room = asyncio.Semaphore(max_unacknowledged)
        self._batch: list[PageRecord] = []
        self._acknowledged: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._sending: set[asyncio.Task[None]] = set()

    async def put(self, record: PageRecord) -> asyncio.Future[None]:
        """Sends a record. The returned future completes when the record is durable, and raises the ledger's error."""
        await self._room.acquire()
        loop = asyncio.get_running_loop()
        if self._acknowledged is None:
            self._acknowledged = loop.create_future()
            self._timer = loop.call_later(self._linger_s, self.flush)
        acknowledged = self._acknowledged
        self._batch.append(record)
        if len(self._batch) >= self._max_batch:
            self.flush()
        return acknowledged

    def flush(self) -> None:
        """Sends the pages that wait for others."""
        if self._acknowledged is None:
            return
        if self._timer is not None:
            self._timer.cancel()
        batch, acknowledged = self._batch, self._acknowledged
        self._batch, self._acknowledged, self._timer = [], None, None
        task = asyncio.get_running_loop().create_task(self._deliver(batch, acknowledged))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _deliver(self, batch: list[PageRecord], acknowledged: asyncio.Future[None]) -> None:
        try:
            await self._ledger.record(batch)
        except Exception as error:  # passed to every shard that waits for one of these pages
            acknowledged.set_exception(error)
            acknowledged.exception()  # avoids a warning for a shard that was cancelled meanwhile
        else:
            acknowledged.set_result(None)
        finally:
            for _ in batch:
                self._room.release()


class PageRecorder:
    """Records a worker's pages. After the acknowledgement of a page, identical pages are copied from the ledger, and the page's
    answers in batches can be deleted at the server. `keep_boxes`: whether an output needs the positions of lines."""

    def __init__(
        self,
        ledger: LedgerPort,
        *,
        fingerprint: str,
        keep_boxes: bool,
        duplicates: PageDeduplicator | None,
        batch_queue: BatchQueuePort | None,
        linger_s: float = LINGER_S,
    ) -> None:
        self._client = LedgerClient(ledger, linger_s=linger_s)
        self._fingerprint = fingerprint
        self._keep_boxes = keep_boxes
        self._duplicates = duplicates
        self._batch_queue = batch_queue
        self._batch_keys: dict[tuple[str, int], list[str]] = {}  # by document_id and page_number
        self._reporting: set[asyncio.Task[None]] = set()

    def flush(self) -> None:
        """Sends the pages that wait for others."""
        self._client.flush()

    def note_batch_keys(self, record: PageRecord, keys: list[str]) -> None:
        """Notes the keys of the page's answers in batches, before the page is recorded for the last time."""
        if keys:
            self._batch_keys[record.document_id, record.page_number] = keys

    async def record(self, record: PageRecord, *, fencing_token: int) -> tuple[PageRecord, asyncio.Future[None]]:
        """Sends a page. Returns it as recorded, and a future that completes when it is durable."""
        record = replace(record, fencing_token=fencing_token, fingerprint=self._fingerprint)
        if not self._keep_boxes:
            record = replace(record, boxes="")
        acknowledged = await self._client.put(record)
        if self._batch_keys and (keys := self._batch_keys.pop((record.document_id, record.page_number), None)) is not None:
            acknowledged.add_done_callback(partial(self._report_recorded, keys))
        if self._duplicates is not None and record.content_hash:
            acknowledged.add_done_callback(partial(self._forget_duplicate, record.content_hash))
        return record, acknowledged

    def _report_recorded(self, keys: list[str], acknowledged: asyncio.Future[None]) -> None:
        """Reports recorded pages, since their answers can then be deleted at the server."""
        if acknowledged.cancelled() or acknowledged.exception() is not None or self._batch_queue is None:
            return
        task = asyncio.get_running_loop().create_task(self._batch_queue.recorded(keys))
        self._reporting.add(task)
        task.add_done_callback(self._reporting.discard)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())  # the files expire by themselves

    def _forget_duplicate(self, content_hash: str, acknowledged: asyncio.Future[None]) -> None:
        assert self._duplicates is not None
        self._duplicates.forget(content_hash)
