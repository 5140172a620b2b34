from __future__ import annotations

import asyncio
from random import Random

import pytest

from rayocr.errors import BudgetExhausted, DayQuotaExhausted
from rayocr.limits.quota_day import next_reset, quota_day
from rayocr.messages import SlotReply, SlotReturn, Throttle, ThrottleKind
from tests.unit.actors.limiter_world import CENT_A_PAGE, START, World

MIDNIGHT_IN_CALIFORNIA = 8 * 3600  # UTC, in winter


async def test_a_second_worker_continues_where_the_first_lease_ended() -> None:
    limiter = World().limiter(rpm=600)
    assert await limiter.lease("m", "w1", 3) == pytest.approx((0.0, 0.1, 0.2))
    assert await limiter.lease("m", "w2", 1) == pytest.approx((0.25,))  # after a wait of 0.05 s: half a horizon ahead


async def test_a_share_of_the_quota_is_left_alone() -> None:
    limiter = World().limiter(rpm=600, headroom=0.5)
    assert await limiter.lease("m", "w", 3) == pytest.approx((0.0, 0.2, 0.4))


async def test_models_have_quotas_of_their_own() -> None:
    limiter = World().limiter(rpm=60, max_in_flight=1)
    await limiter.lease("a", "w", 1)
    assert await limiter.lease("b", "w", 1) == (0.0,)


async def test_a_lease_waits_until_a_slot_in_flight_is_given_back() -> None:
    limiter = World().limiter(max_in_flight=2)
    assert len(await limiter.lease("m", "w1", 5)) == 2
    waiting = asyncio.create_task(limiter.lease("m", "w2", 5))
    await asyncio.sleep(0)
    assert not waiting.done()
    await limiter.release("m", "w1", SlotReturn(slots=1))
    assert len(await waiting) == 1


async def test_the_slots_of_a_dead_worker_are_free_again_and_it_gets_no_more() -> None:
    limiter = World().limiter(max_in_flight=2)
    await limiter.lease("m", "dead", 2)
    waiting = asyncio.create_task(limiter.lease("m", "dead", 2))
    await asyncio.sleep(0)
    await limiter.forget("dead")
    assert await waiting == ()
    assert len(await limiter.lease("m", "alive", 2)) == 2


async def test_slots_that_are_never_returned_expire() -> None:
    world = World()
    limiter = world.limiter(max_in_flight=2)
    await limiter.lease("m", "silent", 2)
    started = world.now
    assert len(await limiter.lease("m", "other", 2)) == 2
    assert world.now - started >= 600


async def test_giving_back_more_than_was_taken_does_not_raise_the_limit() -> None:
    limiter = World().limiter(max_in_flight=2)
    await limiter.release("m", "w", SlotReturn(slots=10))
    assert len(await limiter.lease("m", "w", 10)) == 2


# -- refusals -------------------------------------------------------------------------------------------------------------------


async def test_a_refusal_holds_everybody_back_for_as_long_as_the_server_says_and_slows_them_afterwards() -> None:
    world = World()
    limiter = world.limiter(rpm=600)
    await limiter.lease("m", "w", 1)
    started = world.now
    throttle = Throttle(kind=ThrottleKind.MINUTE, retry_after_s=34.0, age_s=0.1)
    reply = await limiter.release("m", "w", SlotReturn(slots=1, free=1, throttle=throttle))
    assert reply == SlotReply(pause_s=34.0, failing=pytest.approx(1.0, abs=0.01))
    delays = await limiter.lease("m", "other", 2)
    assert world.now + delays[0] - started >= 34.0
    (model,) = (await limiter.state()).models
    assert model.throttled == 1
    assert model.rate_rpm is not None
    assert model.rate_rpm < 600


async def test_a_refusal_without_a_delay_still_pauses() -> None:
    limiter = World().limiter()
    await limiter.lease("m", "w", 1)
    throttle = Throttle(kind=ThrottleKind.MINUTE)
    assert (await limiter.release("m", "w", SlotReturn(slots=1, throttle=throttle))).pause_s >= 1.0


@pytest.mark.parametrize("jump_s", [-20_000.0, 20_000.0])
async def test_a_jump_of_the_time_of_day_neither_prolongs_nor_ends_a_pause(jump_s: float) -> None:
    world = World()
    limiter = world.limiter()
    await limiter.lease("m", "w", 1)
    throttle = Throttle(kind=ThrottleKind.MINUTE, retry_after_s=30.0)
    await limiter.release("m", "w", SlotReturn(slots=1, throttle=throttle))
    world.now += 10.0
    world.jumped_s = jump_s
    assert (await limiter.release("m", "w", SlotReturn(slots=0))).pause_s == 20.0
    assert (await limiter.state()).models[0].paused_until == world.wall_clock() + 20.0
    world.now += 20.0
    assert (await limiter.release("m", "w", SlotReturn(slots=0))).pause_s == 0.0
    assert (await limiter.state()).models[0].paused_until is None


