"""Ends a run in time when Ray's head does not come back.

Calls between live actors work without the head. When its control store has been unavailable for
RAY_gcs_rpc_server_reconnect_timeout_s, Ray ends the process that started the run with exit code 1, and no Python code can prevent
this. The run therefore stops slightly earlier by itself: it records the pages that were read and ends with exit code 3.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable

from rayocr.driver.cluster.addresses import knock
from rayocr.errors import ClusterUnavailable
from rayocr.observe.logs import log_event

log = logging.getLogger(__name__)

_VARIABLE = "RAY_gcs_rpc_server_reconnect_timeout_s"
_RAYS_DEFAULT_S = 60.0
_EVERY_S = 2.0
_SAID_AFTER_S = 10.0  # a head that is replaced is usually back within seconds
_TO_DRAIN_S = 60.0  # maximum time for draining; a third of Ray's timeout if that is shorter
_BEFORE_RAY_S = 5.0  # the process exits this long before Ray's timeout (or a tenth of the timeout), even if a call still waits


class HeadWatch:
    """Watches Ray's head. `ends_after_s`: how long Ray waits for its head. `fail` drains the run; `end` ends the process
    immediately and is called on another thread if draining takes too long."""

    def __init__(
        self,
        address: str,
        *,
        fail: Callable[[ClusterUnavailable], None],
        warn: Callable[[str], None],
        say: Callable[[str], None],
        ends_after_s: float | None = None,
        ask: Callable[[str], None] = knock,
        end: Callable[[ClusterUnavailable], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._address = address
        self._fail, self._warn, self._say = fail, warn, say
        self._ends_after_s = _rays_patience_s() if ends_after_s is None else ends_after_s
        self._ask = ask
        self._end = end or _end_process
        self._clock = clock
        self._sleep = sleep
        self._since: float | None = None
        self._was_told = False
        self._timer: threading.Timer | None = None

    async def run(self) -> None:
        """Runs until cancelled, or until the run was stopped."""
        while True:
            asked_at = self._clock()
            if await self._answers():
                self._note_back()
            elif self._is_lost(asked_at):
                return
            await self._sleep(_EVERY_S)

    async def _answers(self) -> bool:
        try:
            await asyncio.to_thread(self._ask, self._address)
        except OSError:
            return False
        return True

    def _note_back(self) -> None:
        self._since = None
        if self._was_told:
            self._was_told = False
            self._say("Ray's head is available again.")
            log_event(log, "head_recovered", "Ray's head is available again.", address=self._address)

    def _is_lost(self, asked_at: float) -> bool:
        """Reports the outage, and stops the run if it has lasted too long. `asked_at`: the time of the call that was not
        answered."""
        if self._since is None:
            self._since = asked_at
        gone_s = self._clock() - self._since
        left_s = self._ends_after_s - gone_s
        if left_s <= min(_TO_DRAIN_S, self._ends_after_s / 3):
            self._stop(left_s)
            return True
        if gone_s >= _SAID_AFTER_S and not self._was_told:
            self._was_told = True
            minutes = f"{self._ends_after_s / 60:.0f} minutes" if self._ends_after_s >= 120 else f"{self._ends_after_s:.0f} s"
            self._warn(f"Ray's head at {self._address} does not answer. Workers continue; the run waits for at most {minutes}.")
            log_event(log, "head_unavailable", "Ray's head does not answer.", level=logging.WARNING, address=self._address)
        return False

    def _stop(self, left_s: float) -> None:
        error = ClusterUnavailable(
            f"Ray's head at {self._address} has not answered for {self._ends_after_s - left_s:.0f} s.",
            hint=f"Start the same command again when the cluster is available again. It resumes. Ray itself waits for {_VARIABLE}"
            f" ({self._ends_after_s:.0f} s).",
        )
        self._timer = threading.Timer(max(0.0, left_s - min(_BEFORE_RAY_S, self._ends_after_s / 10)), lambda: self._end(error))
        self._timer.daemon = True
        self._timer.start()
        self._fail(error)


def _rays_patience_s() -> float:
    with contextlib.suppress(ValueError):
        return max(1.0, float(os.environ.get(_VARIABLE, "")))
    return _RAYS_DEFAULT_S


def _end_process(error: ClusterUnavailable) -> None:
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"\nrayocr: {error}\n  {error.hint}\n")
        sys.stderr.flush()
    os._exit(error.exit_code)
