"""Provides the prices of models: rows of conf/prices.yaml, each with the days on which it is valid. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from rayocr.errors import UsageError
from rayocr.limits.quota_day import PACIFIC
from rayocr.messages import UNPRICED

STANDARD, BATCH = "standard", "batch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """USD per 1M tokens; thinking counts as output. `cached_usd`: price of input tokens that the server had cached; None: the
    price of other input. `valid_until` is the last day."""

    input_usd: float
    output_usd: float
    cached_usd: float | None = None
    valid_from: date = date.min
    valid_until: date = date.max


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    """The prices of all models. `override`: one price for every model (`engine.gemini.input_usd_per_million`). A model is listed
    under its name or a prefix of it, of which the longest applies, because servers return versions (`gemini-3.8-flash-001`)."""

    models: Mapping[str, Sequence[Price]]
    factors: Mapping[str, float] = field(default_factory=dict)  # factors on the standard price, by service tier
    override: Price | None = None

    def price(self, model: str, at: float) -> Price | None:
        """Returns the price on the day of `at` (seconds since 1970) in California; None for a model that is not in the table."""
        if self.override is not None:
            return self.override
        names = [name for name in self.models if model.removeprefix("models/").startswith(name)]
        if not names:
            return None
        day = datetime.fromtimestamp(at, PACIFIC).date()
        return next((row for row in self.models[max(names, key=len)] if row.valid_from <= day <= row.valid_until), None)

    def cost_usd(
        self,
        model: str,
        *,
        input_tokens: float,
        output_tokens: float,
        cached_tokens: float = 0,
        at: float,
        tier: str = STANDARD,
    ) -> float:
        """Returns the cost. `input_tokens` include the `cached_tokens`. Returns 0.0 for a model without a price, so check
        `price_class` before showing the cost."""
        price = self.price(model, at)
        if price is None:
            return 0.0
        usd = input_tokens * price.input_usd + output_tokens * price.output_usd
        if price.cached_usd is not None:
            usd -= min(cached_tokens, input_tokens) * (price.input_usd - price.cached_usd)
        return usd * self.factors.get(tier, 1.0) / 1e6

    def price_class(self, model: str, at: float, *, tier: str = STANDARD) -> str:
        """Returns the billing class of a request to the model: its tier, or `unknown` without a known price."""
        return tier if self.price(model, at) is not None else UNPRICED


def parse_prices(data: Any, *, override: Price | None = None) -> PriceTable:
    """Parses conf/prices.yaml. Raises UsageError, which names the row."""
    try:
        models = {str(model): [_row(row) for row in rows] for model, rows in data["models"].items()}
        factors = {str(tier): float(factor) for tier, factor in (data.get("factors") or {}).items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"conf/prices.yaml is invalid: {type(error).__name__}: {error}") from error
    return PriceTable(models=models, factors=factors, override=override)


def _row(row: Mapping[str, Any]) -> Price:
    return Price(
        input_usd=float(row["input_usd"]),
        output_usd=float(row["output_usd"]),
        cached_usd=None if row.get("cached_usd") is None else float(row["cached_usd"]),
        valid_from=_day(row.get("valid_from"), date.min),
        valid_until=_day(row.get("valid_until"), date.max),
    )


def _day(value: Any, default: date) -> date:
    if value is None:
        return default
    return value if isinstance(value, date) else date.fromisoformat(str(value))
