"""The expected use of the next request: the mean of answered requests, starting from an estimate. Pure."""

from __future__ import annotations

_MEMORY = 64  # this many new requests weigh as much as all earlier ones, so that the mean adapts in a minute or two


class ExpectedUse:
    """Input tokens and USD of a request."""

    def __init__(self, *, input_tokens: float, cost_usd: float) -> None:
        self.input_tokens = input_tokens
        self.cost_usd = cost_usd

    def learn(self, *, requests: int, input_tokens: float, cost_usd: float) -> None:
        """Adds the sums over this many answered requests."""
        if requests <= 0:
            return
        weight = requests / (requests + _MEMORY)
        self.input_tokens += weight * (input_tokens / requests - self.input_tokens)
        self.cost_usd += weight * (cost_usd / requests - self.cost_usd)
