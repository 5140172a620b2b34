"""Defines RunActors, the driver's view of the actors of one run. RayActors runs them on a cluster, LocalActors in this
process."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from rayocr.actors.document_worker.assemble_settings import AssembleSettings
from rayocr.actors.document_worker.fetch import FetchSettings, current_version
from rayocr.actors.page_worker.actor import WorkerSettings
from rayocr.actors.placement import Group
from rayocr.config import Mode, RayocrConfig
from rayocr.driver.cluster.base import Content, DiscoveryPort, LedgerPort, LimiterPort, PageWorkerHandle, QueuePort
from rayocr.driver.cluster.nodes import ALWAYS_THE_SAME_S, Nodes
from rayocr.driver.cluster.pools.document_worker_pool import DocumentWorkerPool
from rayocr.errors import ActorFailed, ContentLost, ObjectNotFound, RecordCorrupt, StorageUnavailable
from rayocr.failure_reasons import next_run_retries
from rayocr.ledger.manifest import Manifest, manifest_name
from rayocr.messages import AssembledDocument, Document, DocumentContext, FetchedDocument, PageSummary
from rayocr.observe.dead_letters import DeadLetter, copy_dead_letter
from rayocr.observe.relay import Telemetry
from rayocr.storage.base import Storage

_ENDS_REMEMBERED = 1000
_WAIT_FOR_WORDS_S = 3  # telemetry is collected every second


class RunActors(ABC):
    """The actors of one run. `limiter` is None if no engine waits for a server, `batch_queue` if no engine uses batches."""

    ledger: LedgerPort
    limiter: LimiterPort | None
    batch_queue: QueuePort | None
    discovery: DiscoveryPort
    document_workers: DocumentWorkerPool
    cpus: int
    has_processes = True  # whether each worker has a separate process
    head_address = ""  # address of Ray's control store
    nodes_every_s = ALWAYS_THE_SAME_S  # time between two readings of the nodes
    groups: frozenset[Group] = frozenset()  # node groups that workers request
    documents_group: Group | None = None  # group of the nodes that hold fetched documents; None: any node

    def __init__(
        self, config: RayocrConfig, state: Storage, assemble_settings: AssembleSettings, fetch_settings: FetchSettings
    ) -> None:
        self.config = config
        self.state = state
        self.assemble_settings = assemble_settings
        self.fetch_settings = fetch_settings
        self.logs_dir = Path(config.logs.dir)
        self.retried: set[str] = set()  # document_ids whose retry was requested over HTTP
        self._ends: dict[str, str] = {}  # document_id -> the reason why the process that worked on it ended itself
        self._posted: set[asyncio.Task[Any]] = set()

    @abstractmethod
    def spawn_page_worker(self, name: str, settings: WorkerSettings) -> PageWorkerHandle: ...

    @abstractmethod
    def nodes(self) -> Nodes:
        """Returns the cluster's current nodes. Blocks."""

    @abstractmethod
    async def take_telemetry(self) -> Telemetry:
        """Returns the workers' logs and counts since the last call."""

    async def close(self) -> None:
        """Ends everything that is still running after the run."""
        await asyncio.gather(*self._posted, return_exceptions=True)

    # -- which documents ----------------------------------------------------------------------------------------------------

    @property
    def forgets_removed(self) -> bool:
        """True if a document that is removed before it was read leaves no record."""
        return self.config.mode is Mode.watch

    def retries(self, document_id: str) -> bool:
        """Returns whether the document's failed pages are read again and its manifest is replaced."""
        return self.config.mode is Mode.retry or document_id in self.retried

    def note_pushed(self, document_id: str) -> None:
        """Notes a document that did not come from Discovery, so that Discovery does not return it."""
        if self.config.mode is Mode.watch:
            self._post(self.discovery.note(document_id))

    def note_gone(self, document_id: str) -> None:
        """Notes that a document from Discovery no longer exists."""
        if self.config.mode is Mode.watch:
            self._post(self.discovery.forget(document_id))

    def current_version(self, document: Document) -> Document:
        return current_version(document, self.fetch_settings)

    def is_finished_by_another(self, document: Document, *, since: str) -> bool:
        """Returns whether another run finished the document since it was listed or, if finished documents are read again, since
        this run began. After a restart Discovery returns this run's own documents again. A document is read twice only if a
        client requested this. Blocks. Raises StorageError."""
        name = manifest_name(document.document_id)
        try:
            if not self.config.overwrite and not self.retries(document.document_id):
                return self.state.stat(name).size_bytes > 0 and not self._is_tried_again(name, since)
            manifest = Manifest.from_json(self.state.read(name), name=name)
        except (ObjectNotFound, RecordCorrupt):
            return False
        if manifest.run_id == self.assemble_settings.run_id:
            return document.document_id not in self.retried
        return manifest.started_at >= since

    def _is_tried_again(self, name: str, since: str) -> bool:
        """Returns whether the manifest comes from an earlier run that could not read the document for a reason outside the
        file."""
        try:
            manifest = Manifest.from_json(self.state.read(name), name=name)
        except RecordCorrupt:
            return False
        return (
            next_run_retries(manifest.reason) and manifest.run_id != self.assemble_settings.run_id and manifest.started_at < since
        )

    # -- work on one document -----------------------------------------------------------------------------------------------

    async def fetch(self, document: Document, *, load_pages: bool = True) -> tuple[FetchedDocument, Content]:
        """Fetches the document. `load_pages`: loads some pages to check them. Raises DocumentError, VersionChanged, StorageError,
        ActorFailed."""
        timeout_s = self.config.limits.fetch_timeout_s
        async with self.document_workers.one() as worker:
            try:
                return await asyncio.wait_for(worker.fetch(document, load_pages), timeout_s)
            except TimeoutError as error:
                raise StorageUnavailable(f"The download took longer than {timeout_s:g} s.") from error

    async def open_document(self, document_id: str) -> tuple[PageSummary, ...]:
        # A finished document that is read again ignores ledger pages made with other settings; a retry uses them.
        anew = self.config.overwrite and not self.retries(document_id)
        return await self.ledger.open_document(document_id, self.assemble_settings.fingerprint if anew else None)

    async def assemble(
        self, context: DocumentContext, content: Content | None, started_at: str, crashes: int = 0
    ) -> AssembledDocument:
        """Assembles the document. `content`: set only if the outputs need the source. `crashes`: how many workers died during
        earlier tries. Raises ActorFailed, ContentLost, and the errors of assembling."""
        async with self.document_workers.one() as worker:
            return await worker.assemble(context, started_at, content, crashes)

    async def assemble_copy(self, context: DocumentContext, content: Content | None, started_at: str) -> AssembledDocument | None:
        """Assembles the document from one with the same bytes that was read before. If that fails, the document itself is
        read."""
        try:
            async with self.document_workers.one() as worker:
                return await worker.assemble_copy(context, started_at, content if self.assemble_settings.needs_source else None)
        except (ActorFailed, ContentLost):
            return None

    def copy_dead_letter(self, document_id: str) -> DeadLetter | None:
        """Logs the durable dead letter that the assembler wrote."""
        return copy_dead_letter(self.state, self.logs_dir, document_id)

    # -- workers ------------------------------------------------------------------------------------------------------------

    def forget_worker(self, name: str) -> None:
        """Returns the slots of a dead worker to the limiter."""
        if self.limiter is not None:
            self._post(self.limiter.forget(name))

    def note_ends(self, telemetry: Telemetry) -> None:
        if len(self._ends) > _ENDS_REMEMBERED:
            self._ends.clear()
        self._ends.update(telemetry.ends)

    async def why_ended(self, document_id: str) -> str:
        """Returns the reason that a process with the document recorded before it ended itself; empty if there is none. May wait
        for the next telemetry."""
        for _ in range(_WAIT_FOR_WORDS_S * 10):
            if why := self._ends.pop(document_id, ""):
                return why
            await asyncio.sleep(0.1)
        return ""

    def _post(self, call: Coroutine[Any, Any, Any]) -> None:
        """Makes a call whose result is not awaited and whose failure has no effect."""

        async def quietly() -> None:
            with contextlib.suppress(Exception):
                await call

        task = asyncio.get_running_loop().create_task(quietly())
        self._posted.add(task)
        task.add_done_callback(self._posted.discard)


def document_workers(config: RayocrConfig, cpus: int) -> int:
    """Returns the maximum number of workers that fetch and assemble."""
    return config.workers.documents or max(2, cpus)


def requests_are_shared(config: RayocrConfig) -> bool:
    """Returns whether the limit of storage requests is shared. Each process has a fixed share of `storage.requests_per_s`, so the
    number of processes is fixed too."""
    return config.storage.requests_per_s is not None
