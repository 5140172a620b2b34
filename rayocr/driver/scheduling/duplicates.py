"""Documents of the same bytes that are under way at one time: one is read, and the others wait for it (`dedup.documents`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

_LOOK_S = 1.0  # between two looks whether those who wait should stop


class DocumentDuplicates:
    def __init__(self) -> None:
        self._reading: dict[str, asyncio.Event] = {}

    @asynccontextmanager
    async def reading(self, content: str, *, stop: Callable[[], None]) -> AsyncIterator[bool]:
        """Waits until nobody else has the same content; gives whether there may be an original. `stop` raises what ends the wait.
        Without a content nothing is waited for."""
        if not content:
            yield False
            return
        while (other := self._reading.get(content)) is not None:
            stop()
            try:
                await asyncio.wait_for(other.wait(), _LOOK_S)
            except TimeoutError:
                continue
        mine = self._reading[content] = asyncio.Event()
        try:
            yield True
        finally:
            del self._reading[content]
            mine.set()
