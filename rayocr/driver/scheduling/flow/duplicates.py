"""Handles documents with the same bytes that are in progress at the same time: one is read, and the others wait for it
(`dedup.documents`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

_CHECK_S = 1.0  # interval of checks whether the wait should stop


class DocumentDuplicates:
    def __init__(self) -> None:
        self._reading: dict[str, asyncio.Event] = {}

    @asynccontextmanager
    async def reading(self, content: str, *, stop: Callable[[], None]) -> AsyncIterator[bool]:
        """Waits until no other document has the same content; returns whether an earlier one may have been read. `stop` raises an
        error to end the wait. Without `content` it does not wait."""
        if not content:
            yield False
            return
        while (other := self._reading.get(content)) is not None:
            stop()
            try:
                await asyncio.wait_for(other.wait(), _CHECK_S)
            except TimeoutError:
                continue
        mine = self._reading[content] = asyncio.Event()
        try:
            yield True
        finally:
            del self._reading[content]
            mine.set()
