"""Only one request every ten minutes asks for a model that the server no longer has."""

from __future__ import annotations

import pytest

from rayocr.errors import UnknownModel
from rayocr.messages import SlotReturn, Throttle, ThrottleKind
from tests.unit.actors.limiter_world import World

WORDS = "Gemini does not have the model m: This model is no longer available."
GONE = SlotReturn(slots=1, free=1, failed=1, throttle=Throttle(kind=ThrottleKind.GONE, words=WORDS))


async def test_a_model_that_is_gone_gets_no_more_slots_and_the_error_has_the_words_of_the_server() -> None:
    world = World()
    limiter = world.limiter()
    assert len(await limiter.lease("m", "w", 5)) == 5
    await limiter.release("m", "w", GONE)
    with pytest.raises(UnknownModel, match="no longer available"):
        await limiter.lease("m", "other worker", 5)
    assert len(await limiter.lease("n", "w", 5)) == 5, "the other models are not concerned"


async def test_it_is_shown_as_held_since_it_was_first_missing() -> None:
    world = World()
    limiter = world.limiter()
    await limiter.lease("m", "w", 2)
    began = world.wall_clock()
    await limiter.release("m", "w", GONE)
    world.now += 5.0
    await limiter.release("m", "w", GONE)  # it was in flight
    (state,) = (await limiter.state()).models
    assert (state.gone, state.held_since, state.held_words) == (True, pytest.approx(began), WORDS)


async def test_one_request_finds_out_whether_it_is_back() -> None:
    world = World()
    limiter = world.limiter()
    await limiter.lease("m", "w", 1)
    await limiter.release("m", "w", GONE)
    world.now += 601.0
    assert len(await limiter.lease("m", "w", 5)) == 1
    with pytest.raises(UnknownModel):
        await limiter.lease("m", "other worker", 5)
    await limiter.release("m", "w", SlotReturn(slots=1, answered=1))
    assert len(await limiter.lease("m", "other worker", 5)) == 5
    (state,) = (await limiter.state()).models
    assert (state.gone, state.held_since) == (False, None)
