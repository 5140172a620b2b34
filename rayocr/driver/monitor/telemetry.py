"""What workers logged and counted comes into the run's files and figures here, once a second."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rayocr.driver.scheduling.progress import Progress
from rayocr.observe.logs import log_event

if TYPE_CHECKING:
    from rayocr.driver.cluster.actors import RayActors

log = logging.getLogger(__name__)

_EVERY_S = 1.0
_LAST_S = 3.0


class TelemetryWatch:
    """`write` appends lines to the log; `on_failure` is told those of pages that failed, as data."""

    def __init__(
        self,
        actors: RayActors,
        progress: Progress,
        *,
        write: Callable[[Sequence[str]], None],
        on_failure: Callable[[dict[str, Any]], None] = lambda line: None,
    ) -> None:
        self._actors = actors
        self._progress = progress
        self._write = write
        self._on_failure = on_failure

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(_EVERY_S)
            with contextlib.suppress(Exception):  # the ledger's process is being restarted: what lay there is lost
                await self.take()

    async def last(self) -> None:
        """Before the actors go. Never raises."""
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self.take(), _LAST_S)

    async def take(self) -> None:
        telemetry = await self._actors.take_telemetry()
        self._progress.storage_calls.update(telemetry.storage_calls)
        self._write(telemetry.lines)
        for line in telemetry.lines:
            if '"action": "page_failed"' in line:  # before it is parsed: there may be thousands a second of others
                with contextlib.suppress(ValueError):
                    self._on_failure(json.loads(line))
        if telemetry.lost:
            log_event(
                log, "log_lines_lost", "Workers logged faster than it was written.", level=logging.WARNING, lines=telemetry.lost
            )
