"""A RateLimiter whose time advances only while a caller waits."""

from __future__ import annotations

import asyncio
from typing import Any

from rayocr.actors.rate_limiter.actor import RateLimiter
from rayocr.actors.rate_limiter.rules import LimiterRules
from rayocr.config import BudgetConfig, LimitsConfig
from rayocr.limits.prices import Price, PriceTable

CENT_A_PAGE = PriceTable(models={"m": [Price(input_usd=10.0, output_usd=0.0)]})  # of the 1,000 tokens that are expected
START = 1_795_000_000.0  # in November 2026


class World:
    """`now` is monotonic; the time of day advances with it, and can jump."""

    def __init__(self) -> None:
        self.now = 100.0
        self.jumped_s = 0.0

    def clock(self) -> float:
        return self.now

    def wall_clock(self) -> float:
        return START + self.now + self.jumped_s

    async def wait(self, event: asyncio.Event, timeout_s: float) -> None:
        await asyncio.sleep(0)  # callers that would free a slot come first
        if not event.is_set():
            self.now += timeout_s

    def limiter(
        self,
        *,
        budget_usd: float | None = None,
        budget: dict[str, float] | None = None,
        spent_before: dict[str, float] | None = None,
        prices: PriceTable | None = None,
        restarted: bool = False,
        **limits: Any,
    ) -> RateLimiter:
        rules = LimiterRules(
            limits=LimitsConfig(headroom=limits.pop("headroom", 0.0), **limits),
            prices=prices or PriceTable(models={}),
            budget=BudgetConfig(usd=budget_usd, **(budget or {})),
            spent_before=spent_before or {},
        )
        return RateLimiter(rules, restarted=restarted, clock=self.clock, wall_clock=self.wall_clock, wait=self.wait)
