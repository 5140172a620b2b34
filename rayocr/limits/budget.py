"""Tracks money: the spending and reservations of this run, the spending of other runs in the same day and month, and the rest.
Pure.

Days and months are Google's: they begin at midnight in California. Invariant: a grant never raises spent plus reserved above any
of the limits.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Period = Literal["run", "day", "month"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyLimit:
    """A limit on money. `option` is the name of the setting."""

    option: str
    usd: float
    period: Period = "run"


class Budget:
    """Tracks the budget. Without limits it only counts the spending. `earlier`: the spending of other runs by day
    ("2026-11-26")."""

    def __init__(self, limits: Sequence[MoneyLimit] = (), *, earlier: Mapping[str, float] | None = None) -> None:
        self.limits = tuple(limits)
        self.spent_usd = 0.0
        self.promised_usd = 0.0
        self.spent_by_day: defaultdict[str, float] = defaultdict(float)
        self._others: dict[str, float] = dict(earlier or {})

    def spent(self, period: Period, day: str) -> float:
        """Returns the spending of this run, or of all runs in that day or month."""
        if period == "run":
            return self.spent_usd
        begin = day if period == "day" else day[: len("2026-11")]
        return sum(usd for known in (self.spent_by_day, self._others) for at, usd in known.items() if at.startswith(begin))

    def left_usd(self, limit: MoneyLimit, day: str) -> float:
        return limit.usd - self.spent(limit.period, day) - self.promised_usd

    def tightest(self, day: str) -> MoneyLimit | None:
        return min(self.limits, key=lambda limit: self.left_usd(limit, day), default=None)

    def room(self, cost_usd: float, day: str) -> int | None:
        """Returns how many requests of that expected cost may still be sent; None: no limit."""
        limit = self.tightest(day)
        if limit is None or cost_usd <= 0:
            return None
        return max(0, math.floor(self.left_usd(limit, day) / cost_usd + 1e-9))

    def promise(self, cost_usd: float) -> None:
        self.promised_usd += cost_usd

    def settle(self, *, promised_usd: float, spent_usd: float, day: str) -> None:
        """Replaces the reservation of finished requests by their cost."""
        self.promised_usd = max(0.0, self.promised_usd - promised_usd)
        self.spent_usd += spent_usd
        self.spent_by_day[day] += spent_usd

    def note_others(self, spent_by_day: Mapping[str, float]) -> None:
        """Updates the spending of other runs. The known amount never decreases."""
        for day, usd in spent_by_day.items():
            self._others[day] = max(usd, self._others.get(day, 0.0))
