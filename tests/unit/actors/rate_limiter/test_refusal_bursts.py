"""Refused and truncated pages in a row: the cause is the content if they belong to one document, otherwise the server."""

from __future__ import annotations

import pytest

from rayocr.actors.rate_limiter.actor import RateLimiter
from rayocr.errors import ModelUnavailable
from rayocr.messages import ModelQuota, SlotReply, SlotReturn
from tests.unit.actors.limiter_world import World

WORDS = "The model refused the page (SAFETY)."
ANSWER = SlotReturn(slots=1, answered=1)


async def refuse(
    limiter: RateLimiter, *documents: str, model: str = "m", worker: str = "w", again: bool = False, empty: bool = False
) -> SlotReply:
    """Refuses one page of each document in turn, or answers it with an empty text."""
    for document in documents:
        documents_named = frozenset[str]() if again else frozenset({document})
        returned = SlotReturn(
            slots=1,
            answered=1,
            refused=1,
            refused_first=int(not again),
            empty_first=int(empty and not again),
            refused_documents=documents_named,
            words=WORDS,
        )
        reply = await limiter.release(model, worker, returned)
    return reply


async def only_model(limiter: RateLimiter) -> ModelQuota:
    (model,) = (await limiter.state()).models
    return model


async def test_a_document_that_is_refused_as_a_whole_says_nothing_about_the_server() -> None:
    limiter = World().limiter()
    await limiter.lease("m", "w", 300)
    reply = await refuse(limiter, *["a famous book"] * 200)
    assert not reply.refusing
    assert reply.failing < 1
    assert (await only_model(limiter)).held_since is None


async def test_refused_pages_of_several_documents_in_a_row_hold_the_model() -> None:
    world = World()
    limiter = world.limiter()
    await limiter.lease("m", "w", 30)
    assert not (await refuse(limiter, *["a"] * 10)).refusing
    reply = await refuse(limiter, "b")
    assert (reply.refusing, reply.failing < 1) == (True, True)
    reply = await refuse(limiter, *["c"] * 5)
    assert (reply.refusing, reply.failing) == (True, 1.0)
    state = await only_model(limiter)
    assert state.refusing
    assert "16 pages, of 3 documents" in state.held_words
    assert WORDS in state.held_words
    assert len(await limiter.lease("m", "w", 50)) == 1, "a probe"


async def test_long_documents_of_which_only_two_are_in_flight_hold_it_too() -> None:
    limiter = World().limiter()
    await limiter.lease("m", "w", 60)
    reply = await refuse(limiter, *["a"] * 30, "b")
    assert (reply.refusing, reply.failing < 1) == (True, True)
    assert (await refuse(limiter, "b")).failing == 1.0


async def test_a_page_that_is_refused_again_says_nothing_new() -> None:
    """At the end of a run, or in the second job of a batch, only pages that were refused before are asked."""
    limiter = World().limiter()
    await limiter.lease("m", "w", 60)
    await refuse(limiter, "a", "b", "a")
    reply = await refuse(limiter, *["a", "b", "c"] * 10, again=True)
    assert (reply.refused_in_a_row > 0, reply.refusing, reply.failing < 1) == (True, False, True)
    assert (await refuse(limiter, "c")).refusing, "and it does not end the suspicion"


async def test_one_page_that_is_read_ends_the_suspicion() -> None:
    limiter = World().limiter()
    await limiter.lease("m", "w", 60)
    await refuse(limiter, *["a", "b", "c"] * 5)
    reply = await limiter.release("m", "w", ANSWER)
    assert (reply.refused_in_a_row, reply.refusing) == (0, False)
    reply = await refuse(limiter, "a", "b", "c")
    assert (reply.refused_in_a_row > 0, reply.refusing, reply.failing < 1) == (True, False, True)


async def test_a_held_model_that_reads_a_page_again_is_used_again() -> None:
    world = World()
    limiter = world.limiter()
    await limiter.lease("m", "w", 18)
    await refuse(limiter, *["a", "b", "c"] * 6)
    assert len(await limiter.lease("m", "w", 5)) == 1
    await limiter.release("m", "w", ANSWER)
    assert (await only_model(limiter)).held_since is None
    assert len(await limiter.lease("m", "w", 5)) == 5


async def test_after_the_patience_the_run_ends_and_says_how_to_read_the_pages_with_another_engine() -> None:
    world = World()
    limiter = world.limiter(patience_s=60.0)
    await limiter.lease("m", "w", 18)
    await refuse(limiter, *["a", "b", "c"] * 6)
    with pytest.raises(ModelUnavailable, match="refused the pages of all documents since") as caught:
        while True:
            await limiter.lease("m", "w", 1)
            await refuse(limiter, "a")
    assert "engine.on_outage=fallback" in str(caught.value.hint)
    assert "max_output_tokens" in str(caught.value.hint)


async def probe_for(limiter: RateLimiter, world: World, seconds: float) -> None:
    until = world.now + seconds
    while world.now < until and len(await limiter.lease("m", "w", 2)) == 1:
        await refuse(limiter, "a", again=True, empty=True)


@pytest.mark.parametrize("patience_s", [900.0, None, 100.0])
async def test_empty_texts_hold_the_model_for_five_minutes_since_the_pages_may_have_no_text(patience_s: float | None) -> None:
    world = World()
    limiter = world.limiter(patience_s=patience_s)
    await limiter.lease("m", "w", 60)
    await refuse(limiter, *["a", "b", "c"] * 6, empty=True)
    await refuse(limiter, "a")  # one photo is refused for another reason
    began = world.now
    assert (await only_model(limiter)).refusing
    await probe_for(limiter, world, 1000.0)
    assert world.now - began == pytest.approx(50.0 if patience_s == 100.0 else 300.0, abs=31.0)
    reply = await refuse(limiter, *["d", "e", "f"] * 20, empty=True)
    assert (reply.refusing, reply.failing < 1) == (True, True), "other engines read the pages, and mode=retry asks again"
    state = await only_model(limiter)
    assert (state.held_since, state.refusing, state.expects_empty) == (None, False, True)


async def test_a_model_that_expects_empty_texts_is_held_for_refusals() -> None:
    world = World()
    limiter = world.limiter()
    await limiter.lease("m", "w", 60)
    await refuse(limiter, *["a", "b", "c"] * 6, empty=True)
    await probe_for(limiter, world, 1000.0)
    await limiter.release("m", "w", ANSWER)
    assert (await refuse(limiter, *["a", "b", "c"] * 6)).failing == 1.0


async def test_a_text_after_empty_ones_ends_the_hold() -> None:
    world = World()
    limiter = world.limiter()
    await limiter.lease("m", "w", 60)
    await refuse(limiter, *["a", "b", "c"] * 6, empty=True)
    await probe_for(limiter, world, 200.0)
    await limiter.release("m", "w", ANSWER)
    state = await only_model(limiter)
    assert (state.held_since, state.expects_empty) == (None, False)


async def test_refusals_of_batches_raise_the_suspicion_without_holding_the_queue() -> None:
    limiter = World().limiter()
    await limiter.lease("m@batch", "w", 40)
    reply = await refuse(limiter, *["a", "b", "c"] * 10, model="m@batch")
    assert reply.refusing
    assert (await only_model(limiter)).held_since is None
