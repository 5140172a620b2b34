"""No window of 60 seconds contains more starts than the quota, regardless of where the server's minutes begin."""

from __future__ import annotations

import asyncio
import random
from bisect import bisect_left
from contextlib import suppress
from heapq import heappop, heappush
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rayocr.actors.rate_limiter.actor import RateLimiter
from rayocr.errors import ModelUnavailable, QuotaDenied
from rayocr.messages import SlotReturn, Throttle, ThrottleKind
from tests.unit.actors.limiter_world import CENT_A_PAGE, World

_THROTTLES = st.builds(
    Throttle,
    kind=st.sampled_from([ThrottleKind.MINUTE, ThrottleKind.OVERLOADED]),
    retry_after_s=st.none() | st.floats(0.0, 20.0),
    age_s=st.floats(0.0, 10.0),
)
_STEPS = st.one_of(
    st.tuples(st.just("lease"), st.sampled_from(["w1", "w2", "w3"]), st.integers(1, 200)),
    st.tuples(st.just("pass"), st.floats(0.0, 90.0), st.none()),
    st.tuples(st.just("release"), st.sampled_from(["w1", "w2", "w3"]), st.integers(1, 50)),
    st.tuples(st.just("refuse"), st.sampled_from(["w1", "w2"]), _THROTTLES),
    st.tuples(st.just("restart"), st.none(), st.none()),
)


def most_in_a_minute(starts: list[float]) -> int:
    starts = sorted(starts)
    # A nanosecond for the rounding of sums: two starts an exact minute apart are not in one window.
    return max((bisect_left(starts, start + 60.0 - 1e-9) - index for index, start in enumerate(starts)), default=0)


def dearest_minute(uses: list[tuple[float, int]]) -> int:
    times = [at for at, _ in sorted(uses)]
    used_before = [0, *accumulate(tokens for _, tokens in sorted(uses))]
    windows = ((bisect_left(times, start), bisect_left(times, start + 60.0 - 1e-9)) for start in times)
    return max((used_before[end] - used_before[begin] for begin, end in windows), default=0)


async def follow(steps: list[tuple[str, object, object]], world: World, **limits: float) -> list[float]:
    limiter: RateLimiter = world.limiter(**limits)
    starts: list[float] = []
    for what, first, second in steps:
        if what == "lease":
            with suppress(ModelUnavailable, QuotaDenied):
                starts += [world.now + delay_s for delay_s in await limiter.lease("m", str(first), int(str(second)))]
        elif what == "pass":
            world.now += float(str(first))
        elif what == "release":
            await limiter.release("m", str(first), SlotReturn(slots=int(str(second))))
        elif what == "refuse":
            assert isinstance(second, Throttle)
            await limiter.release("m", str(first), SlotReturn(slots=1, free=1, throttle=second))
        else:
            limiter = world.limiter(restarted=True, **limits)
    return starts


@settings(max_examples=150, deadline=None)
@given(steps=st.lists(_STEPS, max_size=80), rpm=st.sampled_from([1, 7, 15, 60, 333, 600, 6000]))
def test_no_window_of_a_minute_holds_more_starts_than_the_quota(steps: list[tuple[str, object, object]], rpm: int) -> None:
    starts = asyncio.run(follow(steps, World(), rpm=rpm))
    assert most_in_a_minute(starts) <= rpm


@pytest.mark.parametrize("rpm", [10, 600, 6000])
def test_a_cluster_that_always_wants_more_gets_the_whole_quota(rpm: int) -> None:
    async def greedy() -> list[float]:
        world = World()
        limiter = world.limiter(rpm=rpm)
        starts: list[float] = []
        while world.now < 400:
            starts += [world.now + delay_s for delay_s in await limiter.lease("m", "w", 1000)]
        return [start for start in starts if start < 400]

    starts = asyncio.run(greedy())
    assert most_in_a_minute(starts) == rpm
    assert len(starts) == pytest.approx(rpm * 5, rel=0.002, abs=1)


