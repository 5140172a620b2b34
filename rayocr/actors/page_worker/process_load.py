"""Measures how busy this process is, so that the pool detects when a worker that waits for servers has become the bottleneck."""

from __future__ import annotations

import time
from collections.abc import Callable

_WINDOW_S = 2.0


class ProcessLoad:
    """Measures the load of this process. `cpu` returns the CPU seconds of the process so far."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, cpu: Callable[[], float] = time.process_time) -> None:
        self._clock = clock
        self._cpu = cpu
        self._since = (clock(), cpu())
        self._share = 0.0

    def share(self) -> float:
        """Returns the number of CPUs used recently, measured over two seconds or more."""
        now, used = self._clock(), self._cpu()
        then, used_then = self._since
        if now - then >= _WINDOW_S:
            self._share = (used - used_then) / (now - then)
            self._since = (now, used)
        return self._share
