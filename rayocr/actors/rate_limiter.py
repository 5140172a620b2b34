"""The RateLimiter actor: the one place that says when a request may leave, for all workers of the run.

GCRA: each model has the instant at which its next slot starts; a lease takes the next k of them. Slots are handed out as delays
from now, since clocks of different nodes differ and delays do not. Invariant: no two slots of a model start closer together than
60/rpm seconds, and no more than `max_in_flight` are out. It owns nothing durable: restarted, it begins empty-handed.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Model:
    next_start: float = 0.0
    holders: dict[str, int] = field(default_factory=lambda: defaultdict(int))  # slots out, by worker
    freed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def in_flight(self) -> int:
        return sum(self.holders.values())


class RateLimiter:
    """`clock` is monotonic seconds."""

    def __init__(self, *, rpm: float | None, max_in_flight: int | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval_s = 60.0 / rpm if rpm else 0.0
        self._max_in_flight = max_in_flight
        self._clock = clock
        self._models: dict[str, _Model] = defaultdict(_Model)
        self._forgotten: set[str] = set()  # names of dead workers, which are never given twice

    async def lease(self, model: str, worker: str, wanted: int) -> tuple[float, ...]:
        """Between 1 and `wanted` slots, each as seconds to wait from now.

        Waits while `max_in_flight` slots are out. A caller holds each slot until it releases it, or is forgotten.
        """
        state = self._models[model]
        while self._free(state) <= 0:
            state.freed.clear()
            await state.freed.wait()
        if worker in self._forgotten:
            return ()  # its call outlived it: nobody would give these slots back
        granted = min(wanted, self._free(state))
        state.holders[worker] += granted
        now = self._clock()
        start = max(state.next_start, now)
        state.next_start = start + granted * self._interval_s
        return tuple(start + i * self._interval_s - now for i in range(granted))

    async def release(self, model: str, worker: str, count: int) -> None:
        self._give_back(self._models[model], worker, count)

    async def forget(self, worker: str) -> None:
        """A worker died: its slots are free again, and what it still asks for is refused."""
        self._forgotten.add(worker)
        for state in self._models.values():
            self._give_back(state, worker, state.holders.get(worker, 0))

    def _free(self, state: _Model) -> int:
        return 1_000_000 if self._max_in_flight is None else self._max_in_flight - state.in_flight

    @staticmethod
    def _give_back(state: _Model, worker: str, count: int) -> None:
        if count:
            # More than it holds: the limiter was restarted in between and knows of none.
            remaining = max(0, state.holders[worker] - count)
            if remaining:
                state.holders[worker] = remaining
            else:
                state.holders.pop(worker, None)
            state.freed.set()
