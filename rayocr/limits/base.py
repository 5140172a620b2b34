"""Defines the port of the limiter bucket, the source of one model's slots. Adapters are in this folder. The RateLimiter actor
calls them. A bucket is a GCRA (ITU-T I.371): it stores the instant at which the next request may start, and hands out the next
few slots. Starts are at least an interval apart, even after unused time, so no period of a minute exceeds the quota. Slots are
delays from now, because the clocks of nodes differ.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

# Maximum time (seconds) between lending a slot and its start, so that a pause or a restart affects few lent slots. This time is
# long compared with a call to an actor or to Redis, and short compared with the minute of a quota.
HORIZON_S = 0.5


class Blocked(StrEnum):
    """The reasons why a bucket returned no slots."""

    PACE = "pace"  # the next start is too far ahead
    IN_FLIGHT = "in_flight"
    DAY = "day"  # the daily quota is used up


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """A request for slots. `request_interval_s` is the time between two starts, `token_interval_s` the time that a request of the
    expected length takes of the tokens per minute; the longer one applies. `token_intervals_s` replaces it if the requests
    differ: one for each wanted request, in order. `correction_s` is the correction of token time since the last take, positive if
    requests were longer than expected. `in_flight` counts the slots that the calling limiter has lent.
    """

    wanted: int
    request_interval_s: float = 0.0
    token_interval_s: float = 0.0
    token_intervals_s: tuple[float, ...] = ()
    correction_s: float = 0.0
    in_flight: int = 0
    max_in_flight: int | None = None
    requests_a_day: int | None = None

    def token_interval_of(self, number: int) -> float:
        """Returns the token time of the request with this number, from 0."""
        return self.token_intervals_s[number] if self.token_intervals_s else self.token_interval_s

    def delays_s(self, first_s: float, *, most: int, until_s: float = math.inf) -> tuple[float, ...]:
        """Returns the starts of up to `most` requests. Only the first may be after `until_s`."""
        if not self.token_intervals_s:
            step_s = max(self.request_interval_s, self.token_interval_s)
            count = min(most, math.floor((until_s - first_s) / step_s) + 1) if step_s > 0 and until_s < math.inf else most
            return tuple(first_s + i * step_s for i in range(max(1, count)))
        delays_s = [first_s]
        for token_s in self.token_intervals_s[: most - 1]:
            next_s = delays_s[-1] + max(self.request_interval_s, token_s)
            if next_s > until_s:
                break
            delays_s.append(next_s)
        return tuple(delays_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Slots, each as seconds to wait from now, or the reason why there are none and when to try again."""

    delays_s: tuple[float, ...] = ()
    blocked: Blocked | None = None
    wait_s: float = 0.0
    requests_today: int = 0


class Bucket(ABC):
    """The port that all buckets implement. Every call raises SharedLimitsUnavailable if the bucket is on a server that is
    unavailable."""

    shared: bool = False  # other clusters use it too, so slots can become free elsewhere

    @abstractmethod
    async def take(self, take: Take) -> Taken:
        """Returns one to `wanted` slots, or the reason why there are none. Never waits. Repeating a call wastes slots but exceeds
        no limit."""

    @abstractmethod
    async def pause(self, delay_s: float) -> None:
        """Starts no slot for this many seconds. A shorter pause does not shorten a longer one."""

    @abstractmethod
    async def report_in_flight(self, in_flight: int) -> None:
        """Reports how many slots the calling limiter has lent now, for others that share the bucket. Idempotent. A limiter that
        does not report for `limits.shared_ttl_s` counts as dead, and its slots are freed."""

    @abstractmethod
    def wall_clock(self) -> float:
        """Returns the time by which quota days are counted, in seconds since 1970: that of the bucket's server, if any."""

    @abstractmethod
    async def return_unsent(self, requests: int) -> None:
        """Returns requests of today that were not sent, so that they do not count against the daily quota."""

    async def restore_today(self, day: str, requests: int) -> None:  # noqa: B027 - a bucket on a server keeps its count
        """Restores the number of requests that were sent on this quota day, after a restart of the limiter."""

    async def add_spend(self, spent_by_day: Mapping[str, float]) -> Mapping[str, float]:
        """Adds the spending since the last call, by day ("2026-11-26"), to the shared account. Returns the total spending of all
        runs that share it; empty without sharing."""
        return {}

    async def close(self) -> None:  # noqa: B027 - most adapters have nothing to close
        """Releases all slots. Idempotent."""
