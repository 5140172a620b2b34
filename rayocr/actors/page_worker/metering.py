"""Prices every answer of a waiting engine, and counts it towards the quota, before anyone else sees it.

Put around an engine by the worker, so that no engine knows about prices or limits and none can forget to report. A request that
was not waited for is priced, too: the server may have answered it, and then it is on the bill.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from rayocr.actors.page_worker.slot_client import SlotClient
from rayocr.config import LimitsConfig
from rayocr.engines.base import OfferedPage, WaitingEngine, account_of
from rayocr.errors import BatchIncomplete, EngineTimeout
from rayocr.limits.prices import PriceTable
from rayocr.messages import PageText


def meter(
    engine: WaitingEngine, *, slots: SlotClient, prices: PriceTable, wall_clock: Callable[[], float] = time.time
) -> WaitingEngine:
    """The same engine. An answer that it priced itself keeps its price. `wall_clock`: seconds since 1970, for today's prices."""
    ask = engine.recognize_async
    guess = LimitsConfig()
    answered, input_tokens, output_tokens = 1, guess.expected_input_tokens, guess.expected_output_tokens

    def priced(answer: PageText, model: str) -> PageText:
        if engine.prices_itself or answer.cost_usd:
            return answer
        at, tier = wall_clock(), answer.price_class or engine.tier
        cost_usd = prices.cost_usd(model, input_tokens=answer.input_tokens, output_tokens=answer.output_tokens, at=at, tier=tier)
        return replace(answer, cost_usd=cost_usd, price_class=prices.price_class(model, at, tier=tier))

    async def ask_and_count(page: OfferedPage, model: str) -> PageText:
        nonlocal answered, input_tokens, output_tokens
        try:
            answer = priced(await ask(page, model), model)
        except (EngineTimeout, BatchIncomplete) as error:
            lost = PageText(
                text="",
                engine=engine.name,
                model=model,
                input_tokens=input_tokens // answered,
                output_tokens=output_tokens // answered,
            )
            error.probably = priced(lost, model)
            raise
        slots.used(account_of(engine, model), input_tokens=answer.input_tokens, cost_usd=answer.cost_usd)
        answered, input_tokens = answered + 1, input_tokens + answer.input_tokens
        output_tokens += answer.output_tokens
        return answer

    # On the instance, and not a class around it: the chain asks engines what kind they are and what else they can do.
    engine.recognize_async = ask_and_count  # type: ignore[method-assign]
    return engine
