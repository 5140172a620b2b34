"""The rate that a server allows, learned from 429 and 503: additive increase, multiplicative decrease (Chiu and Jain, 1989).

The configured rate is the ceiling. A refusal lowers the rate at once; it climbs back by a share of the ceiling each second, and
slowly from just below where the last refusal came, so that a quota that is lower than configured is met with few refusals.
Servers also refuse a request here and there, whatever the rate: going slower would not help, and these teach next to nothing.
Pure: time is handed in.
"""

from __future__ import annotations

_CUT = 0.7  # of the rate, at a refusal
_CLIMB = 0.01  # of the ceiling, each second
_SLOW_CLIMB = 0.001  # likewise, near the rate that was refused
_NEAR = 0.95  # of the rate that was refused: from here on slowly
_FLOOR = 0.02  # of the ceiling: the lowest learned rate; pauses do the rest
_REMEMBER_S = 60.0  # after a refusal; from then on the rate climbs at the usual pace
_STRAY = 1 / 3  # of recent requests: while fewer are refused, the rate is not the cause
_STRAY_EVERY_S = 20.0  # between two small corrections for such refusals
_EARNEST_S = 5.0  # a longer delay means that the rate is too high, however few requests were refused
_FORGET = 4.0  # times the refused rate: without a ceiling the refusal is forgotten there


class LearnedRate:
    """Requests a minute. `ceiling_rpm` None: no limit is known, and none is kept until a refusal comes. `share` of the ceiling
    is where it begins: half, for a limiter that was restarted and has forgotten what it had learned."""

    def __init__(self, ceiling_rpm: float | None, *, now: float, share: float = 1.0) -> None:
        self._ceiling = ceiling_rpm
        self._rate = ceiling_rpm * share if ceiling_rpm is not None and share < 1 else None
        self._refused: float | None = None
        self._at = now
        self._last_cut = self._last_stray = self._learned_at = float("-inf")

    def rpm(self, now: float) -> float | None:
        """The current rate; None: unlimited."""
        elapsed_s, self._at = max(0.0, now - self._at), now
        if self._rate is None:
            return self._ceiling
        scale = self._ceiling or self._refused
        assert scale is not None, "a rate was learned from a refusal or from a ceiling"
        if now > self._learned_at + _REMEMBER_S and self._ceiling is not None:
            self._refused = None
        near = _NEAR * self._refused if self._refused is not None else float("inf")
        quick_s = min(elapsed_s, max(0.0, near - self._rate) / (_CLIMB * scale))
        self._rate += (_CLIMB * quick_s + _SLOW_CLIMB * (elapsed_s - quick_s)) * scale
        enough = _FORGET * scale if self._ceiling is None else self._ceiling
        if self._rate >= enough:
            self._rate = self._refused = None
        return self._ceiling if self._rate is None else self._rate

    def refused(
        self,
        now: float,
        *,
        sent_at: float,
        observed_rpm: float,
        share: float,
        paused: bool = False,
        quota: bool = True,
        retry_after_s: float | None = None,
    ) -> bool:
        """The server refused a request that was sent at that time. One lesson for all requests that were on their way together.

        `observed_rpm` is the rate of late. Over a quota (429) it is what was too much, if it is below what was allowed to go;
        a server that is merely overloaded (503) says nothing about where its limit lies, nor does a rate that was low for having
        `paused`. `share` of the requests of late were refused (0 to 1). True when a lesson was taken.
        """
        if sent_at <= self._last_cut:
            return False
        allowed = self.rpm(now)
        if share < _STRAY and (retry_after_s or 0.0) < _EARNEST_S:
            if quota and allowed is not None and now >= self._last_stray + _STRAY_EVERY_S:
                self._last_cut = self._last_stray = now
                self._rate = max(allowed * (1.0 - share), _FLOOR * (self._ceiling or allowed))
            return False
        rate = max(1.0, observed_rpm) if allowed is None else allowed
        if quota and not paused:
            rate = min(rate, max(1.0, observed_rpm))
        self._last_cut = self._learned_at = now
        self._rate = max(rate * _CUT, _FLOOR * (self._ceiling or rate))
        if quota or self._ceiling is None:
            self._refused = rate
        return True
