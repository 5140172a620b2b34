"""Handles signals: the first SIGINT, SIGTERM or SIGHUP drains the run, the second ends it immediately. The run can be resumed
either way."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SAME_S = 1.0  # seconds in which a repeated signal is the same request, except Ctrl-C


class Shutdown:
    """Waits for signals. The first signal sets `requested`; `on_second` runs before the process ends with exit code 130.

    Programs send a process the same signal twice at once: timeout(1) to it and to its process group, and a closed terminal and
    its shell both send SIGHUP. Such a repetition is ignored. Only a person sends SIGINT twice."""

    def __init__(
        self,
        *,
        on_first: Callable[[str], None],
        on_second: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
        end: Callable[[int], None] = os._exit,
    ) -> None:
        self.requested = asyncio.Event()
        self._on_first = on_first
        self._on_second = on_second
        self._clock = clock
        self._end = end
        self._first_at = 0.0

    def install(self) -> None:
        """Installs the handlers. Call it again after Ray has started, because Ray replaces these handlers with its own."""
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
            loop.add_signal_handler(number, self._handle, number)
        if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            loop.remove_signal_handler(signal.SIGHUP)
            loop.add_signal_handler(signal.SIGHUP, self._handle, signal.SIGHUP)

    def request(self, why: str) -> None:
        """Requests draining, as the first signal does."""
        if not self.requested.is_set():
            self.requested.set()
            self._on_first(why)

    def _handle(self, number: int) -> None:
        if not self.requested.is_set():
            self._first_at = self._clock()
            self.requested.set()
            self._on_first(signal.Signals(number).name)
            return
        if number != signal.SIGINT and self._clock() - self._first_at < _SAME_S:
            return
        try:
            self._on_second()
        finally:
            self._end(130)
