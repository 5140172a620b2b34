"""The simulator's bill: every request that is charged, by model and service tier, at the prices of conf/prices.yaml.

The bill is exact: money is counted in decimals. It does not use rayocr's own price code, so that an error in that code is
visible."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

_PRICES = Path(__file__).parents[2] / "conf" / "prices.yaml"
_FACTORS = {"standard": Decimal(1), "flex": Decimal("0.5"), "batch": Decimal("0.5"), "priority": Decimal("1.8")}
_MILLION = Decimal(1_000_000)


@dataclass
class Bill:
    """`window_s` is the length of the rolling spend window, by the clock that the caller passes."""

    window_s: float = 600.0
    requests: Counter[str] = field(default_factory=Counter)  # requests by "model tier"
    input_tokens: Counter[str] = field(default_factory=Counter)
    output_tokens: Counter[str] = field(default_factory=Counter)
    usd: Decimal = Decimal(0)
    pages: Counter[str] = field(default_factory=Counter)  # billed answers by page text
    most_in_window: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        self._rows: dict[str, list[dict[str, Any]]] = yaml.safe_load(_PRICES.read_text())["models"]
        self._window: deque[tuple[float, Decimal]] = deque()
        self._in_window = Decimal(0)

    def charge(
        self, now: float, *, model: str, tier: str, input_tokens: int, output_tokens: int, cached_tokens: int = 0, page: str = ""
    ) -> None:
        """Adds a request to the bill. `cached_tokens` are part of `input_tokens`."""
        row = f"{model} {tier}"
        self.requests[row] += 1
        self.input_tokens[row] += input_tokens
        self.output_tokens[row] += output_tokens
        if page:
            self.pages[page] += 1
        price = self._price(model)
        if price is None:
            return
        tokens_usd = (input_tokens - cached_tokens) * Decimal(str(price["input_usd"]))
        tokens_usd += cached_tokens * Decimal(str(price["cached_usd"])) + output_tokens * Decimal(str(price["output_usd"]))
        cost = tokens_usd * _FACTORS[tier] / _MILLION
        self.usd += cost
        if tier != "batch":
            self._window.append((now, cost))
            self._in_window += cost
            self.most_in_window = max(self.most_in_window, self.in_window(now))

    def in_window(self, now: float) -> Decimal:
        while self._window and self._window[0][0] <= now - self.window_s:
            self._in_window -= self._window.popleft()[1]
        return self._in_window

    def _price(self, model: str) -> dict[str, Any] | None:
        names = [name for name in self._rows if model.startswith(name)]
        if not names:
            return None
        today = datetime.now(ZoneInfo("America/Los_Angeles")).date()
        for row in self._rows[max(names, key=len)]:
            first, last = _day(row.get("valid_from"), date.min), _day(row.get("valid_until"), date.max)
            if first <= today <= last:
                return row
        return None

    def as_dict(self) -> dict[str, Any]:
        return {
            "usd": str(self.usd),
            "requests": dict(self.requests),
            "input_tokens": dict(self.input_tokens),
            "output_tokens": dict(self.output_tokens),
            "pages": len(self.pages),
            "pages_billed_twice": sum(count > 1 for count in self.pages.values()),
            "most_usd_in_window": str(self.most_in_window),
        }


def _day(value: Any, default: date) -> date:
    return default if value is None else value if isinstance(value, date) else date.fromisoformat(str(value))
