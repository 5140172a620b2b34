"""The actors and tasks of a run as plain awaitables, for the driver. Importing this imports Ray: only once it is connected.

What a remote call raised is raised here as itself; what Ray raises on its own account is in deaths.py.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rayocr.actors.discovery.actor import DiscoveryRules
from rayocr.actors.document_worker.assemble import AssembleSettings
from rayocr.actors.document_worker.fetch import FetchSettings, current_version
from rayocr.actors.ledger.actor import LedgerReport
from rayocr.actors.page_worker.actor import WorkerSettings
from rayocr.actors.placement import Placement
from rayocr.actors.rate_limiter.actor import LimiterRules
from rayocr.actors.remote import ObjectStoreBytes, answer
from rayocr.actors.spawn import (
    spawn_batch_queue,
    spawn_discovery,
    spawn_document_worker,
    spawn_ledger,
    spawn_limiter,
    spawn_worker,
)
from rayocr.config import Mode, RayocrConfig, Secrets
from rayocr.driver.cluster.document_worker_pool import DocumentWorkers
from rayocr.driver.cluster.failures import ACTOR_FAILED, CONTENT_LOST, kill
from rayocr.errors import ObjectNotFound, RecordCorrupt, StorageUnavailable
from rayocr.ledger.manifest import Manifest, manifest_name
from rayocr.messages import (
    AssembledDocument,
    DiscoveryBatch,
    Document,
    DocumentContext,
    DocumentOutcome,
    FetchedDocument,
    LedgerState,
    LimiterState,
    PageSummary,
    Poll,
)
from rayocr.observe.dead_letters import DeadLetter, copy_dead_letter
from rayocr.observe.relay import Telemetry
from rayocr.storage.base import Storage

_ENDS_REMEMBERED = 1000
_WAIT_FOR_WORDS_S = 3  # telemetry is taken every second


@dataclass(slots=True, kw_only=True)
class RayActors:
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
    ends: dict[str, str] = field(default_factory=dict)  # by document_id, why a process that had it put an end to itself
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

    async def look(self, what: Poll) -> None:
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

    async def assemble(
        self, context: DocumentContext, content: ObjectStoreBytes | None, started_at: str, crashes: int = 0
    ) -> AssembledDocument:
        """`content`: where the outputs need the source. `crashes`: how many processes died over this before. Raises ACTOR_FAILED,
        CONTENT_LOST, and what assembling raises."""
        reference = None if content is None else content.reference
        async with self.document_workers.one() as (worker, _):
            assembled: AssembledDocument = await answer(worker.assemble.remote(context, started_at, reference, crashes))
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
        except (*ACTOR_FAILED, *CONTENT_LOST):
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
        if len(self.ends) > _ENDS_REMEMBERED:
            self.ends.clear()
        self.ends.update(telemetry.ends)
        return telemetry

    async def why_ended(self, document_id: str) -> str:
        """The last words of a process that had the document; empty when it left none. May wait for the next telemetry."""
        for _ in range(_WAIT_FOR_WORDS_S * 10):
            if why := self.ends.pop(document_id, ""):
                return why
            await asyncio.sleep(0.1)
        return ""

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


def is_finished_by_another(actors: RayActors, document: Document, *, since: str) -> bool:
    """Since it was listed; where finished documents are read again, since this run began. What this run finished itself is given
    once more by a Discovery that had to list again, and paid for twice only where a client asked for it. Blocks. Raises
    StorageError."""
    name = manifest_name(document.document_id)
    try:
        if not actors.overwrite and not actors.retries(document.document_id):
            return actors.state.stat(name).size_bytes > 0
        manifest = Manifest.from_json(actors.state.read(name), name=name)
    except (ObjectNotFound, RecordCorrupt):
        return False
    if manifest.run_id == actors.assemble_settings.run_id:
        return document.document_id not in actors.retried
    return manifest.started_at >= since


def document_workers(config: RayocrConfig, cpus: int) -> int:
    """How many processes fetch and assemble at most."""
    return config.workers.documents or max(2, cpus)


def requests_are_shared(config: RayocrConfig) -> bool:
    """Each process has a fixed share of `storage.requests_per_s`, so that their number is fixed, too."""
    return config.storage.requests_per_s is not None


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
) -> RayActors:
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
    return RayActors(
        config=config,
        state=state,
        assemble_settings=assemble_settings,
        fetch_settings=fetch_settings,
        logs_dir=Path(config.logs.dir),
        ledger=ledger,
        limiter=spawn_limiter(run_id, limiter_rules, keys, place=place) if limiter_rules else None,
        desk=spawn_batch_queue(state_uri, run_id, config, keys, place=place) if config.engine.batch else None,
        discovery=spawn_discovery(run_id, source_uri, state_uri, config.storage, rules, place=place),
        document_workers=DocumentWorkers(
            lambda name: spawn_document_worker(f"{name}:{run_id}", fetch_settings, assemble_settings, ledger, place=place),
            count=document_workers(config, cpus),
            count_for=None if requests_are_shared(config) else lambda nodes: document_workers(config, nodes.cpus()),
        ),
        place=place,
    )
