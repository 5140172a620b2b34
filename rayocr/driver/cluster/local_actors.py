"""Defines LocalActors, the actors of a run as plain objects in this process, without Ray (`cluster=inprocess`).

The classes are the same as with Ray. Coroutines share the run's event loop. Blocking work runs on threads: one for each page
worker that computes, and one for each document worker. These threads take turns with PDFium, which is not thread-safe. No process
isolates a hostile document: one that crashes PDFium or exceeds its limits ends the process. The command line and the API then
resume the run with Ray.
"""

from __future__ import annotations

import asyncio
import functools
import os
import socket
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, replace
from typing import Any, TypeVar

from rayocr.actors.discovery.actor import DiscoveryRules
from rayocr.actors.document_worker.actor import DocumentWorker
from rayocr.actors.document_worker.assemble_settings import AssembleSettings
from rayocr.actors.document_worker.fetch import FetchSettings
from rayocr.actors.ledger.actor import Ledger
from rayocr.actors.page_worker.actor import PageWorker, WorkerSettings
from rayocr.actors.rate_limiter.actor import RateLimiter
from rayocr.actors.rate_limiter.rules import LimiterRules
from rayocr.config import INPROCESS, Mode, RayocrConfig, Secrets
from rayocr.driver.cluster.actors import RunActors, document_workers
from rayocr.driver.cluster.base import Content, PageWorkerHandle
from rayocr.driver.cluster.faults import Faults, FaultyLedger
from rayocr.driver.cluster.local_discovery import LocalDiscovery
from rayocr.driver.cluster.nodes import Node, Nodes
from rayocr.driver.cluster.pools.document_worker_pool import DocumentWorkerPool
from rayocr.errors import ActorFailed, ContentLost, NodeLost, OutsideError
from rayocr.limits.factory import bucket_opener
from rayocr.masking import hide
from rayocr.messages import (
    AssembledDocument,
    Document,
    DocumentContext,
    FetchedDocument,
    PageRecord,
    Shard,
    ShardReport,
    WorkerInfo,
)
from rayocr.observe.relay import Telemetry
from rayocr.pdf.guard import report_before_exit
from rayocr.pdf.serialized import serialize_pdfium
from rayocr.retry import RetryPolicy
from rayocr.storage.base import Storage

T = TypeVar("T")

_NODE = "this process"


class LocalActors(RunActors):
    """`start_local` creates it."""

    has_processes = False

    def __init__(
        self,
        config: RayocrConfig,
        state: Storage,
        assemble_settings: AssembleSettings,
        fetch_settings: FetchSettings,
        *,
        ledger: Ledger,
        limiter: RateLimiter | None,
        batch_queue: Any,
        rules: DiscoveryRules,
        faults: Faults | None,
    ) -> None:
        super().__init__(config, state, assemble_settings, fetch_settings)
        self.cpus = config.cpus or os.cpu_count() or 1
        given: Any = ledger if faults is None else FaultyLedger(ledger, faults)
        self._ledger = given
        self.ledger = self._ledger
        self.limiter, self.batch_queue = limiter, batch_queue
        self.discovery = LocalDiscovery(config, assemble_settings, fetch_settings, rules)
        self._faults = faults or Faults()
        count = document_workers(config, self.cpus)
        # These threads are separate, because assembling waits for the ledger, which needs a thread of the loop's executor.
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="document")
        self._workers: list[LocalPageWorker] = []
        loop = asyncio.get_running_loop()

        def read_texts(document_id: str, first: int, last: int) -> Sequence[PageRecord]:
            records: Sequence[PageRecord] = asyncio.run_coroutine_threadsafe(
                self._ledger.texts(document_id, first, last), loop
            ).result()
            return records

        worker = DocumentWorker(fetch_settings, assemble_settings, read_texts)
        self.document_workers = DocumentWorkerPool(
            lambda name: LocalDocumentWorker(name, worker, self._threads, self._faults), count=count
        )

    def spawn_page_worker(self, name: str, settings: WorkerSettings) -> PageWorkerHandle:
        worker = LocalPageWorker(name, settings, self._ledger, self.limiter, self.batch_queue, self._faults)
        self._workers.append(worker)
        return worker

    def nodes(self) -> Nodes:
        return Nodes((Node(node_id=_NODE, cpus=self.cpus),))

    async def take_telemetry(self) -> Telemetry:
        return Telemetry()  # this process logs and counts everything itself

    async def close(self) -> None:
        await super().close()
        for worker in self._workers:
            worker.kill()
        await asyncio.gather(*(worker.closed() for worker in self._workers))
        self._threads.shutdown(wait=False, cancel_futures=True)


