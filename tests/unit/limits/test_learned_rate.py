from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest

from rayocr.limits.learned_rate import LearnedRate


def refuse(rate: LearnedRate, now: float, *, observed_rpm: float, quota: bool = True) -> None:
    rate.refused(now, sent_at=now - 0.1, observed_rpm=observed_rpm, share=1.0, quota=quota)


def test_without_a_refusal_the_rate_is_the_configured_one() -> None:
    assert LearnedRate(600, now=0).rpm(1000) == 600
    assert LearnedRate(None, now=0).rpm(1000) is None


def test_a_refusal_lowers_the_rate_at_once_and_it_climbs_back_to_the_ceiling() -> None:
    rate = LearnedRate(600, now=0)
    refuse(rate, 10, observed_rpm=600)
    assert rate.rpm(10) == pytest.approx(420)
    seen = [rate.rpm(10 + second) or 0 for second in range(1, 300)]
    assert seen == sorted(seen)
    assert seen[-1] == 600


def test_it_climbs_slowly_near_the_rate_that_was_refused() -> None:
    rate = LearnedRate(1000, now=0)
    refuse(rate, 0, observed_rpm=500)
    seen = [rate.rpm(second) or 0 for second in range(60)]
    steps = [after - before for before, after in pairwise(seen)]
    assert steps[0] == pytest.approx(10)
    assert steps[-1] == pytest.approx(1)
    assert all(after >= 475 for after, step in zip(seen[1:], steps, strict=False) if step < 9)


def test_requests_in_progress_together_teach_one_lesson() -> None:
    rate = LearnedRate(600, now=0)
    for age_s in (0.1, 2.0, 5.0):
        rate.refused(10, sent_at=10 - age_s, observed_rpm=600, share=1.0)
    assert rate.rpm(10) == pytest.approx(420)
    rate.refused(12, sent_at=10.5, observed_rpm=400, share=1.0)
    assert (rate.rpm(12) or 0) < 300


def test_without_a_known_limit_the_recent_rate_counts_as_too_high() -> None:
    rate = LearnedRate(None, now=0)
    refuse(rate, 0, observed_rpm=1000)
    assert rate.rpm(0) == pytest.approx(700)
    assert rate.rpm(100_000) is None


def test_a_quota_far_below_the_configured_one_is_found_at_the_first_refusal() -> None:
    rate = LearnedRate(30_000, now=0)
    refuse(rate, 0, observed_rpm=1000)
    assert rate.rpm(0) == pytest.approx(700)


def test_a_busy_server_does_not_lower_the_rate_to_the_requests_that_were_sent() -> None:
    rate = LearnedRate(600, now=0)
    refuse(rate, 0, observed_rpm=3, quota=False)
    assert rate.rpm(0) == pytest.approx(420)


def test_the_rate_never_falls_to_nothing() -> None:
    rate = LearnedRate(600, now=0)
    for second in range(200):
        refuse(rate, float(second), observed_rpm=600)
    assert (rate.rpm(200) or 0) >= 12


def test_a_restarted_limiter_begins_at_half_the_rate_and_recovers_within_a_minute() -> None:
    rate = LearnedRate(600, now=0, share=0.5)
    assert rate.rpm(0) == 300
    assert rate.rpm(60) == 600


def test_a_server_that_refuses_here_and_there_is_not_obeyed_for_long() -> None:
    """One random request in ten fails, at 600 per minute for ten minutes: the rate stays almost unchanged."""
    rate, draw = LearnedRate(600, now=0), Random(1)
    now, sent = 0.0, 0
    while now < 600:
        now += 60 / (rate.rpm(now) or 600)
        sent += 1
        if draw.random() < 0.1:
            rate.refused(now, sent_at=now - 0.01, observed_rpm=600, share=0.1, quota=draw.random() < 0.5)
    assert sent > 0.85 * 6000


def test_a_refusal_that_lasts_long_is_a_lesson_even_if_it_is_the_only_one() -> None:
    rate = LearnedRate(30_000, now=0)
    rate.refused(0, sent_at=-0.1, observed_rpm=1000, share=0.001, retry_after_s=34.0)
    assert rate.rpm(0) == pytest.approx(700)


def test_the_low_rate_after_a_pause_does_not_count_as_the_quota() -> None:
    rate = LearnedRate(600, now=0)
    rate.refused(0, sent_at=-0.1, observed_rpm=60, share=1.0, paused=True)
    assert rate.rpm(0) == pytest.approx(420)


def test_a_minute_after_a_refusal_it_climbs_at_the_usual_pace() -> None:
    rate = LearnedRate(1000, now=0)
    refuse(rate, 0, observed_rpm=100)
    seen = [rate.rpm(second) or 0 for second in range(160)]
    assert seen[59] < 200
    assert seen[-1] == 1000
