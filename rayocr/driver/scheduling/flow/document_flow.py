"""Takes one document from its lease to its manifest: fetch, recognize shard by shard and stage by stage, assemble. The driver
keeps counters and summaries of pages here, never their text. An error of the document becomes its outcome. An error of the whole
run (storage full, a wrong key) is raised.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rayocr.actors.document_worker.assemble import reject
from rayocr.driver.cluster.actors import RunActors
from rayocr.driver.cluster.pool_sizing import StagePool, local_stage
from rayocr.driver.scheduling.flow.document_state import DocumentState, FlowResult, Replaced, log_dead_letter
from rayocr.driver.scheduling.flow.duplicates import DocumentDuplicates
from rayocr.driver.scheduling.flow.fetching import Fetching
from rayocr.driver.scheduling.flow.quarantine import count_assembly_crash
from rayocr.driver.scheduling.flow.recognition import Recognition
from rayocr.driver.scheduling.lease_budget import LeaseBudget
from rayocr.driver.scheduling.leases import Leases
from rayocr.driver.scheduling.progress import Progress
from rayocr.driver.scheduling.window import Window
from rayocr.errors import (
    ActorFailed,
    ContentLost,
    DocumentError,
    Draining,
    InternalError,
    LeaseLost,
    ObjectNotFound,
    PreconditionFailed,
    RayocrError,
    StorageError,
    StorageUnavailable,
    UnreadableSource,
    VersionChanged,
)
from rayocr.messages import (
    AssembledDocument,
    Document,
    DocumentOutcome,
)
from rayocr.observe.dead_letters import append_dead_letter
from rayocr.observe.logs import log_event

log = logging.getLogger(__name__)

_DEFECTS_ALLOWED = 5  # number of consecutive documents; after that the run stops instead of rejecting every document


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
        self._fetching = Fetching(actors, progress=progress, check=self._check)
        self._recognition = Recognition(
            actors,
            window=window,
            progress=progress,
            fetching=self._fetching,
            check=self._check,
            local_stage=local_stage(actors.config, stages),
            least_confidence=actors.config.engine.local_confidence,
        )
        self._budget = LeaseBudget(
            progress, lambda: list(self._documents.values()), pages_at_once=pages_at_once, draining=draining
        )
        self._began = datetime.now(UTC).isoformat(timespec="milliseconds")

    async def run(self, document: Document) -> FlowResult:
        """Takes the document through the run. Returns HELD if another run has it; the caller tries it again later, because that
        run may die.

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
        """Returns this run's documents in progress, for the HTTP API."""
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
        """Returns the fencing token of the lease on a document in progress; None for others."""
        state = self._documents.get(document_id)
        return state.lease.fencing_token if state else None

    # -- outcome ------------------------------------------------------------------------------------------------------------

    async def _follow(self, document: Document) -> FlowResult:
        """Handles a version at the source that differs from the listed one. Raises Replaced, unless the document was deleted."""
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
        """Processes the document until it has an outcome, even after an error."""
        try:
            await self._process(state)
        except UnreadableSource as error:
            if error.gone and (self._actors.forgets_removed or self._actors.retries(state.document_id)):
                self._note_gone(state.document)
            else:
                self._fetching.check_denied(state, error)
                await self._reject(state, error)
        except DocumentError as error:
            await self._reject(state, error)
        except (RayocrError, Draining):
            raise  # an error of the run
        except Exception as error:  # a bug, which is recorded as the document's outcome
            await self._contain(state, error)

    async def _contain(self, state: DocumentState, error: Exception) -> None:
        """Records a bug as the outcome of a document. A bug that one document triggers does not fail the run; one that every
        document triggers stops it."""
        fields = {"action": "document_failed", "document_id": state.document_id, "name": state.document.name}
        log.error("A bug in rayocr ended a document.", exc_info=error, extra={"rayocr_fields": fields})
        self._defects_in_a_row += 1
        if self._defects_in_a_row > _DEFECTS_ALLOWED:
            raise error
        await self._reject(state, InternalError(f"{type(error).__name__}: {error}", hint="The log has the traceback."))

    async def _reject(self, state: DocumentState, error: DocumentError) -> None:
        settings, token = self._actors.assemble_settings, state.lease.fencing_token
        dead_letter = await self._leases.patiently(
            lambda: asyncio.to_thread(reject, state.document, error, settings, fencing_token=token, started_at=state.started_at)
        )
        await self._actors.ledger.close_document(state.document_id, DocumentOutcome.REJECTED)
        await asyncio.to_thread(append_dead_letter, self._actors.logs_dir, dead_letter)
        if state.fetched is None:
            self._progress.documents_started += 1
        self._progress.ended(state.document, DocumentOutcome.REJECTED)
        self._progress.reasons[error.reason] += 1
        log_dead_letter("document_rejected", "A document was rejected.", dead_letter)

    def _check(self, state: DocumentState) -> None:
        """Raises Draining or LeaseLost when processing of the document must stop."""
        if self._draining.is_set():
            raise Draining
        if not self._leases.holds(state.lease):
            raise LeaseLost("The lease was lost.")

    # -- the steps -----------------------------------------------------------------------------------------------------------

    async def _process(self, state: DocumentState) -> None:
        """Fetches, recognizes and assembles the document."""
        fetched = state.fetched = await self._fetching.fetch(state)
        self._progress.documents_started += 1
        self._progress.pages_known += fetched.page_count
        try:
            async with self._duplicates.reading(fetched.content_sha256, stop=lambda: self._check(state)) as may_be_copy:
                if may_be_copy and await self._copy(state):
                    return
                await self._recognition.load_recorded(state, fetched.page_count)
                for stage in self._stages:
                    await self._recognition.run_stage(state, stage)
                if not self._actors.assemble_settings.needs_source:
                    state.content = None
                self._check(state)
                await self._assemble(state)
        finally:
            state.content = None  # the driver's last reference: the object store may free the bytes

    async def _assemble(self, state: DocumentState) -> None:
        if not self._leases.holds(state.lease):
            raise LeaseLost("The lease was lost before the document could be finished.")
        assembled = await self._leases.patiently(lambda: self._assembled(state))
        await self._note_assembled(state, assembled)

    async def _assembled(self, state: DocumentState) -> AssembledDocument:
        """Assembles the document. Repeats if workers die or bytes are lost, since the pages are in the ledger."""
        while True:
            content = state.content
            try:
                with self._progress.timings.of("assemble"):
                    crashes = state.assembly_crashes
                    return await self._actors.assemble(state.context, content, state.started_at, crashes)
            except ContentLost:
                await self._fetching.again(state, content)
            except ActorFailed as error:
                count_assembly_crash(state, error)
            self._check(state)

    async def _copy(self, state: DocumentState) -> bool:
        """Returns whether a document with the same bytes was read before; if so, this one is finished with its pages."""
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
        self._progress.note_outputs(state.document.name, assembled.outputs)
        if assembled.outcome is DocumentOutcome.PARTIAL:
            dead_letter = await asyncio.to_thread(self._actors.copy_dead_letter, assembled.document_id)
            if dead_letter is not None:
                log_dead_letter("document_partial", "Some pages of a document failed.", dead_letter)
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
