"""objective=deadline: decides every second whether further pages may use the cheap tier, and passes the decision to the
limiter."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from rayocr.config import RayocrConfig
from rayocr.driver.scheduling.progress import Progress
from rayocr.errors import ActorFailed
from rayocr.limits.forecast import ANSWER_S, forecast
from rayocr.limits.lanes import lane_for_deadline
from rayocr.limits.prices import PriceTable
from rayocr.observe.logs import log_event

log = logging.getLogger(__name__)

_EVERY_S = 1.0


class Told(Protocol):
    async def prefer(self, tier: str) -> None: ...


class DeadlineWatch:
    """`deadline_at` is in seconds since 1970."""

    def __init__(
        self,
        limiter: Told,
        progress: Progress,
        config: RayocrConfig,
        prices: PriceTable,
        *,
        deadline_at: float,
        say: Callable[[str], None],
        wall_clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._limiter = limiter
        self._progress = progress
        self._config = config
        self._prices = prices
        self._deadline_at = deadline_at
        self._say = say
        self._wall_clock = wall_clock
        self._sleep = sleep
        self._lane = ""

    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            try:
                await self.poll()
            except ActorFailed:
                pass  # the limiter is being restarted; the next poll passes it again
            await self._sleep(_EVERY_S)

    async def poll(self) -> None:
        now = self._wall_clock()
        lane = lane_for_deadline(
            seconds_left=self._deadline_at - now,
            standard_s=self._standard_s(now),
            flex_s=self._config.engine.gemini.flex_timeout_s,
        )
        if lane != self._lane:
            if self._lane:
                self._say(f"Switching to the {lane} tier to meet the deadline at the lowest cost.")
            log_event(log, "lane_chosen", "Switched to another service tier.", tier=lane)
            self._lane = lane
        await self._limiter.prefer(lane)

    def _standard_s(self, now: float) -> float:
        """The time that the remaining pages take in the standard tier, by the limits; if no limit is known, by the usual time of
        an answer."""
        progress, limits = self._progress, self._config.limits
        left, read = max(0, progress.pages_total - progress.pages_read), max(1, progress.pages_read - progress.pages_resumed)
        model = self._config.engine.gemini.ladder[0]
        input_tokens = progress.input_tokens / read if progress.input_tokens else float(limits.expected_input_tokens)
        output_tokens = progress.output_tokens / read if progress.input_tokens else float(limits.expected_output_tokens)
        found = forecast(
            left,
            input_tokens=left * input_tokens,
            limits=limits.of(model),
            headroom=limits.headroom,
            cost_usd=self._prices.cost_usd(model, input_tokens=left * input_tokens, output_tokens=left * output_tokens, at=now),
            usd_per_10min=limits.usd_per_10min,
        )
        return found.seconds if found.binds else left * ANSWER_S
