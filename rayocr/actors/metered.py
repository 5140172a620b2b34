"""A waiting engine whose answers are priced and counted towards the quota.

Wrapped around each one by the worker, so that no engine needs to know of prices or limits, and none can forget to report.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rayocr.actors.slots import SlotClient
from rayocr.engines.base import OfferedPage, WaitingEngine
from rayocr.limits.prices import PriceTable
from rayocr.messages import PageText


class MeteredEngine(WaitingEngine):
    """Whatever else is asked of it, the engine inside answers. `wall_clock`: seconds since 1970, for the price of the day."""

    def __init__(
        self, engine: WaitingEngine, *, slots: SlotClient, prices: PriceTable, wall_clock: Callable[[], float] = time.time
    ) -> None:
        self._engine = engine
        self._slots = slots
        self._prices = prices
        self._wall_clock = wall_clock
        self.name = engine.name  # type: ignore[misc]  # a class variable of the engine inside

    @property
    def model(self) -> str:
        return self._engine.model

    def open(self) -> None:
        self._engine.open()

    def close(self) -> None:
        self._engine.close()

    async def recognize_async(self, page: OfferedPage) -> PageText:
        model = self._engine.model
        answer = await self._engine.recognize_async(page)
        cost_usd = answer.cost_usd or self._prices.cost_usd(
            model, input_tokens=answer.input_tokens, output_tokens=answer.output_tokens, at=self._wall_clock()
        )
        self._slots.used(model, input_tokens=answer.input_tokens, cost_usd=cost_usd)
        return replace(answer, cost_usd=cost_usd)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)