async def test_a_server_that_refuses_a_third_is_asked_more_slowly_without_a_pause() -> None:
    limiter = World().limiter(rpm=600)
    await limiter.lease("m", "w", 1)
    refused = SlotReturn(slots=1, free=1, throttle=Throttle(kind=ThrottleKind.OVERLOADED, age_s=0.1))
    for _ in range(4):
        assert (await limiter.release("m", "w", refused)).pause_s == 0
    assert (await limiter.state()).models[0].rate_rpm == 600
    await limiter.release("m", "w", refused)
    assert (await limiter.state()).models[0].rate_rpm == pytest.approx(420)


async def refuse_for_the_day(world: World, limiter: object) -> None:
    world.now += 1.0
    returned = SlotReturn(
        slots=1, free=1, throttle=Throttle(kind=ThrottleKind.DAY, retry_after_s=36.0, age_s=0.5, words="limit: 250")
    )
    await limiter.release("m", "w", returned)  # type: ignore[attr-defined]


async def test_the_delay_of_a_refusal_for_the_day_is_honoured_twice_and_then_the_model_is_parked_until_midnight() -> None:
    world = World()
    limiter = world.limiter()
    for _ in range(2):
        await limiter.lease("m", "w", 3)
        before = world.now
        await refuse_for_the_day(world, limiter)
        assert await limiter.lease("m", "w", 1)
        assert world.now - before >= 36.0
    await refuse_for_the_day(world, limiter)
    with pytest.raises(DayQuotaExhausted, match=r"used up\. The server says: limit: 250") as caught:
        await limiter.lease("m", "w", 1)
    assert caught.value.resumes_at is not None
    assert caught.value.resumes_at % 86_400 == MIDNIGHT_IN_CALIFORNIA
    assert 0 < caught.value.resumes_at - world.wall_clock() <= 86_400
    assert await limiter.lease("other", "w", 1) == (0.0,)
    world.now = caught.value.resumes_at - START + 0.1
    assert await limiter.lease("m", "w", 1)


async def test_refusals_for_the_day_of_requests_in_progress_together_count_once() -> None:
    world = World()
    limiter = world.limiter()
    await limiter.lease("m", "w", 9)
    returned = SlotReturn(slots=1, free=1, throttle=Throttle(kind=ThrottleKind.DAY, retry_after_s=36.0, age_s=2.0))
    for _ in range(9):
        await limiter.release("m", "w", returned)
    assert await limiter.lease("m", "w", 1)


async def test_the_requests_of_the_day_can_be_limited_by_us_as_well() -> None:
    limiter = World().limiter(rpd=3)
    assert len(await limiter.lease("m", "w", 5)) == 3
    await limiter.release("m", "w", SlotReturn(slots=3, answered=3))
    with pytest.raises(DayQuotaExhausted):
        await limiter.lease("m", "w", 1)
    assert (await limiter.state()).models[0].requests_today == 3


async def test_a_request_that_was_not_sent_does_not_count_and_the_day_is_not_over_before_all_are_back() -> None:
    """A slot that is missed on a busy machine is returned unsent. Before, the run ended after 5 of 20 requests."""
    limiter = World().limiter(rpd=3)
    assert len(await limiter.lease("m", "w", 5)) == 3
    more = asyncio.create_task(limiter.lease("m", "v", 5))
    for _ in range(9):
        await asyncio.sleep(0)
    await limiter.release("m", "w", SlotReturn(slots=3, answered=1, free=2, unsent=2))
    assert len(await more) == 2
    assert (await limiter.state()).models[0].requests_today == 3


# -- tokens and money -----------------------------------------------------------------------------------------------------------


async def test_tokens_are_paced_by_the_actual_use_of_pages() -> None:
    """The limit is 60,000 tokens per minute; a page takes 2,000 instead of the expected 1,000, so 30 requests start per minute
    instead of 60.
    """
    world = World()
    limiter = world.limiter(tpm=60_000)
    starts: list[float] = []
    while world.now < 1100:
        for delay_s in await limiter.lease("m", "w", 4):
            starts.append(world.now + delay_s)
            await limiter.release("m", "w", SlotReturn(slots=1, answered=1, input_tokens=2000))
    assert len([start for start in starts if 1000 <= start < 1060]) == 30
    assert all(later - earlier > 58 for earlier, later in zip(starts[10:], starts[40:], strict=False))


async def test_a_budget_ends_the_run_before_a_page_could_exceed_it() -> None:
    limiter = World().limiter(budget_usd=0.055, prices=CENT_A_PAGE)
    assert len(await limiter.lease("m", "w", 9)) == 5
    await limiter.release("m", "w", SlotReturn(slots=5, answered=5, input_tokens=5000, cost_usd=0.05))
    with pytest.raises(BudgetExhausted, match=r"\$0\.0500 of \$0\.0550"):
        await limiter.lease("m", "w", 1)


async def test_pages_that_turn_out_cheaper_leave_money_for_others() -> None:
    limiter = World().limiter(budget_usd=0.05, prices=CENT_A_PAGE)
    assert len(await limiter.lease("m", "w1", 9)) == 5
    waiting = asyncio.create_task(limiter.lease("m", "w2", 9))
    await asyncio.sleep(0)
    assert not waiting.done()
    await limiter.release("m", "w1", SlotReturn(slots=5, answered=5, input_tokens=1500, cost_usd=0.015))
    assert len(await waiting) == 3


