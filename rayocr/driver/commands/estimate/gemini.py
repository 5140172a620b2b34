"""Estimates tokens, cost and time of the pages that Gemini reads, for `mode=estimate`. Pure functions of one moment."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rayocr.config import RayocrConfig
from rayocr.driver.commands.estimate.local_engines import LOCAL_SPREAD, SCAN_CPU_S, local_pages
from rayocr.driver.commands.estimate.page_counts import PageCount
from rayocr.limits.deadline import parse_deadline
from rayocr.limits.forecast import ANSWER_S, Forecast, batch_forecast, forecast
from rayocr.limits.lanes import LOCAL
from rayocr.limits.prices import Price, PriceTable

TIERS = ("standard", "flex", "batch", "priority")
_KNOWN_TOKENS = (0.9, 1.15)  # uncertainty of the cost, based on earlier pages of this destination; includes repeated requests
_EXPECTED_TOKENS = (0.4, 2.5)  # assumed uncertainty of the cost without earlier pages, for sparse and for dense pages


@dataclass(frozen=True, slots=True, kw_only=True)
class TokensAPage:
    input: float
    output: float
    known_from: int  # number of pages of earlier runs; 0 if the counts are assumptions


@dataclass(frozen=True, slots=True, kw_only=True)
class GeminiEstimate:
    """Estimates the share of Gemini in a run that starts at `now` (seconds since 1970). `counted`: the pages of all engines."""

    config: RayocrConfig
    prices: PriceTable
    counted: PageCount
    tokens: TokensAPage
    now: float

    @property
    def model(self) -> str:
        return self.config.engine.gemini.ladder[0]

    @property
    def price(self) -> Price | None:
        return self.prices.price(self.model, self.now)

    @property
    def tier(self) -> str:
        """The service tier of most pages. An objective uses a cheap lane as far as the time allows."""
        engine = self.config.engine
        if engine.lanes:
            return "flex" if "flex" in engine.lanes else next(lane for lane in engine.lanes if lane != LOCAL)
        return "batch" if engine.batch else "flex" if engine.gemini.tier == "auto" else engine.gemini.tier

    @property
    def pages(self) -> float:
        """The pages that Gemini reads."""
        return self._sent(self.counted.pages)

    @property
    def cost_usd(self) -> float:
        return self.cost_of(self.pages)

    @property
    def cost_range_usd(self) -> tuple[float, float]:
        """The lowest and the highest cost that are likely: they depend on the pages and on the speed of local engines."""
        unsure, error = _KNOWN_TOKENS if self.tokens.known_from else _EXPECTED_TOKENS, 2 * self.counted.error
        fewest, most = max(0.0, self.counted.pages - error), self.counted.pages + error
        fast, slow = (SCAN_CPU_S * factor for factor in LOCAL_SPREAD)
        low = self.cost_of(self._sent(fewest, page_s=fast)) * unsure[0]
        return low, self.cost_of(self._sent(most, page_s=slow)) * unsure[1]

    def cost_of(self, pages: float, tier: str | None = None) -> float:
        """Returns the cost in USD in this service tier, or in that of most pages; 0 if the price is unknown."""
        tokens = {"input_tokens": pages * self.tokens.input, "output_tokens": pages * self.tokens.output}
        return self.prices.cost_usd(self.model, **tokens, at=self.now, tier=tier or self.tier)

    def forecast(self, pages: float, tier: str | None = None) -> Forecast:
        """Forecasts time and cost in this service tier, or in that of most pages."""
        config, tier = self.config, tier or self.tier
        input_tokens, cost_usd = pages * self.tokens.input, self.cost_of(pages, tier)
        if tier == "batch":
            return batch_forecast(
                pages,
                input_tokens=input_tokens,
                most_pages=min(config.window.pages, config.batch.max_jobs * config.batch.max_pages),
                enqueued_tokens=config.batch_limits.enqueued_tokens,
                cost_usd=cost_usd,
                usd_per_month=config.limits.usd_per_month,
            )
        takes = forecast(
            pages,
            input_tokens=input_tokens,
            limits=config.limits.of(self.model),
            headroom=config.limits.headroom,
            cost_usd=cost_usd,
            usd_per_10min=config.limits.usd_per_10min,
            usd_per_month=config.limits.usd_per_month,
        )
        # The last page is sent within this time and then answered. The limit of max_in_flight depends on the response time.
        waits = bool(takes.binds) and takes.binds != "max_in_flight" and pages > 0
        return replace(takes, seconds=takes.seconds + ANSWER_S) if waits else takes

    def _sent(self, pages: float, *, page_s: float = SCAN_CPU_S) -> float:
        """Returns how many of `pages` Gemini reads, if local engines read others at `page_s` CPU seconds each."""
        config = self.config
        within_s = parse_deadline(config.deadline, now=self.now) - self.now if config.deadline is not None else None
        server_s = self.forecast(pages).seconds
        return pages - local_pages(config, pages, server_s=server_s, within_s=within_s, page_s=page_s)
