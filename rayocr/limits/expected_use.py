"""Estimates the use of the next request: the mean of answered requests, starting from an estimate. Pure."""

from __future__ import annotations

import math

_MEMORY = 64  # this many new requests have the same weight as all earlier ones, so that the mean adapts within two minutes
_TOKENS_MEMORY = 256  # the same for tokens, whose actual use is settled anyway
_ESTIMATE = 8  # number of answers that have the same weight as the estimate of tokens
_SIGMAS = 4.0  # number of standard deviations that the limit per minute must cover
_MOST_ASIDE = 0.06  # share of the limit, enough for pages of 200 to 4,000 tokens at 600,000 tokens per minute


class ExpectedUse:
    """Input tokens and cost in USD of a request."""

    def __init__(self, *, input_tokens: float, cost_usd: float) -> None:
        self.input_tokens = input_tokens
        self.cost_usd = cost_usd
        self._answers = 0
        self._variance = 0.0  # variance of the tokens of a request

    def learn(self, *, requests: int, input_tokens: float, cost_usd: float) -> None:
        """Adds the sums over this many answered requests."""
        if requests <= 0:
            return
        weight = requests / (requests + min(_TOKENS_MEMORY, _ESTIMATE + self._answers))
        off = input_tokens / requests - self.input_tokens
        # The mean of n requests varies by a part of n of the variance, so its square times n estimates the variance.
        if self._answers >= _ESTIMATE:
            self._variance += weight * (off * off * requests - self._variance)
        self.input_tokens += weight * off
        self.cost_usd += requests / (requests + _MEMORY) * (cost_usd / requests - self.cost_usd)
        self._answers += requests

    def aside(self, tokens_per_minute: float, *, in_flight: int) -> float:
        """Returns the share of the limit, 0..1, by which a minute may exceed its plan, because the tokens of requests in flight
        at its beginning and its end are unknown."""
        unknown = min(in_flight, tokens_per_minute / max(1.0, self.input_tokens))
        return min(_MOST_ASIDE, _SIGMAS * math.sqrt(2 * unknown * self._variance) / tokens_per_minute)
