"""The actors and tasks of a run as plain awaitables, for the driver. Importing this imports Ray: only once it is connected.

What a remote call raised is raised here as itself; `PROCESS_DIED` and `DOCUMENT_LOST` are what Ray raises on its own account.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ray
from ray import exceptions

from rayocr.actors.assemble import AssembleSettings
from rayocr.actors.discovery import DiscoveryRules
from rayocr.actors.fetch import FetchSettings, current_version
from rayocr.actors.ledger import LedgerReport
from rayocr.actors.page_worker import WorkerSettings
from rayocr.actors.placement import Placement
from rayocr.actors.rate_limiter import LimiterRules
from rayocr.actors.spawn import (
    ObjectStoreBytes,
    answer,
    spawn_batch_desk,
    spawn_discovery,
    spawn_document_worker,
    spawn_ledger,
    spawn_limiter,
    spawn_worker,
)
from rayocr.config import Mode, RayocrConfig, Secrets
from rayocr.driver.nodes import Nodes
from rayocr.errors import ContentLost, StorageUnavailable
from rayocr.messages import (
    AssembledDocument,
    DiscoveryBatch,
    Document,
    DocumentContext,
    DocumentOutcome,
    FetchedDocument,
    LedgerState,
    LimiterState,
    Look,
    PageSummary,
)
from rayocr.observe.dead_letters import DeadLetter, copy_dead_letter
from rayocr.observe.relay import Telemetry
from rayocr.storage.base import Storage

PROCESS_DIED: tuple[type[BaseException], ...] = (
    exceptions.ActorDiedError,
    exceptions.ActorUnavailableError,
    exceptions.WorkerCrashedError,
    exceptions.NodeDiedError,
    exceptions.OutOfMemoryError,
)
NODE_DIED = exceptions.NodeDiedError
DOCUMENT_LOST: tuple[type[BaseException], ...] = (ContentLost, exceptions.ObjectLostError)


@dataclass(slots=True, kw_only=True)
class Actors:
    """The handles of one run and what its calls need. Made by `start`."""

    config: RayocrConfig
    state: Storage
    assemble_settings: AssembleSettings
    fetch_settings: FetchSettings
    logs_dir: Path
    ledger: Any
    limiter: Any
    desk: Any
    discovery: Any
    document_workers: DocumentWorkers
    place: Placement
    retried: set[str] = field(default_factory=set)  # document_ids for whose retry the HTTP face was asked

    @property
    def overwrite(self) -> bool:
        return self.config.overwrite

    @property
    def forgets_removed(self) -> bool:
        """A document that is removed before it was read leaves no record."""
        return self.config.mode is Mode.watch

    def retries(self, document_id: str) -> bool:
        """Whether its pages that failed are read again, and its manifest is replaced."""
        return self.config.mode is Mode.retry or document_id in self.retried

    def note_pushed(self, document_id: str) -> None:
        """A document that did not come from Discovery, which need not give it."""
        if self.config.mode is Mode.watch:
            self.discovery.note.remote(document_id)

    def note_gone(self, document_id: str) -> None:
        """A document that Discovery gave, and that was not there any more."""
        if self.config.mode is Mode.watch:
            self.discovery.forget.remote(document_id)

    async def look(self, what: Look) -> None:
        await answer(self.discovery.look.remote(what))

    async def next_documents(self, count: int) -> DiscoveryBatch:
        batch: DiscoveryBatch = await answer(self.discovery.next_batch.remote(count))
        return batch

    async def fetch(self, document: Document) -> tuple[FetchedDocument, ObjectStoreBytes]:
        """Raises DocumentError, VersionChanged, StorageError, or one of PROCESS_DIED."""
        timeout_s = self.config.limits.fetch_timeout_s
        async with self.document_workers.one() as (worker, node_id):
            facts, content = worker.fetch.options(num_returns=2).remote(document)
            try:
                fetched: FetchedDocument = await asyncio.wait_for(answer(facts), timeout_s)
            except TimeoutError as error:
                kill(worker)
                raise StorageUnavailable(f"The download took longer than {timeout_s:g} s.") from error
            return fetched, ObjectStoreBytes(content, node_id)

    def current_version(self, document: Document) -> Document:
        return current_version(document, self.fetch_settings)

    async def open_document(self, document_id: str) -> tuple[PageSummary, ...]:
        # Finished documents that are read again take nothing from the ledger that other settings had written; a retry does.
        anew = self.overwrite and not self.retries(document_id)
        fingerprint = self.assemble_settings.fingerprint if anew else None
        pages: tuple[PageSummary, ...] = await answer(self.ledger.open_document.remote(document_id, fingerprint))
        return pages

    async def assemble(self, context: DocumentContext, content: ObjectStoreBytes | None, started_at: str) -> AssembledDocument:
        """`content`: where the outputs need the source. Raises PROCESS_DIED, DOCUMENT_LOST, and what assembling raises."""
        reference = None if content is None else content.reference
        async with self.document_workers.one() as (worker, _):
            assembled: AssembledDocument = await answer(worker.assemble.remote(context, started_at, reference))
            return assembled

    async def assemble_copy(
        self, context: DocumentContext, content: ObjectStoreBytes | None, started_at: str
    ) -> AssembledDocument | None:
        """From a document with the same bytes, where one was read before. A copy is worth no second try: it is read instead."""
        reference = None if content is None or not self.assemble_settings.needs_source else content.reference
        try:
            async with self.document_workers.one() as (worker, _):
                assembled: AssembledDocument | None = await answer(worker.assemble_copy.remote(context, started_at, reference))
                return assembled
        except (*PROCESS_DIED, *DOCUMENT_LOST):
            return None

    async def close_document(self, document_id: str, outcome: DocumentOutcome) -> None:
        await answer(self.ledger.close_document.remote(document_id, outcome))

    async def other_runs(self) -> tuple[str, ...]:
        """Runs that left pages of unfinished documents behind."""
        runs: tuple[str, ...] = await answer(self.ledger.other_runs.remote())
        return runs

    async def compact(self, live_runs: list[str]) -> None:
        await answer(self.ledger.compact.remote(live_runs))

    async def ledger_state(self) -> LedgerState:
        state: LedgerState = await answer(self.ledger.state.remote())
        return state

    async def close_ledger(self) -> LedgerReport:
        report: LedgerReport = await answer(self.ledger.close.remote())
        return report

    async def close_desk(self, *, finished: bool) -> None:
        if self.desk is not None:
            await answer(self.desk.close.remote(finished=finished))

    def copy_dead_letter(self, document_id: str) -> DeadLetter | None:
        """The durable letter that the assembler wrote, into the logs."""
        return copy_dead_letter(self.state, self.logs_dir, document_id)

    def spawn_worker(self, name: str, settings: WorkerSettings) -> Any:
        run_id = self.assemble_settings.run_id
        return spawn_worker(name, run_id, settings, self.ledger, self.limiter, self.desk, place=self.place)

    async def take_telemetry(self) -> Telemetry:
        """What workers logged and counted since it was asked last."""
        telemetry: Telemetry = await answer(self.ledger.take_telemetry.options(enable_task_events=False).remote())
        return telemetry

    async def limiter_state(self) -> LimiterState:
        state: LimiterState = await answer(self.limiter.state.remote())
        return state

    async def restore_limiter(self, earlier: LimiterState | None) -> None:
        await answer(self.limiter.restore.remote(earlier))

    async def close_limiter(self) -> None:
        if self.limiter is not None:
            await answer(self.limiter.close.remote())

    def forget_worker(self, name: str) -> None:
        if self.limiter is not None:
            self.limiter.forget.remote(name)


async def node_is_gone(node_id: str) -> bool:
    """Whether a process of that node died because its node did."""
    nodes = await asyncio.to_thread(ray.nodes)
    return not any(node["NodeID"] == node_id and node["Alive"] for node in nodes)


class DocumentWorkers:
    """A few DocumentWorkers, each with one document at a time, started when first needed and replaced when they die."""

    def __init__(
        self,
        spawn: Callable[[str], Any],
        *,
        count: int,
        count_for: Callable[[Nodes], int] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._spawn = spawn
        self._count = count
        self._count_for = count_for  # where the number follows the cluster
        self._clock = clock
        self._idle: list[tuple[Any, str, float]] = []  # with the ids of their nodes, and since when
        self._leaving: frozenset[str] = frozenset()  # nodes
        self._room = asyncio.Semaphore(count)
        self._numbers = itertools.count(1)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[tuple[Any, str]]:
        """A worker and the id of its node. Raises NodeDiedError for a process that died because its node did: whatever it had is
        not to blame."""
        async with self._room:
            worker, node_id = await self._alive()
            try:
                yield worker, node_id
            except PROCESS_DIED as error:
                kill(worker)
                if await node_is_gone(node_id):
                    raise NODE_DIED(f"A worker's node is gone: {type(error).__name__}.") from error
                raise
            except (StorageUnavailable, asyncio.CancelledError):  # busy with what nobody waits for any longer
                kill(worker)
                raise
            except BaseException:
                self._put_back(worker, node_id)
                raise
            self._put_back(worker, node_id)

    async def follow(self, nodes: Nodes) -> None:
        """Leave the nodes that are about to go, and be as many as a cluster that grows can use."""
        self._leaving = nodes.leaving
        self._give_up(lambda node_id, since: node_id in self._leaving)
        wanted = self._count_for(nodes) if self._count_for is not None else 0
        while self._count < wanted:  # a cluster that shrinks takes its workers along
            self._count += 1
            self._room.release()

    def shrink(self, *, idle_s: float) -> None:
        """An autoscaler gives up only nodes on which nobody has anything."""
        now = self._clock()
        self._give_up(lambda node_id, since: now - since >= idle_s)

    def _give_up(self, which: Callable[[str, float], bool]) -> None:
        for entry in [entry for entry in self._idle if which(*entry[1:])]:
            self._idle.remove(entry)
            kill(entry[0])

    def _put_back(self, worker: Any, node_id: str) -> None:
        if node_id in self._leaving:
            kill(worker)
        else:
            self._idle.append((worker, node_id, self._clock()))

    async def _alive(self) -> tuple[Any, str]:
        """One that was idle may have died meanwhile, and would be counted as a death of the document that comes next."""
        while self._idle:
            worker, *_ = self._idle.pop()
            try:
                return worker, await answer(worker.node_id.remote())
            except PROCESS_DIED:
                kill(worker)
        worker = self._spawn(f"document_worker:{next(self._numbers)}")
        return worker, await answer(worker.node_id.remote())


def document_workers(config: RayocrConfig, cpus: int) -> int:
    """How many processes fetch and assemble at most."""
    return config.workers.documents or max(2, cpus)


def requests_are_shared(config: RayocrConfig) -> bool:
    """Each process has a fixed share of `storage.requests_per_s`, so that their number is fixed, too."""
    return config.storage.requests_per_s is not None


def kill(handle: Any) -> None:
    ray.kill(handle)


def start(
    config: RayocrConfig,
    *,
    run_id: str,
    state: Storage,
    source_uri: str,
    assemble_settings: AssembleSettings,
    fetch_settings: FetchSettings,
    rules: DiscoveryRules,
    cpus: int,
    limiter_rules: LimiterRules | None,
    keys: Secrets,
    place: Placement,
) -> Actors:
    """Spawn the actors of a run, the limiter only where it has rules. Does not wait for them."""
    copies_bytes = config.dedup.memory_bytes if config.dedup.pages and limiter_rules else 0
    state_uri = assemble_settings.state_uri
    ledger = spawn_ledger(
        state_uri,
        config.storage.state,
        run_id,
        config.ledger,
        config.retry,
        copies_bytes=copies_bytes,
        place=place,
    )
    return Actors(
        config=config,
        state=state,
        assemble_settings=assemble_settings,
        fetch_settings=fetch_settings,
        logs_dir=Path(config.logs.dir),
        ledger=ledger,
        limiter=spawn_limiter(run_id, limiter_rules, keys, place=place) if limiter_rules else None,
        desk=spawn_batch_desk(state_uri, run_id, config, keys, place=place) if config.engine.batch else None,
        discovery=spawn_discovery(run_id, source_uri, state_uri, config.storage, rules, place=place),
        document_workers=DocumentWorkers(
            lambda name: spawn_document_worker(f"{name}:{run_id}", fetch_settings, assemble_settings, ledger, place=place),
            count=document_workers(config, cpus),
            count_for=None if requests_are_shared(config) else lambda nodes: document_workers(config, nodes.cpus()),
        ),
        place=place,
    )
