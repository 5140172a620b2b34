"""Both ends of a call through Ray: the plain classes as hosted in actor processes, and their handles as the ports of workers.

No secret is a constructor argument: Ray stores those in its control store, and with fault tolerance on Redis' disk. Secrets, and
settings whose addresses may contain one, are passed by a call after creation (`configure`, `keep_keys`).
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import astuple, replace
from typing import Any

import ray
import ray.exceptions

from rayocr.actors.batch_queue.actor import BatchQueue
from rayocr.actors.discovery.actor import Discovery, DiscoveryRules
from rayocr.actors.document_worker.actor import DocumentWorker
from rayocr.actors.document_worker.assemble import AssembleSettings
from rayocr.actors.document_worker.fetch import FetchSettings
from rayocr.actors.ledger.actor import Ledger
from rayocr.actors.page_worker.actor import PageWorker, WorkerSettings
from rayocr.actors.rate_limiter.actor import LimiterRules, RateLimiter
from rayocr.config import AccessConfig, LedgerConfig, RayocrConfig, RetryConfig, Secrets, StorageConfig
from rayocr.errors import ActorFailed, ActorUnreachable, ClusterUnavailable, ContentLost, NodeLost, RayocrError
from rayocr.limits.base import Bucket
from rayocr.limits.factory import bucket_opener
from rayocr.masking import hide, hide_environment
from rayocr.messages import (
    AssembledDocument,
    Document,
    DocumentContext,
    FetchedDocument,
    PageRecord,
    Shard,
    ShardReport,
    SlotReply,
    SlotReturn,
    WorkerInfo,
)
from rayocr.observe.relay import Mailbox, RelayHandler, Telemetry, relay_logs
from rayocr.pdf.guard import report_before_exit
from rayocr.retry import RetryPolicy
from rayocr.storage.counted import storage_calls
from rayocr.storage.factory import cached_storage, open_storage

# Ray's errors and ours; the first match applies. No module above this one handles Ray's errors.
_OURS: tuple[tuple[tuple[type[Exception], ...], type[RayocrError]], ...] = (
    ((ray.exceptions.NodeDiedError,), NodeLost),
    ((ray.exceptions.ActorUnavailableError,), ActorUnreachable),
    ((ray.exceptions.ActorDiedError, ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError), ActorFailed),
    ((ray.exceptions.ObjectLostError,), ContentLost),
)


async def answer(reference: Any) -> Any:
    """The result of a call. Errors that the actor raised are raised unchanged; Ray's own are raised as ours."""
    try:
        return await reference
    except ray.exceptions.RayError as error:
        raise our_error(error) from None


def our_error(error: BaseException) -> BaseException:
    """The error that the actor raised, or ours for Ray's own. Other errors are returned unchanged."""
    cause = error
    while isinstance(cause, ray.exceptions.RayTaskError) and isinstance(cause.cause, BaseException):
        cause = cause.cause
    if isinstance(cause, ray.exceptions.RayError):
        lines = str(cause).strip().splitlines()
        message = f"Ray failed: {type(cause).__name__}: {lines[0] if lines else ''}"
        ours = next((ours for theirs, ours in _OURS if isinstance(cause, theirs)), ClusterUnavailable)
        failed_itself = cause is error
        cause = ours(message, hint=ActorFailed.default_hint)
    else:
        failed_itself = False
    if isinstance(cause, ActorFailed) and not failed_itself:  # another actor, which the called one needs
        return ClusterUnavailable(str(cause), hint=ActorFailed.default_hint)
    return cause


class Remote:
    """An actor behind its Ray handle: its methods as coroutines."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        method = getattr(self._handle, name)
        return lambda *arguments, **named: answer(method.remote(*arguments, **named))


class ObjectStoreBytes:
    """A document's bytes in Ray's object store. Carries the reference, so the bytes move only to workers that load them."""

    def __init__(self, reference: ray.ObjectRef[Any], node_id: str = "") -> None:
        self._reference = reference
        self.node_id = node_id  # the node that holds the bytes

    @property
    def reference(self) -> ray.ObjectRef[Any]:
        """For use as a top-level argument: Ray then passes the bytes instead of the reference."""
        return self._reference

    async def load(self) -> Any:
        """Raises ContentLost."""
        return await answer(self._reference)


def _relaying(worker: str, run_id: str, send: Callable[[Telemetry], Any]) -> RelayHandler:
    """Sends this process's logs and counts to the run, without the secrets of its environment."""
    hide_environment()
    return relay_logs(send, run_id=run_id, worker=worker, host=socket.gethostname(), counts=storage_calls)


