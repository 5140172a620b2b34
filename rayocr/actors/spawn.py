"""The only module that calls `ray.remote`: the plain classes and functions of this package as actors and tasks.

Each option has its reason beside it. Importing this imports Ray.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
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
from rayocr.actors.placement import Group, Placement
from rayocr.actors.rate_limiter.actor import LimiterRules, RateLimiter
from rayocr.config import AccessConfig, LedgerConfig, RayocrConfig, RetryConfig, Secrets, StorageConfig
from rayocr.errors import ContentLost
from rayocr.limits.factory import bucket_opener
from rayocr.masking import hide, hide_environment
from rayocr.messages import AssembledDocument, Document, DocumentContext, FetchedDocument, PageRecord, SlotReturn, WorkerInfo
from rayocr.observe.relay import Mailbox, RelayHandler, Telemetry, relay_logs
from rayocr.pdf.guard import tell_before_end
from rayocr.retry import RetryPolicy
from rayocr.storage.counted import storage_calls
from rayocr.storage.factory import cached_storage, open_storage

_ANYWHERE = Placement()
_MANY = 10_000  # calls that wait inside an async actor at once: coroutines, not threads


async def answer(reference: Any) -> Any:
    """The result of a call. What was raised over there is raised here as itself, not inside Ray's wrapper and its traceback."""
    try:
        return await reference
    except ray.exceptions.RayTaskError as error:
        cause: BaseException = error
        while isinstance(cause, ray.exceptions.RayTaskError) and isinstance(cause.cause, BaseException):
            cause = cause.cause
        raise cause from None


class RemoteLedger:
    """The Ledger behind its handle, for workers."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    async def record(self, records: Sequence[PageRecord]) -> None:
        await answer(self._handle.record.remote(tuple(records)))

    async def texts(self, document_id: str, first_page: int, last_page: int) -> Sequence[PageRecord]:
        records: Sequence[PageRecord] = await answer(self._handle.texts.remote(document_id, first_page, last_page))
        return records

    async def copies(self, fingerprint: str, content_hashes: Sequence[str]) -> tuple[PageRecord | None, ...]:
        found: tuple[PageRecord | None, ...] = await answer(self._handle.copies.remote(fingerprint, tuple(content_hashes)))
        return found


class RemoteLimiter:
    """The RateLimiter behind its handle, for workers."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    async def lease(self, model: str, worker: str, wanted: int) -> tuple[float, ...]:
        delays: tuple[float, ...] = await answer(self._handle.lease.remote(model, worker, wanted))
        return delays

    async def release(self, model: str, worker: str, returned: SlotReturn) -> float:
        pause_s: float = await answer(self._handle.release.remote(model, worker, returned))
        return pause_s


class RemoteBatchQueue:
    """The BatchDesk behind its handle, for workers."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    async def read(self, key: str, model: str, line: bytes) -> bytes:
        found: bytes = await answer(self._handle.read.remote(key, model, line))
        return found


class ObjectStoreBytes:
    """A document's bytes in Ray's object store. Carries the reference, so that bytes move only to workers that load them."""

    def __init__(self, reference: ray.ObjectRef[Any], node_id: str = "") -> None:
        self._reference = reference
        self.node_id = node_id  # where they are

    @property
    def reference(self) -> ray.ObjectRef[Any]:
        """To be an argument of a call of its own: Ray then hands over the bytes and not the reference."""
        return self._reference

    async def load(self) -> Any:
        try:
            return await self._reference
        except ray.exceptions.ObjectLostError as error:
            raise ContentLost("The document's bytes were lost with the node that held them.") from error


def _relaying(worker: str, run_id: str, send: Callable[[Telemetry], Any], secrets: Secrets | None = None) -> RelayHandler:
    """This process's logs and counts on their way to the run, without the secrets that it has."""
    hide_environment()
    if secrets is not None:
        hide(astuple(secrets))
    return relay_logs(send, run_id=run_id, worker=worker, host=socket.gethostname(), counts=storage_calls)


def _to_ledger(ledger: Any) -> Callable[[Telemetry], Any]:
    """Posts to the mailbox beside the ledger. Not an event of Ray's each: they would fill the memory of its control store."""
    relay = ledger.relay.options(enable_task_events=False)
    return lambda telemetry: relay.remote(telemetry)


