"""Implements the bucket of one run in the memory of its RateLimiter. A restart loses its state."""

from __future__ import annotations

import time
from collections.abc import Callable

from rayocr.limits.base import HORIZON_S, Blocked, Bucket, Take, Taken
from rayocr.limits.quota_day import quota_day


class MemoryBucket(Bucket):
    """A bucket in the memory of one limiter. `clock` is monotonic seconds, `wall_clock` seconds since 1970.

    `quiet_s`: no slot starts within this time from now. A restarted limiter needs it because slots that its predecessor lent may
    still be about to start.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        quiet_s: float = 0.0,
    ) -> None:
        self._clock = clock
        self._wall_clock = wall_clock
        self._next_request = clock() + quiet_s
        self._next_token = 0.0
        self._paused_until = 0.0
        self._day = ""
        self._today = 0

    async def take(self, take: Take) -> Taken:
        now = self._clock()
        day = quota_day(self._wall_clock())
        if day != self._day:
            self._day, self._today = day, 0
        self._next_token += take.correction_s
        room = take.wanted
        if take.max_in_flight is not None:
            room = min(room, take.max_in_flight - take.in_flight)
            if room <= 0:
                return Taken(blocked=Blocked.IN_FLIGHT, wait_s=HORIZON_S, requests_today=self._today)
        if take.requests_a_day is not None:
            room = min(room, take.requests_a_day - self._today)
            if room <= 0:
                return Taken(blocked=Blocked.DAY, requests_today=self._today)
        start = max(now, self._next_request, self._next_token, self._paused_until)
        ahead_s = start - now
        if ahead_s > HORIZON_S / 2:  # takes half a horizon at a time, to avoid a call per slot
            return Taken(blocked=Blocked.PACE, wait_s=ahead_s - HORIZON_S / 2, requests_today=self._today)
        delays_s = take.delays_s(ahead_s, most=room, until_s=HORIZON_S)
        last = now + delays_s[-1]
        self._next_request = last + take.request_interval_s
        self._next_token = last + take.token_interval_of(len(delays_s) - 1)
        self._today += len(delays_s)
        return Taken(delays_s=delays_s, requests_today=self._today)

    async def pause(self, delay_s: float) -> None:
        self._paused_until = max(self._paused_until, self._clock() + delay_s)

    async def return_unsent(self, requests: int) -> None:
        self._today = max(0, self._today - requests)

    async def report_in_flight(self, in_flight: int) -> None:
        """Does nothing, since this bucket is not shared."""

    def wall_clock(self) -> float:
        return self._wall_clock()

    async def restore_today(self, day: str, requests: int) -> None:
        if day != self._day:
            self._day, self._today = day, 0
        self._today += requests
