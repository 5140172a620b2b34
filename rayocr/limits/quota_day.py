"""Computes Gemini's quota day, which ends at midnight in Los Angeles, where the clocks change twice a year.

https://ai.google.dev/gemini-api/docs/rate-limits: "Requests per day (RPD) quotas reset at midnight Pacific time."
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

PACIFIC = ZoneInfo("America/Los_Angeles")


def quota_day(at: float) -> str:
    """Returns the date in Los Angeles; `at` is in seconds since 1970."""
    return datetime.fromtimestamp(at, PACIFIC).date().isoformat()


def next_reset(at: float) -> float:
    """Returns the next midnight in Los Angeles, in seconds since 1970: 23 to 25 hours after the last one."""
    tomorrow = datetime.fromtimestamp(at, PACIFIC).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), PACIFIC).timestamp()


def next_month(at: float) -> float:
    """Returns the first midnight of the next month in Los Angeles, in seconds since 1970."""
    today = datetime.fromtimestamp(at, PACIFIC).date()
    first = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    return datetime.combine(first, time(), PACIFIC).timestamp()


def in_words(at: float) -> str:
    """Returns the instant for display: in this machine's time zone, and in UTC if that differs."""
    here = datetime.fromtimestamp(at).astimezone()
    text = here.strftime("%Y-%m-%d %H:%M %Z")
    if here.utcoffset() == timedelta(0):
        return text
    return f"{text} ({datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC)"
