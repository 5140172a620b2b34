"""Keeps contact with the limits that other runs share: waits while they are unavailable, and reports what this run uses."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from rayocr.actors.rate_limiter.model_quota import QuotaTracker
from rayocr.actors.rate_limiter.money import Money
from rayocr.config import LimitsConfig
from rayocr.errors import SharedLimitsUnavailable
from rayocr.observe.logs import log_event

log = logging.getLogger(__name__)

T = TypeVar("T")

_RETRY_S = 1.0  # seconds between attempts while a shared bucket is unavailable


class SharedLimits:
    """The limits that several runs share. `clock` is monotonic seconds."""

    def __init__(self, limits: LimitsConfig, money: Money, *, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._money = money
        self._clock = clock
        self._unavailable_since: float | None = None
        self._reports: set[asyncio.Task[None]] = set()

    @property
    def unavailable_s(self) -> float:
        return self._clock() - self._unavailable_since if self._unavailable_since is not None else 0.0

    async def patiently(self, call: Callable[[], Awaitable[T]], wait: Callable[[float], Awaitable[None]]) -> T:
        """Repeats the call while the limits are unavailable; `wait` waits for a number of seconds. Raises
        SharedLimitsUnavailable if they are unavailable for too long."""
        while True:
            try:
                answer = await call()
            except SharedLimitsUnavailable as error:
                self.note_unavailable(error)
                await wait(_RETRY_S)
                continue
            if self._unavailable_since is not None:
                log_event(log, "limits_recovered", "The shared limits are available again.", unavailable_for_s=self.unavailable_s)
                self._unavailable_since = None
            return answer

    def note_unavailable(self, error: SharedLimitsUnavailable) -> None:
        """Raises the error if the limits are unavailable for too long."""
        if self._unavailable_since is None:
            self._unavailable_since = self._clock()
            log_event(log, "limits_unavailable", "The shared limits are unavailable.", level=logging.WARNING, error=str(error))
        if self.unavailable_s > self._limits.shared_patience_s:
            raise error

    def report(self, quota: QuotaTracker) -> None:
        """Starts to report the slots of this run's workers to the other runs, and, once, this run's spending."""
        loop = asyncio.get_running_loop()
        if not self._reports:
            self._reports.add(loop.create_task(self._share_spending()))
        self._reports.add(loop.create_task(self._share_in_flight(quota)))

    async def close(self) -> None:
        """Reports the spending a last time, and ends the reports."""
        if self._reports:
            with suppress(SharedLimitsUnavailable):
                await self._money.share()
        for task in self._reports:
            task.cancel()
        await asyncio.gather(*self._reports, return_exceptions=True)

    async def _share_in_flight(self, quota: QuotaTracker) -> None:
        while True:
            await asyncio.sleep(self._limits.shared_ttl_s / 4)
            with suppress(SharedLimitsUnavailable):  # the next take reports the error
                await quota.bucket.report_in_flight(quota.held.in_flight)

    async def _share_spending(self) -> None:
        """Reports this run's spending to the other runs, and reads theirs."""
        while True:
            with suppress(SharedLimitsUnavailable):  # the next call reports all spending
                await self._money.share()
            await asyncio.sleep(self._limits.shared_ttl_s / 4)
