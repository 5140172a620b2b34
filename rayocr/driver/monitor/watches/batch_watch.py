"""Reports the state of batch jobs once a minute: one line for each state that jobs are in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from rayocr.errors import ActorFailed

_EVERY_S = 60.0


class Watched(Protocol):
    async def progress(self) -> tuple[str, ...]: ...


class BatchWatch:
    def __init__(
        self, queue: Watched, *, say: Callable[[str], None], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._queue = queue
        self._say = say
        self._sleep = sleep

    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            await self._sleep(_EVERY_S)
            try:
                lines = await self._queue.progress()
            except ActorFailed:
                continue  # Ray is restarting the actor
            for line in lines:
                self._say(f"{line}.")
