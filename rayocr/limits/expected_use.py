"""Estimates the use of the next request: the mean of answered requests, starting from an estimate. Pure.

If workers expect the tokens of each request from its shape, only the difference to their expectations is uncertain.
"""

from __future__ import annotations

import math

from rayocr.messages import RequestShape

_MEMORY = 64  # this many new requests have the same weight as all earlier ones, so that the mean adapts within two minutes
_TOKENS_MEMORY = 256  # the same weight for tokens; a slower mean is enough, since the actual use replaces each estimate
_ESTIMATE = 8  # number of answers that have the same weight as the estimate of tokens
_SHAPE_MEMORY = 256  # number of answers of one shape that have the same weight as all earlier ones
_RATIOS = (0.25, 4.0)  # minimum and maximum ratio of actual to documented tokens, for shapes without an answer
_SIGMAS = 4.0  # number of standard deviations that the limit per minute must cover
_MOST_ASIDE = 0.06  # share of the limit, enough for pages of 200 to 4,000 tokens at 600,000 tokens per minute


class ExpectedUse:
    """Input tokens and cost in USD of a request."""

    def __init__(self, *, input_tokens: float, cost_usd: float) -> None:
        self.input_tokens = input_tokens
        self.cost_usd = cost_usd
        self._answers = 0
        self._variance = 0.0  # variance of the tokens of a request

    def learn(self, *, requests: int, input_tokens: float, cost_usd: float, expected_tokens: float = 0.0) -> None:
        """Adds the sums over this many answered requests. `expected_tokens`: the number that their workers expected."""
        if requests <= 0:
            return
        weight = requests / (requests + min(_TOKENS_MEMORY, _ESTIMATE + self._answers))
        mean_off = input_tokens / requests - self.input_tokens
        off = (input_tokens - expected_tokens) / requests if expected_tokens else mean_off
        # The variance of the mean of n requests is the variance divided by n, so the squared deviation times n estimates the
        # variance.
        if self._answers >= _ESTIMATE:
            self._variance += weight * (off * off * requests - self._variance)
        self.input_tokens += weight * mean_off
        self.cost_usd += requests / (requests + _MEMORY) * (cost_usd / requests - self.cost_usd)
        self._answers += requests

    def aside(self, tokens_per_minute: float, *, in_flight: int) -> float:
        """Returns the share of the limit, 0..1, by which a minute may exceed its plan, because the tokens of requests in flight
        at its beginning and its end are unknown."""
        unknown = min(in_flight, tokens_per_minute / max(1.0, self.input_tokens))
        return min(_MOST_ASIDE, _SIGMAS * math.sqrt(2 * unknown * self._variance) / tokens_per_minute)


class TokenEstimator:
    """Estimates the input tokens of a request from its shape. The request determines them, so they are known before the answer.

    The estimate of a shape starts from the server's documentation and becomes the mean of the answers to requests of that shape.
    Until a shape has an answer, its documented tokens are corrected by the ratio that other shapes of the same model have shown.
    `least`: input tokens of a request before the first answer of its model, unless the documentation says more.
    """

    def __init__(self, *, least: float) -> None:
        self._least = least
        self._means: dict[tuple[str, str], tuple[float, int]] = {}  # sum of tokens and number of answers, by model and kind
        self._ratios: dict[str, tuple[float, int]] = {}  # ratio of actual to documented tokens, by model

    def expect(self, model: str, shape: RequestShape) -> float:
        known = self._means.get((model, shape.kind))
        if known is not None:
            return known[0]
        ratio = self._ratios.get(model)
        return max(self._least, shape.documented_tokens) if ratio is None else shape.documented_tokens * ratio[0]

    def learn(self, model: str, shape: RequestShape, input_tokens: int) -> None:
        """Adds the number of input tokens that an answer reports. Skips answers without a count."""
        if input_tokens <= 0:
            return
        key = model, shape.kind
        self._means[key] = _moved(self._means.get(key, (0.0, 0)), input_tokens)
        least, most = _RATIOS
        ratio = min(most, max(least, input_tokens / shape.documented_tokens))
        self._ratios[model] = _moved(self._ratios.get(model, (0.0, 0)), ratio)


def _moved(mean: tuple[float, int], value: float) -> tuple[float, int]:
    count = min(mean[1] + 1, _SHAPE_MEMORY)
    return mean[0] + (value - mean[0]) / count, count