def _to_ledger(ledger: Any) -> Callable[[Telemetry], Any]:
    """Posts to the mailbox in the ledger's process."""
    return lambda telemetry: ledger.relay.remote(telemetry)


def _to_ledger_of(run_id: str) -> Callable[[Telemetry], Any]:
    """The same for actors that Ray restarts: a handle in their constructor arguments might be gone by then."""
    send: Callable[[Telemetry], Any] | None = None

    def find_and_send(telemetry: Telemetry) -> None:
        nonlocal send
        send = send or _to_ledger(ray.get_actor(f"ledger:{run_id}"))
        send(telemetry)

    return find_and_send


class LedgerActor(Ledger):
    """Also hosts the mailbox of the run's telemetry: all workers know this process, and a separate one would cost 100 MB."""

    def __init__(
        self, state_uri: str, access: AccessConfig, run_id: str, config: LedgerConfig, retry: RetryConfig, copies_bytes: int
    ) -> None:
        self._mailbox = Mailbox()
        self._handler = _relaying("ledger", run_id, self._mailbox.put)
        super().__init__(
            cached_storage(state_uri, access=access),
            run_id=run_id,
            flush_interval_s=config.flush_interval_s,
            flush_bytes=config.flush_bytes,
            memory_bytes=config.memory_bytes,
            copies_bytes=copies_bytes,
            policy=RetryPolicy.from_config(retry),
        )

    async def ready(self) -> int:
        """Returns when the index is rebuilt: the number of recorded pages of unfinished documents."""
        return self.page_count

    # No events: one per second and process would fill the memory of Ray's control store.
    @ray.method(enable_task_events=False)  # type: ignore[untyped-decorator]
    async def relay(self, telemetry: Telemetry) -> None:
        self._mailbox.put(telemetry)

    @ray.method(enable_task_events=False)  # type: ignore[untyped-decorator]
    async def take_telemetry(self) -> Telemetry:
        self._handler.post()
        return self._mailbox.take()


class _Keys:
    """For an actor that Ray restarts: the driver's call of `keep` never ends, so Ray repeats it for each new process."""

    def __init__(self) -> None:
        self._given = asyncio.Event()
        self.secrets = Secrets()

    async def keep(self, secrets: Secrets) -> None:
        hide(astuple(secrets))
        self.secrets = secrets
        self._given.set()
        await asyncio.Event().wait()

    async def given(self) -> None:
        await self._given.wait()


class BatchQueueActor:
    def __init__(self, state_uri: str, run_id: str, access: AccessConfig) -> None:
        _relaying("batch_queue", run_id, _to_ledger_of(run_id))
        self._state, self._run_id = cached_storage(state_uri, access=access), run_id
        self._keys = _Keys()
        self._queue: BatchQueue | None = None

    async def keep_keys(self, config: RayocrConfig, secrets: Secrets) -> None:
        from rayocr.engines.gemini.batch import GeminiJobs

        self._queue = BatchQueue(
            GeminiJobs(config.engine.gemini, secrets),
            self._state,
            run_id=self._run_id,
            config=config.batch,
            policy=RetryPolicy(max_attempts=config.retry.engine_attempts, base_s=config.retry.base_s, cap_s=config.retry.cap_s),
        )
        await self._keys.keep(secrets)

    async def _there(self) -> BatchQueue:
        await self._keys.given()
        assert self._queue is not None
        return self._queue

    async def read(self, key: str, model: str, line: bytes) -> bytes:
        return await (await self._there()).read(key, model, line)

    async def close(self, *, finished: bool) -> None:
        await (await self._there()).close(finished=finished)


class DiscoveryActor(Discovery):
    def __init__(self, run_id: str, source_uri: str, state_uri: str, config: StorageConfig, rules: DiscoveryRules) -> None:
        _relaying("discovery", run_id, _to_ledger_of(run_id))
        super().__init__(open_storage(source_uri, config.source), cached_storage(state_uri, access=config.state), rules)


