"""A worker's side of the RateLimiter: turns leased slots into an `async with`, one call for as many pages as are waiting.

Never more than one lease call per model is under way, and it asks for as many slots as pages wait at that moment: so a request
costs no round trip when there are many, and no slot lies about unused when there are few.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol


class Limiter(Protocol):
    """What is used of the RateLimiter, here or behind a Ray handle."""

    async def lease(self, model: str, worker: str, wanted: int) -> tuple[float, ...]: ...

    async def release(self, model: str, worker: str, count: int) -> None: ...


@dataclass(slots=True)
class _Model:
    waiting: deque[asyncio.Future[float]] = field(default_factory=deque)  # result: the instant at which it may leave
    done_with: int = 0
    leasing: asyncio.Task[None] | None = None
    releasing: asyncio.Task[None] | None = None


class Drained(Exception):
    """No request leaves any more: the worker is draining. The page was not asked about."""


class SlotClient:
    """`sleep` replaces the wait for a slot's start, for tests."""

    def __init__(
        self,
        limiter: Limiter,
        *,
        worker: str,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        self._limiter = limiter
        self._worker = worker
        self._clock = clock
        self._sleep = sleep or self.sleep
        self._closing = asyncio.Event()
        self._models: dict[str, _Model] = defaultdict(_Model)

    def close(self) -> None:
        """From now on, whoever waits for a slot gets Drained."""
        self._closing.set()
        for state in self._models.values():
            while (future := self._next_waiting(state)) is not None:
                state.waiting.popleft()
                future.set_exception(Drained())

    async def sleep(self, delay_s: float) -> None:
        """Like asyncio.sleep, but over at once when this is closed."""
        try:
            await asyncio.wait_for(self._closing.wait(), delay_s)
        except TimeoutError:
            pass

    @asynccontextmanager
    async def slot(self, model: str) -> AsyncIterator[None]:
        """Entered when one request to the model may leave; holds the slot until it is left. Raises Drained."""
        if self._closing.is_set():
            raise Drained
        state = self._models[model]
        granted: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        state.waiting.append(granted)
        self._start_leasing(model, state)
        try:
            start = await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled():
                self._finish(model, state)
            raise
        try:
            delay_s = start - self._clock()
            if delay_s > 0:
                await self._sleep(delay_s)
            if self._closing.is_set():
                raise Drained
            yield
        finally:
            self._finish(model, state)

    def _finish(self, model: str, state: _Model) -> None:
        state.done_with += 1
        # Not left to the leasing task: that one may be waiting for exactly this slot to come back.
        if state.releasing is None:
            state.releasing = asyncio.get_running_loop().create_task(self._release(model, state))

    def _start_leasing(self, model: str, state: _Model) -> None:
        if state.leasing is None:
            state.leasing = asyncio.get_running_loop().create_task(self._lease(model, state))

    async def _release(self, model: str, state: _Model) -> None:
        try:
            await asyncio.sleep(0)  # slots that are done with in the same turn of the loop go along
            while state.done_with:
                count, state.done_with = state.done_with, 0
                await self._limiter.release(model, self._worker, count)
        finally:
            state.releasing = None

    async def _lease(self, model: str, state: _Model) -> None:
        try:
            await asyncio.sleep(0)  # pages that start waiting in the same turn of the loop go along
            while self._next_waiting(state) is not None:
                delays = await self._limiter.lease(model, self._worker, len(state.waiting))
                now = self._clock()
                for delay_s in delays:
                    future = self._next_waiting(state)
                    if future is None:
                        self._finish(model, state)
                    else:
                        state.waiting.popleft()
                        future.set_result(now + delay_s)
        except Exception as error:  # handed to every page that waits: each records it
            while (future := self._next_waiting(state)) is not None:
                state.waiting.popleft()
                future.set_exception(error)
        finally:
            state.leasing = None

    @staticmethod
    def _next_waiting(state: _Model) -> asyncio.Future[float] | None:
        while state.waiting and state.waiting[0].done():
            state.waiting.popleft()
        return state.waiting[0] if state.waiting else None
