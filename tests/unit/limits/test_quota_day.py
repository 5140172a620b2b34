from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rayocr.limits.quota_day import in_words, next_reset, quota_day


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("now", "day", "reset"),
    [
        ("2026-11-23 07:59:59", "2026-11-22", "2026-11-23 08:00:00"),  # standard time: eight hours behind
        ("2026-11-23 08:00:00", "2026-11-23", "2026-11-24 08:00:00"),
        ("2026-07-01 06:59:59", "2026-06-30", "2026-07-01 07:00:00"),  # summer: seven
        ("2026-03-08 09:00:00", "2026-03-08", "2026-03-09 07:00:00"),  # the day of 23 hours
        ("2026-11-01 07:30:00", "2026-11-01", "2026-11-02 08:00:00"),  # the day of 25 hours
        ("2026-12-31 12:00:00", "2026-12-31", "2027-01-01 08:00:00"),
    ],
)
def test_the_day_ends_at_midnight_in_california(now: str, day: str, reset: str) -> None:
    assert quota_day(at(now)) == day
    assert next_reset(at(now)) == at(reset)
    assert quota_day(next_reset(at(now)) - 1) == day
    assert quota_day(next_reset(at(now))) > day


def test_an_instant_is_named_in_the_zone_of_the_machine_and_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        assert in_words(at("2026-11-24 08:00:00")) == "2026-11-24 13:30 IST (2026-11-24 08:00 UTC)"
        monkeypatch.setenv("TZ", "UTC")
        time.tzset()
        assert in_words(at("2026-11-24 08:00:00")) == "2026-11-24 08:00 UTC"
    finally:
        monkeypatch.undo()
        time.tzset()
