"""Prices every answer of a waiting engine and counts it towards the quota before any other code sees it.

The worker wraps each engine with it, so engines need no knowledge of prices or limits and cannot forget to report. A request
whose answer was not awaited is priced too: the server may have answered, and then it is billed. A shed request is priced if the
server says that it charges for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from rayocr.actors.page_worker.slot_client import SlotClient
from rayocr.config import LimitsConfig
from rayocr.engines.answers.finish_reasons import finish_reason_of
from rayocr.engines.base import OfferedPage, WaitingEngine, account_of
from rayocr.errors import BatchIncomplete, EngineShed, EngineTimeout
from rayocr.limits.prices import PriceTable
from rayocr.messages import PageText


def meter(
    engine: WaitingEngine, *, slots: SlotClient, prices: PriceTable, wall_clock: Callable[[], float] = time.time
) -> WaitingEngine:
    """The same engine, with its lanes. An answer that already has a price keeps it. `wall_clock`: seconds since 1970, for today's
    prices."""
    for lane in engine.lanes.values():
        meter(lane, slots=slots, prices=prices, wall_clock=wall_clock)
    ask = engine.recognize_async
    guess = LimitsConfig()
    answered, input_tokens, output_tokens = 1, guess.expected_input_tokens, guess.expected_output_tokens

    def priced(answer: PageText, model: str) -> PageText:
        if engine.prices_itself or answer.cost_usd:
            return answer
        at, tier = wall_clock(), answer.price_class or engine.tier
        cost_usd = prices.cost_usd(
            model,
            input_tokens=answer.input_tokens,
            output_tokens=answer.output_tokens,
            cached_tokens=answer.cached_tokens,
            at=at,
            tier=tier,
        )
        return replace(answer, cost_usd=cost_usd, price_class=prices.price_class(model, at, tier=tier))

    async def ask_and_count(page: OfferedPage, model: str) -> PageText:
        nonlocal answered, input_tokens, output_tokens
        try:
            answer = priced(await ask(page, model), model)
        except (EngineTimeout, BatchIncomplete, EngineShed) as error:
            used = (input_tokens // answered, output_tokens // answered)
            if isinstance(error, EngineShed):
                if not error.input_tokens:
                    raise
                used = (error.input_tokens, 0)
            lost = PageText(text="", engine=engine.name, model=model, input_tokens=used[0], output_tokens=used[1])
            error.probably = probably = priced(lost, model)
            slots.lost(account_of(engine, model), input_tokens=probably.input_tokens, cost_usd=probably.cost_usd)
            raise
        reason = finish_reason_of(answer.finish)
        account, words = account_of(engine, model), f"The model {reason.words} ({answer.finish})."
        if reason.unexplained:
            slots.unusable(account, words)
        elif reason.error is not None:
            slots.refused(account, words, document_id=page.document_id, again=page.tried > 0)
        slots.used(account, input_tokens=answer.input_tokens, cost_usd=answer.cost_usd)
        answered, input_tokens = answered + 1, input_tokens + answer.input_tokens
        output_tokens += answer.output_tokens
        return answer

    # Set on the instance instead of a wrapper class: the chain checks the engine's type and its other capabilities.
    engine.recognize_async = ask_and_count  # type: ignore[method-assign]
    return engine
