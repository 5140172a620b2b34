"""Hands over the pages of a waiting worker to which the planner gave the lane local, so that local engines in other processes
read them. The driver, which manages the pool of computing workers, fetches these pages and reports which of them were read and
are in the ledger. Each call repeats the known state, so a lost reply has no effect.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from rayocr.errors import Draining

_POLL_S = 10.0  # a call of the driver returns after this time even if no page waits, since the driver may have ended


class LocalPages:
    def __init__(self) -> None:
        self._waiting: dict[tuple[str, int], asyncio.Future[bool]] = {}
        self._changed = asyncio.Event()
        self._closing = False

    async def read(self, document_id: str, page_number: int) -> bool:
        """Returns whether local engines read and recorded the page. Raises Draining."""
        if self._closing:
            raise Draining
        outcome: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting[document_id, page_number] = outcome
        self._wake()
        try:
            return await outcome
        finally:
            self._waiting.pop((document_id, page_number), None)

    async def exchange(
        self, document_id: str, page_numbers: Sequence[int], known: Sequence[int], ended: Mapping[int, bool]
    ) -> tuple[int, ...]:
        """Returns those of `page_numbers` that wait for local engines and are not `known` to the caller. Waits for the first of
        them for a limited time. `ended`: pages that came back, and whether they were read and recorded."""
        for number, read in ended.items():
            outcome = self._waiting.get((document_id, number))
            if outcome is not None and not outcome.done():
                outcome.set_result(read)
        new = set(page_numbers) - set(known)
        try:
            async with asyncio.timeout(_POLL_S):
                while not (found := tuple(sorted(n for d, n in self._waiting if d == document_id and n in new))):
                    await self._changed.wait()
        except TimeoutError:
            return ()
        return found

    def close(self) -> None:
        """Ends the wait of all pages for local engines with Draining."""
        self._closing = True
        for outcome in self._waiting.values():
            if not outcome.done():
                outcome.set_exception(Draining())

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
