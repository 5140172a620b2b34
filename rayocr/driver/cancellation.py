"""Stores cancel requests to runs as small objects in the state: `.rayocr/control/cancel/<document_id>.json`.

Each run reads them every few seconds, so they reach every run on the destination, on any cluster, without a server. A run stops
processing a cancelled document: it drops pages in progress, releases the lease and writes nothing. Later runs skip the document
until the request is deleted.
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
_POLL_EVERY_S = 2.0


def cancelled_documents(state: Storage) -> set[str]:
    """Returns the document_ids of all requests."""
    return {i for entry in state.list(CANCEL_PREFIX) if (i := document_id_of(entry.name))}


class CancelWatch:
    """Calls `on_cancel(document_id)` once for each request, including those from before the start."""

    def __init__(self, state: Storage, on_cancel: Callable[[str], None]) -> None:
        self._state = state
        self._on_cancel = on_cancel
        self._seen: set[str] = set()

    async def poll(self) -> None:
        """Reads new requests. Raises StorageError."""
        now = await asyncio.to_thread(cancelled_documents, self._state)
        for document_id in now - self._seen:
            self._on_cancel(document_id)
        self._seen = now

    async def run(self) -> None:
        """Runs until cancelled. The next poll finds requests that a failed poll missed."""
        while True:
            await asyncio.sleep(_POLL_EVERY_S)
            try:
                await self.poll()
            except StorageError as error:
                log_event(log, "cancel_poll_failed", "Cancel requests could not be read.", error=str(error))


def write_cancel(state: Storage, document_id: str, name: str) -> str:
    """Writes a cancel request and returns its name. Raises StorageError."""
    request = {"document_id": document_id, "name": name, "requested_at": datetime.now(UTC).isoformat(timespec="seconds")}
    path = f"{CANCEL_PREFIX}{document_id[:2]}/{document_id}.json"
    state.write(path, json.dumps(request).encode())
    return path
