"""Whether and when to retry."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rayocr.config import RetryConfig
from rayocr.errors import EngineRateLimited, EngineRejected, RayocrError, StorageFull, StorageUnavailable
from rayocr.retry import RetryDecision, RetryPolicy, call, decide

POLICY = RetryPolicy(max_attempts=5, base_s=1.0, cap_s=10.0)
AWAY = StorageUnavailable("away")


def test_the_policy_takes_its_figures_from_the_configuration() -> None:
    config = RetryConfig(max_attempts=7, base_s=0.5, cap_s=9.0)
    assert RetryPolicy.from_config(config) == RetryPolicy(max_attempts=7, base_s=0.5, cap_s=9.0)


@pytest.mark.parametrize(
    "error", [StorageFull("full"), EngineRejected("400"), RayocrError("x"), ValueError("x"), KeyboardInterrupt()]
)
def test_what_waiting_cannot_cure_is_never_tried_again(error: BaseException) -> None:
    assert decide(error, 1, policy=POLICY) is None


def test_an_exception_of_another_library_is_not_transient() -> None:
    class Foreign(Exception):
        transient = True

    assert decide(Foreign(), 1, policy=POLICY) is None


def test_the_backoff_doubles_up_to_the_cap() -> None:
    policy = RetryPolicy(max_attempts=10**6, base_s=1.0, cap_s=10.0)
    delays = [decide(AWAY, attempt, policy=policy, random=lambda: 1.0) for attempt in (1, 2, 3, 4, 5, 6, 100_000)]
    assert delays == [RetryDecision(delay_s=s) for s in (1, 2, 4, 8, 10, 10, 10)]


def test_attempts_end() -> None:
    assert decide(AWAY, 4, policy=POLICY) is not None
    assert decide(AWAY, 5, policy=POLICY) is None
    assert decide(AWAY, 1, policy=RetryPolicy(max_attempts=1)) is None


@given(
    attempt=st.integers(1, 4),
    retry_after_s=st.none() | st.floats(allow_nan=True, allow_infinity=True),
    jitter=st.floats(0, 1, exclude_max=True),
)
def test_delays_are_at_least_the_servers_and_at_most_the_cap_longer(
    attempt: int, retry_after_s: float | None, jitter: float
) -> None:
    error = EngineRateLimited("429", retry_after_s=retry_after_s)
    decision = decide(error, attempt, policy=POLICY, random=lambda: jitter)
    assert decision is not None
    asked = retry_after_s if retry_after_s is not None and math.isfinite(retry_after_s) and retry_after_s > 0 else 0.0
    assert asked <= decision.delay_s <= asked + POLICY.cap_s


class Flaky:
    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


def test_a_call_is_repeated_until_it_answers_and_waits_between() -> None:
    slept: list[float] = []
    function = Flaky(AWAY, AWAY)
    answer = call(
        function,
        policy=POLICY,
        sleep=slept.append,
        random=lambda: 0.5,
    )
    assert answer == "answer"
    assert slept == [0.5, 1.0]


def test_a_call_gives_up_with_the_last_error() -> None:
    slept: list[float] = []
    last = StorageUnavailable("the last")
    function = Flaky(*[AWAY] * 4, last)
    with pytest.raises(StorageUnavailable) as caught:
        call(function, policy=POLICY, sleep=slept.append)
    assert caught.value is last
    assert (function.calls, len(slept)) == (5, 4)


@pytest.mark.parametrize("error", [StorageFull("full"), ValueError("x")])
def test_a_call_does_not_repeat_what_waiting_cannot_cure(error: Exception) -> None:
    function = Flaky(error)
    with pytest.raises(type(error)):
        call(function, policy=POLICY, sleep=lambda _: pytest.fail("slept"))
    assert function.calls == 1