async def start_local(
    config: RayocrConfig,
    state: Storage,
    assemble_settings: AssembleSettings,
    fetch_settings: FetchSettings,
    *,
    rules: DiscoveryRules,
    limiter_rules: LimiterRules | None,
    keys: Secrets,
    faults: Faults | None = None,
) -> LocalActors:
    """Creates the actors and reads the ledger of earlier runs. Raises StorageError."""
    serialize_pdfium()
    hide(astuple(keys))
    report_before_exit(_say_what_ends_the_run if config.cluster == INPROCESS else lambda why: None)
    run_id = assemble_settings.run_id

    def open_ledger() -> Ledger:
        return Ledger(
            assemble_settings.state(),
            run_id=run_id,
            flush_interval_s=config.ledger.flush_interval_s,
            flush_bytes=config.ledger.flush_bytes,
            memory_bytes=config.ledger.memory_bytes,
            copies_bytes=config.dedup.memory_bytes if config.dedup.pages and limiter_rules else 0,
            policy=RetryPolicy.from_config(config.retry),
        )

    limiter = None
    if limiter_rules is not None:
        limiter = RateLimiter(limiter_rules, open_bucket=bucket_opener(limiter_rules.limits, keys, cluster=run_id))
    return LocalActors(
        config,
        state,
        assemble_settings,
        fetch_settings,
        ledger=await asyncio.to_thread(open_ledger),
        limiter=limiter,
        batch_queue=await asyncio.to_thread(_open_batch_queue, config, assemble_settings, keys)
        if config.engine.uses_batches
        else None,
        rules=rules,
        faults=faults,
    )


def _open_batch_queue(config: RayocrConfig, settings: AssembleSettings, keys: Secrets) -> Any:
    from rayocr.actors.batch_queue.actor import BatchQueue
    from rayocr.actors.batch_queue.servers import open_server

    policy = RetryPolicy(max_attempts=config.retry.engine_attempts, base_s=config.retry.base_s, cap_s=config.retry.cap_s)
    return BatchQueue(
        open_server(config, keys),
        settings.state(),
        run_id=settings.run_id,
        config=config.batch_limits,
        policy=policy,
        patience_s=None if config.mode is Mode.watch else config.limits.patience_s,
    )


def _say_what_ends_the_run(why: str) -> None:
    sys.stderr.write(f"rayocr: A PDF took {why}; this process ends.\n  cluster=local isolates documents.\n")
    sys.stderr.flush()
    os._exit(OutsideError.exit_code)  # not 1, which means that the run has finished


class LocalBytes:
    """A document's bytes in this process's memory."""

    node_id = _NODE

    def __init__(self, data: Any, lost: Callable[[], bool]) -> None:
        self._data = data
        self._lost = lost

    @property
    def data(self) -> Any:
        if self._lost():
            raise ContentLost("The document's bytes were lost.")
        return self._data

    async def load(self) -> Any:
        return self.data


