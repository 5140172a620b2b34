"""Asks the ledger every second how many pages it has acknowledged, since shards report their pages only when all of them are
done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from rayocr.driver.scheduling.progress import Progress
from rayocr.errors import ActorFailed
from rayocr.messages import LedgerState

_EVERY_S = 1.0


class Watched(Protocol):
    async def state(self) -> LedgerState: ...


class LedgerWatch:
    def __init__(self, ledger: Watched, progress: Progress, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._ledger = ledger
        self._progress = progress
        self._sleep = sleep
        self._before = 0  # pages acknowledged by ledger processes that died
        self._last = 0

    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            try:
                await self.poll()
            except ActorFailed:
                pass  # Ray is restarting the ledger
            await self._sleep(_EVERY_S)

    async def poll(self) -> None:
        recorded = (await self._ledger.state()).recorded_pages
        if recorded < self._last:
            self._before += self._last
        self._last = recorded
        self._progress.pages_recorded = self._before + recorded
        self._progress.sample()
