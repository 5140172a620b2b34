"""Decides whether and when to retry, from the error's class alone, never from its message.

The functions are pure; the random source and the sleep are injected. Engines, which sleep on their own event loop, use `decide`;
the blocking calls of storage use `call`. The delays follow exponential backoff with full jitter, as in the AWS Builders' Library,
"Timeouts, retries and backoff with jitter": the whole delay is random, so that workers that failed together do not retry
together.
"""

from __future__ import annotations

import math
import random as _random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from rayocr.errors import RayocrError

if TYPE_CHECKING:
    from rayocr.config import RetryConfig

T = TypeVar("T")

_LONGEST_S = 600.0  # maximum wait of a call; an object that is unavailable for longer is tried again later, or by the next run
_MOST_DOUBLINGS = 62  # 2.0**1024 overflows; no cap is that high


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """A retry policy. `max_attempts` includes the first one. The backoff before attempt n+1 is at most base_s * 2**(n-1), and at
    most cap_s."""

    max_attempts: int = 3
    base_s: float = 1.0
    cap_s: float = 60.0

    @classmethod
    def from_config(cls, config: RetryConfig) -> RetryPolicy:
        return cls(max_attempts=config.max_attempts, base_s=config.base_s, cap_s=config.cap_s)

    def backoff_s(self, attempt: int) -> float:
        """Returns the longest delay after this failed attempt (1-based), in seconds."""
        return float(min(self.cap_s, self.base_s * 2.0 ** min(max(attempt - 1, 0), _MOST_DOUBLINGS)))


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryDecision:
    delay_s: float


def decide(
    error: BaseException, attempt: int, *, policy: RetryPolicy, random: Callable[[], float] = _random.random
) -> RetryDecision | None:
    """Returns the delay before the next attempt after `attempt` (1-based) ended with `error`; None if there should be none.

    The server's own delay (`retry_after_s`) is a minimum. The jitter is added to the server's delay, so that no client retries
    early and the clients do not retry at the same instant.
    """
    if not (isinstance(error, RayocrError) and error.transient) or attempt >= policy.max_attempts:
        return None
    jitter_s = random() * policy.backoff_s(attempt)
    return RetryDecision(delay_s=_server_delay_s(error) + jitter_s)


def call(
    function: Callable[[], T],
    *,
    policy: RetryPolicy,
    sleep: Callable[[float], None] = time.sleep,
    random: Callable[[], float] = _random.random,
) -> T:
    """Calls the function, and retries it after transient errors. Blocks. Raises the error of the last attempt.

    The function must be idempotent: an attempt whose answer was lost may have succeeded.
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            return function()
        except RayocrError as error:
            decision = decide(error, attempt, policy=policy, random=random)
            if decision is None or decision.delay_s > _LONGEST_S:
                raise
        sleep(decision.delay_s)  # outside the except block, so that Ctrl-C while waiting is not chained to the old error


def _server_delay_s(error: RayocrError) -> float:
    delay_s = getattr(error, "retry_after_s", None)
    if isinstance(delay_s, int | float) and math.isfinite(delay_s) and delay_s > 0:
        return float(delay_s)
    return 0.0
