"""Defines the ports through which the driver uses the actors of a run. Ray's actors and the in-process classes both implement
them.

All errors are from rayocr.errors. If an actor's process died, its calls raise ActorFailed (ActorUnreachable, NodeLost). Bytes
that were lost with their node raise ContentLost. Errors that an actor raised itself are raised unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from rayocr.actors.ledger.actor import LedgerReport
from rayocr.errors import ActorFailed
from rayocr.limits.lanes import LaneOutlook
from rayocr.messages import (
    AssembledDocument,
    DiscoveryBatch,
    Document,
    DocumentContext,
    DocumentOutcome,
    FetchedDocument,
    LanesState,
    LedgerState,
    LimiterState,
    PageSummary,
    Poll,
    Shard,
    ShardReport,
    WorkerInfo,
)


class Content(Protocol):
    """A document's bytes, wherever they are stored. `node_id`: the node that holds them, "" without a cluster."""

    node_id: str

    async def load(self) -> Any:
        """Returns the bytes. Raises ContentLost."""


class LedgerPort(Protocol):
    """The ledger; see `rayocr.actors.ledger.actor.Ledger`."""

    async def open_document(self, document_id: str, fingerprint: str | None = None) -> tuple[PageSummary, ...]: ...

    async def close_document(self, document_id: str, outcome: DocumentOutcome) -> None: ...

    async def other_runs(self) -> tuple[str, ...]: ...

    async def compact(self, live_runs: list[str]) -> int: ...

    async def state(self) -> LedgerState: ...

    async def close(self) -> LedgerReport: ...


class LimiterPort(Protocol):
    """The rate limiter; see `rayocr.actors.rate_limiter.actor.RateLimiter`."""

    async def expect(self, outlook: LaneOutlook) -> LanesState: ...

    async def state(self) -> LimiterState: ...

    async def restore(self, earlier: LimiterState | None) -> None: ...

    async def forget(self, worker: str) -> None: ...

    async def close(self) -> None: ...


class DiscoveryPort(Protocol):
    """Discovery; see `rayocr.actors.discovery.actor.Discovery`, whose methods block."""

    async def next_batch(self, count: int) -> DiscoveryBatch: ...

    async def poll(self, what: Poll) -> None: ...

    async def note(self, document_id: str) -> None: ...

    async def forget(self, document_id: str) -> None: ...


class QueuePort(Protocol):
    """The batch queue; see `rayocr.actors.batch_queue.actor.BatchQueue`."""

    async def progress(self) -> tuple[str, ...]: ...

    async def withdraw(self) -> int: ...

    async def close(self, *, finished: bool) -> None: ...


class WorkerHandle(Protocol):
    """A process, or an in-process substitute, that can die while it works."""

    async def running(self) -> WorkerInfo:
        """Returns as soon as the process runs, before it uses its settings. Raises ActorFailed."""

    def kill(self) -> None:
        """Ends the process immediately. Idempotent."""

    async def lost_with_node(self, node_id: str, error: ActorFailed) -> bool:
        """Returns whether the process failed because of its node or the network. Waits until the cause is known. Call it before
        `kill`."""


class PageWorkerHandle(WorkerHandle, Protocol):
    """A page worker; see `rayocr.actors.page_worker.actor.PageWorker`. Cancelling a call to `recognize` does not cancel the
    work."""

    async def open(self) -> WorkerInfo: ...

    async def recognize(self, shard: Shard, content: Content, context: DocumentContext) -> ShardReport: ...

    async def local_pages(
        self, document_id: str, page_numbers: tuple[int, ...], known: tuple[int, ...], ended: Mapping[int, bool]
    ) -> tuple[int, ...]: ...

    def drain(self) -> None: ...

    def cancel(self, document_id: str, fencing_token: int) -> None: ...


class DocumentWorkerHandle(WorkerHandle, Protocol):
    """A document worker; see `rayocr.actors.document_worker.actor.DocumentWorker`."""

    async def fetch(self, document: Document, load_pages: bool = True) -> tuple[FetchedDocument, Content]: ...

    async def assemble(
        self, context: DocumentContext, started_at: str, content: Content | None, crashes: int = 0
    ) -> AssembledDocument: ...

    async def assemble_copy(
        self, context: DocumentContext, started_at: str, content: Content | None
    ) -> AssembledDocument | None: ...
