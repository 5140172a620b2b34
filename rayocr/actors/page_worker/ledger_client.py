"""Implements a worker's client of the Ledger: sends finished pages in small batches and reports when they are acknowledged. A
page is sent within `linger_s` after it is finished, so a killed worker loses little besides its pages in flight. Pages that
finish within this time are sent together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from rayocr.messages import PageRecord


class LedgerPort(Protocol):
    async def record(self, records: Sequence[PageRecord]) -> None: ...

    async def texts(self, document_id: str, first_page: int, last_page: int) -> Sequence[PageRecord]: ...


class LedgerClient:
    """Sends a worker's pages to the ledger. At most `max_unacknowledged` records are pending. Above that, `put` waits, which is
    the backpressure of slow storage."""

    def __init__(self, ledger: LedgerPort, *, linger_s: float = 0.1, max_batch: int = 64, max_unacknowledged: int = 1024) -> None:
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
            self._timer = loop.call_later(self._linger_s, self._send)
        acknowledged = self._acknowledged
        self._batch.append(record)
        if len(self._batch) >= self._max_batch:
            self._send()
        return acknowledged

    def _send(self) -> None:
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
