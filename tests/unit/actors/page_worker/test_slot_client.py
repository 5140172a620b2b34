from __future__ import annotations

import asyncio

import pytest

from rayocr.actors.page_worker.slot_client import SlotClient
from rayocr.actors.rate_limiter.actor import RateLimiter
from rayocr.errors import (
    Draining,
    EngineConnectionLost,
    EngineOverloaded,
    EngineRateLimited,
    EngineRejected,
    EngineShed,
    MalformedAnswer,
    Refused,
    UnknownModel,
)
from rayocr.limits.lanes import LaneReport
from rayocr.limits.prices import PriceTable
from rayocr.messages import LaneGrant, SlotReply, SlotReturn, ThrottleKind
from tests.unit.actors.limiter_world import World
from tests.unit.settled import settled
from tests.unit.virtual_time import pass_time, until


def real_limiter(**limits: float) -> RateLimiter:
    """In real time."""
    from rayocr.actors.rate_limiter.rules import LimiterRules
    from rayocr.config import LimitsConfig

    return RateLimiter(LimiterRules(limits=LimitsConfig(**limits), prices=PriceTable(models={})))  # type: ignore[arg-type]


class RecordingLimiter:
    """Grants every slot immediately or as scripted, and records the reports."""

    def __init__(self, *, delays: list[float] | None = None, pause_s: float = 0.0) -> None:
        self.delays = delays
        self.pause_s = pause_s
        self.leases: list[int] = []
        self.expected: list[tuple[float, ...]] = []
        self.returned: list[SlotReturn] = []

    async def lease(self, model: str, worker: str, wanted: int, input_tokens: tuple[float, ...] = ()) -> tuple[float, ...]:
        self.leases.append(wanted)
        self.expected.append(input_tokens)
        if self.delays:
            return (self.delays.pop(0),)
        return (0.0,) * wanted

    async def lanes(self, worker: str, wanted: int) -> tuple[LaneGrant, ...]:
        raise AssertionError("the run has no objective")

    async def report_lanes(self, worker: str, reports: tuple[LaneReport, ...]) -> None: ...

    async def release(self, model: str, worker: str, returned: SlotReturn) -> SlotReply:
        self.returned.append(returned)
        return SlotReply(pause_s=self.pause_s)


async def test_pages_that_wait_together_share_one_lease_and_one_release() -> None:
    limiter = RecordingLimiter()
    slots = SlotClient(limiter, worker="w", linger=False)

    async def page() -> None:
        async with slots.slot("m"):
            slots.used("m", input_tokens=600, cost_usd=0.5)

    await asyncio.gather(*(page() for _ in range(100)))
    await settled()
    assert limiter.leases == [100]
    assert limiter.returned == [SlotReturn(slots=100, answered=100, input_tokens=60_000, cost_usd=50.0)]


async def test_the_tokens_that_pages_expect_are_reserved_and_settled() -> None:
    limiter = RecordingLimiter()
    slots = SlotClient(limiter, worker="w", linger=False)

    async def page(tokens: float, used: int) -> None:
        async with slots.slot("m", input_tokens=tokens):
            slots.used("m", input_tokens=used, cost_usd=0.0, expected_tokens=tokens)

    await asyncio.gather(page(600.0, 610), page(5000.0, 5100))
    await settled()
    assert limiter.expected == [(600.0, 5000.0)]
    assert [(r.input_tokens, r.reserved_tokens, r.expected_tokens) for r in limiter.returned] == [(5710, 5600.0, 5600.0)]


async def test_what_was_reserved_far_above_the_expectation_is_not_given_back() -> None:
    limiter = RecordingLimiter()
    slots = SlotClient(limiter, worker="w", linger=False)
    async with slots.slot("m", input_tokens=1000.0):
        slots.used("m", input_tokens=600, cost_usd=0.0, expected_tokens=600.0)
    await settled()
    assert limiter.returned[0].reserved_tokens == pytest.approx(612.0)


async def test_the_reservation_stands_for_a_request_whose_use_is_unknown_and_is_returned_for_one_that_was_not_sent() -> None:
    limiter = RecordingLimiter()
    slots = SlotClient(limiter, worker="w", linger=False)
    with pytest.raises(RuntimeError):
        async with slots.slot("m", input_tokens=1000.0):
            raise RuntimeError
    with pytest.raises(EngineRateLimited):
        async with slots.slot("m", input_tokens=700.0):
            raise EngineRateLimited("refused")
    await settled()
    assert sum(returned.reserved_tokens or 0.0 for returned in limiter.returned) == 700.0


@pytest.mark.parametrize(("model", "free"), [("m", 0), ("m@batch", 1)])
async def test_a_cancelled_request_may_be_billed_and_one_in_a_batch_is_counted_by_the_next_run(model: str, free: int) -> None:
    limiter = RecordingLimiter()
    slots = SlotClient(limiter, worker="w", linger=False)

    async def page() -> None:
        async with slots.slot(model):
            await asyncio.Event().wait()

    task = asyncio.create_task(page())
    await settled()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await settled()
    assert [(returned.slots, returned.free) for returned in limiter.returned] == [(1, free)]


