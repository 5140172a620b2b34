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

from rayocr.actors.discovery.actor import Discovery, DiscoveryRules
from rayocr.config import RayocrConfig
from rayocr.driver.monitor.terminal import ConsoleTerminal, printable
from rayocr.driver.plan import existing_state, source_of
from rayocr.errors import ObjectNotFound, StorageError, UsageError
from rayocr.ledger.manifest import document_id_of, manifest_name
from rayocr.messages import Document
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


def request_cancel(config: RayocrConfig) -> int:
    """mode=cancel: ask every run on the destination to drop a document, given by name or id. Raises UsageError."""
    terminal = ConsoleTerminal(config.progress)
    if not config.document:
        raise UsageError("mode=cancel needs document=NAME, as it is named below the source, or its id.")
    state = existing_state(config)
    document_id, name = _find(config, config.document)
    try:
        state.stat(manifest_name(document_id))
    except ObjectNotFound:
        pass
    else:
        raise UsageError(f"{printable(name)} is finished already; nothing is left to cancel.")
    path = write_cancel(state, document_id, name)
    terminal.say(f"{printable(name)} is cancelled: runs on this destination drop it within seconds, and later ones pass it by.")
    terminal.say(f"Delete {path} in the state to have it read after all.")
    return 0


def write_cancel(state: Storage, document_id: str, name: str) -> str:
    """The request's name. Raises StorageError."""
    request = {"document_id": document_id, "name": name, "requested_at": datetime.now(UTC).isoformat(timespec="seconds")}
    path = f"{CANCEL_PREFIX}{document_id[:2]}/{document_id}.json"
    state.write(path, json.dumps(request).encode())
    return path


def _find(config: RayocrConfig, wanted: str) -> tuple[str, str]:
    if len(wanted) == 32 and all(c in "0123456789abcdef" for c in wanted):
        return wanted, wanted
    document = _named(config, wanted)
    if document is None:
        raise UsageError(f"There is no document {wanted!r} in the source. Names are as below source=, for example 2024/a.pdf.")
    return document.document_id, document.name


def _named(config: RayocrConfig, name: str) -> Document | None:
    source, state = source_of(config), existing_state(config)
    discovery = Discovery(source, state, DiscoveryRules(overwrite=True))
    while True:
        batch = discovery.next_batch(1000)
        for document in batch.documents:
            if document.name == name:
                return document
        if batch.exhausted:
            return None
