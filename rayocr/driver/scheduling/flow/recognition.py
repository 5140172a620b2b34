"""Reads the pages of documents, stage by stage and shard by shard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Any

from rayocr.driver.cluster.actors import RunActors
from rayocr.driver.cluster.base import PageWorkerHandle
from rayocr.driver.cluster.pool_sizing import StagePool
from rayocr.driver.scheduling.flow.document_state import DocumentState
from rayocr.driver.scheduling.flow.fetching import Fetching
from rayocr.driver.scheduling.flow.local_lane import LocalLane
from rayocr.driver.scheduling.flow.quarantine import count_page_failure
from rayocr.driver.scheduling.flow.shards import cut, shards_of, without
from rayocr.driver.scheduling.progress import Progress
from rayocr.driver.scheduling.task_group import all_of, settled
from rayocr.driver.scheduling.window import Window
from rayocr.errors import ContentLost, Draining, OutsideError, WorkerFailed
from rayocr.messages import PageSummary, Shard


class Recognition:
    """Reads the pages of documents. `check(state)` raises Draining or LeaseLost when processing of the document must stop.
    `local_stage`: the stage that reads the pages of the lane local; they need `least_confidence`."""

    def __init__(
        self,
        actors: RunActors,
        *,
        window: Window,
        progress: Progress,
        fetching: Fetching,
        check: Callable[[DocumentState], None],
        local_stage: StagePool | None = None,
        least_confidence: float = 0.0,
    ) -> None:
        self._actors = actors
        self._window = window
        self._progress = progress
        self._fetching = fetching
        self._check = check
        self._local = LocalLane(local_stage, least_confidence=least_confidence, note=self._note) if local_stage else None

    async def load_recorded(self, state: DocumentState, page_count: int) -> None:
        """Loads the pages that the ledger already has, so that they are not read again."""
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
            self._progress.page(page, resumed=resumed, earlier_attempts=state.earlier_attempts.get(page.page_number, 0))
        elif page.fingerprint == self._actors.assemble_settings.fingerprint:
            state.waiting[page.page_number] = page.next_engine
            state.attempts[page.page_number] = page.attempts
            if resumed:
                state.earlier_attempts[page.page_number] = len(page.attempts)
        # with other settings, recorded failures no longer apply, and engines may have other positions in the chain

    async def run_stage(self, state: DocumentState, stage: StagePool) -> None:
        """Reads all of the document's pages that wait for an engine of this stage."""
        running: set[asyncio.Task[None]] = set()
        try:
            for shard in shards_of(state, stage.stage, stage.sizer, workers=stage.pool.max_workers):
                await self._window.admit_pages(len(shard.page_numbers))
                running.add(asyncio.create_task(self._run_shard(state, shard, stage)))
                running = await settled(running, at_most=stage.pool.shards_per_document)
                self._check(state)
            await settled(running, at_most=0)
        except (Draining, OutsideError):
            await asyncio.gather(*running, return_exceptions=True)  # pages in progress are paid for, so they are recorded first
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
        """Reads the shard. Repeats until every page has an outcome of this stage, even if workers die and bytes are lost."""
        while shard.page_numbers:
            await self._window.until_resumed()
            self._check(state)
            self._progress.shard_sent()
            content = state.content
            assert content is not None
            try:
                with self._progress.timings.of("recognize"):
                    report = await stage.pool.recognize(
                        shard, content, state.context, alone=state.failures > 0, beside=self._beside(state, shard, stage)
                    )
            except WorkerFailed as error:
                shard = await self._without_recorded(state, shard)
                if error.node_lost:
                    continue
                suspected_before = state.failures > 0
                await count_page_failure(state, self._actors, error, shard.page_numbers)
                if error.alone and suspected_before and len(shard.page_numbers) > 1:  # one page may be the cause, so find it
                    for single in cut(shard, 1):
                        await self._recognize(state, single, stage)
                    return
                shard = replace(shard, crashed={n: state.crashed[n] for n in shard.page_numbers if n in state.crashed})
                continue
            except ContentLost:
                await self._fetching.again(state, content)
                continue
            stage.sizer.learn(report)
            for page in report.pages:
                self._note(state, page)
            read_locally = {number for number in shard.page_numbers if number not in state.waiting}
            left = without(shard, {page.page_number for page in report.pages} | read_locally)
            pieces = list(cut(left, stage.sizer.pages(state.document_id)))
            if len(pieces) > 1:  # the shard is slower than expected, so other workers share the rest
                await all_of(self._recognize(state, piece, stage) for piece in pieces)
                return
            shard = left

    def _beside(
        self, state: DocumentState, shard: Shard, stage: StagePool
    ) -> Callable[[PageWorkerHandle], Coroutine[Any, Any, None]] | None:
        """Returns the coroutine that runs while a worker of the stage reads the shard."""
        if self._local is None or stage.stage.kind != "wait":
            return None
        return partial(self._local.serve, state=state, shard=shard)

    async def _without_recorded(self, state: DocumentState, shard: Shard) -> Shard:
        """Returns the pages of the shard that the dead worker had not recorded."""
        await self._note_recorded(state, resumed=False)
        left = without(shard, {n for n in shard.page_numbers if state.waiting.get(n) != shard.first_engine})
        return replace(left, attempts={n: state.attempts[n] for n in left.page_numbers if n in state.attempts})
