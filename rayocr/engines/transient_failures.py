"""Decides whether the page or the server causes repeated failures, and when to give up on a page.

A failure counts against the page in proportion to the success of other requests: if the server refuses every request, a refusal
is not evidence against the page. `max_attempts` consecutive failures are enough if the server refuses at most one request in ten;
if every second request fails, three times as many are needed. Failures do not count while the limiter pauses the model. Pure
functions.
"""

from __future__ import annotations

import math

from rayocr.errors import EngineRateLimited, EngineShed, EngineTimeout, EngineTransient

_STRAY = 0.1  # assumed minimum failure rate, even of a healthy server
_ANSWERING = 0.5  # below this failure rate, the page is considered the cause of a timeout


class TransientFailures:
    """Failures of one page with one model. `max_timeouts` is separate because a timed-out request may still be billed."""

    def __init__(self, *, max_attempts: int, max_timeouts: int) -> None:
        self._enough = max_attempts * -math.log(_STRAY)
        self._max_timeouts = max_timeouts
        self._evidence = 0.0
        self._timeouts = 0

    def add(self, error: EngineTransient, *, failing: float) -> None:
        """Counts a failure. `failing`: the share of the model's recent requests that failed, 0..1."""
        if isinstance(error, EngineRateLimited | EngineShed):
            return  # the page never causes quota and capacity errors
        self._evidence -= math.log(min(1.0, max(failing, _STRAY)))
        self._timeouts += isinstance(error, EngineTimeout) and not error.unbilled and failing < _ANSWERING

    @property
    def blame_the_page(self) -> bool:
        return self._evidence >= self._enough - 1e-6 or self._timeouts >= self._max_timeouts