async def test_unused_slots_cost_nothing_and_lost_answers_cost_the_expected_amount() -> None:
    limiter = World().limiter(budget_usd=1.0, prices=CENT_A_PAGE)
    await limiter.lease("m", "w", 10)
    await limiter.release("m", "w", SlotReturn(slots=10, free=6))
    state = await limiter.state()
    assert (state.spent_usd, state.promised_usd) == pytest.approx((0.04, 0.0))


async def test_models_share_the_budget_of_the_run() -> None:
    prices = CENT_A_PAGE
    limiter = World().limiter(budget_usd=0.03, prices=prices)
    assert len(await limiter.lease("m", "w", 2)) == 2
    assert len(await limiter.lease("m-2", "w", 2)) == 1


# -- restart --------------------------------------------------------------------------------------------------------------------


async def test_a_restarted_limiter_waits_for_the_earlier_spending() -> None:
    world = World()
    first = world.limiter(budget_usd=0.05, prices=CENT_A_PAGE, rpd=100)
    await first.lease("m", "w", 4)
    await first.release("m", "w", SlotReturn(slots=2, answered=2, input_tokens=2000, cost_usd=0.02))
    earlier = await first.state()
    second = world.limiter(budget_usd=0.05, prices=CENT_A_PAGE, rpd=100, restarted=True)
    assert (await second.state()).forgetful
    leasing = asyncio.create_task(second.lease("m", "w", 9))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not leasing.done()
    await second.restore(earlier)
    assert len(await leasing) == 1  # two were paid for, two were in flight
    state = await second.state()
    assert not state.forgetful
    assert state.models[0].requests_today == 5


async def test_a_restarted_limiter_without_a_budget_continues_by_itself_at_half_the_rate() -> None:
    world = World()
    limiter = world.limiter(rpm=600, restarted=True)
    started = world.now
    delays = await limiter.lease("m", "w", 9)
    assert world.now + delays[0] - started >= 0.5
    assert delays[1] - delays[0] == pytest.approx(0.2, rel=0.02)


async def test_ten_minutes_never_hold_more_than_the_spend_limit_and_nearly_all_of_it_is_used() -> None:
    """Pages cost between nothing and twice the estimate. The limit applies to any ten minutes, over two models."""
    world = World()
    limiter = world.limiter(prices=CENT_A_PAGE, usd_per_10min=10.0)
    random = Random(1)
    spent: list[tuple[float, float]] = []
    while world.now < 100 + 3600:
        model = random.choice(["m", "m2"])
        for delay_s in await limiter.lease(model, "w", 8):
            cost_usd = random.random() * 0.02
            spent.append((world.now + delay_s, cost_usd))
            await limiter.release(model, "w", SlotReturn(slots=1, answered=1, input_tokens=600, cost_usd=cost_usd))
    windows = [sum(usd for at, usd in spent if begin <= at < begin + 600) for begin in range(100, 3100, 30)]
    assert max(windows) <= 10.0 * 1.02
    assert min(windows) >= 10.0 * 0.97


async def test_a_daily_budget_counts_other_runs_and_says_when_it_resumes() -> None:
    world = World()
    day = quota_day(world.wall_clock())
    limiter = world.limiter(prices=CENT_A_PAGE, budget={"usd_per_day": 1.0}, spent_before={day: 0.97})
    assert len(await limiter.lease("m", "w", 10)) == 3
    await limiter.release("m", "w", SlotReturn(slots=3, answered=3, input_tokens=3000, cost_usd=0.03))
    with pytest.raises(BudgetExhausted, match=r"\$1\.0000 of \$1\.0000 \(budget\.usd_per_day\) .* over all runs") as caught:
        await limiter.lease("m", "w", 1)
    assert caught.value.resumes_at == next_reset(world.wall_clock())
    world.now = caught.value.resumes_at - START + 1
    assert len(await limiter.lease("m", "w", 10)) == 10


async def test_googles_limit_of_the_month_ends_the_run_before_google_does() -> None:
    limiter = World().limiter(prices=CENT_A_PAGE, usd_per_month=0.02)
    await limiter.lease("m", "w", 10)
    await limiter.release("m", "w", SlotReturn(slots=2, answered=2, input_tokens=2000, cost_usd=0.02))
    with pytest.raises(BudgetExhausted, match=r"limits\.usd_per_month"):
        await limiter.lease("m", "w", 1)


async def test_a_restarted_limiter_remembers_todays_spending() -> None:
    world = World()
    limiter = world.limiter(prices=CENT_A_PAGE, budget={"usd_per_day": 1.0})
    await limiter.lease("m", "w", 99)
    await limiter.release("m", "w", SlotReturn(slots=99, answered=99, input_tokens=99_000, cost_usd=0.99))
    again = world.limiter(prices=CENT_A_PAGE, budget={"usd_per_day": 1.0}, restarted=True)
    await again.restore(await limiter.state())
    assert len(await again.lease("m", "w", 10)) == 1
