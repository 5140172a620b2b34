"""What is known about the lanes of a run before it starts: prices, usual times to an answer, and room for pages. Pure."""

from __future__ import annotations

from rayocr.config import RayocrConfig
from rayocr.limits.lane_planner import BATCH, FLEX, STANDARD, LaneTerms
from rayocr.limits.prices import PriceTable

# https://ai.google.dev/gemini-api/docs/optimization: flex answers within 1 to 15 minutes; batches within 24 hours.
_ANSWER_S = {STANDARD: 15.0, FLEX: 900.0, BATCH: 86_400.0}
_FLEX_PAGES = 2048


def lane_terms(config: RayocrConfig, prices: PriceTable) -> tuple[LaneTerms, ...]:
    """Empty without an objective. Prices are relative to standard. Half of the window stays free for the lanes
    that answer sooner than batches."""
    limits, model = config.limits, config.engine.gemini.ladder[0]
    most = limits.of(model).max_in_flight
    rooms = {
        STANDARD: 1 << 30,  # the limiter bounds it
        FLEX: _FLEX_PAGES if most is None else max(1, most // 2 if STANDARD in config.engine.lanes else most),
        BATCH: max(1, config.window.pages // 2 if len(config.engine.lanes) > 1 else config.window.pages),
    }
    return tuple(
        LaneTerms(
            name=lane,
            usd_per_page=prices.factors.get(lane, 1.0),
            answer_s=min(_ANSWER_S[lane], config.engine.gemini.flex_timeout_s) if lane == FLEX else _ANSWER_S[lane],
            room=rooms[lane],
            proven=lane != BATCH,
            shares_quota=lane != BATCH,
        )
        for lane in config.engine.lanes
    )
