"""The forms of deadline=."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rayocr.errors import UsageError
from rayocr.limits.deadline import parse_deadline

NOW = datetime(2026, 11, 26, tzinfo=UTC).timestamp()


def test_deadlines_are_durations_or_times() -> None:
    assert parse_deadline("6h", now=NOW) == NOW + 6 * 3600
    assert parse_deadline("1.5d", now=NOW) == NOW + 36 * 3600
    assert parse_deadline("2026-11-26T06:00", now=NOW) == NOW + 6 * 3600
    assert parse_deadline("2026-11-26T06:00+06:00", now=NOW) == NOW
    with pytest.raises(UsageError, match="deadline=soon"):
        parse_deadline("soon", now=NOW)
