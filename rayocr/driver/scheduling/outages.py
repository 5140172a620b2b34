"""Waits for the end of outages in mode=watch: unavailable storage, and a daily quota that is used up. During an outage the window
is on hold: no document is admitted and no shard is sent, so that every paid page can be recorded. Leases and RateLimiter wait for
Redis themselves.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from rayocr.driver.scheduling.progress import Progress
from rayocr.driver.scheduling.window import Window
from rayocr.errors import BudgetExhausted, DayQuotaExhausted, RayocrError
from rayocr.limits.quota_day import in_words
from rayocr.observe.logs import log_event

log = logging.getLogger(__name__)

_AFTER_RESET_S = 1.0  # margin for clocks that differ


class Outages:
    """Puts the window on hold during outages. `probe` raises RayocrError while storage is unavailable; it blocks. `on_hold` is
    called when the run will be idle for a while."""

    def __init__(
        self,
        window: Window,
        progress: Progress,
        *,
        probe: Callable[[], None],
        say: Callable[[str], None],
        warn: Callable[[str], None],
        on_hold: Callable[[], None] = lambda: None,
        probe_s: float = 5.0,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._window = window
        self._progress = progress
        self._probe = probe
        self._say = say
        self._warn = warn
        self._on_hold = on_hold
        self._probe_s = probe_s
        self._wall_clock = wall_clock
        self._holding: dict[str, asyncio.Task[None]] = {}

    def storage_failed(self) -> None:
        """Notes that a call to storage failed. If storage is completely unavailable, starts to wait for it. Returns
        immediately."""
        if "storage" not in self._holding:
            self._holding["storage"] = asyncio.get_running_loop().create_task(self._until_storage_is_back())

    def quota_used_up(self, error: DayQuotaExhausted | BudgetExhausted) -> float:
        """Puts the window on hold until the quota resets. Returns the seconds until the reset, without waiting."""
        assert error.resumes_at is not None
        wait_s = max(0.0, error.resumes_at - self._wall_clock()) + _AFTER_RESET_S
        if "quota" not in self._holding:
            self._warn(f"{error} The watch resumes at {in_words(error.resumes_at)}.")
            self._holding["quota"] = asyncio.get_running_loop().create_task(self._until_the_quota_is_back(wait_s))
        return wait_s

    async def over(self) -> None:
        """Waits until there is no outage."""
        while self._holding:
            await asyncio.wait(list(self._holding.values()), return_when=asyncio.FIRST_COMPLETED)

    async def close(self) -> None:
        tasks = list(self._holding.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _until_storage_is_back(self) -> None:
        try:
            error = await self._failure()
            if error is None:
                return  # the failure concerned one document, or is over
            log_event(log, "storage_unavailable", "Storage is unavailable.", level=logging.WARNING, error=str(error))
            self._warn(f"Storage is unavailable; waiting for it: {error}")
            await self._hold("storage", True)
            while error is not None:
                error = await self._failure_later()
            log_event(log, "storage_recovered", "Storage is available again.")
            self._say("Storage is available again.")
        finally:
            del self._holding["storage"]
            await self._hold("storage", False)

    async def _failure_later(self) -> RayocrError | None:
        await asyncio.sleep(self._probe_s)
        return await self._failure()

    async def _failure(self) -> RayocrError | None:
        try:
            await asyncio.to_thread(self._probe)
        except RayocrError as error:
            return error
        return None

    async def _until_the_quota_is_back(self, wait_s: float) -> None:
        try:
            log_event(log, "quota_awaited", "The daily quota is used up; waiting until it resets.", wait_s=round(wait_s))
            await self._hold("quota", True)
            await asyncio.sleep(wait_s)
            self._say("The daily quota has reset.")
        finally:
            del self._holding["quota"]
            await self._hold("quota", False)

    async def _hold(self, what: str, held: bool) -> None:
        await self._window.hold(what, held)
        self._progress.waiting_for = ", ".join(sorted(self._window.held_for - {"pause"}))
        if held:
            self._on_hold()
