"""Determines the terms of the lanes of a run before it starts: prices, usual response times, and room for pages. Pure functions.
Local engines cost nothing, because the machine is paid for anyway."""

from __future__ import annotations

from rayocr.config import RayocrConfig
from rayocr.limits.lanes import BATCH, FLEX, LOCAL, STANDARD, LaneTerms
from rayocr.limits.prices import PriceTable

# https://ai.google.dev/gemini-api/docs/optimization: flex answers within 1 to 15 minutes; batches within 24 hours.
# A local engine takes about a second per page, and a page waits for others (LOCAL_PAGES).
_ANSWER_S = {LOCAL: 20.0, STANDARD: 15.0, FLEX: 900.0, BATCH: 86_400.0}
LOCAL_PAGES = 8  # pages in flight for each local worker, so that it has work while the ledger writes the last pages
_FLEX_PAGES = 2048


def lane_terms(config: RayocrConfig, prices: PriceTable) -> tuple[LaneTerms, ...]:
    """Returns the terms by lane; empty without an objective. Prices are relative to standard. Half of the window stays free for
    the lanes that answer sooner than batches."""
    limits, model = config.limits, config.engine.gemini.ladder[0]
    of_server = [lane for lane in config.engine.lanes if lane != LOCAL]
    most = limits.of(model).max_in_flight
    rooms = {
        LOCAL: LOCAL_PAGES,  # used until the number of workers is known
        STANDARD: 1 << 30,  # the limiter limits this lane
        FLEX: _FLEX_PAGES if most is None else max(1, most // 2 if STANDARD in of_server else most),
        BATCH: max(1, config.window.pages // 2 if len(of_server) > 1 else config.window.pages),
    }
    return tuple(
        LaneTerms(
            name=lane,
            usd_per_page=0.0 if lane == LOCAL else prices.factors.get(lane, 1.0),
            answer_s=min(_ANSWER_S[lane], config.engine.gemini.flex_timeout_s) if lane == FLEX else _ANSWER_S[lane],
            room=rooms[lane],
            proven=lane != BATCH,
            shares_quota=lane not in (LOCAL, BATCH),
        )
        for lane in config.engine.lanes
    )
