"""Chooses the service tier of the next page: the cheap one as long as the deadline allows it. Pure.

Flex costs half and takes minutes, standard takes seconds, and both use the same quota of requests. So the cheapest way to meet a
deadline is to use flex until the remaining pages would need all of the remaining time in standard, and then standard.
"""

from __future__ import annotations

from datetime import UTC, datetime

from rayocr.errors import UsageError

FLEX, STANDARD = "flex", "standard"
_MARGIN = 1.1  # on the time that standard needs: refusals, retries and the last documents
_SPARE_S = 60.0  # for outputs
_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def lane_for_deadline(*, seconds_left: float, standard_s: float, flex_s: float) -> str:
    """`standard_s`: the time that the remaining pages take in standard. `flex_s`: the maximum time of a request in flex; a
    request that is sent now must be answered in time, and its page may then have to be requested again in standard."""
    needed_s = max(_MARGIN * standard_s, flex_s) + _SPARE_S
    return FLEX if seconds_left > needed_s else STANDARD


def parse_deadline(text: str, *, now: float) -> float:
    """Seconds since 1970, from "6h", "90m", or a date and time such as 2026-11-27T06:00 (UTC, unless it names a zone). Raises
    UsageError."""
    unit = _UNITS_S.get(text[-1:].lower())
    if unit is not None and text[:-1].replace(".", "", 1).isdigit():
        return now + float(text[:-1]) * unit
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"deadline={text} is not a time. Write 6h, 90m or 2026-11-27T06:00") from error
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
