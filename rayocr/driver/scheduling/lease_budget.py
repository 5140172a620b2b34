"""Limits how many documents a run leases in advance, so that a second run on the same destination finds free documents.

The window admits hundreds of documents. If this run leased all of them, other runs could not process any of them, although
acquiring a lease just before a document is processed takes only one millisecond.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from rayocr.driver.scheduling.progress import Progress
from rayocr.errors import Draining

AHEAD_S = 30.0  # seconds of work at the current pace, so that a second run gets its share well within a minute
_FEWEST = 4  # minimum number of documents, regardless of their size
_RECHECK_S = 0.25  # interval of checks whether the pace has changed or the run drains


class Leased(Protocol):
    """A document with a lease."""

    @property
    def pages_left(self) -> int | None:
        """Number of pages without an outcome; None while the page count is unknown."""


class LeaseBudget:
    """Limits the leases. `leased` returns the documents in progress. `pages_at_once`: the number of pages that all workers have
    in flight."""

    def __init__(
        self,
        progress: Progress,
        leased: Callable[[], list[Leased]],
        *,
        pages_at_once: float,
        draining: asyncio.Event,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._progress = progress
        self._leased = leased
        self._pages_at_once = pages_at_once
        self._draining = draining
        self._sleep = sleep
        self._turn = asyncio.Lock()  # callers are served in order of arrival
        self._asking = 0  # number of admitted documents without a lease

    async def enter(self) -> None:
        """Waits until a lease should be acquired. Call `entered` when it is acquired or refused. Raises Draining."""
        async with self._turn:
            while not self._has_room():
                await self._sleep(_RECHECK_S)
                if self._draining.is_set():
                    raise Draining
            self._asking += 1

    def entered(self) -> None:
        self._asking -= 1

    def _has_room(self) -> bool:
        leased = self._leased()
        if len(leased) + self._asking < _FEWEST:
            return True
        known = [document.pages_left for document in leased if document.pages_left is not None]
        unknown = len(leased) + self._asking - len(known)
        progress = self._progress
        average = progress.pages_known / progress.documents_started if progress.documents_started else 1.0
        ahead = max(2 * self._pages_at_once, AHEAD_S * progress.pages_per_s)
        return sum(known) + unknown * max(1.0, average) < ahead