class PageWorkerActor:
    def __init__(self, name: str, run_id: str, ledger: Any, limiter: Any, batch_queue: Any) -> None:
        self._handler = _relaying(name, run_id, _to_ledger(ledger))
        self._name = name
        self._ports: list[Any] = [Remote(ledger), Remote(limiter), None if batch_queue is None else Remote(batch_queue)]
        self._configured = asyncio.Event()
        self._worker: PageWorker | None = None
        report_before_exit(lambda why: self._handler.report_exit(self._worker.documents_in_progress if self._worker else (), why))

    async def configure(self, settings: WorkerSettings) -> None:
        """The first call. `open` waits for it: Ray does not guarantee the order of calls to an actor with coroutines."""
        hide(astuple(settings.secrets))
        # Posted after each shard: once the shard is answered, the process may be killed.
        self._worker = PageWorker(self._name, settings, *self._ports, after_shard=self._handler.post)
        self._configured.set()

    async def open(self) -> WorkerInfo:
        await self._configured.wait()
        return replace(await self._there.open(), node_id=_node_id())

    @property
    def _there(self) -> PageWorker:
        assert self._worker is not None, "open() first"
        return self._worker

    async def recognize(self, shard: Shard, content: ObjectStoreBytes, context: DocumentContext) -> ShardReport:
        return await self._there.recognize(shard, content, context)

    async def drain(self) -> None:
        await self._there.drain()

    async def cancel(self, document_id: str, fencing_token: int) -> None:
        await self._there.cancel(document_id, fencing_token)

    async def running(self) -> WorkerInfo:
        return _running()

    async def node_id(self) -> str:
        return _node_id()


class RateLimiterActor(RateLimiter):
    def __init__(self, rules: LimiterRules, run_id: str) -> None:
        _relaying("rate_limiter", run_id, _to_ledger_of(run_id))
        self._keys = _Keys()
        self._shared: Callable[[str], Bucket] | None = None
        shared = rules.limits.shared != "none"

        def open_bucket(model: str) -> Bucket:
            self._shared = self._shared or bucket_opener(rules.limits, self._keys.secrets, cluster=run_id)
            assert self._shared is not None
            return self._shared(model)

        super().__init__(
            rules,
            open_bucket=open_bucket if shared else None,
            restarted=ray.get_runtime_context().was_current_actor_reconstructed,
        )

    async def keep_keys(self, secrets: Secrets) -> None:
        await self._keys.keep(secrets)

    async def lease(self, model: str, worker: str, wanted: int) -> tuple[float, ...]:
        await self._keys.given()
        return await super().lease(model, worker, wanted)

    async def release(self, model: str, worker: str, returned: SlotReturn) -> SlotReply:
        await self._keys.given()
        return await super().release(model, worker, returned)


class DocumentWorkerActor(DocumentWorker):
    def __init__(self, name: str, run_id: str, ledger: Any) -> None:
        self._handler = _relaying(name, run_id, _to_ledger(ledger))
        self._ledger = ledger
        self._in_progress = ""  # document_id
        report_before_exit(lambda why: self._handler.report_exit([self._in_progress], why))

    def configure(self, fetch_settings: FetchSettings, assemble_settings: AssembleSettings) -> None:
        """The call before all others but `running`; calls run one after the other, since this actor has one thread."""
        hide([assemble_settings.lease.redis_url])
        ledger = self._ledger

        def read_texts(document_id: str, first: int, last: int) -> Sequence[PageRecord]:
            records: Sequence[PageRecord] = ray.get(ledger.texts.remote(document_id, first, last))
            return records

        super().__init__(fetch_settings, assemble_settings, read_texts)

    def fetch(self, document: Document) -> tuple[FetchedDocument, Any]:
        self._in_progress = document.document_id
        try:
            return super().fetch(document)
        finally:
            self._handler.post()

    def assemble(self, context: DocumentContext, started_at: str, content: Any = None, crashes: int = 0) -> AssembledDocument:
        self._in_progress = context.document.document_id
        try:
            return super().assemble(context, started_at, content, crashes)
        finally:
            self._handler.post()

    def running(self) -> WorkerInfo:
        return _running()

    def node_id(self) -> str:
        return _node_id()


def _running() -> WorkerInfo:
    return WorkerInfo(host=socket.gethostname(), pid=os.getpid(), node_id=_node_id())


def _node_id() -> str:
    return str(ray.get_runtime_context().get_node_id())