def _to_ledger_of(run_id: str) -> Callable[[Telemetry], Any]:
    """The same for actors that Ray restarts: a handle among the arguments of their constructor might be gone by then."""
    send: Callable[[Telemetry], Any] | None = None

    def find_and_send(telemetry: Telemetry) -> None:
        nonlocal send
        send = send or _to_ledger(ray.get_actor(f"ledger:{run_id}"))
        send(telemetry)

    return find_and_send


class _LedgerActor(Ledger):
    """And the mailbox of the run's telemetry: all workers know this process, and a process of its own would cost 100 MB."""

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
        """Answered when the index is rebuilt: the pages of unfinished documents in it."""
        return self.page_count

    async def relay(self, telemetry: Telemetry) -> None:
        self._mailbox.put(telemetry)

    async def take_telemetry(self) -> Telemetry:
        self._handler.post()
        return self._mailbox.take()


class _BatchQueueActor(BatchQueue):
    def __init__(self, state_uri: str, run_id: str, config: RayocrConfig, secrets: Secrets) -> None:
        from rayocr.engines.gemini.batch import GeminiJobs

        _relaying("batch_desk", run_id, _to_ledger_of(run_id), secrets)
        super().__init__(
            GeminiJobs(config.engine.gemini, secrets),
            cached_storage(state_uri, access=config.storage.state),
            run_id=run_id,
            config=config.batch,
            policy=RetryPolicy(max_attempts=config.retry.engine_attempts, base_s=config.retry.base_s, cap_s=config.retry.cap_s),
        )


class _DiscoveryActor(Discovery):
    def __init__(self, run_id: str, source_uri: str, state_uri: str, config: StorageConfig, rules: DiscoveryRules) -> None:
        _relaying("discovery", run_id, _to_ledger_of(run_id))
        super().__init__(open_storage(source_uri, config.source), cached_storage(state_uri, access=config.state), rules)


class _PageWorkerActor(PageWorker):
    def __init__(self, name: str, run_id: str, settings: WorkerSettings, ledger: Any, limiter: Any, desk: Any) -> None:
        self._handler = _relaying(name, run_id, _to_ledger(ledger), settings.secrets)
        remote_desk = RemoteBatchQueue(desk) if desk is not None else None
        # Posted after each shard: as soon as it is answered, the process may be killed.
        super().__init__(
            name, settings, RemoteLedger(ledger), RemoteLimiter(limiter), remote_desk, after_shard=self._handler.post
        )
        tell_before_end(lambda why: self._handler.last_words(self.at_hand, why))

    async def open(self) -> WorkerInfo:
        return replace(await super().open(), node_id=await self.node_id())

    async def node_id(self) -> str:
        """Answered when the process is there."""
        return str(ray.get_runtime_context().get_node_id())


class _RateLimiterActor(RateLimiter):
    def __init__(self, rules: LimiterRules, secrets: Secrets, run_id: str) -> None:
        _relaying("rate_limiter", run_id, _to_ledger_of(run_id), secrets)
        super().__init__(
            rules,
            open_bucket=bucket_opener(rules.limits, secrets, cluster=run_id),
            restarted=ray.get_runtime_context().was_current_actor_reconstructed,
        )


class _DocumentWorkerActor(DocumentWorker):
    def __init__(self, name: str, fetch_settings: FetchSettings, assemble_settings: AssembleSettings, ledger: Any) -> None:
        self._handler = _relaying(name, assemble_settings.run_id, _to_ledger(ledger))
        hide([assemble_settings.lease.redis_url])

        def read_texts(document_id: str, first: int, last: int) -> Sequence[PageRecord]:
            records: Sequence[PageRecord] = ray.get(ledger.texts.remote(document_id, first, last))
            return records

        super().__init__(fetch_settings, assemble_settings, read_texts)
        self._at_hand = ""  # document_id
        tell_before_end(lambda why: self._handler.last_words([self._at_hand], why))

    def fetch(self, document: Document) -> tuple[FetchedDocument, Any]:
        self._at_hand = document.document_id
        try:
            return super().fetch(document)
        finally:
            self._handler.post()

    def assemble(self, context: DocumentContext, started_at: str, content: Any = None) -> AssembledDocument:
        self._at_hand = context.document.document_id
        try:
            return super().assemble(context, started_at, content)
        finally:
            self._handler.post()

    def node_id(self) -> str:
        """Answered when the process is there."""
        return str(ray.get_runtime_context().get_node_id())


