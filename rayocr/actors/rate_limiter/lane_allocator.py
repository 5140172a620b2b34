"""Hands out the lanes that the planner chooses to workers. Only the RateLimiter actor uses it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from rayocr.limits.lanes import LaneOutlook, LanePlanner, LaneReport, LaneTerms
from rayocr.messages import LaneGrant, LanesState

_RECHECK_S = 0.25  # a lane can open after some time, even if no page comes back


class LaneAllocator:
    """Allocates lanes. `clock` is monotonic seconds. `wait(event, timeout_s)` returns at the event or after the timeout."""

    def __init__(
        self,
        terms: Sequence[LaneTerms],
        *,
        clock: Callable[[], float],
        wait: Callable[[asyncio.Event, float], Awaitable[None]],
    ) -> None:
        self._planner = LanePlanner(terms)
        self._clock = clock
        self._wait = wait
        self._changed = asyncio.Event()
        self._turns = {True: asyncio.Lock(), False: asyncio.Lock()}  # separate queues by whether local engines may read the pages

    async def lanes(self, worker: str, wanted: int, *, local: bool, gone: Callable[[], bool]) -> tuple[LaneGrant, ...]:
        """Returns 1 to `wanted` lanes; waits while none is open. Returns none if the worker is `gone` (it has ended). `local`:
        whether local engines may read the pages. Pages that need another lane wait in a separate queue, so that they do not delay
        others."""
        async with self._turns[local]:  # first come, first served
            while not gone():
                granted: list[LaneGrant] = []
                now = self._clock()
                while len(granted) < wanted and (lane := self._planner.choose(worker, now=now, local=local)) is not None:
                    granted.append(LaneGrant(lane=lane, give_up_s=self._planner.give_up_s(lane, now=now)))
                if granted:
                    return tuple(granted)
                self._changed.clear()
                await self._wait(self._changed, _RECHECK_S)
        return ()

    def report(self, worker: str, reports: Sequence[LaneReport]) -> None:
        for report in reports:
            self._planner.report(worker, report)
        self._changed.set()

    def forget(self, worker: str) -> None:
        self._planner.forget(worker)
        self._changed.set()

    def expect(self, outlook: LaneOutlook) -> LanesState:
        now = self._clock()
        self._planner.expect(outlook, now=now)
        self._changed.set()
        return LanesState(in_flight=dict(self._planner.in_flight), withdraw=self._planner.withdraw(now=now))
