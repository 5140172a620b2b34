"""Reuses identical pages in a worker: asks the Ledger about many pages at once, and makes a page wait for its duplicate. If
several identical pages are in flight in one worker, one is sent and the others wait for its answer. Two workers may both send
such a page, since asking other processes before every page would cost more than it saves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from rayocr.ledger.copies import can_be_copied
from rayocr.messages import PageRecord


class DedupLedger(Protocol):
    async def copies(self, fingerprint: str, content_hashes: Sequence[str]) -> tuple[PageRecord | None, ...]: ...


class PageDeduplicator:
    """Finds identical pages. Call `claim` before a page is sent, `release` when it has an outcome or is abandoned, and `forget`
    when the ledger has it."""

    def __init__(self, ledger: DedupLedger, *, fingerprint: str, linger_s: float = 0.05) -> None:
        self._ledger = ledger
        self._fingerprint = fingerprint
        self._linger_s = linger_s
        self._reading: dict[str, asyncio.Future[PageRecord | None]] = {}
        self._asking: dict[str, asyncio.Future[PageRecord | None]] = {}
        self._task: asyncio.Task[None] | None = None

    async def claim(self, content_hash: str) -> PageRecord | None:
        """Returns the record of an identical page that was read before. If it returns None, the caller reads the page and must
        call `release`."""
        while (reading := self._reading.get(content_hash)) is not None:
            if (duplicate := await asyncio.shield(reading)) is not None:
                return duplicate
        self._reading[content_hash] = asyncio.get_running_loop().create_future()
        try:
            known = await self._ask(content_hash)
        except BaseException:
            self.release(content_hash, None)
            raise
        if known is not None:
            self.release(content_hash, known)
            self.forget(content_hash)
        return known

    def release(self, content_hash: str, record: PageRecord | None) -> None:
        """Ends the wait of duplicates. `record`: the page as it was read; None if it was not read. Idempotent."""
        reading = self._reading.get(content_hash)
        if reading is None or reading.done():
            return
        if record is None or not can_be_copied(record):
            record = None
            del self._reading[content_hash]
        reading.set_result(record)

    def forget(self, content_hash: str) -> None:
        """Forgets the page because the ledger has it. If it were forgotten earlier, a duplicate would be sent and paid for
        again."""
        reading = self._reading.get(content_hash)
        if reading is not None and reading.done():
            del self._reading[content_hash]

    async def _ask(self, content_hash: str) -> PageRecord | None:
        future = self._asking[content_hash] = asyncio.get_running_loop().create_future()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._ask_all())
        return await asyncio.shield(future)

    async def _ask_all(self) -> None:
        # Pages that start within this time share the call; a call takes 0.9 ms of CPU, a page 0.01.
        await asyncio.sleep(self._linger_s)
        asking, self._asking, self._task = self._asking, {}, None
        hashes = tuple(asking)
        try:
            found = await self._ledger.copies(self._fingerprint, hashes)
        except Exception:  # the ledger is restarting; pages are read without dedup
            found = (None,) * len(hashes)
        for content_hash, record in zip(hashes, found, strict=True):
            if not asking[content_hash].done():
                asking[content_hash].set_result(record)
