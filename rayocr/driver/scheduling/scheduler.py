"""From Discovery into the window: a flow for every document that has room, and what becomes of the run when one raises.

A flow records its document's outcome itself. What it raises concerns the whole run: the first such error is kept in `failure`,
and everything drains. Of two versions of one document the older has ended before the newer begins, so that the outputs that stay
are those of the newer.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rayocr.driver.scheduling.deferred import DeferredDocuments
from rayocr.driver.scheduling.document_state import FlowResult, Replaced
from rayocr.driver.scheduling.progress import Progress
from rayocr.driver.scheduling.window import Window
from rayocr.errors import BudgetExhausted, ClusterUnavailable, DayQuotaExhausted, Draining, RayocrError
from rayocr.messages import DiscoveryBatch, Document
from rayocr.observe.logs import log_event

if TYPE_CHECKING:
    from rayocr.driver.cluster.actors import RayActors
    from rayocr.driver.scheduling.document_flow import DocumentFlow
    from rayocr.driver.scheduling.outages import Outages

log = logging.getLogger(__name__)

_BATCH = 256  # documents asked from Discovery at once


class Scheduler:
    """`retry_s`: after which documents that other runs hold are asked for again; `on_waiting`: when nothing else is left.
    `outages`: in watch, what is waited for rather than given up; None: the next run takes it up. `follow_versions`: a document
    that was replaced is taken up at once as it is now; where files may still be written to, the next look finds it when it is
    whole."""

    def __init__(
        self,
        actors: RayActors,
        window: Window,
        progress: Progress,
        draining: asyncio.Event,
        *,
        retry_s: float,
        on_waiting: Callable[[], None] = lambda: None,
        outages: Outages | None = None,
        follow_versions: bool = True,
    ) -> None:
        self.failure: BaseException | None = None
        self._actors = actors
        self._window = window
        self._progress = progress
        self._draining = draining
        self._retry_s = retry_s
        self._on_waiting = on_waiting
        self._outages = outages
        self._follow_versions = follow_versions
        self._flow: DocumentFlow | None = None
        self._flows: dict[str, asyncio.Task[FlowResult]] = {}
        self._under_way: dict[str, str] = {}  # source_uri -> the document_id of the version that has a flow
        self._newer: dict[str, Document] = {}  # source_uri -> the version that waits for that one to end
        self._pushed: set[str] = set()  # document_ids that wait for room in the window
        self._later = DeferredDocuments()
        self._cancelled: set[str] = set()
        self._releasing: set[asyncio.Task[None]] = set()

    async def run(self, flow: DocumentFlow) -> None:
        """Until every document of the listing has ended, or the run drains."""
        await self.take(flow)
        await self.until_ended(flow)

    async def take(self, flow: DocumentFlow) -> DiscoveryBatch | None:
        """Admit what Discovery has, to the end of its look; its last answer. Raises StorageError."""
        batch = None
        while not self._draining.is_set():
            batch = await self._actors.next_documents(_BATCH)
            self._progress.totals, self._progress.listing_done = batch.totals, batch.exhausted
            for document in batch.documents:
                if self.has(document):
                    continue  # Discovery was restarted, and lists again what is in the window
                await self._window.admit_document(document.size_bytes)
                if self._draining.is_set():
                    return batch
                self._start(flow, document)
            if batch.exhausted:
                break
        return batch

    async def until_ended(self, flow: DocumentFlow) -> None:
        """Nothing is under way, held by another run, or waiting for anything."""
        while self._flows or self._later or self._releasing:
            while self._flows or self._releasing:  # `_releasing`: documents that are being pushed, too
                await asyncio.wait([*self._flows.values(), *self._releasing], return_when=asyncio.FIRST_COMPLETED)
            await self._ask_again(flow)

    async def ask_again_when_due(self, flow: DocumentFlow) -> None:
        """In watch, beside the looks: until the run drains."""
        while not self._draining.is_set():
            if self._outages is not None:
                await self._outages.over()
            await self._take_up(flow, self._later.due(time.monotonic()))
            await self._sleep(min(self._retry_s, 1.0))

    def has(self, document: Document) -> bool:
        """It is under way, or will be without being found again."""
        known = document.document_id
        return known in self._flows or known in self._pushed or known in self._later

    @property
    def waiting(self) -> int:
        """Documents that were pushed and have no room in the window yet."""
        return len(self._pushed)

    async def _ask_again(self, flow: DocumentFlow) -> None:
        """Documents of other runs: finished by now, or to be taken over from one that died, or asked for again later."""
        if not self._later:
            return
        log_event(log, "documents_awaited", "Other runs hold the last documents.", count=len(self._later))
        self._on_waiting()
        await self._sleep(self._retry_s)
        await self._take_up(flow, self._later.due(None))

    async def _take_up(self, flow: DocumentFlow, documents: list[Document]) -> None:
        self._note_later()
        for document in documents:
            await self._window.admit_document(document.size_bytes)
            if self._draining.is_set():
                return
            self._start(flow, document)

    async def _sleep(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._draining.wait(), seconds)
        except TimeoutError:
            pass

    def push(self, flow: DocumentFlow, document: Document, *, asked: bool = False) -> bool:
        """A document beside the listing; `asked`: by a person, who may have cancelled it before. False: it is under way already,
        or the run is ending."""
        if self.has(document) or self._draining.is_set():
            return False
        if asked:
            self._cancelled.discard(document.document_id)
        self._pushed.add(document.document_id)
        self._actors.note_pushed(document.document_id)
        pushing = asyncio.create_task(self._admit(flow, document))
        self._releasing.add(pushing)
        pushing.add_done_callback(self._releasing.discard)
        return True

    async def _admit(self, flow: DocumentFlow, document: Document) -> None:
        await self._window.admit_document(document.size_bytes)
        self._pushed.discard(document.document_id)
        if self._draining.is_set() or document.document_id in self._flows:
            await self._window.release_document(document.size_bytes)
        else:
            self._start(flow, document)

    def lost(self, document_id: str) -> None:
        """Its lease was lost: whatever is under way for it ends, and nothing is committed."""
        if task := self._flows.get(document_id):
            task.cancel()

    def cancel(self, document_id: str) -> int | None:
        """Somebody asked to drop it, before or while it is read: then the fencing token under which workers have it."""
        self._cancelled.add(document_id)
        task = self._flows.get(document_id)
        if task is None or self._flow is None:
            return None
        log_event(log, "document_cancelled", "A document is dropped on request.", document_id=document_id)
        token = self._flow.fencing_token(document_id)
        task.cancel()
        return token

    async def settle(self, grace_s: float) -> None:
        """Wait so long for the flows that are under way."""
        if self._flows:
            await asyncio.wait(list(self._flows.values()), timeout=grace_s)

    async def close(self) -> None:
        """Cancel what is still under way: it is left as it is for the next run."""
        for task in (*self._flows.values(), *self._releasing):
            task.cancel()
        await asyncio.gather(*self._flows.values(), *self._releasing, return_exceptions=True)

    def fail(self, error: BaseException) -> None:
        """The first error is the run's."""
        if self.failure is None:
            self.failure = _run_error(error)
            log_event(log, "run_stopping", "The run has to stop.", level=logging.ERROR, error=repr(error))
        self._draining.set()

    # -- one document -------------------------------------------------------------------------------------------------------

    def _start(self, flow: DocumentFlow, document: Document) -> None:
        """It has room in the window, which goes back when its flow ends, or at once where an older version is under way."""
        older = self._under_way.get(document.source_uri)
        if older is not None and older in self._flows:
            self._newer[document.source_uri] = document
            self._release(document)
            return
        self._flow = flow
        task = asyncio.create_task(flow.run(document) if document.document_id not in self._cancelled else _passed_by())
        self._flows[document.document_id] = task
        self._under_way[document.source_uri] = document.document_id
        self._progress.under_way = len(self._flows)
        task.add_done_callback(self._when_ended(document))

    def _when_ended(self, document: Document) -> Callable[[asyncio.Task[FlowResult]], None]:
        def ended(task: asyncio.Task[FlowResult]) -> None:
            del self._flows[document.document_id]
            self._under_way.pop(document.source_uri, None)
            self._progress.under_way = len(self._flows)
            self._release(document)
            self._settle(document, task)
            newer = self._newer.pop(document.source_uri, None)
            if newer is not None and self._flow is not None:
                self._later.forget(document)
                self.push(self._flow, newer)
            self._note_later()

        return ended

    def _settle(self, document: Document, task: asyncio.Task[FlowResult]) -> None:
        if document.document_id in self._cancelled:
            self._progress.cancelled += 1
            return
        if task.cancelled():
            self._later.add(document, after_s=self._retry_s)
            return
        error = task.exception()
        if error is None:
            self._note(document, task.result())
        elif isinstance(error, Replaced):
            if self._follow_versions:
                self._newer.setdefault(document.source_uri, error.newer)
        elif (
            isinstance(error, DayQuotaExhausted | BudgetExhausted) and self._outages is not None and error.resumes_at is not None
        ):
            self._later.add(document, after_s=self._outages.quota_used_up(error))
        elif not isinstance(error, Draining):
            self.fail(error)

    def _note(self, document: Document, ending: FlowResult) -> None:
        if ending is FlowResult.SETTLED:
            self._later.forget(document)
        elif ending is FlowResult.HELD:
            self._later.add(document, after_s=self._retry_s, held=True)
        elif self._outages is None:
            self._progress.deferred += 1
        else:
            self._later.add_backing_off(document, base_s=self._retry_s)
            self._outages.storage_failed()

    def _note_later(self) -> None:
        self._progress.held_elsewhere = self._later.held
        if self._outages is not None:
            self._progress.deferred = len(self._later) - self._later.held

    def _release(self, document: Document) -> None:
        releasing: asyncio.Task[Any] = asyncio.ensure_future(self._window.release_document(document.size_bytes))
        self._releasing.add(releasing)
        releasing.add_done_callback(self._releasing.discard)


async def _passed_by() -> FlowResult:
    return FlowResult.SETTLED


def _run_error(error: BaseException) -> BaseException:
    """Ray's own errors about its cluster, as ours; ours and bugs as they are."""
    if isinstance(error, RayocrError):
        return error
    if type(error).__module__.startswith("ray."):
        first = str(error).strip().splitlines()[0] if str(error).strip() else ""
        return ClusterUnavailable(
            f"Ray failed: {type(error).__name__}: {first}", hint="Start the same command again: it goes on."
        )
    return error
