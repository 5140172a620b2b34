"""Asks the RateLimiter for the lanes of this worker's pages, many at a time, and reports the results."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

from rayocr.errors import Draining, EngineError, EngineTransient
from rayocr.limits.lanes import LaneReport
from rayocr.messages import LaneGrant

# Pages that begin to wait, and reports, are collected for this many seconds, which saves a call to the limiter per page.
_ASK_LINGER_S = 0.01
_REPORT_LINGER_S = 0.05


class LaneLimiter(Protocol):
    """The RateLimiter's methods that this module calls, directly or through a Ray handle."""

    async def lanes(self, worker: str, wanted: int, local: bool = True) -> tuple[LaneGrant, ...]: ...

    async def report_lanes(self, worker: str, reports: tuple[LaneReport, ...]) -> None: ...


@dataclass(slots=True)
class _Queue:
    """Pages that wait for a lane. `local`: local engines may read them."""

    local: bool
    waiting: deque[asyncio.Future[LaneGrant]] = field(default_factory=deque)
    asking: asyncio.Task[None] | None = None

    def next(self) -> asyncio.Future[LaneGrant] | None:
        while self.waiting and self.waiting[0].done():
            self.waiting.popleft()
        return self.waiting[0] if self.waiting else None

    def fail(self, error: Exception) -> None:
        while self.next() is not None:
            self.waiting.popleft().set_exception(error)


class LaneClient:
    """Requests lanes from the RateLimiter for this worker's pages. The `SlotClient` owns it. Tests use `linger` to disable
    waiting for other pages."""

    def __init__(
        self, limiter: LaneLimiter, *, worker: str, clock: Callable[[], float] = time.monotonic, linger: bool = True
    ) -> None:
        self._limiter = limiter
        self._worker = worker
        self._clock = clock
        self._linger = float(linger)
        self._closing = False
        self._queues = {local: _Queue(local) for local in (True, False)}
        self._returned: dict[str, LaneReport] = {}
        self._reporting: asyncio.Task[None] | None = None

    def close(self) -> None:
        """Closes the client. Callers that wait for a lane get Draining."""
        self._closing = True
        for queue in self._queues.values():
            queue.fail(Draining())

    @asynccontextmanager
    async def lane(self, *, local: bool = False) -> AsyncIterator[LaneGrant]:
        """Waits until a lane has room for a page, which counts as in flight there until the block exits. `local`: whether local
        engines may read the page. Raises Draining."""
        grant = await self._granted(self._queues[local])
        began = self._clock()
        answered = False
        try:
            yield grant
            answered = True
        except EngineError as error:
            answered = not isinstance(error, EngineTransient)
            raise
        finally:
            self._report(grant.lane, answered=answered, took_s=self._clock() - began)

    async def _granted(self, queue: _Queue) -> LaneGrant:
        if self._closing:
            raise Draining
        future: asyncio.Future[LaneGrant] = asyncio.get_running_loop().create_future()
        queue.waiting.append(future)
        if queue.asking is None:
            queue.asking = asyncio.get_running_loop().create_task(self._ask(queue))
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self._report(future.result().lane, answered=False, took_s=0.0)
            raise

    async def _ask(self, queue: _Queue) -> None:
        try:
            await asyncio.sleep(self._linger * _ASK_LINGER_S)
            while queue.next() is not None:
                wanted = sum(not future.done() for future in queue.waiting)
                grants = await self._limiter.lanes(self._worker, wanted, queue.local)
                if not grants:
                    raise Draining  # the run assumes that this worker is dead
                for grant in grants:
                    if queue.next() is None:
                        self._report(grant.lane, answered=False, took_s=0.0)
                    else:
                        queue.waiting.popleft().set_result(grant)
                await asyncio.sleep(0)
        except Exception as error:  # passed to every waiting page, which records it
            queue.fail(error)
        finally:
            queue.asking = None

    def _report(self, lane: str, *, answered: bool, took_s: float) -> None:
        before = self._returned.get(lane, LaneReport(lane=lane))
        self._returned[lane] = replace(
            before,
            answered=before.answered + answered,
            failed=before.failed + (not answered),
            longest_s=max(before.longest_s, took_s) if answered else before.longest_s,
        )
        if self._reporting is None:
            self._reporting = asyncio.get_running_loop().create_task(self._send_reports())

    async def _send_reports(self) -> None:
        try:
            await asyncio.sleep(self._linger * _REPORT_LINGER_S)
            while self._returned:
                returned, self._returned = self._returned, {}
                await self._limiter.report_lanes(self._worker, tuple(returned.values()))
        finally:
            self._reporting = None
