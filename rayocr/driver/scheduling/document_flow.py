"""One document from its lease to its manifest: fetch, recognize shard by shard and stage by stage, assemble.

The driver holds counters and summaries of pages here, never their text. Whatever goes wrong with the document ends here, as an
outcome; what concerns the whole run (storage full, a wrong key) is raised.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from rayocr.actors.document_worker.assemble import reject
from rayocr.driver.cluster.actors import RayActors, is_finished_by_another
from rayocr.driver.cluster.failures import ACTOR_FAILED, CONTENT_LOST
from rayocr.driver.cluster.page_worker_pool import PageWorkerPool, WorkerDied
from rayocr.driver.cluster.shard_sizer import ShardSizer
from rayocr.driver.scheduling.document_state import DocumentState, FlowResult, Replaced, log_letter
from rayocr.driver.scheduling.duplicates import DocumentDuplicates
from rayocr.driver.scheduling.leases import LeaseKeeper
from rayocr.driver.scheduling.progress import Progress
from rayocr.driver.scheduling.quarantine import count_assembly_crash, count_death
from rayocr.driver.scheduling.shards import cut, shards_of, without
from rayocr.driver.scheduling.task_group import all_of, settled
from rayocr.driver.scheduling.window import Window
from rayocr.engines.registry import Stage
from rayocr.errors import (
    ContentLost,
    DocumentError,
    Draining,
    InternalError,
    LeaseLost,
    ObjectNotFound,
    OutsideError,
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
    PageSummary,
    Shard,
)
from rayocr.observe.dead_letters import append_dead_letter
from rayocr.observe.logs import log_event

log = logging.getLogger(__name__)

_DEFECTS_ALLOWED = 5  # documents in a row; more, and rejecting two million of them helps nobody


class DocumentFlow:
    def __init__(
        self,
        actors: RayActors,
        *,
        stages: Sequence[tuple[Stage, PageWorkerPool, ShardSizer]],
        window: Window,
        leases: LeaseKeeper,
        progress: Progress,
        draining: asyncio.Event,
    ) -> None:
        self._actors = actors
        self._stages = stages
        self._window = window
        self._leases = leases
        self._progress = progress
        self._draining = draining
        self._originals = DocumentDuplicates()
        self._under_way: dict[str, DocumentState] = {}
        self._defects_in_a_row = 0
        self._began = datetime.now(UTC).isoformat(timespec="seconds")

    async def run(self, document: Document) -> FlowResult:
        """HELD when another run has the document: it is worth asking again, since that run may die.

        Raises what concerns the run, Replaced when the source has a newer version, and Draining when it was stopped; everything
        else becomes the document's outcome.
        """
        lease = await self._leases.acquire(document.document_id)
        if lease is None:
            log_event(log, "document_held_elsewhere", "Another run has the document.", document_id=document.document_id)
            return FlowResult.HELD
        work = self._under_way[document.document_id] = DocumentState(document, lease)
        try:
            if await asyncio.to_thread(is_finished_by_another, self._actors, document, since=self._began):
                self._progress.elsewhere += 1
                return FlowResult.SETTLED
            await self._settle(work)
        except (LeaseLost, PreconditionFailed) as error:
            log_event(log, "document_lost", "The lease was lost.", document_id=document.document_id, error=error.reason)
            return FlowResult.HELD
        except VersionChanged:
            return await self._follow(document)
        except StorageUnavailable as error:
            log_event(
                log,
                "document_deferred",
                "Storage was away; the document is taken up again later.",
                level=logging.WARNING,
                document_id=document.document_id,
                error=str(error),
            )
            return FlowResult.DEFERRED
        finally:
            self._under_way.pop(document.document_id, None)
            await self._leases.release(work.lease)
        return FlowResult.SETTLED

    async def _follow(self, document: Document) -> FlowResult:
        """The source has another version than the one that was listed. Raises Replaced, unless it has none any more."""
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
        log_event(log, "document_gone", "The document was removed.", document_id=document.document_id, name=document.name)

    def under_way(self) -> list[dict[str, Any]]:
        """For the HTTP face: the documents that this run has, with their progress."""
        return [
            {
                "document_id": work.document.document_id,
                "name": work.document.name,
                "page_count": work.fetched.page_count if work.fetched else None,
                "pages_done": work.fetched.page_count - len(work.waiting) if work.fetched and work.asked_ledger else 0,
            }
            for work in self._under_way.values()
        ]

    def fencing_token(self, document_id: str) -> int | None:
        """Under which the document is worked on; None when it is not."""
        work = self._under_way.get(document_id)
        return work.lease.fencing_token if work else None

    async def _settle(self, work: DocumentState) -> None:
        """To its outcome, whatever the document is like."""
        try:
            await self._work(work)
        except UnreadableSource as error:
            if error.gone and (self._actors.forgets_removed or self._actors.retries(work.document.document_id)):
                self._note_gone(work.document)
            else:
                await self._reject(work, error)
        except DocumentError as error:
            await self._reject(work, error)
        except Exception as error:  # a defect: recorded as the document's outcome, unless it concerns the run
            if isinstance(error, RayocrError | Draining) or type(error).__module__.startswith("ray."):
                raise
            await self._contain(work, error)

    async def _contain(self, work: DocumentState, error: Exception) -> None:
        """One bad document never fails a run, whatever it trips over in us; but a run that trips over every one is stopped."""
        fields = {"action": "document_failed", "document_id": work.document.document_id, "name": work.document.name}
        log.error("A defect of rayocr ended a document.", exc_info=error, extra={"rayocr_fields": fields})
        self._defects_in_a_row += 1
        if self._defects_in_a_row > _DEFECTS_ALLOWED:
            raise error
        await self._reject(work, InternalError(f"{type(error).__name__}: {error}", hint="The log has the traceback."))

    async def _work(self, work: DocumentState) -> None:
        """Fetch, recognize, assemble."""
        await self._fetch(work)
        assert work.fetched is not None
        try:
            async with self._originals.reading(work.fetched.content_sha256, stop=lambda: self._check(work)) as may_be_copy:
                if may_be_copy and await self._copy(work):
                    return
                await self._load_recorded(work)
                for stage, pool, sizer in self._stages:
                    await self._run_stage(work, stage, pool, sizer)
                if not self._actors.assemble_settings.needs_source:
                    work.content = None
                self._check(work)
                await self._assemble(work)
        finally:
            work.content = None  # the last reference in the driver: the object store may drop the bytes

    # -- fetch --------------------------------------------------------------------------------------------------------------

    async def _fetch(self, work: DocumentState) -> None:
        while True:
            self._check(work)
            try:
                with self._progress.timings.of("fetch"):
                    work.fetched, work.content = await self._actors.fetch(work.document)
                break
            except ACTOR_FAILED as error:
                await count_death(work, self._actors, error)
        self._progress.documents_started += 1
        self._progress.pages_known += work.fetched.page_count

    async def _load_recorded(self, work: DocumentState) -> None:
        """Pages that the ledger has already are not read again."""
        assert work.fetched is not None
        work.waiting = dict.fromkeys(range(1, work.fetched.page_count + 1), 0)
        for page in await self._actors.open_document(work.document.document_id):
            if not self._is_to_be_retried(work, page):
                self._note(work, page, resumed=True)
        work.asked_ledger = True

    def _is_to_be_retried(self, work: DocumentState, page: PageSummary) -> bool:
        return page.wants_retry and self._actors.retries(work.document.document_id)

    def _note(self, work: DocumentState, page: PageSummary, *, resumed: bool = False) -> None:
        if page.page_number not in work.waiting:
            return
        if page.outcome.final:
            del work.waiting[page.page_number]
            self._progress.page(page, resumed=resumed)
        elif page.fingerprint == self._actors.assemble_settings.fingerprint:
            work.waiting[page.page_number] = page.next_engine
            work.attempts[page.page_number] = page.attempts
        # else: other settings, so that what was tried in vain says nothing, and the chain's positions mean something else

    # -- recognize ----------------------------------------------------------------------------------------------------------

    async def _run_stage(self, work: DocumentState, stage: Stage, pool: PageWorkerPool, sizer: ShardSizer) -> None:
        """All of the document's pages that wait for an engine of this stage."""
        running: set[asyncio.Task[None]] = set()
        try:
            for shard in shards_of(work, stage, sizer):
                await self._window.admit_pages(len(shard.page_numbers))
                running.add(asyncio.create_task(self._run_shard(work, shard, pool, sizer)))
                running = await settled(running, at_most=pool.shards_per_document)
                self._check(work)
            await settled(running, at_most=0)
        except (Draining, OutsideError):
            await asyncio.gather(*running, return_exceptions=True)  # what is under way is paid for: let it be recorded
            raise
        except BaseException:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            raise

    async def _run_shard(self, work: DocumentState, shard: Shard, pool: PageWorkerPool, sizer: ShardSizer) -> None:
        try:
            await self._recognize(work, shard, pool, sizer)
        finally:
            await self._window.release_pages(len(shard.page_numbers))

    async def _recognize(self, work: DocumentState, shard: Shard, pool: PageWorkerPool, sizer: ShardSizer) -> None:
        """Until every page of the shard has an outcome of this stage, over the deaths of workers and the loss of bytes."""
        while shard.page_numbers:
            await self._window.until_resumed()
            self._check(work)
            self._progress.shard_sent()
            before = work.content
            try:
                with self._progress.timings.of("recognize"):
                    report = await pool.recognize(
                        shard,
                        work.content,  # type: ignore[arg-type]
                        work.context,
                        alone=work.deaths > 0,
                        near=getattr(work.content, "node_id", ""),
                    )
            except WorkerDied as error:
                if not error.node_lost:
                    await count_death(work, self._actors, error, alone=error.alone)
                shard = await self._without_recorded(work, shard)
                continue
            except CONTENT_LOST:
                await self._fetch_again(work, before)
                continue
            sizer.learn(report)
            for page in report.pages:
                self._note(work, page)
            left = without(shard, {page.page_number for page in report.pages})
            pieces = list(cut(left, sizer.pages(work.document.document_id)))
            if len(pieces) > 1:  # slower than expected: other workers share what is left
                await all_of(self._recognize(work, piece, pool, sizer) for piece in pieces)
                return
            shard = left

    async def _without_recorded(self, work: DocumentState, shard: Shard) -> Shard:
        """The pages of the shard that the dead worker had not recorded."""
        for page in await self._actors.open_document(work.document.document_id):
            if not self._is_to_be_retried(work, page):
                self._note(work, page)
        left = without(shard, {n for n in shard.page_numbers if work.waiting.get(n) != shard.first_engine})
        return replace(left, attempts={n: work.attempts[n] for n in left.page_numbers if n in work.attempts})

    async def _fetch_again(self, work: DocumentState, lost: object) -> None:
        """The node that held the bytes is gone. Of several shards that find out, one fetches."""
        if work.content is not lost:
            return
        work.refetches += 1
        if work.refetches > 3:
            raise ContentLost("The document's bytes were lost four times.")
        _, work.content = await self._actors.fetch(work.document)

    # -- finish -------------------------------------------------------------------------------------------------------------

    async def _assemble(self, work: DocumentState) -> None:
        if not self._leases.holds(work.lease):
            raise LeaseLost("The lease was lost before the document could be finished.")
        assembled = await self._leases.patiently(lambda: self._assembled(work))
        await self._note_assembled(work, assembled)

    async def _copy(self, work: DocumentState) -> bool:
        """Whether a document with the same bytes was read before: then this one is finished with its pages."""
        assembled = await self._leases.patiently(lambda: self._actors.assemble_copy(work.context, work.content, work.started_at))  # type: ignore[arg-type]
        if assembled is None:
            return False
        for page in assembled.copied_pages:
            self._progress.page(page)
        self._progress.documents_copied += 1
        await self._note_assembled(work, assembled)
        return True

    async def _note_assembled(self, work: DocumentState, assembled: AssembledDocument) -> None:
        await self._actors.close_document(assembled.document_id, assembled.outcome)
        self._defects_in_a_row = 0
        self._progress.documents[assembled.outcome] += 1
        self._progress.renamed += assembled.renamed
        if assembled.outcome is DocumentOutcome.PARTIAL:
            letter = await asyncio.to_thread(self._actors.copy_dead_letter, assembled.document_id)
            if letter is not None:
                log_letter("document_partial", "Pages of a document could not be read.", letter)
        log_event(
            log,
            "document_assembled",
            "A document is finished.",
            document_id=assembled.document_id,
            name=work.document.name,
            outcome=assembled.outcome.value,
            page_count=work.context.page_count,
            copy_of=assembled.copy_of.document_id if assembled.copy_of else None,
        )

    async def _assembled(self, work: DocumentState) -> AssembledDocument:
        """Over the deaths of workers and the loss of bytes: what was read is in the ledger."""
        while True:
            before = work.content
            try:
                with self._progress.timings.of("assemble"):
                    crashes = work.assembly_crashes
                    return await self._actors.assemble(work.context, before, work.started_at, crashes)  # type: ignore[arg-type]
            except CONTENT_LOST:
                await self._fetch_again(work, before)
            except ACTOR_FAILED as error:
                count_assembly_crash(work, error)
            self._check(work)

    async def _reject(self, work: DocumentState, error: DocumentError) -> None:
        settings, token = self._actors.assemble_settings, work.lease.fencing_token
        letter = await self._leases.patiently(
            lambda: asyncio.to_thread(reject, work.document, error, settings, fencing_token=token, started_at=work.started_at)
        )
        await self._actors.close_document(work.document.document_id, DocumentOutcome.REJECTED)
        await asyncio.to_thread(append_dead_letter, self._actors.logs_dir, letter)
        if work.fetched is None:
            self._progress.documents_started += 1
        self._progress.documents[DocumentOutcome.REJECTED] += 1
        self._progress.reasons[error.reason] += 1
        log_letter("document_rejected", "A document was rejected.", letter)

    def _check(self, work: DocumentState) -> None:
        if self._draining.is_set():
            raise Draining
        if not self._leases.holds(work.lease):
            raise LeaseLost("The lease was lost.")
