"""Every answer of a waiting engine is priced, and counted towards the quota, before anybody else sees it.

Put around an engine by the worker, so that no engine knows of prices or limits and none can forget to report.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from rayocr.actors.page_worker.slot_client import SlotClient
from rayocr.engines.base import OfferedPage, WaitingEngine
from rayocr.limits.prices import PriceTable
from rayocr.messages import PageText


def meter(
    engine: WaitingEngine, *, slots: SlotClient, prices: PriceTable, wall_clock: Callable[[], float] = time.time
) -> WaitingEngine:
    """The same engine. An answer that it priced itself keeps its price. `wall_clock`: seconds since 1970, for today's prices."""
    ask = engine.recognize_async

    async def ask_and_count(page: OfferedPage, model: str) -> PageText:
        answer = await ask(page, model)
        cost_usd = answer.cost_usd or prices.cost_usd(
            model,
            input_tokens=answer.input_tokens,
            output_tokens=answer.output_tokens,
            at=wall_clock(),
            batch=engine.batched,
        )
        slots.used(model, input_tokens=answer.input_tokens, cost_usd=cost_usd)
        return replace(answer, cost_usd=cost_usd)

    # On the instance, and not a class around it: the chain asks engines what kind they are and what else they can do.
    engine.recognize_async = ask_and_count  # type: ignore[method-assign]
    return engine
