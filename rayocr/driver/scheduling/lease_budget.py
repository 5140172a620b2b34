"""Limits how many documents a run leases in advance, so that a second run on the same destination finds free documents.

The window admits hundreds of documents. A lease on each of them would block other runs from all of them until this run processes
them, although acquiring a lease when a document's turn comes takes only a millisecond.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from rayocr.driver.scheduling.progress import Progress
from rayocr.errors import Draining

AHEAD_S = 30.0  # of work at the current pace: a second run gets its share well within a minute
_FEWEST = 4  # minimum number of documents, whatever their size
_RECHECK_S = 0.25  # interval of checks whether the pace has changed or the run drains


class Leased(Protocol):
    """A document in progress."""

    @property
    def pages_left(self) -> int | None:
        """Returns None while its page count is unknown."""


class LeaseBudget:
    """`leased` returns the documents in progress, `pages_at_once` is the number of pages that the workers have in flight
    together."""

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
        self._turn = asyncio.Lock()  # first come, first served
        self._asking = 0  # documents that are admitted and have no lease yet

    async def enter(self) -> None:
        """Returns when a lease is worth acquiring; call `entered` when it is acquired or refused. Raises Draining."""
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