async def test_pages_without_an_expectation_leave_it_to_the_limiter() -> None:
    limiter = RecordingLimiter()
    slots = SlotClient(limiter, worker="w", linger=False)

    async def page(tokens: float | None) -> None:
        async with slots.slot("m", input_tokens=tokens):
            slots.used("m", input_tokens=600, cost_usd=0.0)

    await asyncio.gather(page(600.0), page(None))
    await settled()
    assert (limiter.expected, limiter.returned[0].reserved_tokens) == ([()], None)


async def test_never_more_in_flight_than_allowed_over_two_workers() -> None:
    limiter = real_limiter(max_in_flight=3)
    clients = [SlotClient(limiter, worker=name, linger=False) for name in ("w1", "w2")]
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
    world = World()
    limiter = world.limiter(rpm=300)
    waits: list[float] = []

    async def sleep(delay_s: float) -> None:
        waits.append(delay_s)

    slots = SlotClient(limiter, worker="w", linger=False, clock=world.clock, sleep=sleep)

    async def page() -> None:
        async with slots.slot("m"):
            pass

    await asyncio.gather(*(page() for _ in range(3)))
    assert waits == pytest.approx([0.2, 0.4])


async def test_a_slot_that_was_missed_is_given_back_unused_but_not_twice_in_a_row() -> None:
    limiter = RecordingLimiter(delays=[0.1, 0.1])
    now = 100.0

    async def oversleep(delay_s: float) -> None:
        nonlocal now
        now += delay_s + 2.0

    slots = SlotClient(limiter, worker="w", linger=False, clock=lambda: now, sleep=oversleep)
    async with slots.slot("m"):
        pass
    await settled()
    assert limiter.leases == [1, 1]
    assert [sum(getattr(r, name) for r in limiter.returned) for name in ("slots", "free", "unsent")] == [2, 1, 1]


async def test_a_model_that_the_server_does_not_have_is_reported_with_its_words() -> None:
    limiter = RecordingLimiter()
    slots = SlotClient(limiter, worker="w", linger=False)
    with pytest.raises(UnknownModel):
        async with slots.slot("m"):
            raise UnknownModel("Gemini does not have the model m")
    await settled()
    (returned,) = limiter.returned
    assert returned.throttle is not None
    assert (returned.free, returned.throttle.kind, returned.throttle.words) == (
        1,
        ThrottleKind.GONE,
        "Gemini does not have the model m",
    )


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (EngineRateLimited("429", retry_after_s=34.0), ThrottleKind.MINUTE),
        (EngineRateLimited("429", retry_after_s=34.0, per_day=True), ThrottleKind.DAY),
        (EngineOverloaded("503", retry_after_s=34.0), ThrottleKind.OVERLOADED),
    ],
)
async def test_a_refusal_reaches_the_limiter_with_the_servers_delay_and_costs_nothing(
    error: EngineRateLimited, kind: ThrottleKind
) -> None:
    limiter = RecordingLimiter()
    slots = SlotClient(limiter, worker="w", linger=False)
    with pytest.raises(type(error)):
        async with slots.slot("m"):
            raise error
    await settled()
    (returned,) = limiter.returned
    assert (returned.slots, returned.free, returned.answered) == (1, 1, 0)
    assert returned.throttle is not None
    assert (returned.throttle.kind, returned.throttle.retry_after_s) == (kind, 34.0)


@pytest.mark.parametrize(("error", "free"), [(EngineConnectionLost("reset"), 1), (Refused("RECITATION"), 0)])
async def test_requests_without_an_answer_cost_nothing_and_bad_answers_are_paid(error: Exception, free: int) -> None:
    limiter = RecordingLimiter()
    slots = SlotClient(limiter, worker="w", linger=False)
    with pytest.raises(type(error)):
        async with slots.slot("m"):
            raise error
    await settled()
    assert [(r.slots, r.free, r.answered, r.replied, r.failed) for r in limiter.returned] == [(1, free, 0, 1 - free, free)]


async def test_slots_that_fall_into_a_pause_are_given_back() -> None:
    limiter = RecordingLimiter(delays=[0.0, 0.0], pause_s=0.05)
    slots = SlotClient(limiter, worker="w", linger=False, clock=asyncio.get_running_loop().time)
    with pytest.raises(EngineRateLimited):
        async with slots.slot("m"):
            raise EngineRateLimited("429")
    await settled()
    limiter.pause_s = 0.0
    limiter.delays = [0.0, 0.1]
    async with slots.slot("m"):
        pass
    assert limiter.leases == [1, 1, 1]


async def test_a_page_that_is_cancelled_while_it_waits_gives_its_slot_back() -> None:
    limiter = real_limiter(max_in_flight=1)
    slots = SlotClient(limiter, worker="w", linger=False)
    holding = asyncio.Event()

    async def hold() -> None:
        async with slots.slot("m"):
            holding.set()
            await pass_time(0.01)

    async def wait() -> None:
        async with slots.slot("m"):
            pass

    first = asyncio.create_task(hold())
    await holding.wait()
    cancelled = asyncio.create_task(wait())
    await asyncio.sleep(0)
    cancelled.cancel()
    await first
    await asyncio.wait_for(wait(), 60)
    assert cancelled.cancelled()


