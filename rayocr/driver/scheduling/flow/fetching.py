"""Fetches the bytes of documents, again if they are lost with their node."""

from __future__ import annotations

import logging
from collections.abc import Callable

from rayocr.driver.cluster.actors import RunActors
from rayocr.driver.cluster.base import Content
from rayocr.driver.scheduling.flow.document_state import DocumentState
from rayocr.driver.scheduling.flow.quarantine import count_fetch_failure
from rayocr.driver.scheduling.progress import Progress
from rayocr.errors import ActorFailed, ContentLost, StorageDenied, UnreadableSource
from rayocr.messages import FetchedDocument
from rayocr.observe.logs import log_event

log = logging.getLogger(__name__)

_DENIED_ALLOWED = 5  # number of denied documents at the start of a run, before any could be read
_READ = -1  # a document was read


class Fetching:
    """Fetches documents. `check(state)` raises Draining or LeaseLost when processing of the document must stop."""

    def __init__(self, actors: RunActors, *, progress: Progress, check: Callable[[DocumentState], None]) -> None:
        self._actors = actors
        self._progress = progress
        self._check = check
        self._denied = 0  # number of denied documents before the first that could be read

    async def fetch(self, state: DocumentState) -> FetchedDocument:
        while True:
            self._check(state)
            try:
                with self._progress.timings.of("fetch"):
                    # After a crash no page is loaded, so that a page that crashes its worker does not cause the loss of the
                    # document.
                    load_pages = not state.fetch_failures
                    fetched, state.content = await self._actors.fetch(state.document, load_pages=load_pages)
                self._denied = _READ
                return fetched
            except ActorFailed as error:
                await count_fetch_failure(state, self._actors, error)

    async def again(self, state: DocumentState, lost: Content | None) -> None:
        """Fetches the document again after its bytes were lost with a node. If several shards notice, only one fetches it."""
        async with state.refetching:
            if state.content is not lost:
                return
            state.refetches += 1
            log_event(log, "content_lost", "A document's bytes were lost and are fetched again.", document_id=state.document_id)
            if state.refetches > 3:
                raise ContentLost("The document's bytes were lost four times.")
            await self.fetch(state)

    def check_denied(self, state: DocumentState, error: UnreadableSource) -> None:
        """Raises StorageDenied when access to all of the first documents was denied. The whole source is then affected, and the
        run should not reject millions of documents. In a local folder each file has its own permissions."""
        if not error.denied or self._denied == _READ or state.document.source_uri.startswith("file:"):
            return
        self._denied += 1
        if self._denied >= _DENIED_ALLOWED:
            raise StorageDenied(
                f"The first {self._denied} documents could not be read. {error}",
                hint=error.hint or "Grant the account permission to read the source's objects.",
            ) from error
