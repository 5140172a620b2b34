"""Moves documents from Discovery into the window: starts a flow for every admitted document, and reacts to its errors. A flow
records its document's outcome itself. An error that it raises concerns the whole run: the first such error is stored in
`failure`, and the run drains. The flow of a document's older version ends before that of the newer version begins, so that the
newer version's outputs remain.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from rayocr.driver.scheduling.deferred import DeferredDocuments
from rayocr.driver.scheduling.flow.document_state import FlowResult, Replaced
from rayocr.driver.scheduling.outages import Outages
from rayocr.driver.scheduling.progress import Progress
from rayocr.driver.scheduling.window import Window
from rayocr.errors import BudgetExhausted, DayQuotaExhausted, Draining
from rayocr.messages import DiscoveryBatch, Document
from rayocr.observe.logs import log_event

log = logging.getLogger(__name__)

_BATCH = 256  # number of documents requested from Discovery in one call


class Flow(Protocol):
    """The flow of a document; see `rayocr.driver.scheduling.flow.document_flow.DocumentFlow`."""

    async def run(self, document: Document) -> FlowResult: ...

    def fencing_token(self, document_id: str) -> int | None: ...


class Lister(Protocol):
    async def next_batch(self, count: int) -> DiscoveryBatch: ...


class Scheduler:
    """Schedules documents into the window and starts a flow for each.

    `retry_s`: seconds before retrying documents that other runs hold. `on_waiting`: called when only such documents are left.
    `on_push`: called with the id of a document that did not come from Discovery. `outages`: in watch, the outages to wait for;
    None defers the documents to the next run. `follow_versions`: a replaced document is processed immediately in its new version.
    If false, because the new version may still be written, the next poll finds the document when it is complete.
    """

    def __init__(
        self,
        flow: Flow,
        discovery: Lister,
        window: Window,
        progress: Progress,
        draining: asyncio.Event,
        *,
        retry_s: float,
        on_waiting: Callable[[], None] = lambda: None,
        on_push: Callable[[str], None] = lambda document_id: None,
        outages: Outages | None = None,
        follow_versions: bool = True,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Coroutine[Any, Any, None]] | None = None,
    ) -> None:
        self.failure: BaseException | None = None
        self._flow = flow
        self._discovery = discovery
        self._window = window
        self._progress = progress
        self._draining = draining
        self._retry_s = retry_s
        self._on_waiting = on_waiting
        self._on_push = on_push
        self._outages = outages
        self._follow_versions = follow_versions
        self._clock = clock
        self._sleep = sleep or self._sleep_unless_draining
        self._flows: dict[str, asyncio.Task[FlowResult]] = {}
        self._in_progress: dict[str, str] = {}  # source_uri -> the document_id of the version that has a flow
        self._newer: dict[str, Document] = {}  # source_uri -> the version that waits for the older one to end
        self._pushed: set[str] = set()  # document_ids that wait for room in the window
        self._deferred = DeferredDocuments(clock)
        self._cancelled: set[str] = set()
        self._moving: set[asyncio.Task[None]] = set()  # tasks that move documents into and out of the window

    async def run(self) -> None:
        """Runs until all documents of the listing have ended, or the run drains."""
        await self.admit_listed()
        await self.until_ended()

    async def admit_listed(self) -> DiscoveryBatch | None:
        """Admits Discovery's documents to the end of its listing. Returns its last answer. Raises StorageError."""
        batch = None
        while not self._draining.is_set():
            batch = await self._discovery.next_batch(_BATCH)
            self._progress.totals, self._progress.listing_done = batch.totals, batch.exhausted
            for document in batch.documents:
                if self.has(document):
                    continue  # Discovery was restarted and lists documents in the window again
                await self._window.admit_document(document.size_bytes)
                if self._draining.is_set():
                    return batch
                self._start(document)
            if batch.exhausted:
                break
        return batch

    async def until_ended(self) -> None:
        """Waits until no document is in progress, held by another run, or pending."""
        while self._flows or self._deferred or self._moving:
            while self._flows or self._moving:
                await asyncio.wait([*self._flows.values(), *self._moving], return_when=asyncio.FIRST_COMPLETED)
            await self._retry_deferred()

    async def retry_when_due(self) -> None:
        """Retries due documents of a watch, in parallel with the polls, until the run drains."""
        while not self._draining.is_set():
            if self._outages is not None:
                await self._outages.over()
            await self._readmit(self._deferred.due(self._clock()))
            await self._sleep(min(self._retry_s, 1.0))

    def has(self, document: Document) -> bool:
        """Returns whether the document is in progress or scheduled, so that it need not be found again."""
        known = document.document_id
        return known in self._flows or known in self._pushed or known in self._deferred

    @property
    def waiting(self) -> int:
        """The number of pushed documents that have no room in the window yet."""
        return len(self._pushed)

    async def _retry_deferred(self) -> None:
        """Retries deferred documents: other runs may have finished them, or died and left them, or their service is available
        again."""
        if not self._deferred:
            return
        log_event(log, "documents_awaited", "Waiting for documents that other runs hold.", count=len(self._deferred))
        self._on_waiting()
        await self._sleep(self._retry_s)
        await self._readmit(self._deferred.due(None))

    async def _readmit(self, documents: list[Document]) -> None:
        self._count_deferred()
        for document in documents:
            await self._window.admit_document(document.size_bytes)
            if self._draining.is_set():
                return
            self._start(document)

    async def _sleep_unless_draining(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._draining.wait(), seconds)
        except TimeoutError:
            pass

    def push(self, document: Document, *, asked: bool = False) -> bool:
        """Adds a document outside the listing. `asked`: a person requested it, and may have cancelled it before. Returns False if
        it is already in progress or the run is ending."""
        if self.has(document) or self._draining.is_set():
            return False
        if asked:
            self._cancelled.discard(document.document_id)
        self._pushed.add(document.document_id)
        self._on_push(document.document_id)
        self._move(self._admit(document))
        return True

    async def _admit(self, document: Document) -> None:
        await self._window.admit_document(document.size_bytes)
        self._pushed.discard(document.document_id)
        if self._draining.is_set() or document.document_id in self._flows:
            await self._window.release_document(document.size_bytes)
        else:
            self._start(document)

    def lost(self, document_id: str) -> None:
        """Ends the flow of a document whose lease was lost. Nothing is committed."""
        if task := self._flows.get(document_id):
            task.cancel()

    def cancel(self, document_id: str) -> int | None:
        """Stops processing a document, or prevents its start. Returns the fencing token under which workers have it, if any."""
        self._cancelled.add(document_id)
        task = self._flows.get(document_id)
        if task is None:
            return None
        log_event(log, "document_cancelled", "A document was cancelled.", document_id=document_id)
        token = self._flow.fencing_token(document_id)
        task.cancel()
        return token

    async def settle(self, grace_s: float) -> None:
        """Waits up to this long for the flows in progress."""
        if self._flows:
            await asyncio.wait(list(self._flows.values()), timeout=grace_s)

    async def close(self) -> None:
        """Cancels all flows in progress. The next run processes their documents."""
        for task in (*self._flows.values(), *self._moving):
            task.cancel()
        await asyncio.gather(*self._flows.values(), *self._moving, return_exceptions=True)

    def fail(self, error: BaseException) -> None:
        """Stops the run. The first error that is reported becomes the error of the run."""
        if self.failure is None:
            self.failure = error
            log_event(log, "run_stopping", "The run has to stop.", level=logging.ERROR, error=repr(error))
        self._draining.set()

    # -- one document -------------------------------------------------------------------------------------------------------

    def _start(self, document: Document) -> None:
        """Admits the document to the window. The document leaves when its flow ends, or immediately if an older version is in
        progress."""
        older = self._in_progress.get(document.source_uri)
        if older is not None and older in self._flows:
            self._newer[document.source_uri] = document
            self._release(document)
            return
        work = _skip() if document.document_id in self._cancelled else self._flow.run(document)
        task = asyncio.get_running_loop().create_task(work)
        self._flows[document.document_id] = task
        self._in_progress[document.source_uri] = document.document_id
        self._progress.in_progress = len(self._flows)
        task.add_done_callback(self._when_ended(document))

    def _when_ended(self, document: Document) -> Callable[[asyncio.Task[FlowResult]], None]:
        def ended(task: asyncio.Task[FlowResult]) -> None:
            del self._flows[document.document_id]
            self._in_progress.pop(document.source_uri, None)
            self._progress.in_progress = len(self._flows)
            self._release(document)
            self._settle(document, task)
            newer = self._newer.pop(document.source_uri, None)
            if newer is not None:
                self._deferred.forget(document)
                self.push(newer)
            self._count_deferred()

        return ended

    def _settle(self, document: Document, task: asyncio.Task[FlowResult]) -> None:
        if document.document_id in self._cancelled:
            self._progress.cancelled += 1
            return
        if task.cancelled():
            self._deferred.add(document, after_s=self._retry_s)
            return
        error = task.exception()
        if error is None:
            self._note(document, task.result())
        elif isinstance(error, Replaced):
            if self._follow_versions:
                self._newer.setdefault(document.source_uri, error.newer)
        elif isinstance(error, DayQuotaExhausted | BudgetExhausted) and self._outages is not None and error.resumes_at:
            self._deferred.add(document, after_s=self._outages.quota_used_up(error))
        elif not isinstance(error, Draining):
            self.fail(error)

    def _note(self, document: Document, result: FlowResult) -> None:
        if result is FlowResult.SETTLED:
            self._deferred.forget(document)
        elif result is FlowResult.HELD:
            self._deferred.add(document, after_s=self._retry_s, held=True)
        elif self._outages is None:
            self._progress.deferred += 1
        else:
            self._deferred.add_backing_off(document, base_s=self._retry_s)
            self._outages.storage_failed()

    def _count_deferred(self) -> None:
        self._progress.held_elsewhere = self._deferred.held
        if self._outages is not None:
            self._progress.deferred = len(self._deferred) - self._deferred.held

    def _release(self, document: Document) -> None:
        self._move(self._window.release_document(document.size_bytes))

    def _move(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._moving.add(task)
        task.add_done_callback(self._moving.discard)


async def _skip() -> FlowResult:
    return FlowResult.SETTLED
