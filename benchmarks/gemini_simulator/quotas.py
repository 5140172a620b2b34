"""The simulator's quotas: requests and input tokens of the last sixty seconds, requests of the day, requests in flight."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

_WINDOW_S = 60.0


@dataclass(frozen=True, slots=True)
class Violation:
    """`quota_id` is Google's name of the quota; `retry_after_s` is the delay in its RetryInfo."""

    quota_id: str
    retry_after_s: float


class Quotas:
    """Uses a sliding minute. `now` is in monotonic seconds; a limit of 0 means no limit."""

    def __init__(self) -> None:
        self._window: deque[tuple[float, int]] = deque()  # (time, input tokens) of accepted requests
        self._tokens = 0
        self.today = 0
        self.admitted = 0
        self.most_in_a_minute = 0

    def admit(
        self, now: float, *, tokens: int, in_flight: int, rpm: float, tpm: float, rpd: float, max_in_flight: float
    ) -> Violation | None:
        """Counts the request, or returns the violated quota."""
        while self._window and self._window[0][0] <= now - _WINDOW_S:
            self._tokens -= self._window.popleft()[1]
        frees_s = self._window[0][0] + _WINDOW_S - now if self._window else 0.0
        if rpd and self.today >= rpd:
            # Google sends this delay even for daily quotas.
            return Violation("GenerateRequestsPerDayPerProjectPerModel-FreeTier", 36.0)
        if rpm and len(self._window) >= rpm:
            return Violation("GenerateRequestsPerMinutePerProjectPerModel", math.ceil(frees_s))
        if tpm and self._tokens + tokens > tpm:
            return Violation("GenerateContentInputTokensPerModelPerMinute", math.ceil(frees_s))
        if max_in_flight and in_flight >= max_in_flight:
            return Violation("ConcurrentRequestsPerProjectPerModel", 1.0)
        self._window.append((now, tokens))
        self._tokens += tokens
        self.today += 1
        self.admitted += 1
        self.most_in_a_minute = max(self.most_in_a_minute, len(self._window))
        return None
