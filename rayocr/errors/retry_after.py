"""Reads the delay that a server asks for, in the Retry-After header."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_S = 172_800.0  # two days; a longer delay is a mistake, or would stop a watch for good


def seconds_of(header: object) -> float | None:
    """`header`: seconds, or a date. None if it is neither, negative or not finite; at most LONGEST_S."""
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
