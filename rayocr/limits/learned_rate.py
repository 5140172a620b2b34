"""Learns the rate that a server allows from 429 and 503 responses: additive increase, multiplicative decrease (Chiu and Jain,
1989).

The configured rate is the ceiling. A refusal lowers the rate immediately. The rate then rises by a share of the ceiling each
second, and more slowly from just below the rate of the last refusal, so that a quota lower than configured causes few refusals.
Servers also refuse single requests at any rate. A lower rate would not prevent such refusals, so they have almost no effect.
Pure; callers pass the time.
"""

from __future__ import annotations

_CUT = 0.7  # a refusal multiplies the rate by this
_CLIMB = 0.01  # the rate rises by this share of the ceiling each second
_SLOW_CLIMB = 0.001  # the same near the refused rate
_NEAR = 0.95  # share of the refused rate, above which the rate rises slowly
_FLOOR = 0.02  # lowest learned rate, as a share of the ceiling; pauses handle lower rates
_REMEMBER_S = 60.0  # seconds after a refusal, after which the rate rises at the usual pace
_STRAY = 1 / 3  # share of recent requests; while fewer are refused, the rate is not the cause
_STRAY_EVERY_S = 20.0  # seconds between two small corrections for such refusals
_EARNEST_S = 5.0  # a longer delay means that the rate is too high, even if few requests were refused
_FORGET = 4.0  # multiple of the refused rate, at which the refusal is forgotten without a ceiling


class LearnedRate:
    """A rate in requests per minute. `ceiling_rpm` is None if no limit is known; then none applies until a refusal. `share`: the
    initial rate as a share of the ceiling; half for a limiter that was restarted and has lost its learned rate."""

    def __init__(self, ceiling_rpm: float | None, *, now: float, share: float = 1.0) -> None:
        self._ceiling = ceiling_rpm
        self._rate = ceiling_rpm * share if ceiling_rpm is not None and share < 1 else None
        self._refused: float | None = None
        self._at = now
        self._last_cut = self._last_stray = self._learned_at = float("-inf")

    def rpm(self, now: float) -> float | None:
        """Returns the current rate; None: unlimited."""
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

    def forget(self, now: float) -> None:
        """Forgets the refusals of an outage, which do not show the rate that the server allows. The rate starts at half of the
        ceiling."""
        rate = self.rpm(now)
        self._refused = None
        self._rate = max(rate, self._ceiling / 2) if rate is not None and self._ceiling is not None else None

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
        """Notes that the server refused a request that was sent at that time. Requests that were in flight together count as one
        refusal.

        `observed_rpm` is the recent rate. After a quota error (429), a recent rate below the permitted rate counts as too high.
        An overloaded server (503) does not reveal its limit, and a rate that was low because the run had `paused` does not
        either. `share` of the recent requests were refused (0 to 1). Returns True when the rate was changed.
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