@settings(max_examples=50, deadline=None)
@given(
    tokens=st.lists(st.integers(1, 5000), min_size=200, max_size=400),
    delay=st.integers(0, 20),
    tpm=st.sampled_from([50_000, 250_000]),
)
def test_no_window_of_a_minute_takes_many_more_tokens_than_the_quota(tokens: list[int], delay: int, tpm: int) -> None:
    """Actual use is known only with the answer, so a window can exceed its limit by the requests in flight. Later windows
    compensate."""

    async def run() -> list[tuple[float, int]]:
        world = World()
        limiter = world.limiter(tpm=tpm)
        uses: list[tuple[float, int]] = []
        open_uses: list[int] = []
        left = list(tokens)
        while left:
            for delay_s in await limiter.lease("m", "w", min(5, len(left))):
                used = left.pop()
                uses.append((world.now + delay_s, used))
                open_uses.append(used)
            while len(open_uses) > delay:
                await limiter.release("m", "w", SlotReturn(slots=1, answered=1, input_tokens=open_uses.pop(0)))
        return uses

    assert dearest_minute(asyncio.run(run())) <= tpm + (delay + 6) * 5000


@pytest.mark.parametrize(("least", "most"), [(600, 800), (400, 1600)])
def test_pages_that_differ_in_length_use_97_percent_of_the_tokens_and_no_minute_exceeds_the_quota(least: int, most: int) -> None:
    tpm, minutes = 600_000, 10

    async def run() -> list[tuple[float, int]]:
        world, draws = World(), random.Random(1)
        limiter = world.limiter(tpm=tpm, headroom=0.01)
        began = world.now
        uses: list[tuple[float, int]] = []
        open_uses: list[tuple[float, int]] = []  # (time of the answer, tokens)
        while world.now < began + (minutes + 1) * 60.0:
            for delay_s in await limiter.lease("m", "w", 20):
                tokens = draws.randint(least, most)
                uses.append((world.now + delay_s - began, tokens))
                heappush(open_uses, (world.now + delay_s + 2 + 6 * draws.random(), tokens))
            while open_uses and open_uses[0][0] <= world.now:
                await limiter.release("m", "w", SlotReturn(slots=1, answered=1, input_tokens=heappop(open_uses)[1]))
        return uses

    uses = asyncio.run(run())
    assert dearest_minute(uses) <= tpm
    assert sum(tokens for at, tokens in uses if 60.0 <= at < 60.0 * (minutes + 1)) >= 0.97 * tpm * minutes


def test_pages_of_600_to_9500_expected_tokens_use_97_percent_and_no_minute_exceeds_the_quota() -> None:
    tpm, minutes = 600_000, 10

    async def run() -> list[tuple[float, int]]:
        world, draws = World(), random.Random(1)
        limiter = world.limiter(tpm=tpm, headroom=0.01)
        began = world.now
        uses: list[tuple[float, int]] = []
        open_uses: list[tuple[float, int, float]] = []  # (time of the answer, tokens, what was expected)
        while world.now < began + (minutes + 1) * 60.0:
            expected = tuple(60.0 + 560.0 * draws.choice((1, 1, 1, 2, 9, 17)) for _ in range(20))
            for delay_s, each in zip(await limiter.lease("m", "w", 20, expected), expected, strict=False):
                tokens = round(each * draws.uniform(0.97, 1.03))
                uses.append((world.now + delay_s - began, tokens))
                heappush(open_uses, (world.now + delay_s + 2 + 6 * draws.random(), tokens, each))
            while open_uses and open_uses[0][0] <= world.now:
                _, tokens, each = heappop(open_uses)
                returned = SlotReturn(slots=1, answered=1, input_tokens=tokens, reserved_tokens=each, expected_tokens=each)
                await limiter.release("m", "w", returned)
        return uses

    uses = asyncio.run(run())
    assert dearest_minute(uses) <= tpm
    assert sum(tokens for at, tokens in uses if 60.0 <= at < 60.0 * (minutes + 1)) >= 0.97 * tpm * minutes


async def test_the_cost_that_is_reserved_grows_with_the_expected_tokens() -> None:
    limiter = World().limiter(prices=CENT_A_PAGE, budget_usd=10.0)
    await limiter.lease("m", "w", 1, (4000.0,))
    assert (await limiter.state()).promised_usd == pytest.approx(0.04)