def spawn_ledger(
    state_uri: str,
    access: AccessConfig,
    run_id: str,
    config: LedgerConfig,
    retry: RetryConfig,
    *,
    copies_bytes: int = 0,
    place: Placement = _ANYWHERE,
) -> Any:
    actor = ray.remote(_LedgerActor).options(
        name=f"ledger:{run_id}",
        num_cpus=0,  # waits for storage nearly all the time
        max_restarts=-1,  # rebuilds its index from the segments
        max_task_retries=-1,  # safe: record is idempotent on (document_id, page_number), the rest reads
        max_concurrency=_MANY,
        **place.beside_the_driver(),
    )
    return actor.remote(state_uri, access, run_id, config, retry, copies_bytes)


def spawn_batch_queue(
    state_uri: str, run_id: str, config: RayocrConfig, secrets: Secrets, *, place: Placement = _ANYWHERE
) -> Any:
    actor = ray.remote(_BatchQueueActor).options(
        name=f"batch_queue:{run_id}",
        num_cpus=0,  # waits for the server nearly all the time
        max_restarts=-1,  # finds its jobs again by their intents
        max_task_retries=-1,  # safe: read is idempotent on the key
        max_concurrency=_MANY,  # one call a page that waits
        **place.beside_the_driver(),
    )
    return actor.remote(state_uri, run_id, config, secrets)


def spawn_limiter(run_id: str, rules: LimiterRules, secrets: Secrets, *, place: Placement = _ANYWHERE) -> Any:
    actor = ray.remote(_RateLimiterActor).options(
        name=f"rate_limiter:{run_id}",
        num_cpus=0,
        max_restarts=-1,  # comes back empty-handed, and is told by the driver what was spent
        max_task_retries=-1,  # a lease asked for twice wastes slots until they expire, and breaks no limit
        max_concurrency=_MANY,
        enable_task_events=False,  # one for each lease would fill the memory of Ray's control store
        **place.beside_the_driver(),
    )
    return actor.remote(rules, secrets, run_id)


def spawn_discovery(
    run_id: str, source_uri: str, state_uri: str, config: StorageConfig, rules: DiscoveryRules, *, place: Placement = _ANYWHERE
) -> Any:
    actor = ray.remote(_DiscoveryActor).options(
        name=f"discovery:{run_id}",
        num_cpus=0,
        max_restarts=-1,  # lists again
        max_task_retries=-1,  # safe: a batch asked for twice is a batch of documents that the driver knows or finds finished
        **place.beside_the_driver(),
    )
    return actor.remote(run_id, source_uri, state_uri, config, rules)


def spawn_worker(
    name: str,
    run_id: str,
    settings: WorkerSettings,
    ledger: Any,
    limiter: Any,
    desk: Any = None,
    *,
    place: Placement = _ANYWHERE,
) -> Any:
    computes = settings.stage.kind == "compute"
    actor = ray.remote(_PageWorkerActor).options(
        name=name,
        num_cpus=1 if computes else 0.5,  # computing: one a CPU, and Ray sets OMP_NUM_THREADS to it; waiting: half of one
        max_restarts=0,  # the driver must see the death: it counts what the worker was reading, and starts another
        max_task_retries=0,  # as above; pages that were recorded are not read again
        max_concurrency=_MANY,
        **place.on(Group.COMPUTE if computes else Group.WAIT),
    )
    return actor.remote(name, run_id, settings, ledger, limiter, desk)


def spawn_document_worker(
    name: str, fetch_settings: FetchSettings, assemble_settings: AssembleSettings, ledger: Any, *, place: Placement = _ANYWHERE
) -> Any:
    actor = ray.remote(_DocumentWorkerActor).options(
        name=name,
        num_cpus=0,  # mostly waits for storage; the driver bounds how many there are, and pages must not wait for a CPU it holds
        max_restarts=0,  # the driver must see the death: it counts the document that was being opened, and starts another
        max_task_retries=0,  # as above
        **place.of_documents(),
    )
    return actor.remote(name, fetch_settings, assemble_settings, ledger)
