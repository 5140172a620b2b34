"""Reads the RateLimiter's state every second for the metrics, and restores the spending in a restarted limiter."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from rayocr.driver.scheduling.progress import Progress
from rayocr.errors import ActorFailed
from rayocr.limits.quota_day import in_words
from rayocr.messages import LimiterState, ModelQuota
from rayocr.observe.logs import log_event

log = logging.getLogger(__name__)

_INTERVAL_S = 1.0
_REFUSED = 16  # number of refused pages in a row that is worth a message
_REPORT_UNAVAILABLE_S = 3.0  # a shorter outage of a shared bucket is not reported


class Watched(Protocol):
    async def state(self) -> LimiterState: ...

    async def restore(self, earlier: LimiterState | None) -> None: ...


class LimiterWatch:
    """Keeps `progress.limiter` up to date. `warn` reports pauses, parked models and unavailable shared limits to users. `keep`
    stores the spending by day and may block."""

    def __init__(
        self,
        limiter: Watched,
        progress: Progress,
        *,
        warn: Callable[[str], None],
        keep: Callable[[Mapping[str, float]], None] = lambda spent_by_day: None,
        wall_clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._limiter = limiter
        self._progress = progress
        self._warn = warn
        self._keep = keep
        self._wall_clock = wall_clock
        self._sleep = sleep
        self._announced: set[tuple[str, str, float]] = set()
        self._held: set[str] = set()
        self._refused: set[str] = set()
        self._away = False

    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            try:
                await self.poll()
            except ActorFailed:
                log_event(log, "rate_limiter_failed", "The rate limiter died and is restarted.", level=logging.WARNING)
            await self._sleep(_INTERVAL_S)

    async def poll(self) -> None:
        state = await self._limiter.state()
        if state.forgetful:
            log_event(log, "rate_limiter_restored", "A restarted rate limiter got the spending so far.", level=logging.WARNING)
            await self._limiter.restore(self._progress.limiter)
            return
        self._progress.limiter = state
        await asyncio.to_thread(self._keep, state.spent_by_day)
        self._report_unavailable(state)
        for model in state.models:
            self._say_stopped(model)
            self._say_held(model)
            self._say_refused(model)

    def _report_unavailable(self, state: LimiterState) -> None:
        if state.unavailable_s > _REPORT_UNAVAILABLE_S and not self._away:
            self._away = True
            self._warn("The Redis server of the shared limits is unavailable. Requests wait until it is available again.")
        elif not state.unavailable_s and self._away:
            self._away = False
            self._warn("The shared limits are available again.")

    def _say_held(self, model: ModelQuota) -> None:
        """Reports once when a model's server stops answering, and once when rayocr no longer waits for it."""
        if model.held_since is not None and model.model not in self._held:
            self._held.add(model.model)
            if model.gone or model.denied:
                state = "is not available" if model.gone else "has no quota"
                again = " rayocr tries it again every ten minutes." if model.gone else ""
                self._warn(
                    f"{model.model} {state}: {model.held_words} Its pages go to the next model of engine.gemini.models, if there"
                    f" is one.{again}"
                )
                return
            what = "refuses the pages of all documents" if model.refusing else "has answered no request"
            self._warn(
                f"{model.model} {what} since {in_words(model.held_since)}: {model.held_words}"
                " rayocr waits and sends one request at a time to detect when the server answers again."
            )
        elif model.held_since is None and model.model in self._held:
            self._held.discard(model.model)
            if model.expects_empty and model.refused_in_a_row:
                self._warn(
                    f"{model.model} still returns empty texts, so the pages may have no text. The next engine of the chain reads"
                    " them, if there is one, and `rayocr retry` requests them again."
                )
            else:
                self._warn(f"{model.model} answers again.")

    def _say_refused(self, model: ModelQuota) -> None:
        """Reports once that a model refuses many pages of one document, which is not evidence against the server."""
        if model.refused_in_a_row < _REFUSED:
            self._refused.discard(model.model)
        elif model.held_since is None and model.model not in self._refused:
            self._refused.add(model.model)
            self._warn(
                f"{model.model} has read none of the last {model.refused_in_a_row} pages. {model.refused_words} If it refuses"
                " them again, the next engine of the chain reads them, if there is one."
            )

    def _say_stopped(self, model: ModelQuota) -> None:
        """Reports each long pause and each parked model once."""
        for what, until in (("parked", model.parked_until), ("paused", model.paused_until)):
            if until is None or until - self._wall_clock() < 10.0 or (model.model, what, round(until, -1)) in self._announced:
                continue
            self._announced.add((model.model, what, round(until, -1)))
            if what == "parked":
                self._warn(f"The daily quota of {model.model} is used up until {in_words(until)}.")
            else:
                self._warn(f"The server of {model.model} requested a pause of {until - self._wall_clock():.0f} s.")
