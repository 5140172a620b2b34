"""Checks for GET /ready whether source, destination, locks, shared limits and the servers of the engines are available."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rayocr.config import EngineConfig, Secrets
from rayocr.driver.plan import Plan
from rayocr.driver.scheduling.progress import Progress
from rayocr.driver.server_probe import probe_servers
from rayocr.errors import RayocrError
from rayocr.locks.base import Locks

_LIMITS_UNAVAILABLE_S = 10.0
_ASK_AGAIN_S = 60.0  # interval of checks of a server; readiness probes arrive every few seconds


@dataclass(slots=True)
class Readiness:
    plan: Plan
    engine: EngineConfig
    keys: Secrets
    locks: Locks
    progress: Progress
    clock: Callable[[], float] = time.monotonic
    _asked_at: float | None = None
    _answer: str | None = None
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def wrong(self) -> dict[str, str]:
        """Returns the reason for each unavailable part; empty when ready. Blocks. You can call it from any thread."""
        checks: dict[str, Callable[[], object]] = {
            "source": self.plan.source.check_readable,
            "destination": self.plan.dest.check_readable,
            "locks": self.locks.check,
        }
        found = {part: problem for part, check in checks.items() if (problem := _problem_of(check)) is not None}
        limiter = self.progress.limiter
        if limiter is not None and limiter.unavailable_s > _LIMITS_UNAVAILABLE_S:
            found["limits"] = "The Redis of the shared limits is unavailable."
        if limiter is not None and limiter.models and all(model.parked_until for model in limiter.models):
            found["engine"] = "The daily quota is used up."
        elif (problem := self._server()) is not None:
            found["engine"] = problem
        return found

    def _server(self) -> str | None:
        with self._turn:
            if self._asked_at is None or self.clock() - self._asked_at >= _ASK_AGAIN_S:
                self._answer = _problem_of(lambda: probe_servers(self.plan.links, self.engine, self.plan.prompts, self.keys))
                self._asked_at = self.clock()
            return self._answer


def _problem_of(check: Callable[[], object]) -> str | None:
    try:
        check()
    except RayocrError as error:
        return " ".join(filter(None, (str(error), error.hint)))
    return None
