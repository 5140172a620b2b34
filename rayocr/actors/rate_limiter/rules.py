"""Defines the rules of a rate limiter, and the limits on money that follow from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rayocr.config import BudgetConfig, LimitsConfig
from rayocr.engines.base import BATCH_ACCOUNT
from rayocr.limits.budget import MoneyLimit, Period
from rayocr.limits.lanes import LaneTerms
from rayocr.limits.prices import BATCH, STANDARD, PriceTable


@dataclass(frozen=True, slots=True, kw_only=True)
class LimiterRules:
    """The settings of a limiter, by value."""

    limits: LimitsConfig
    prices: PriceTable
    budget: BudgetConfig = field(default_factory=BudgetConfig)
    spent_before: Mapping[str, float] = field(default_factory=dict)  # spending of other runs by day ("2026-11-26")
    lanes: tuple[LaneTerms, ...] = ()  # settings of the objective
    tier: str = STANDARD  # the most expensive service tier of single requests, for their expected cost until one is answered
    # With engine.on_outage=fallback, an unavailable model is still probed while its pages go to other engines.
    fallback: bool = False

    def input_token_usd(self, model: str, *, at: float) -> float:
        """Returns the price of one input token. `at`: seconds since 1970."""
        tier = BATCH if model.endswith(BATCH_ACCOUNT) else self.tier
        return self.prices.cost_usd(model, input_tokens=1, output_tokens=0, at=at, tier=tier)

    def expected_cost_usd(self, model: str, *, at: float) -> float:
        """Returns the expected cost of a request before any is answered. `at`: seconds since 1970."""
        return self.prices.cost_usd(
            model,
            input_tokens=self.limits.expected_input_tokens,
            output_tokens=self.limits.expected_output_tokens,
            at=at,
            tier=BATCH if model.endswith(BATCH_ACCOUNT) else self.tier,
        )


def money_limits(rules: LimiterRules) -> list[MoneyLimit]:
    budget = rules.budget
    named: list[tuple[str, float | None, Period]] = [
        ("budget.usd", budget.usd, "run"),
        ("budget.usd_per_day", budget.usd_per_day, "day"),
        ("budget.usd_per_month", budget.usd_per_month, "month"),
        ("limits.usd_per_month", rules.limits.usd_per_month, "month"),
    ]
    return [MoneyLimit(option=option, usd=usd, period=period) for option, usd, period in named if usd is not None]
