"""From Discovery into the window: a flow for every document that has room, and what becomes of the run when one raises.

A flow records its document's outcome itself. What it raises concerns the whole run: the first such error is kept in `failure`,
and everything drains.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rayocr.driver.progress import Progress
from rayocr.driver.shutdown import Draining
from rayocr.driver.window import Window
from rayocr.errors import ClusterUnavailable, RayocrError
from rayocr.messages import Document
from rayocr.observe.logs import log_event

if TYPE_CHECKING:
    from rayocr.driver.flow import DocumentFlow
    from rayocr.driver.handles import Actors

log = logging.getLogger(__name__)

_BATCH = 256  # documents asked from Discovery at once


class Feed:
    """`retry_s`: after which documents that other runs hold are asked for again; `on_waiting`: when nothing else is left."""

    def __init__(
        self,
        actors: Actors,
        window: Window,
        progress: Progress,
        draining: asyncio.Event,
        *,
        retry_s: float,
        on_waiting: Callable[[], None] = lambda: None,
    ) -> None:
        self.failure: BaseException | None = None
        self._actors = actors
        self._window = window
        self._progress = progress
        self._draining = draining
        self._retry_s = retry_s
        self._on_waiting = on_waiting
        self._flows: dict[str, asyncio.Task[bool]] = {}
        self._pushed: set[str] = set()  # document_ids that wait for room in the window
        self._elsewhere: dict[str, Document] = {}  # held by other runs when last asked for
        self._cancelled: set[str] = set()
        self._releasing: set[asyncio.Task[None]] = set()

    async def run(self, flow: DocumentFlow) -> None:
        """Until every document of the listing has ended, or the run drains."""
        while not self._draining.is_set():
            batch = await self._actors.next_documents(_BATCH)
            self._progress.totals, self._progress.listing_done = batch.totals, batch.exhausted
            for document in batch.documents:
                if document.document_id in self._flows:
                    continue  # Discovery was restarted, and lists again what is in the window
                await self._window.admit_document(document.size_bytes)
                if self._draining.is_set():
                    return
                self._start(flow, document)
            if batch.exhausted:
                break
        while self._flows or self._elsewhere or self._releasing:
            while self._flows or self._releasing:  # `_releasing`: documents that are being pushed, too
                await asyncio.wait([*self._flows.values(), *self._releasing], return_when=asyncio.FIRST_COMPLETED)
            await self._ask_again(flow)

    async def _ask_again(self, flow: DocumentFlow) -> None:
        """Documents of other runs: finished by now, or to be taken over from one that died, or asked for again later."""
        if not self._elsewhere:
            return
        log_event(log, "documents_awaited", "Other runs hold the last documents.", count=len(self._elsewhere))
        self._on_waiting()
        try:
            await asyncio.wait_for(self._draining.wait(), self._retry_s)
        except TimeoutError:
            pass
        documents, self._elsewhere = list(self._elsewhere.values()), {}
        self._progress.held_elsewhere = 0
        for document in documents:
            await self._window.admit_document(document.size_bytes)
            if self._draining.is_set():
                return
            self._start(flow, document)

    def push(self, flow: DocumentFlow, document: Document) -> bool:
        """A document that somebody asked for, beside the listing. False: it is under way already, or the run is ending."""
        if document.document_id in self._flows or document.document_id in self._pushed or self._draining.is_set():
            return False
        self._cancelled.discard(document.document_id)
        self._pushed.add(document.document_id)
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

    def cancel(self, document_id: str) -> None:
        """Somebody asked to drop it, before or while it is read."""
        self._cancelled.add(document_id)
        if task := self._flows.get(document_id):
            log_event(log, "document_cancelled", "A document is dropped on request.", document_id=document_id)
            task.cancel()

    async def settle(self, grace_s: float) -> None:
        """Wait so long for the flows that are under way."""
        if self._flows:
            await asyncio.wait(list(self._flows.values()), timeout=grace_s)

    async def close(self) -> None:
        """Cancel what is still under way: it is left as it is for the next run."""
        for task in self._flows.values():
            task.cancel()
        await asyncio.gather(*self._flows.values(), return_exceptions=True)

    def fail(self, error: BaseException) -> None:
        """The first error is the run's."""
        if self.failure is None:
            self.failure = _run_error(error)
            log_event(log, "run_stopping", "The run has to stop.", level=logging.ERROR, error=repr(error))
        self._draining.set()

    def _start(self, flow: DocumentFlow, document: Document) -> None:
        task = asyncio.create_task(flow.run(document) if document.document_id not in self._cancelled else _passed_by())
        self._flows[document.document_id] = task
        task.add_done_callback(self._when_ended(document))

    def _when_ended(self, document: Document) -> Callable[[asyncio.Task[bool]], None]:
        def ended(task: asyncio.Task[bool]) -> None:
            self._flows.pop(document.document_id, None)
            releasing: asyncio.Task[Any] = asyncio.ensure_future(self._window.release_document(document.size_bytes))
            self._releasing.add(releasing)
            releasing.add_done_callback(self._releasing.discard)
            if document.document_id in self._cancelled:
                self._progress.cancelled += 1
            elif task.cancelled() or ((error := task.exception()) is None and not task.result()):
                self._elsewhere[document.document_id] = document
                self._progress.held_elsewhere = len(self._elsewhere)
            elif error is not None and not isinstance(error, Draining):
                self.fail(error)

        return ended


async def _passed_by() -> bool:
    return True


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