async def test_a_limiter_that_fails_fails_the_pages_that_wait() -> None:
    class Broken(RecordingLimiter):
        async def lease(self, model: str, worker: str, wanted: int) -> tuple[float, ...]:
            raise ConnectionError("gone")

    slots = SlotClient(Broken(), worker="w", linger=False)
    with pytest.raises(ConnectionError):
        async with slots.slot("m"):
            pass


async def test_a_worker_that_was_given_up_sends_nothing_more() -> None:
    limiter = real_limiter()
    await limiter.forget("w")
    with pytest.raises(Draining):
        async with SlotClient(limiter, worker="w", linger=False).slot("m"):
            pass


async def test_draining_rejects_everyone_who_has_not_sent_a_request() -> None:
    limiter = real_limiter(rpm=200, max_in_flight=2)
    slots = SlotClient(limiter, worker="w", linger=False)
    sent: list[int] = []
    finish = asyncio.Event()

    async def page(number: int) -> None:
        async with slots.slot("m"):
            sent.append(number)
            await finish.wait()

    tasks = [asyncio.create_task(page(number)) for number in range(4)]
    await until(lambda: sent)
    slots.close()  # one request is sent, one waits for the start of its slot, two wait for a lease
    finish.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert sent == [0]
    assert [type(r) for r in results] == [type(None), Draining, Draining, Draining]


async def test_an_answer_that_was_awaited_until_closing_returns_its_slot_with_its_cost() -> None:
    """One report with slot and cost: otherwise, the limiter would also count the estimate."""
    limiter = RecordingLimiter()
    slots = SlotClient(limiter, worker="w", linger=False)

    async def answer() -> str:
        await asyncio.sleep(0)
        slots.used("m", input_tokens=600, cost_usd=0.5)
        return "text"

    async def page() -> None:
        async with slots.slot("m"):
            assert await slots.unless_closing(answer()) == "text"

    await asyncio.gather(*(page() for _ in range(20)))
    await settled()
    assert all(returned.answered == returned.slots for returned in limiter.returned)
    assert sum(returned.slots for returned in limiter.returned) == 20


async def test_closing_gives_up_answers_that_would_come_in_hours() -> None:
    slots = SlotClient(RecordingLimiter(), worker="w", linger=False)
    asked = asyncio.Event()

    async def answer() -> None:
        asked.set()
        await asyncio.Event().wait()

    async def page() -> None:
        async with slots.slot("m"):
            await slots.unless_closing(answer())

    waiting = asyncio.create_task(page())
    await asked.wait()
    slots.close()
    with pytest.raises(Draining):
        await waiting


async def test_a_request_that_the_server_rejects_costs_nothing_and_says_why() -> None:
    limiter = RecordingLimiter()
    slots = SlotClient(limiter, worker="w", linger=False)
    with pytest.raises(EngineRejected):
        async with slots.slot("m"):
            raise EngineRejected("Gemini rejected the request (400).")
    await settled()
    assert limiter.returned == [SlotReturn(slots=1, free=1, replied=1, unusable=1, words="Gemini rejected the request (400).")]


async def test_an_answer_that_cannot_be_understood_is_possibly_billed() -> None:
    limiter = RecordingLimiter()
    slots = SlotClient(limiter, worker="w", linger=False)
    with pytest.raises(MalformedAnswer):
        async with slots.slot("m"):
            raise MalformedAnswer("It is another kind of JSON.")
    await settled()
    (returned,) = limiter.returned
    assert (returned.free, returned.unusable, returned.possibly_billed, returned.cost_usd) == (1, 1, 1, 0.0)


@pytest.mark.parametrize(("elsewhere", "may_shed", "failed"), [(False, False, 1), (True, False, 0), (False, True, 0)])
async def test_a_shed_request_says_nothing_about_the_server_if_another_tier_or_lane_takes_the_page(
    elsewhere: bool, may_shed: bool, failed: int
) -> None:
    limiter = RecordingLimiter()
    slots = SlotClient(limiter, worker="w", linger=False)
    error = EngineShed("no capacity in flex")
    error.elsewhere = elsewhere
    with pytest.raises(EngineShed):
        async with slots.slot("m", may_shed=may_shed):
            raise error
    await settled()
    (returned,) = limiter.returned
    assert (returned.free, returned.failed, returned.replied, returned.throttle is not None) == (1, failed, 0, bool(failed))


async def test_a_batch_answer_that_is_not_awaited_costs_this_run_nothing() -> None:
    limiter = RecordingLimiter()
    slots = SlotClient(limiter, worker="w", linger=False)
    with pytest.raises(Draining):
        async with slots.slot("m"):
            raise Draining
    await settled()
    assert [(returned.slots, returned.free) for returned in limiter.returned] == [(1, 1)]
