"""Server trouble is a state of the model: hold, probe one at a time, resume with the first answer, end after patience."""

from __future__ import annotations

from typing import Any

import pytest

from rayocr.actors.rate_limiter.actor import RateLimiter
from rayocr.errors import DayQuotaExhausted, ModelUnavailable, QuotaDenied
from rayocr.messages import ModelQuota, SlotReply, SlotReturn, Throttle, ThrottleKind
from tests.unit.actors.limiter_world import World

WORDS = "Gemini answered 503: The model is overloaded."
ANSWER = SlotReturn(slots=1, answered=1)


async def fail(limiter: RateLimiter, kind: ThrottleKind = ThrottleKind.OVERLOADED, worker: str = "w", **more: Any) -> SlotReply:
    throttle = Throttle(kind=kind, words=WORDS, **more)
    return await limiter.release("m", worker, SlotReturn(slots=1, free=1, failed=1, throttle=throttle))


async def held(world: World, **limits: Any) -> RateLimiter:
    """A limiter whose model had answered once and has now failed for eleven seconds."""
    limiter = world.limiter(**limits)
    await limiter.lease("m", "w", 3)
    await limiter.release("m", "w", ANSWER)
    await fail(limiter)
    world.now += 11.0
    await fail(limiter)
    return limiter


async def model(limiter: RateLimiter) -> ModelQuota:
    (only,) = (await limiter.state()).models
    return only


async def test_a_model_that_fails_for_a_moment_is_not_held() -> None:
    world = World()
    limiter = world.limiter()
    await limiter.lease("m", "w", 2)
    await fail(limiter)
    assert len(await limiter.lease("m", "w", 50)) == 50


async def test_a_model_without_an_answer_is_held_and_says_since_when_and_why() -> None:
    world = World()
    began = world.wall_clock()
    state = await model(await held(world))
    assert (state.held_since, state.held_words) == (pytest.approx(began, abs=0.1), WORDS)


async def test_a_held_model_lends_one_slot_at_a_time_at_growing_intervals() -> None:
    world = World()
    limiter = await held(world)
    waits = []
    for _ in range(6):
        before = world.now
        assert len(await limiter.lease("m", "w", 50)) == 1
        waits.append(world.now - before)
        await fail(limiter)
    assert waits[0] <= 1.0
    assert waits[1:] == pytest.approx([2.0, 4.0, 8.0, 16.0, 30.0])


async def test_one_answer_ends_the_hold() -> None:
    world = World()
    limiter = await held(world)
    await limiter.lease("m", "w", 50)
    reply = await limiter.release("m", "w", ANSWER)
    assert reply.failing < 1.0
    assert (await model(limiter)).held_since is None
    assert len(await limiter.lease("m", "w", 50)) == 50


async def test_a_rejected_request_shows_that_the_server_is_there() -> None:
    limiter = await held(World())
    await limiter.lease("m", "w", 50)
    await limiter.release("m", "w", SlotReturn(slots=1, replied=1))
    assert len(await limiter.lease("m", "w", 50)) == 50


async def test_a_probe_whose_worker_died_is_sent_by_another() -> None:
    world = World()
    limiter = await held(world)
    await limiter.lease("m", "dying", 50)
    await limiter.forget("dying")
    before = world.now
    assert len(await limiter.lease("m", "w", 50)) == 1
    assert world.now - before <= 1.0


async def test_after_patience_the_run_ends_with_the_servers_words_and_can_be_resumed() -> None:
    world = World()
    limiter = await held(world, patience_s=100.0)
    with pytest.raises(ModelUnavailable, match=r"has answered no request since .* The model is overloaded") as caught:
        while True:
            await limiter.lease("m", "w", 1)
            await fail(limiter)
    assert caught.value.exit_code == 3
    assert "resume" in (caught.value.hint or "")


async def test_a_watch_probes_without_end() -> None:
    world = World()
    limiter = await held(world, patience_s=None)
    for _ in range(500):
        assert await limiter.lease("m", "w", 1)
        await fail(limiter, ThrottleKind.DENIED)
    assert world.now > 3600 * 4
    assert not (await limiter.state()).models[0].denied


async def test_no_quota_at_all_ends_the_run_at_once() -> None:
    world = World()
    limiter = world.limiter()
    await limiter.lease("m", "w", 1)
    await fail(limiter, ThrottleKind.DENIED)
    before = world.now
    with pytest.raises(QuotaDenied, match="The model is overloaded"):
        await limiter.lease("m", "w", 1)
    assert world.now == before
    assert (await limiter.state()).models[0].denied


async def test_nothing_but_429_since_the_start_means_no_quota_whatever_delay_the_server_names() -> None:
    world = World()
    limiter = world.limiter()
    with pytest.raises(QuotaDenied):
        while True:
            await limiter.lease("m", "w", 1)
            await fail(limiter, ThrottleKind.MINUTE, retry_after_s=38.0)
    assert 120 <= world.now - 100 < 300


