"""Reads the delay that a server requests in the Retry-After header."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_S = 172_800.0  # two days; a longer delay is a mistake, or would stop a watch permanently


def seconds_of(header: object) -> float | None:
    """Returns the delay in seconds, at most LONGEST_S. `header`: seconds or a date. Returns None for any other value, and for
    negative or infinite seconds."""
    if not isinstance(header, str) or len(header) > 100:
        return None
    try:
        delay_s = float(header)
    except ValueError:
        try:
            at = parsedate_to_datetime(header)
            delay_s = max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
        except (ValueError, TypeError, OverflowError):
            return None
    return min(delay_s, LONGEST_S) if math.isfinite(delay_s) and delay_s >= 0 else None
