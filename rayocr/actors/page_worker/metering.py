"""Prices every answer of a waiting engine and counts it towards the quota before any other code receives it.

The worker wraps each engine, so engines do not depend on prices or limits and cannot omit a report. A request whose answer was
not awaited is priced too: the server may have answered, and then it is billed. A shed request is priced if the server says that
it charges for it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace

from rayocr.actors.page_worker.slot_client import SlotClient
from rayocr.config import LimitsConfig
from rayocr.engines.answers.checks import is_empty
from rayocr.engines.answers.finish_reasons import finish_reason_of
from rayocr.engines.base import OfferedPage, WaitingEngine, account_of
from rayocr.engines.gemini.input_tokens import text_tokens
from rayocr.errors import BatchIncomplete, EngineShed, EngineTimeout
from rayocr.limits.expected_use import TokenEstimator
from rayocr.limits.prices import PriceTable
from rayocr.messages import PageText


def meter(
    engine: WaitingEngine,
    *,
    slots: SlotClient,
    prices: PriceTable,
    wall_clock: Callable[[], float] = time.time,
    tokens: TokenEstimator | None = None,
) -> WaitingEngine:
    """Meters the engine and its lanes, and returns it. An answer that already has a price keeps it. `wall_clock`: seconds since
    1970, for today's prices. `tokens` are the expected input tokens, which all lanes share."""
    tokens = tokens or TokenEstimator(least=LimitsConfig().expected_input_tokens)
    for lane in engine.lanes.values():
        meter(lane, slots=slots, prices=prices, wall_clock=wall_clock, tokens=tokens)
    counted = _Meter(engine, slots, prices, wall_clock, tokens)
    # The methods are replaced on the instance, since the chain checks the engine's type and its other capabilities.
    engine.recognize_async = counted.ask  # type: ignore[method-assign]
    engine.expected_input_tokens = counted.expected_input_tokens  # type: ignore[method-assign]
    return engine


class _Meter:
    """Counts the answers of one engine. Until an answer arrives, the average is the expected tokens of the configuration."""

    def __init__(
        self,
        engine: WaitingEngine,
        slots: SlotClient,
        prices: PriceTable,
        wall_clock: Callable[[], float],
        tokens: TokenEstimator,
    ) -> None:
        self._engine, self._slots, self._prices, self._wall_clock, self._tokens = engine, slots, prices, wall_clock, tokens
        self._ask = engine.recognize_async
        guess = LimitsConfig()
        self._answered, self._input_tokens, self._output_tokens = 1, guess.expected_input_tokens, guess.expected_output_tokens

    def expected_input_tokens(self, page: OfferedPage, model: str) -> float | None:
        shape = self._engine.request_shape(page, model)
        return None if shape is None else self._tokens.expect(model, shape)

    async def ask(self, page: OfferedPage, model: str) -> PageText:
        try:
            answer = self._priced(self._with_usage(await self._ask(page, model), page, model), model)
        except (EngineTimeout, BatchIncomplete, EngineShed) as error:
            self._count_lost(error, page, model)
            raise
        expected = None
        if (shape := self._engine.request_shape(page, model)) is not None:
            self._tokens.learn(model, shape, answer.input_tokens)
            expected = self._tokens.expect(model, shape)
        self._report(answer, page, model, expected)
        self._answered, self._input_tokens = self._answered + 1, self._input_tokens + answer.input_tokens
        self._output_tokens += answer.output_tokens
        return answer

    def _with_usage(self, answer: PageText, page: OfferedPage, model: str) -> PageText:
        """Adds the expected tokens to an answer that does not state its tokens, although every answer of its API should. An
        answer without text may come from a proxy, and only counts as possibly billed."""
        if (answer.input_tokens and answer.output_tokens) or (expected := self.expected_input_tokens(page, model)) is None:
            return answer
        if is_empty(answer.text):
            if not answer.input_tokens:
                self._slots.possibly_billed(account_of(self._engine, model))
            return answer
        return replace(
            answer,
            input_tokens=answer.input_tokens or round(expected),
            output_tokens=answer.output_tokens or math.ceil(text_tokens(answer.text)),
        )

    def _priced(self, answer: PageText, model: str) -> PageText:
        if self._engine.prices_itself or answer.cost_usd:
            return answer
        at, tier = self._wall_clock(), answer.price_class or self._engine.tier
        cost_usd = self._prices.cost_usd(
            model,
            input_tokens=answer.input_tokens,
            output_tokens=answer.output_tokens,
            cached_tokens=answer.cached_tokens,
            at=at,
            tier=tier,
        )
        return replace(answer, cost_usd=cost_usd, price_class=self._prices.price_class(model, at, tier=tier))

    def _count_lost(self, error: EngineTimeout | BatchIncomplete | EngineShed, page: OfferedPage, model: str) -> None:
        """Counts a lost answer, which the server may have billed: at average size, or at the cost that the server states."""
        if isinstance(error, EngineTimeout) and error.unbilled:
            return
        expected = self.expected_input_tokens(page, model)
        input_tokens = self._input_tokens // self._answered if expected is None else round(expected)
        used = (input_tokens, self._output_tokens // self._answered)
        if isinstance(error, EngineShed):
            if not error.input_tokens:
                return
            used = (error.input_tokens, 0)
        lost = PageText(text="", engine=self._engine.name, model=model, input_tokens=used[0], output_tokens=used[1])
        error.probably = probably = self._priced(lost, model)
        account = account_of(self._engine, model)
        self._slots.lost(
            account, input_tokens=probably.input_tokens, cost_usd=probably.cost_usd, expected_tokens=probably.input_tokens
        )

    def _report(self, answer: PageText, page: OfferedPage, model: str, expected_tokens: float | None) -> None:
        reason, account = finish_reason_of(answer.finish), account_of(self._engine, model)
        empty = reason.error is None and is_empty(answer.text)  # pages without ink are not sent
        words = f"The model {'returned no text' if empty else reason.words} ({answer.finish})."
        if reason.unexplained:
            self._slots.unusable(account, words)
        elif reason.error is not None or empty:
            self._slots.refused(account, words, document_id=page.document_id, again=page.tried > 0, empty=empty)
        self._slots.used(account, input_tokens=answer.input_tokens, cost_usd=answer.cost_usd, expected_tokens=expected_tokens)
