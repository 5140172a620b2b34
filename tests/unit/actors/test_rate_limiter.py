from __future__ import annotations

import asyncio

import pytest

from rayocr.actors.rate_limiter import RateLimiter
from rayocr.actors.slots import Drained, SlotClient


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_slots_of_one_lease_start_an_interval_apart() -> None:
    limiter = RateLimiter(rpm=600, max_in_flight=None, clock=Clock())
    assert await limiter.lease("m", "w", 4) == pytest.approx((0.0, 0.1, 0.2, 0.3))


async def test_a_second_worker_continues_where_the_first_lease_ended() -> None:
    limiter = RateLimiter(rpm=600, max_in_flight=None, clock=Clock())
    await limiter.lease("m", "w1", 3)
    assert await limiter.lease("m", "w2", 1) == pytest.approx((0.3,))


async def test_time_that_nobody_used_is_not_saved_up_for_a_burst() -> None:
    clock = Clock()
    limiter = RateLimiter(rpm=60, max_in_flight=None, clock=clock)
    await limiter.lease("m", "w", 1)
    clock.now += 3600
    assert await limiter.lease("m", "w", 3) == pytest.approx((0.0, 1.0, 2.0))


async def test_models_have_quotas_of_their_own() -> None:
    limiter = RateLimiter(rpm=60, max_in_flight=1, clock=Clock())
    await limiter.lease("a", "w", 1)
    assert await limiter.lease("b", "w", 1) == (0.0,)


async def test_a_lease_waits_until_a_slot_in_flight_is_given_back() -> None:
    limiter = RateLimiter(rpm=None, max_in_flight=2)
    assert len(await limiter.lease("m", "w1", 5)) == 2
    waiting = asyncio.create_task(limiter.lease("m", "w2", 5))
    await asyncio.sleep(0)
    assert not waiting.done()
    await limiter.release("m", "w1", 1)
    assert len(await waiting) == 1


async def test_the_slots_of_a_dead_worker_are_free_again() -> None:
    limiter = RateLimiter(rpm=None, max_in_flight=2)
    await limiter.lease("m", "dead", 2)
    await limiter.forget("dead")
    assert len(await limiter.lease("m", "alive", 2)) == 2


async def test_a_dead_worker_that_still_waits_for_slots_takes_none() -> None:
    limiter = RateLimiter(rpm=None, max_in_flight=2)
    await limiter.lease("m", "alive", 2)
    outlived = asyncio.create_task(limiter.lease("m", "dead", 2))
    await asyncio.sleep(0)
    await limiter.forget("dead")
    await limiter.release("m", "alive", 2)
    assert await outlived == ()
    assert len(await limiter.lease("m", "alive", 2)) == 2


async def test_giving_back_more_than_was_taken_does_not_raise_the_limit() -> None:
    limiter = RateLimiter(rpm=None, max_in_flight=2)
    await limiter.release("m", "w", 10)
    assert len(await limiter.lease("m", "w", 10)) == 2


class CountingLimiter(RateLimiter):
    calls = 0

    async def lease(self, model: str, worker: str, wanted: int) -> tuple[float, ...]:
        self.calls += 1
        return await super().lease(model, worker, wanted)


async def test_pages_that_wait_together_share_one_lease() -> None:
    limiter = CountingLimiter(rpm=None, max_in_flight=None)
    slots = SlotClient(limiter, worker="w")

    async def page() -> None:
        async with slots.slot("m"):
            await asyncio.sleep(0.01)

    await asyncio.gather(*(page() for _ in range(100)))
    assert limiter.calls == 1


async def test_never_more_in_flight_than_allowed_over_two_workers() -> None:
    limiter = RateLimiter(rpm=None, max_in_flight=3)
    clients = [SlotClient(limiter, worker=name) for name in ("w1", "w2")]
    in_flight = most = done = 0

    async def page(slots: SlotClient) -> None:
        nonlocal in_flight, most, done
        async with slots.slot("m"):
            in_flight += 1
            most = max(most, in_flight)
            await asyncio.sleep(0)
            in_flight -= 1
        done += 1

    await asyncio.gather(*(page(clients[i % 2]) for i in range(60)))
    assert (most, done) == (3, 60)


async def test_requests_leave_at_their_slots_and_not_before() -> None:
    clock = Clock()
    limiter = RateLimiter(rpm=60, max_in_flight=None, clock=clock)
    waits: list[float] = []

    async def sleep(delay_s: float) -> None:
        waits.append(delay_s)

    slots = SlotClient(limiter, worker="w", clock=clock, sleep=sleep)

    async def page() -> None:
        async with slots.slot("m"):
            pass

    await asyncio.gather(*(page() for _ in range(3)))
    assert waits == pytest.approx([1.0, 2.0])


async def test_a_page_that_is_cancelled_while_it_waits_gives_its_slot_back() -> None:
    limiter = RateLimiter(rpm=None, max_in_flight=1)
    slots = SlotClient(limiter, worker="w")
    holding = asyncio.Event()

    async def hold() -> None:
        async with slots.slot("m"):
            holding.set()
            await asyncio.sleep(0.01)

    async def wait() -> None:
        async with slots.slot("m"):
            pass

    first = asyncio.create_task(hold())
    await holding.wait()
    cancelled = asyncio.create_task(wait())
    await asyncio.sleep(0)
    cancelled.cancel()
    await first
    await asyncio.wait_for(wait(), 10)


async def test_a_limiter_that_fails_fails_the_pages_that_wait() -> None:
    class Broken(RateLimiter):
        async def lease(self, model: str, worker: str, wanted: int) -> tuple[float, ...]:
            raise ConnectionError("gone")

    slots = SlotClient(Broken(rpm=None, max_in_flight=None), worker="w")
    with pytest.raises(ConnectionError):
        async with slots.slot("m"):
            pass


async def test_draining_sends_everybody_away_who_has_not_sent_a_request() -> None:
    limiter = RateLimiter(rpm=1, max_in_flight=2)
    slots = SlotClient(limiter, worker="w")
    sent: list[int] = []
    finish = asyncio.Event()

    async def page(number: int) -> None:
        async with slots.slot("m"):
            sent.append(number)
            await finish.wait()

    tasks = [asyncio.create_task(page(number)) for number in range(4)]
    while not sent:
        await asyncio.sleep(0.001)
    slots.close()  # one has left, one waits for the start of its slot, two wait for a lease
    finish.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert sent == [0]
    assert [type(r) for r in results] == [type(None), Drained, Drained, Drained]
