"""Transfers the workers' logs and counts into the run's files and metrics, once a second."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from rayocr.driver.scheduling.progress import Progress
from rayocr.observe.logs import log_event
from rayocr.observe.relay import Telemetry

log = logging.getLogger(__name__)

_EVERY_S = 1.0
_LAST_S = 3.0


class TelemetryWatch:
    """Transfers telemetry. `take` returns new entries; `write` appends lines to the log; `on_failure` gets the fields of failed
    pages."""

    def __init__(
        self,
        take: Callable[[], Awaitable[Telemetry]],
        progress: Progress,
        *,
        write: Callable[[Sequence[str]], None],
        on_failure: Callable[[Mapping[str, Any]], None] = lambda fields: None,
    ) -> None:
        self._take = take
        self._progress = progress
        self._write = write
        self._on_failure = on_failure

    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            await asyncio.sleep(_EVERY_S)
            with contextlib.suppress(Exception):  # the ledger's process restarts, and its pending telemetry is lost
                await self.take()

    async def last(self) -> None:
        """Transfers the last entries. Call it before the actors end. Never raises."""
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self.take(), _LAST_S)

    async def take(self) -> None:
        telemetry = await self._take()
        self._progress.storage_calls.update(telemetry.storage_calls)
        self._write(telemetry.lines)
        for fields in telemetry.failures:
            self._on_failure(fields)
        if telemetry.lost:
            log_event(
                log, "log_lines_lost", "Workers logged more than there was room for.", level=logging.WARNING, lines=telemetry.lost
            )
