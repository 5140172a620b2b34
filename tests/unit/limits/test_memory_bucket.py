from __future__ import annotations

import pytest

from rayocr.limits.base import HORIZON_S, Blocked, Take
from rayocr.limits.memory import MemoryBucket
from rayocr.limits.quota_day import next_reset


class Clock:
    def __init__(self, now: float = 100.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def bucket(clock: Clock, wall: Clock | None = None, **options: float) -> MemoryBucket:
    return MemoryBucket(clock=clock, wall_clock=wall or Clock(1_800_000_000.0), **options)


async def test_slots_of_one_take_start_an_interval_apart() -> None:
    taken = await bucket(Clock()).take(Take(wanted=4, request_interval_s=0.1))
    assert taken.delays_s == pytest.approx((0.0, 0.1, 0.2, 0.3))


async def test_slots_are_given_no_further_ahead_than_the_horizon() -> None:
    clock = Clock()
    shared = bucket(clock)
    first = await shared.take(Take(wanted=1000, request_interval_s=0.1))
    assert len(first.delays_s) == 6
    assert max(first.delays_s) <= HORIZON_S
    second = await shared.take(Take(wanted=1000, request_interval_s=0.1))
    assert (second.delays_s, second.blocked) == ((), Blocked.PACE)
    clock.now += second.wait_s
    third = await shared.take(Take(wanted=1000, request_interval_s=0.1))
    assert third.delays_s[0] + second.wait_s == pytest.approx(0.6)


async def test_unused_time_is_not_saved_for_a_burst() -> None:
    clock = Clock()
    shared = bucket(clock)
    await shared.take(Take(wanted=1, request_interval_s=0.2))
    clock.now += 3600
    assert (await shared.take(Take(wanted=9, request_interval_s=0.2))).delays_s == pytest.approx((0.0, 0.2, 0.4))


async def test_the_tokens_of_a_minute_bind_where_they_are_scarcer_than_its_requests() -> None:
    taken = await bucket(Clock()).take(Take(wanted=9, request_interval_s=0.01, token_interval_s=0.25))
    assert taken.delays_s == pytest.approx((0.0, 0.25, 0.5))


async def test_requests_that_were_longer_than_expected_are_waited_for_and_shorter_ones_given_back() -> None:
    clock = Clock()
    shared = bucket(clock)
    await shared.take(Take(wanted=1, token_interval_s=0.1))
    late = await shared.take(Take(wanted=1, token_interval_s=0.1, correction_s=5.0))
    assert late.wait_s == pytest.approx(0.1 + 5.0 - HORIZON_S / 2)
    early = await shared.take(Take(wanted=1, token_interval_s=0.1, correction_s=-4.9))
    assert early.delays_s == pytest.approx((0.2,))


async def test_a_pause_holds_back_everything_and_a_shorter_one_does_not_cut_it() -> None:
    clock = Clock()
    shared = bucket(clock)
    await shared.pause(30)
    await shared.pause(5)
    assert (await shared.take(Take(wanted=1))).wait_s == pytest.approx(30 - HORIZON_S / 2)
    clock.now += 30
    assert (await shared.take(Take(wanted=1))).delays_s == (0.0,)


async def test_never_more_than_are_allowed_in_flight() -> None:
    shared = bucket(Clock())
    assert len((await shared.take(Take(wanted=9, in_flight=3, max_in_flight=5))).delays_s) == 2
    assert (await shared.take(Take(wanted=9, in_flight=5, max_in_flight=5))).blocked is Blocked.IN_FLIGHT


async def test_the_requests_of_a_day_run_out_and_come_back_at_midnight_in_california() -> None:
    wall = Clock(1_800_000_000.0)
    shared = bucket(Clock(), wall)
    assert len((await shared.take(Take(wanted=9, requests_a_day=5))).delays_s) == 5
    assert (await shared.take(Take(wanted=1, requests_a_day=5))).blocked is Blocked.DAY
    wall.now = next_reset(wall.now) - 0.001
    assert (await shared.take(Take(wanted=1, requests_a_day=5))).blocked is Blocked.DAY
    wall.now += 0.002
    assert len((await shared.take(Take(wanted=9, requests_a_day=5))).delays_s) == 5


async def test_requests_that_were_not_sent_do_not_count_for_the_day() -> None:
    shared = bucket(Clock())
    await shared.take(Take(wanted=9, requests_a_day=5))
    await shared.return_unsent(2)
    taken = await shared.take(Take(wanted=9, requests_a_day=5))
    assert (len(taken.delays_s), taken.requests_today) == (2, 5)


async def test_a_bucket_that_begins_quietly_gives_nothing_that_could_meet_its_predecessors_slots() -> None:
    clock = Clock()
    shared = bucket(clock, quiet_s=HORIZON_S)
    waited = await shared.take(Take(wanted=1))
    clock.now += waited.wait_s
    assert (await shared.take(Take(wanted=1))).delays_s[0] + waited.wait_s >= HORIZON_S


async def test_each_request_takes_the_time_of_its_own_tokens() -> None:
    clock = Clock()
    shared = bucket(clock)
    taken = await shared.take(Take(wanted=4, request_interval_s=0.05, token_intervals_s=(0.1, 0.01, 0.3, 0.1)))
    assert taken.delays_s == pytest.approx((0.0, 0.1, 0.15, 0.45))
    clock.now += 0.45
    assert (await shared.take(Take(wanted=1, token_intervals_s=(0.1,)))).delays_s == pytest.approx((0.1,))


async def test_a_long_request_is_followed_by_its_time_and_takes_no_more_slots_than_the_horizon_has() -> None:
    clock = Clock()
    shared = bucket(clock)
    assert len((await shared.take(Take(wanted=3, token_intervals_s=(0.2, 5.0, 0.1)))).delays_s) == 2
    assert (await shared.take(Take(wanted=1, token_intervals_s=(0.1,)))).wait_s == pytest.approx(5.2 - HORIZON_S / 2)
