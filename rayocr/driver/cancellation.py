"""Requests to a run from outside, as small objects beside the state: `.rayocr/control/cancel/<document_id>.json`.

They reach every run on the destination, on whatever cluster, without a server; a run looks every few seconds. A cancelled
document is left as it is: pages under way are dropped, its lease is freed, nothing is written. It stays cancelled for later
runs until the request is withdrawn.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime

from rayocr.errors import StorageError
from rayocr.ledger.manifest import document_id_of
from rayocr.observe.logs import log_event
from rayocr.storage.base import Storage

log = logging.getLogger(__name__)

CANCEL_PREFIX = ".rayocr/control/cancel/"
_LOOK_EVERY_S = 2.0


def cancelled_documents(state: Storage) -> set[str]:
    """The document_ids for which somebody asked."""
    return {i for entry in state.list(CANCEL_PREFIX) if (i := document_id_of(entry.name))}


class CancelWatch:
    """Calls `on_cancel(document_id)` once for each request, those from before the start included."""

    def __init__(self, state: Storage, on_cancel: Callable[[str], None]) -> None:
        self._state = state
        self._on_cancel = on_cancel
        self._seen: set[str] = set()

    async def look(self) -> None:
        """Raises StorageError."""
        now = await asyncio.to_thread(cancelled_documents, self._state)
        for document_id in now - self._seen:
            self._on_cancel(document_id)
        self._seen = now

    async def run(self) -> None:
        """Until cancelled. A look that fails is made up for by the next."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            try:
                await self.look()
            except StorageError as error:
                log_event(log, "control_look_failed", "Requests could not be looked at.", error=str(error))


def write_cancel(state: Storage, document_id: str, name: str) -> str:
    """The request's name. Raises StorageError."""
    request = {"document_id": document_id, "name": name, "requested_at": datetime.now(UTC).isoformat(timespec="seconds")}
    path = f"{CANCEL_PREFIX}{document_id[:2]}/{document_id}.json"
    state.write(path, json.dumps(request).encode())
    return path
