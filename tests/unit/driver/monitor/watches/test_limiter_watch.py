from __future__ import annotations

from typing import Any

import pytest

from rayocr.driver.monitor.watches.limiter_watch import LimiterWatch
from rayocr.driver.scheduling.progress import Progress
from rayocr.messages import LimiterState, ModelQuota

NOW = 1_800_000_000.0


class Limiter:
    def __init__(self) -> None:
        self.now = LimiterState()
        self.restored: list[LimiterState | None] = []

    async def state(self) -> LimiterState:
        return self.now

    async def restore(self, earlier: LimiterState | None) -> None:
        self.restored.append(earlier)


def watch() -> tuple[Limiter, Progress, list[str], LimiterWatch]:
    limiter, progress, said = Limiter(), Progress(), []
    return limiter, progress, said, LimiterWatch(limiter, progress, warn=said.append, wall_clock=lambda: NOW)


def model(**values: Any) -> ModelQuota:
    return ModelQuota(
        model="m",
        granted=0,
        waited_s=0,
        throttled=0,
        rate_rpm=None,
        in_flight=0,
        input_tokens=0,
        spent_usd=0,
        requests_today=0,
        **values,
    )


async def test_a_restarted_limiter_gets_the_last_state_of_its_predecessor() -> None:
    limiter, progress, _, quota = watch()
    limiter.now = LimiterState(spent_usd=3.0)
    await quota.poll()
    limiter.now = LimiterState(forgetful=True)
    await quota.poll()
    assert limiter.restored == [LimiterState(spent_usd=3.0)]
    assert progress.limiter == LimiterState(spent_usd=3.0)
    assert progress.spent_usd == 3.0


async def test_a_long_pause_and_a_parked_model_are_reported_once() -> None:
    limiter, _, said, quota = watch()
    limiter.now = LimiterState(models=(model(paused_until=NOW + 36, parked_until=NOW + 7200),))
    await quota.poll()
    await quota.poll()
    assert len(said) == 2
    assert "daily quota" in said[0]
    assert "36 s" in said[1]


async def test_a_short_pause_is_not_worth_a_word() -> None:
    limiter, _, said, quota = watch()
    limiter.now = LimiterState(models=(model(paused_until=NOW + 2),))
    await quota.poll()
    assert said == []


async def test_shared_limits_that_are_unavailable_and_back_are_reported() -> None:
    limiter, _, said, quota = watch()
    for unavailable_s in (1.0, 5.0, 9.0, 0.0):
        limiter.now = LimiterState(unavailable_s=unavailable_s)
        await quota.poll()
    assert len(said) == 2
    assert "unavailable" in said[0]
    assert "available again" in said[1]


async def test_a_server_that_answers_nothing_is_reported_once_in_its_own_words_and_so_is_its_return() -> None:
    limiter, _, said, quota = watch()
    for _ in range(2):
        limiter.now = LimiterState(models=(model(held_since=NOW - 60, held_words="Gemini answered 503: overloaded."),))
        await quota.poll()
        await quota.poll()
        limiter.now = LimiterState(models=(model(),))
        await quota.poll()
    assert [text.split(" since")[0] for text in said] == ["m has answered no request", "m answers again."] * 2
    assert "Gemini answered 503: overloaded." in said[0]


async def test_a_model_that_is_used_again_although_it_returns_empty_texts_does_not_answer_again() -> None:
    limiter, _, said, quota = watch()
    limiter.now = LimiterState(
        models=(model(held_since=NOW - 300, held_words="The model returned no text (STOP).", refusing=True),)
    )
    await quota.poll()
    limiter.now = LimiterState(models=(model(expects_empty=True, refused_in_a_row=4),))
    await quota.poll()
    assert said[1].startswith("m still returns empty texts, so the pages may have no text.")


async def test_pages_that_are_refused_one_after_the_other_are_reported_once_and_again_after_one_that_was_read() -> None:
    limiter, _, said, quota = watch()
    for refused in (15, 16, 40, 0, 20):
        limiter.now = LimiterState(
            models=(model(refused_in_a_row=refused, refused_words="The model refused the page (SAFETY)."),)
        )
        await quota.poll()
    assert len(said) == 2
    assert "none of the last 16 pages" in said[0]
    assert "SAFETY" in said[0]


@pytest.mark.parametrize(("state", "words"), [("gone", "m is not available"), ("denied", "m has no quota")])
async def test_a_model_that_is_gone_is_reported_once_with_what_happens_to_its_pages(state: str, words: str) -> None:
    limiter, _, said, quota = watch()
    held: dict[str, Any] = {"held_since": NOW - 5, "held_words": "This model is no longer available.", state: True}
    limiter.now = LimiterState(models=(model(**held),))
    await quota.poll()
    await quota.poll()
    (sentence,) = said
    assert sentence.startswith(f"{words}: This model is no longer available.")
    assert "engine.gemini.models" in sentence
