"""The flow of one document from its lease to its manifest: fetch, recognize shard by shard and stage by stage, assemble.

The driver keeps counters and summaries of pages here, never their text. An error of the document ends here, as its outcome; an
error of the whole run (storage full, a wrong key) is raised.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from rayocr.actors.document_worker.assemble import reject
from rayocr.driver.cluster.actors import RunActors
from rayocr.driver.cluster.base import Content
from rayocr.driver.cluster.pool_sizing import StagePool
from rayocr.driver.scheduling.document_state import DocumentState, FlowResult, Replaced, log_dead_letter
from rayocr.driver.scheduling.duplicates import DocumentDuplicates
from rayocr.driver.scheduling.lease_budget import LeaseBudget
from rayocr.driver.scheduling.leases import Leases
from rayocr.driver.scheduling.progress import Progress
from rayocr.driver.scheduling.quarantine import count_assembly_crash, count_failure
from rayocr.driver.scheduling.shards import cut, shards_of, without
from rayocr.driver.scheduling.task_group import all_of, settled
from rayocr.driver.scheduling.window import Window
from rayocr.errors import (
    ActorFailed,
    ContentLost,
    DocumentError,
    Draining,
    InternalError,
    LeaseLost,
    ObjectNotFound,
    OutsideError,
    PreconditionFailed,
    RayocrError,
    StorageDenied,
    StorageError,
    StorageUnavailable,
    UnreadableSource,
    VersionChanged,
    WorkerFailed,
)
from rayocr.messages import (
    AssembledDocument,
    Document,
    DocumentOutcome,
    FetchedDocument,
    PageSummary,
    Shard,
)
from rayocr.observe.dead_letters import append_dead_letter
from rayocr.observe.logs import log_event

log = logging.getLogger(__name__)

_DENIED_ALLOWED = 5  # denied documents at the start of a run, before any could be read
_READ = -1  # a document was read
_DEFECTS_ALLOWED = 5  # consecutive documents; after that the run stops instead of rejecting every document


class DocumentFlow:
    """Takes documents through a run. Holds the state of the documents in progress. `pages_at_once`: see LeaseBudget."""

    def __init__(
        self,
        actors: RunActors,
        *,
        stages: Sequence[StagePool],
        window: Window,
        leases: Leases,
        progress: Progress,
        draining: asyncio.Event,
        pages_at_once: float = math.inf,
    ) -> None:
        self._actors = actors
        self._stages = stages
        self._window = window
        self._leases = leases
        self._progress = progress
        self._draining = draining
        self._duplicates = DocumentDuplicates()
        self._documents: dict[str, DocumentState] = {}
        self._defects_in_a_row = 0
        self._denied = 0  # denied documents, before the first that could be read
        self._budget = LeaseBudget(
            progress, lambda: list(self._documents.values()), pages_at_once=pages_at_once, draining=draining
        )
        self._began = datetime.now(UTC).isoformat(timespec="milliseconds")

    async def run(self, document: Document) -> FlowResult:
        """HELD when another run has the document: it is worth trying again, because that run may die.

        Raises errors of the run, Replaced when the source has a newer version, and Draining when it was stopped; any other error
        becomes the document's outcome.
        """
        await self._budget.enter()
        try:
            lease = await self._leases.acquire(document.document_id)
            if lease is None:
                log_event(log, "document_held_elsewhere", "Another run has the document.", document_id=document.document_id)
                return FlowResult.HELD
            state = self._documents[document.document_id] = DocumentState(document, lease)
        finally:
            self._budget.entered()
        try:
            if await asyncio.to_thread(self._actors.is_finished_by_another, document, since=self._began):
                self._progress.elsewhere += 1
                return FlowResult.SETTLED
            await self._settle(state)
        except (LeaseLost, PreconditionFailed) as error:
            log_event(log, "lease_lost", "The lease was lost.", document_id=document.document_id, error=error.reason)
            return FlowResult.HELD
        except VersionChanged:
            return await self._follow(document)
        except StorageUnavailable as error:
            log_event(
                log,
                "document_deferred",
                "Storage was unavailable; the document is tried again later.",
                level=logging.WARNING,
                document_id=document.document_id,
                error=str(error),
            )
            return FlowResult.DEFERRED
        finally:
            self._documents.pop(document.document_id, None)
            await self._leases.release(lease)
        return FlowResult.SETTLED

    def in_progress(self) -> list[dict[str, Any]]:
        """For the HTTP API: this run's documents in progress."""
        return [
            {
                "document_id": state.document_id,
                "name": state.document.name,
                "page_count": state.fetched.page_count if state.fetched else None,
                "pages_done": state.pages_done,
            }
            for state in self._documents.values()
        ]

    def fencing_token(self, document_id: str) -> int | None:
        """The fencing token of the lease on a document in progress; None for others."""
        state = self._documents.get(document_id)
        return state.lease.fencing_token if state else None

    # -- outcome ------------------------------------------------------------------------------------------------------------

    async def _follow(self, document: Document) -> FlowResult:
        """The source has another version than the listed one. Raises Replaced, unless the document is gone."""
        try:
            newer = await asyncio.to_thread(self._actors.current_version, document)
        except ObjectNotFound:
            self._note_gone(document)
            return FlowResult.SETTLED
        except StorageError:
            return FlowResult.DEFERRED
        log_event(
            log, "document_replaced", "The source has a newer version.", document_id=document.document_id, name=document.name
        )
        raise Replaced(newer)

    def _note_gone(self, document: Document) -> None:
        self._progress.gone += 1
        self._actors.note_gone(document.document_id)
        log_event(
            log,
            "document_gone",
            "The document was removed from the source.",
            document_id=document.document_id,
            name=document.name,
        )

    async def _settle(self, state: DocumentState) -> None:
        """Processes the document until it has an outcome, whatever the error."""
        try:
            await self._process(state)
        except UnreadableSource as error:
            if error.gone and (self._actors.forgets_removed or self._actors.retries(state.document_id)):
                self._note_gone(state.document)
            else:
                self._check_denied(state, error)
                await self._reject(state, error)
        except DocumentError as error:
            await self._reject(state, error)
        except (RayocrError, Draining):
            raise  # an error of the run
        except Exception as error:  # a bug: recorded as the document's outcome
            await self._contain(state, error)

    def _check_denied(self, state: DocumentState, error: UnreadableSource) -> None:
        """Raises StorageDenied when all of the first documents were denied: then the whole source is affected, and rejecting
        millions of documents would not help. In a local folder each file has its own permissions."""
        if not error.denied or self._denied == _READ or state.document.source_uri.startswith("file:"):
            return
        self._denied += 1
        if self._denied >= _DENIED_ALLOWED:
            raise StorageDenied(
                f"The first {self._denied} documents could not be read. {error}",
                hint=error.hint or "Grant the account permission to read the source's objects.",
            ) from error

    async def _contain(self, state: DocumentState, error: Exception) -> None:
        """A bug that one document triggers never fails a run; one that every document triggers stops it."""
        fields = {"action": "document_failed", "document_id": state.document_id, "name": state.document.name}
        log.error("A bug in rayocr ended a document.", exc_info=error, extra={"rayocr_fields": fields})
        self._defects_in_a_row += 1
        if self._defects_in_a_row > _DEFECTS_ALLOWED:
            raise error
        await self._reject(state, InternalError(f"{type(error).__name__}: {error}", hint="The log has the traceback."))

    async def _reject(self, state: DocumentState, error: DocumentError) -> None:
        settings, token = self._actors.assemble_settings, state.lease.fencing_token
        letter = await self._leases.patiently(
            lambda: asyncio.to_thread(reject, state.document, error, settings, fencing_token=token, started_at=state.started_at)
        )
        await self._actors.ledger.close_document(state.document_id, DocumentOutcome.REJECTED)
        await asyncio.to_thread(append_dead_letter, self._actors.logs_dir, letter)
        if state.fetched is None:
            self._progress.documents_started += 1
        self._progress.ended(state.document, DocumentOutcome.REJECTED)
        self._progress.reasons[error.reason] += 1
        log_dead_letter("document_rejected", "A document was rejected.", letter)

    def _check(self, state: DocumentState) -> None:
        """Raises Draining or LeaseLost when processing of the document must stop."""
        if self._draining.is_set():
            raise Draining
        if not self._leases.holds(state.lease):
            raise LeaseLost("The lease was lost.")

    # -- fetch --------------------------------------------------------------------------------------------------------------

    async def _process(self, state: DocumentState) -> None:
        """Fetch, recognize, assemble."""
        fetched = state.fetched = await self._fetch(state)
        self._progress.documents_started += 1
        self._progress.pages_known += fetched.page_count
        try:
            async with self._duplicates.reading(fetched.content_sha256, stop=lambda: self._check(state)) as may_be_copy:
                if may_be_copy and await self._copy(state):
                    return
                await self._load_recorded(state, fetched.page_count)
                for stage in self._stages:
                    await self._run_stage(state, stage)
                if not self._actors.assemble_settings.needs_source:
                    state.content = None
                self._check(state)
                await self._assemble(state)
        finally:
            state.content = None  # the driver's last reference: the object store may free the bytes

    async def _fetch(self, state: DocumentState) -> FetchedDocument:
        while True:
            self._check(state)
            try:
                with self._progress.timings.of("fetch"):
                    fetched, state.content = await self._actors.fetch(state.document)
                self._denied = _READ
                return fetched
            except ActorFailed as error:
                await count_failure(state, self._actors, error)

    async def _load_recorded(self, state: DocumentState, page_count: int) -> None:
        """Does not read pages again that the ledger already has."""
        state.waiting = dict.fromkeys(range(1, page_count + 1), 0)
        await self._note_recorded(state, resumed=True)
        state.ledger_asked = True

    async def _note_recorded(self, state: DocumentState, *, resumed: bool) -> None:
        for page in await self._actors.open_document(state.document_id):
            if not page.wants_retry or not self._actors.retries(state.document_id):
                self._note(state, page, resumed=resumed)

    def _note(self, state: DocumentState, page: PageSummary, *, resumed: bool = False) -> None:
        if page.page_number not in state.waiting:
            return
        if page.outcome.final:
            del state.waiting[page.page_number]
            self._progress.page(page, resumed=resumed)
        elif page.fingerprint == self._actors.assemble_settings.fingerprint:
            state.waiting[page.page_number] = page.next_engine
            state.attempts[page.page_number] = page.attempts
        # else: other settings; those failures no longer apply, and positions in the chain have changed

    # -- recognize ----------------------------------------------------------------------------------------------------------

    async def _run_stage(self, state: DocumentState, stage: StagePool) -> None:
        """Reads all of the document's pages that wait for an engine of this stage."""
        running: set[asyncio.Task[None]] = set()
        try:
            for shard in shards_of(state, stage.stage, stage.sizer):
                await self._window.admit_pages(len(shard.page_numbers))
                running.add(asyncio.create_task(self._run_shard(state, shard, stage)))
                running = await settled(running, at_most=stage.pool.shards_per_document)
                self._check(state)
            await settled(running, at_most=0)
        except (Draining, OutsideError):
            await asyncio.gather(*running, return_exceptions=True)  # pages in progress are paid for: let them be recorded
            raise
        except BaseException:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            raise

    async def _run_shard(self, state: DocumentState, shard: Shard, stage: StagePool) -> None:
        try:
            await self._recognize(state, shard, stage)
        finally:
            await self._window.release_pages(len(shard.page_numbers))

    async def _recognize(self, state: DocumentState, shard: Shard, stage: StagePool) -> None:
        """Repeats until every page of the shard has an outcome of this stage, even if workers die and bytes are lost."""
        while shard.page_numbers:
            await self._window.until_resumed()
            self._check(state)
            self._progress.shard_sent()
            content = state.content
            assert content is not None
            try:
                with self._progress.timings.of("recognize"):
                    report = await stage.pool.recognize(shard, content, state.context, alone=state.failures > 0)
            except WorkerFailed as error:
                if not error.node_lost:
                    await count_failure(state, self._actors, error, alone=error.alone)
                shard = await self._without_recorded(state, shard)
                continue
            except ContentLost:
                await self._fetch_again(state, content)
                continue
            stage.sizer.learn(report)
            for page in report.pages:
                self._note(state, page)
            left = without(shard, {page.page_number for page in report.pages})
            pieces = list(cut(left, stage.sizer.pages(state.document_id)))
            if len(pieces) > 1:  # slower than expected: other workers share the rest
                await all_of(self._recognize(state, piece, stage) for piece in pieces)
                return
            shard = left

    async def _without_recorded(self, state: DocumentState, shard: Shard) -> Shard:
        """The pages of the shard that the dead worker had not recorded."""
        await self._note_recorded(state, resumed=False)
        left = without(shard, {n for n in shard.page_numbers if state.waiting.get(n) != shard.first_engine})
        return replace(left, attempts={n: state.attempts[n] for n in left.page_numbers if n in state.attempts})

    async def _fetch_again(self, state: DocumentState, lost: Content | None) -> None:
        """The node that held the bytes is gone. If several shards notice, only one fetches the document."""
        async with state.refetching:
            if state.content is not lost:
                return
            state.refetches += 1
            log_event(log, "content_lost", "A document's bytes were lost and are fetched again.", document_id=state.document_id)
            if state.refetches > 3:
                raise ContentLost("The document's bytes were lost four times.")
            await self._fetch(state)

    # -- assemble -----------------------------------------------------------------------------------------------------------

    async def _assemble(self, state: DocumentState) -> None:
        if not self._leases.holds(state.lease):
            raise LeaseLost("The lease was lost before the document could be finished.")
        assembled = await self._leases.patiently(lambda: self._assembled(state))
        await self._note_assembled(state, assembled)

    async def _assembled(self, state: DocumentState) -> AssembledDocument:
        """Repeats even if workers die and bytes are lost: the pages are in the ledger."""
        while True:
            content = state.content
            try:
                with self._progress.timings.of("assemble"):
                    crashes = state.assembly_crashes
                    return await self._actors.assemble(state.context, content, state.started_at, crashes)
            except ContentLost:
                await self._fetch_again(state, content)
            except ActorFailed as error:
                count_assembly_crash(state, error)
            self._check(state)

    async def _copy(self, state: DocumentState) -> bool:
        """Whether a document with the same bytes was read before; if so, this one is finished with its pages."""
        assembled = await self._leases.patiently(
            lambda: self._actors.assemble_copy(state.context, state.content, state.started_at)
        )
        if assembled is None:
            return False
        for page in assembled.copied_pages:
            self._progress.page(page)
        self._progress.documents_copied += 1
        await self._note_assembled(state, assembled)
        return True

    async def _note_assembled(self, state: DocumentState, assembled: AssembledDocument) -> None:
        await self._actors.ledger.close_document(assembled.document_id, assembled.outcome)
        self._defects_in_a_row = 0
        self._progress.ended(state.document, assembled.outcome)
        self._progress.renamed += assembled.renamed
        if assembled.outcome is DocumentOutcome.PARTIAL:
            letter = await asyncio.to_thread(self._actors.copy_dead_letter, assembled.document_id)
            if letter is not None:
                log_dead_letter("document_partial", "Some pages of a document failed.", letter)
        log_event(
            log,
            "document_assembled",
            "A document is finished.",
            document_id=assembled.document_id,
            name=state.document.name,
            outcome=assembled.outcome.value,
            page_count=state.context.page_count,
            copy_of=assembled.copy_of.document_id if assembled.copy_of else None,
        )
