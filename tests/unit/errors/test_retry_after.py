"""A server's delay is a number or a date, and never stops a run for good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from rayocr.engines.openai.errors import retry_after_s
from rayocr.errors import StorageUnavailable
from rayocr.errors.retry_after import LONGEST_S, seconds_of
from rayocr.retry import RetryPolicy, call


@pytest.mark.parametrize("header", ["inf", "-inf", "nan", "-1", "", "soon", "1e400", "9" * 200, None, 7, "Mon, 99 Foo 2026"])
def test_what_is_not_a_delay_is_ignored(header: object) -> None:
    assert seconds_of(header) is None


@pytest.mark.parametrize(("header", "seconds"), [("0", 0.0), ("34.07", 34.07), ("86400", 86_400.0), ("1e9", LONGEST_S)])
def test_seconds_are_read_and_bounded(header: str, seconds: float) -> None:
    assert seconds_of(header) == seconds


def test_dates_are_read_and_bounded() -> None:
    now = datetime.now(UTC)
    assert seconds_of(format_datetime(now - timedelta(hours=1))) == 0.0
    assert 3_000 < (seconds_of(format_datetime(now + timedelta(hours=1))) or 0) <= 3_600
    assert seconds_of("Fri, 31 Dec 9999 23:59:59 GMT") == LONGEST_S
    assert 3_000 < (seconds_of((now + timedelta(hours=1)).strftime("%a, %d %b %Y %H:%M:%S")) or 0) <= 3_600


def test_milliseconds_come_first() -> None:
    assert retry_after_s({"retry-after-ms": "1500", "Retry-After": "9"}) == 1.5
    assert retry_after_s({"retry-after-ms": "inf", "Retry-After": "9"}) == 9.0


def test_no_object_is_waited_for_longer_than_ten_minutes() -> None:
    slept: list[float] = []

    def busy() -> None:
        raise StorageUnavailable("busy", retry_after_s=3_600)

    with pytest.raises(StorageUnavailable):
        call(busy, policy=RetryPolicy(max_attempts=3), sleep=slept.append)
    assert not slept
