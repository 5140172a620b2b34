"""Parses the option deadline=. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from rayocr.errors import UsageError

_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def parse_deadline(text: str, *, now: float) -> float:
    """Returns seconds since 1970 for "6h", "90m", or a date and time such as 2026-11-27T06:00 (UTC, unless it names a zone).
    Raises UsageError."""
    unit = _UNITS_S.get(text[-1:].lower())
    if unit is not None and text[:-1].replace(".", "", 1).isdigit():
        return now + float(text[:-1]) * unit
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"deadline={text} is not a time.", hint="Write 6h, 90m or 2026-11-27T06:00") from error
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
