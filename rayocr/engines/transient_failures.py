"""Is it the page or the server? Decides when a page that keeps failing is given up, from how other requests fare meanwhile.

A failure is evidence against the page only as far as it is surprising: at a server that refuses every request it says nothing,
at one that answers all others it says much. `max_attempts` failures in a row are enough at a server that refuses one request in
ten, or fewer. Where every second request fails it takes three times as many. While the limiter holds the model none count. Pure.
"""

from __future__ import annotations

import math

from rayocr.errors import EngineRateLimited, EngineShed, EngineTimeout, EngineTransient

_STRAY = 0.1  # of requests fail at a healthy server; fewer are not known to be fewer
_ANSWERING = 0.5  # below this share of failures, a timeout is the page's


class TransientFailures:
    """Of one page with one model. `max_timeouts`: a request that was not waited for may be on the bill all the same."""

    def __init__(self, *, max_attempts: int, max_timeouts: int) -> None:
        self._enough = max_attempts * -math.log(_STRAY)
        self._max_timeouts = max_timeouts
        self._evidence = 0.0
        self._timeouts = 0

    def add(self, error: EngineTransient, *, failing: float) -> None:
        """`failing`: 0..1, the share of the model's recent requests that failed."""
        if isinstance(error, EngineRateLimited | EngineShed):
            return  # a quota is never a matter of the page, and neither is what the server has room for
        self._evidence -= math.log(min(1.0, max(failing, _STRAY)))
        self._timeouts += isinstance(error, EngineTimeout) and failing < _ANSWERING

    @property
    def blame_the_page(self) -> bool:
        return self._evidence >= self._enough - 1e-6 or self._timeouts >= self._max_timeouts