class _LocalWorker:
    """A worker that can die although it shares this process."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._failure: asyncio.Future[ActorFailed] = asyncio.get_running_loop().create_future()
        self._working: set[asyncio.Task[Any]] = set()

    def die(self, error: ActorFailed) -> None:
        if not self._failure.done():
            self._failure.set_result(error)
            for task in self._working:
                task.cancel()

    def _die_of(self, error: ActorFailed | None) -> None:
        if error is not None:
            self.die(error)

    async def running(self) -> WorkerInfo:
        if self._failure.done():
            raise self._failure.result()
        return WorkerInfo(host=socket.gethostname(), pid=os.getpid(), node_id=_NODE)

    def kill(self) -> None:
        self.die(ActorFailed(f"{self.name} was ended."))

    async def lost_with_node(self, node_id: str, error: ActorFailed) -> bool:
        return isinstance(error, NodeLost)

    async def _alive(self, work: Coroutine[Any, Any, T]) -> T:
        """Returns the result, unless the worker dies first. As with a process, the work continues when the caller stops
        waiting."""
        if self._failure.done():
            work.close()
            raise self._failure.result()
        task = asyncio.get_running_loop().create_task(work)
        self._working.add(task)
        task.add_done_callback(self._forget)
        waits: set[asyncio.Future[Any]] = {task, self._failure}
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        if self._failure.done():
            raise self._failure.result()
        return task.result()

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._working.discard(task)
        if not task.cancelled():
            task.exception()  # retrieves the error, in case no caller waits for it


class LocalPageWorker(_LocalWorker):
    def __init__(self, name: str, settings: WorkerSettings, ledger: Any, limiter: Any, batch_queue: Any, faults: Faults) -> None:
        super().__init__(name)
        self._faults = faults
        faulty: Any = FaultyLedger(ledger, Faults(), self._recorded)
        self._worker = PageWorker(name, settings, faulty, limiter, batch_queue)
        self._close: asyncio.Task[None] | None = None

    async def open(self) -> WorkerInfo:
        info = await self._alive(self._worker.open())
        return replace(info, node_id=_NODE, host=socket.gethostname())

    async def recognize(self, shard: Shard, content: Content, context: DocumentContext) -> ShardReport:
        self._die_of(self._faults.shard(self.name, shard))
        return await self._alive(self._worker.recognize(shard, content, context))

    async def local_pages(
        self, document_id: str, page_numbers: tuple[int, ...], known: tuple[int, ...], ended: Mapping[int, bool]
    ) -> tuple[int, ...]:
        return await self._alive(self._worker.local_pages(document_id, page_numbers, known, ended))

    def drain(self) -> None:
        self._soon(self._worker.drain())

    def cancel(self, document_id: str, fencing_token: int) -> None:
        self._soon(self._worker.cancel(document_id, fencing_token))

    def _recorded(self, records: Sequence[PageRecord]) -> None:
        self._die_of(self._faults.recorded(self.name, records))

    def _soon(self, call: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(call)
        self._working.add(task)
        task.add_done_callback(self._forget)

    def die(self, error: ActorFailed) -> None:
        super().die(error)
        if self._close is None:
            self._close = asyncio.get_running_loop().create_task(self._worker.close())

    async def closed(self) -> None:
        if self._close is not None:
            await self._close


class LocalDocumentWorker(_LocalWorker):
    def __init__(self, name: str, worker: DocumentWorker, threads: ThreadPoolExecutor, faults: Faults) -> None:
        super().__init__(name)
        self._worker = worker
        self._threads = threads
        self._faults = faults

    async def fetch(self, document: Document, load_pages: bool = True) -> tuple[FetchedDocument, LocalBytes]:
        facts, data = await self._call("fetch", document.document_id, self._worker.fetch, document, load_pages)
        return facts, LocalBytes(data, lambda: self._faults.content(document.document_id))

    async def assemble(
        self, context: DocumentContext, started_at: str, content: Content | None, crashes: int = 0
    ) -> AssembledDocument:
        return await self._call(
            "assemble", context.document.document_id, self._worker.assemble, context, started_at, _data(content), crashes
        )

    async def assemble_copy(self, context: DocumentContext, started_at: str, content: Content | None) -> AssembledDocument | None:
        return await self._call(
            "assemble_copy", context.document.document_id, self._worker.assemble_copy, context, started_at, _data(content)
        )

    async def _call(self, what: str, document_id: str, function: Callable[..., T], *arguments: Any) -> T:
        self._die_of(self._faults.document(what, document_id))
        if self._failure.done():
            raise self._failure.result()
        call = functools.partial(function, *arguments)
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)


def _data(content: Content | None) -> Any:
    assert content is None or isinstance(content, LocalBytes)
    return None if content is None else content.data
