"""Forecasts the pace that the limits of a model allow, the sizes that match this pace, and the duration of a run. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rayocr.config import ModelLimitsConfig

ANSWER_S = 5.0  # Gemini's time per page, between 2 and 8 s; used only if requests in flight are limited
_SLOW_ANSWER_S = 10.0  # the number of requests in flight is planned for answers as slow as this
_MOST_WORKERS = 4  # number of processes on one node, unless workers.max is set
_PAGES_A_WORKER = 60.0  # pages per second, half of what one core can send; with fewer workers more pages share each call
_IN_FLIGHT_A_WORKER = 512
_FEWEST_IN_FLIGHT, _MOST_IN_FLIGHT = 64, 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaSizes:
    """Sizes that match a quota. `paces`: pages per second that each known limit allows, by its name. `workers`: number of
    processes that this pace keeps busy. `pages_in_flight`: pages per worker, enough for a single worker while the others
    start."""

    paces: dict[str, float]
    workers: int
    pages_in_flight: int

    @property
    def binds(self) -> str | None:
        """The name of the tightest limit."""
        return min(self.paces, key=lambda name: self.paces[name], default=None)

    @property
    def pages_per_s(self) -> float | None:
        """The pace that the limits allow; None if no limit is known."""
        return min(self.paces.values(), default=None)


def quota_sizes(limits: ModelLimitsConfig, *, headroom: float = 0.0, input_tokens: float = 0.0) -> QuotaSizes:
    """Computes the sizes. `input_tokens`: per page. `headroom`: the share of the quota that is not used."""
    paces: dict[str, float] = {}
    if limits.rpm is not None:
        paces["rpm"] = limits.rpm * (1 - headroom) / 60
    if limits.tpm is not None and input_tokens:
        paces["tpm"] = limits.tpm * (1 - headroom) / 60 / input_tokens
    if limits.max_in_flight is not None:
        paces["max_in_flight"] = limits.max_in_flight / ANSWER_S
    needed = [limits.rpm / 60 / _PAGES_A_WORKER] if limits.rpm else []
    needed += [limits.max_in_flight / _IN_FLIGHT_A_WORKER] if limits.max_in_flight else []
    in_flight = math.ceil((limits.rpm or 0.0) / 60 * _SLOW_ANSWER_S)
    return QuotaSizes(
        paces=paces,
        workers=min(_MOST_WORKERS, math.ceil(min(needed, default=_MOST_WORKERS))),
        pages_in_flight=max(_FEWEST_IN_FLIGHT, min(_MOST_IN_FLIGHT, in_flight)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The forecast of a run. `seconds` is 0.0 if no limit is known. `binds` is the name of the limit that takes longest."""

    seconds: float
    binds: str | None


def batch_forecast(
    pages: float,
    *,
    input_tokens: float,
    most_pages: float,
    enqueued_tokens: float | None,
    cost_usd: float = 0.0,
    usd_per_month: float | None = None,
) -> Forecast:
    """Forecasts the longest duration of batches: a job takes up to a day, and requests per minute do not limit it. `most_pages`:
    maximum number of pages in jobs at the same time; `input_tokens`, `cost_usd`: totals of all pages."""
    queue = input_tokens / enqueued_tokens if enqueued_tokens else 0.0
    times = {"jobs": math.ceil(pages / most_pages) * 86_400.0, "enqueued_tokens": math.ceil(queue) * 86_400.0}
    if usd_per_month is not None and cost_usd > usd_per_month:
        times["usd_per_month"] = math.floor(cost_usd / usd_per_month) * 30 * 86_400.0
    binds = max(times, key=lambda name: times[name])
    return Forecast(seconds=times[binds], binds=binds)


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
    """Forecasts a run. `input_tokens` and `cost_usd`: of all pages together. A daily quota counts in full, since the rest of
    today's quota is unknown."""
    sizes = quota_sizes(limits, headroom=headroom, input_tokens=input_tokens / pages if pages else 0.0)
    times = {name: pages / pace for name, pace in sizes.paces.items()}
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