async def test_a_429_after_an_answer_is_waited_for() -> None:
    world = World()
    limiter = world.limiter()
    await limiter.lease("m", "w", 1)
    await limiter.release("m", "w", ANSWER)
    for _ in range(10):
        await limiter.lease("m", "w", 1)
        await fail(limiter, ThrottleKind.MINUTE, retry_after_s=38.0)
    assert await limiter.lease("m", "w", 1)


async def test_the_share_of_failures_is_of_all_workers_and_whole_while_held() -> None:
    world = World()
    limiter = world.limiter()
    await limiter.lease("m", "w", 100)
    reply = await limiter.release("m", "w", SlotReturn(slots=90, answered=90))
    assert reply.failing == 0.0
    throttle = Throttle(kind=ThrottleKind.UNAVAILABLE, words=WORDS)
    reply = await limiter.release("m", "other", SlotReturn(slots=10, failed=10, throttle=throttle))
    assert 0.1 < reply.failing < 0.2
    world.now += 11.0
    assert (await fail(limiter)).failing == 1.0


async def test_a_pause_longer_than_the_patience_ends_the_run_at_once_and_says_until_when() -> None:
    world = World()
    limiter = world.limiter(patience_s=900.0)
    await limiter.lease("m", "w", 1)
    await fail(limiter, ThrottleKind.MINUTE, retry_after_s=3600.0)
    with pytest.raises(ModelUnavailable, match=r"a pause until 20\d\d-.*longer than limits.patience_s=900.*overloaded"):
        await limiter.lease("m", "w", 1)
    world.now += 3600.0
    assert await limiter.lease("m", "w", 1)


async def test_a_run_with_unlimited_patience_waits_for_a_long_pause() -> None:
    world = World()
    limiter = world.limiter(patience_s=None)
    await limiter.lease("m", "w", 1)
    await fail(limiter, ThrottleKind.MINUTE, retry_after_s=3600.0)
    before = world.now
    assert await limiter.lease("m", "w", 1)
    assert world.now - before >= 3599.0


async def test_a_daily_quota_with_a_delay_of_hours_parks_the_model_at_once() -> None:
    world = World()
    limiter = world.limiter()
    await limiter.lease("m", "w", 1)
    await fail(limiter, ThrottleKind.DAY, retry_after_s=12 * 3600.0)
    with pytest.raises(DayQuotaExhausted):
        await limiter.lease("m", "w", 1)


def unusable(count: int, **more: Any) -> SlotReturn:
    return SlotReturn(slots=count, replied=count, unusable=count, words="Gemini rejected the request (400).", **more)


async def test_a_model_that_rejects_eight_requests_in_a_row_is_held_although_it_replies() -> None:
    world = World()
    limiter = world.limiter(patience_s=60.0)
    await limiter.lease("m", "w", 8)
    assert (await limiter.release("m", "w", unusable(7))).failing < 1.0
    assert (await limiter.release("m", "w", unusable(1))).failing == 1.0
    assert (await model(limiter)).held_words == "Gemini rejected the request (400)."
    assert len(await limiter.lease("m", "w", 8)) == 1
    world.now += 60.0
    await limiter.release("m", "w", unusable(1))
    with pytest.raises(ModelUnavailable, match="rejected the request"):
        await limiter.lease("m", "w", 1)


async def test_rejected_requests_between_good_answers_do_not_hold_the_model() -> None:
    world = World()
    limiter = world.limiter()
    for _ in range(5):
        await limiter.lease("m", "w", 7)
        await limiter.release("m", "w", unusable(6))
        await limiter.release("m", "w", ANSWER)
    assert (await model(limiter)).held_since is None


async def test_a_usable_answer_releases_a_model_that_had_rejected_everything() -> None:
    world = World()
    limiter = world.limiter()
    await limiter.lease("m", "w", 8)
    await limiter.release("m", "w", unusable(8))
    await limiter.lease("m", "w", 1)
    await limiter.release("m", "w", ANSWER)
    assert len(await limiter.lease("m", "w", 8)) == 8


async def test_after_an_outage_the_rate_that_its_failures_lowered_is_forgotten() -> None:
    """Otherwise a run without limits.rpm would resume at a few pages per minute."""
    world = World()
    limiter = world.limiter()
    await limiter.lease("m", "w", 1)
    await limiter.release("m", "w", ANSWER)
    for _ in range(20):
        world.now += 5.0
        await limiter.lease("m", "w", 1)
        await fail(limiter)
    lowered = (await model(limiter)).rate_rpm
    assert lowered is not None
    assert lowered < 100
    await limiter.lease("m", "w", 1)
    await limiter.release("m", "w", ANSWER)
    assert (await model(limiter)).rate_rpm is None
