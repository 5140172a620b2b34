"""Detects a run without progress and reports when the progress stopped, because a full spill disk or a lost server is not visible
otherwise."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import datetime

from rayocr.driver.scheduling.progress import Progress
from rayocr.driver.scheduling.window import Window
from rayocr.observe.logs import log_event

log = logging.getLogger(__name__)

STALL_S = 300.0  # longer than limits.page_timeout_s (180 s), after which a slow page ends by itself
_CHECK_EVERY_S = 5.0


class StallWatch:
    """Watches the progress. `clock`: monotonic seconds; `wall_clock`: seconds since 1970. Pauses of the run do not count."""

    def __init__(
        self,
        progress: Progress,
        window: Window,
        *,
        warn: Callable[[str], None],
        stall_s: float = STALL_S,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._progress = progress
        self._window = window
        self._warn = warn
        self._stall_s = stall_s
        self._clock = clock
        self._wall_clock = wall_clock
        self._seen = self._counters()
        self._since = clock()

    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            self.check()
            await asyncio.sleep(_CHECK_EVERY_S)

    def check(self) -> None:
        progress, now = self._progress, self._clock()
        if (counters := self._counters()) != self._seen or self._window.paused or not progress.in_progress:
            if progress.stalled_since is not None:
                log_event(log, "run_progressing", "The run makes progress again.", stalled_s=round(now - self._since))
            self._seen, self._since, progress.stalled_since = counters, now, None
        elif progress.stalled_since is None and now - self._since >= self._stall_s:
            progress.stalled_since = self._wall_clock() - (now - self._since)
            log_event(
                log,
                "run_stalled",
                "No page and no document has ended for a while, although documents are in progress.",
                level=logging.WARNING,
                since=round(progress.stalled_since),
                documents=progress.in_progress,
                pages=self._window.pages,
            )
            self._warn(
                f"No progress since {at_time(progress.stalled_since)}: {progress.in_progress:,} documents are in progress. See"
                ' docs/troubleshooting.md under "no progress since".'
            )

    def _counters(self) -> tuple[int, ...]:
        progress = self._progress
        return progress.pages_read, progress.documents_done, progress.documents_started, progress.elsewhere, progress.cancelled


def at_time(seconds: float) -> str:
    """Formats an instant as local time of day."""
    return datetime.fromtimestamp(seconds).strftime("%H:%M:%S")
