"""How long so many pages take under given limits, and which of them binds. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rayocr.config import ModelLimitsConfig

ANSWER_S = 5.0  # of Gemini for a page, between 2 and 8 s; binds only where the requests under way are limited


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """`seconds` is 0.0 where no limit is known. `binds` is the name of the limit that takes longest."""

    seconds: float
    binds: str | None


def forecast(
    pages: float,
    *,
    input_tokens: float,
    limits: ModelLimitsConfig,
    headroom: float,
    cost_usd: float = 0.0,
    usd_per_10min: float | None = None,
    usd_per_month: float | None = None,
) -> Forecast:
    """`input_tokens` of all pages together. A day's quota counts from its beginning: what is left of today is not known."""
    times: dict[str, float] = {}
    if limits.rpm is not None:
        times["rpm"] = pages / (limits.rpm * (1 - headroom)) * 60
    if limits.tpm is not None:
        times["tpm"] = input_tokens / (limits.tpm * (1 - headroom)) * 60
    if limits.max_in_flight is not None:
        times["max_in_flight"] = pages * ANSWER_S / limits.max_in_flight
    if usd_per_10min is not None and cost_usd > 0:
        times["usd_per_10min"] = cost_usd / (usd_per_10min * (1 - headroom)) * 600
    if usd_per_month is not None and cost_usd > usd_per_month:
        times["usd_per_month"] = math.floor(cost_usd / usd_per_month) * 30 * 86_400.0
    if limits.rpd is not None:
        whole_days, rest = divmod(pages, limits.rpd)
        within_a_day_s = max((time_s * (rest or limits.rpd) / pages for time_s in times.values()), default=0.0) if pages else 0.0
        times["rpd"] = (whole_days if rest else max(0.0, whole_days - 1)) * 86_400 + within_a_day_s
    binds = max(times, key=lambda name: times[name], default=None)
    return Forecast(seconds=times[binds] if binds else 0.0, binds=binds)
