"""The money of one run: what was spent, what is promised to requests under way, and how many more there is money for. Pure."""

from __future__ import annotations

import math


class Budget:
    """`limit_usd` None: money is counted and never refused. Invariant: spent plus promised never exceeds the limit by a grant."""

    def __init__(self, limit_usd: float | None) -> None:
        self.limit_usd = limit_usd
        self.spent_usd = 0.0
        self.promised_usd = 0.0

    def room(self, cost_usd: float) -> int | None:
        """How many requests of that expected cost may still leave; None: any number."""
        if self.limit_usd is None or cost_usd <= 0:
            return None
        left_usd = self.limit_usd - self.spent_usd - self.promised_usd
        return max(0, math.floor(left_usd / cost_usd + 1e-9))

    def promise(self, cost_usd: float) -> None:
        self.promised_usd += cost_usd

    def settle(self, *, promised_usd: float, spent_usd: float) -> None:
        """Requests are over: their promise is replaced by what they cost."""
        self.promised_usd = max(0.0, self.promised_usd - promised_usd)
        self.spent_usd += spent_usd
