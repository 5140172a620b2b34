"""What models cost (rows of conf/prices.yaml, each with the days on which it is valid), and the budget of a run. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from rayocr.errors import UsageError
from rayocr.limits.quota_day import PACIFIC


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """USD per 1M tokens; thinking counts as output. `valid_until` is the last day."""

    input_usd: float
    output_usd: float
    valid_from: date = date.min
    valid_until: date = date.max


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    """`override`: one price for whatever model (`engine.gemini.input_usd_per_million`). A model is found under its own name or
    the longest one that it begins with, since servers answer with versions (`gemini-3.8-flash-001`)."""

    models: Mapping[str, Sequence[Price]]
    batch_factor: float = 0.5
    override: Price | None = None

    def price(self, model: str, at: float) -> Price | None:
        """On the day of `at` (seconds since 1970) in California; None for a model that the table does not know."""
        if self.override is not None:
            return self.override
        names = [name for name in self.models if model.removeprefix("models/").startswith(name)]
        if not names:
            return None
        day = datetime.fromtimestamp(at, PACIFIC).date()
        return next((row for row in self.models[max(names, key=len)] if row.valid_from <= day <= row.valid_until), None)

    def cost_usd(self, model: str, *, input_tokens: float, output_tokens: float, at: float, batch: bool = False) -> float:
        """0.0 for a model without a price."""
        price = self.price(model, at)
        if price is None:
            return 0.0
        factor = self.batch_factor if batch else 1.0
        return (input_tokens * price.input_usd + output_tokens * price.output_usd) * factor / 1e6


def parse_prices(data: Any, *, override: Price | None = None) -> PriceTable:
    """From the content of conf/prices.yaml. Raises UsageError, which names the row."""
    try:
        models = {str(model): [_row(row) for row in rows] for model, rows in data["models"].items()}
        factor = float(data.get("batch_factor", 1.0))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"conf/prices.yaml is not understood: {type(error).__name__}: {error}") from error
    return PriceTable(models=models, batch_factor=factor, override=override)


def _row(row: Mapping[str, Any]) -> Price:
    return Price(
        input_usd=float(row["input_usd"]),
        output_usd=float(row["output_usd"]),
        valid_from=_day(row.get("valid_from"), date.min),
        valid_until=_day(row.get("valid_until"), date.max),
    )


def _day(value: Any, default: date) -> date:
    if value is None:
        return default
    return value if isinstance(value, date) else date.fromisoformat(str(value))


class Budget:
    """The money of one run: spent, promised to requests in progress, and left. `limit_usd` None: counts only, refuses nothing.
    Invariant: a grant never brings spent plus promised above the limit."""

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
