"""Manages the PageWorkers of one stage: assigns shards to workers, starts workers while shards wait, replaces dead ones.

The driver pushes shards instead of letting workers pull them. The driver therefore always has the pages that a dead worker was
reading, which quarantine needs (docs/decisions/0002). A worker gets shards in advance, up to about two of the target length, so
that it never waits for the driver or for an acknowledgement.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from rayocr.build import check_build
from rayocr.driver.cluster.base import Content, PageWorkerHandle
from rayocr.driver.cluster.nodes import Nodes
from rayocr.errors import ActorFailed, ClusterUnavailable, Draining, WorkerFailed
from rayocr.messages import DocumentContext, Shard, ShardReport, WorkerInfo
from rayocr.observe.logs import log_event

log = logging.getLogger(__name__)

_MAX_SHARDS_AHEAD = 256  # maximum number of shards per worker, regardless of their estimated length
_BUSY = 0.8  # CPUs per worker: an event loop and the thread of PDFium share one
_STARTS_IN_A_ROW = 3  # number of failed starts of workers before the run stops


@dataclass(slots=True, kw_only=True, eq=False)
class _Worker:
    name: str
    handle: PageWorkerHandle
    info: WorkerInfo
    shards: int = 0
    pages: int = 0  # pages read so far
    idle_since: float = 0.0  # time at which the worker's last shard ended, by the pool's clock
    retiring: bool = False  # takes no further shard, and ends when it has no shard left
    leaving: bool = False  # takes no further shard, because its node is being removed
    load: float = 0.0  # in the unit of the pool's capacity (estimated seconds or pages)
    reserved: bool = False  # reserved for a shard that must be read alone
    died_alone: bool = False
    cpu_share: float = 0.0  # number of CPUs used recently
    end: asyncio.Task[bool] | None = None  # whether the dead worker was lost with its node


@asynccontextmanager
async def _running(beside: Coroutine[Any, Any, None] | None) -> AsyncIterator[None]:
    task = asyncio.create_task(beside) if beside is not None else None
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


class PageWorkerPool:
    """The page workers of one stage: starts and stops them, and sends each shard to one of them.

    `spawn(name)` starts a worker; `load_of(shard)` is the cost of a shard in the unit of `capacity`; `on_failure(name)` returns
    the slots of a dead worker to the limiter; `max_for(nodes)` is the maximum number of workers on a cluster of these nodes, if
    it is not fixed; `max_if_busy` is the maximum number if all of them use a whole CPU.
    """

    def __init__(
        self,
        label: str,
        *,
        spawn: Callable[[str], PageWorkerHandle],
        on_failure: Callable[[str], None],
        load_of: Callable[[Shard], float],
        capacity: float,
        min_workers: int,
        max_workers: int,
        max_pages: int | None = None,
        max_for: Callable[[Nodes], int] | None = None,
        max_if_busy: int = 0,
        run_id: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._label = label
        self._spawn = spawn
        self._on_failure = on_failure
        self._load_of = load_of
        self._capacity = capacity
        self._min_workers = min_workers
        self._max_workers = max_workers
        self._max_pages = max_pages
        self._max_for = max_for
        self._max_if_busy = max_if_busy
        self._added = 0  # workers added to the maximum because all were busy
        self._run_id = run_id  # part of the workers' names, since several runs may share a cluster
        self._clock = clock
        self._workers: list[_Worker] = []
        self._starting: set[asyncio.Task[None]] = set()
        self._ends: set[asyncio.Task[bool]] = set()  # tasks that wait until Ray reports why a worker died
        self._changed = asyncio.Condition()
        self._waiting = 0  # shards not yet assigned to a worker
        self._numbers = 0
        self._failed_starts = 0
        self._failure: BaseException | None = None
        self._draining = False

    @property
    def shards_per_document(self) -> int:
        """Returns the useful number of shards of one document in progress. More would only fill the window and keep other
        documents out."""
        return max(4, 4 * self._max_workers)

    @property
    def max_workers(self) -> int:
        return self._max_workers

    @property
    def size(self) -> int:
        return len(self._workers)

    @property
    def failure(self) -> BaseException | None:
        """Returns why no worker can start."""
        return self._failure

    @property
    def infos(self) -> list[WorkerInfo]:
        return [worker.info for worker in self._workers]

    def prestart(self, at_least: int = 0) -> None:
        """Starts the minimum number of workers now, so that they load their engines while documents are fetched."""
        while not self._draining and len(self._workers) + len(self._starting) < max(self._min_workers, at_least):
            self._start_worker()

    async def recognize(
        self,
        shard: Shard,
        content: Content,
        context: DocumentContext,
        *,
        alone: bool = False,
        beside: Callable[[PageWorkerHandle], Coroutine[Any, Any, None]] | None = None,
    ) -> ShardReport:
        """Reads the shard. If `alone`, the worker has no other shard meanwhile. `beside(worker)` runs until the worker returns
        the shard, and is then cancelled. Raises WorkerFailed and the worker's errors."""
        load = self._load_of(shard)
        worker = await self._acquire(load, alone=alone, near=content.node_id)
        try:
            async with _running(beside(worker.handle) if beside is not None else None):
                report = await worker.handle.recognize(shard, content, context)
            worker.pages += len(report.pages)
            worker.cpu_share = report.cpu_share
            self._add_if_busy()
            worker.retiring |= self._max_pages is not None and worker.pages >= self._max_pages
            return report
        except ActorFailed as error:
            self._bury(worker, error)
            raise WorkerFailed(
                f"The worker {worker.name} died while it read the document.",
                alone=worker.died_alone,
                node_lost=worker.end is not None and await asyncio.shield(worker.end),
            ) from error
        finally:
            async with self._changed:
                worker.shards -= 1
                worker.idle_since = self._clock()
                worker.load -= load
                if alone:
                    worker.reserved = False
                if worker.retiring and not worker.shards and worker in self._workers:
                    self._retire(worker)
                self._changed.notify_all()

    def shrink(self, *, idle_s: float, keep: int) -> None:
        """Releases the CPUs of workers that have had no shard for this long, but keeps at least `keep` workers."""
        now = self._clock()
        idle = [w for w in self._workers if not w.shards and not w.reserved and now - w.idle_since >= idle_s]
        for worker in idle[: max(0, len(self._workers) - keep)]:
            self._retire(worker)
        if not self._waiting:  # cancel workers that still wait for a CPU, so that no node is added for them
            for task in list(self._starting)[max(0, keep - len(self._workers)) :]:
                task.cancel()

    async def follow(self, nodes: Nodes) -> None:
        """Grows to the size that the nodes allow, and leaves nodes that are about to be removed. Their workers start no further
        page, and their shards return with the pages that were read."""
        if self._max_for is not None:
            self._max_workers = max(self._min_workers, self._max_for(nodes))
        leaving = [worker for worker in self._workers if worker.info.node_id in nodes.leaving and not worker.leaving]
        for worker in leaving:
            worker.leaving = worker.retiring = True
            worker.handle.drain()
            log_event(
                log,
                "worker_leaving",
                "A worker's node is about to be removed.",
                worker=worker.name,
                shards=worker.shards,
                node=worker.info.node_id,
            )
            if not worker.shards and not worker.reserved:
                self._retire(worker)
        async with self._changed:
            self._changed.notify_all()

    async def drain(self) -> None:
        """Stops the workers from starting further pages. Shards return with the pages that were read."""
        self._draining = True
        for worker in self._workers:
            worker.handle.drain()
        async with self._changed:
            self._changed.notify_all()

    def cancel(self, document_id: str, fencing_token: int) -> None:
        """Tells the workers to drop their pages of the document under this token or an older one."""
        for worker in self._workers:
            worker.handle.cancel(document_id, fencing_token)

    async def close(self) -> None:
        pending = (*self._starting, *self._ends)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        for worker in self._workers:
            worker.handle.kill()
        self._workers.clear()

    # -- choosing -----------------------------------------------------------------------------------------------------------

    async def _acquire(self, load: float, *, alone: bool, near: str) -> _Worker:
        async with self._changed:
            reserved: _Worker | None = None
            while True:
                if self._failure is not None:
                    raise self._failure
                if self._draining:
                    raise Draining
                if alone and reserved not in self._workers:
                    reserved = self._reserve()
                chosen = reserved if alone else self._least_loaded(load, near)
                if chosen is not None and (not alone or chosen.shards == 0):
                    chosen.shards += 1
                    chosen.load += load
                    return chosen
                if (not alone or reserved is None) and self._may_grow():
                    self._start_worker()
                self._waiting += 1
                try:
                    await self._changed.wait()
                finally:
                    self._waiting -= 1

    def _least_loaded(self, load: float, near: str) -> _Worker | None:
        free = [
            worker
            for worker in self._workers
            if not (worker.reserved or worker.retiring)
            and worker.shards < _MAX_SHARDS_AHEAD
            and (worker.shards < 2 or worker.load + load <= self._capacity)
        ]
        # Prefer an idle worker; of two equal ones the newest, since the older ones have more caches to lose. The worker that
        # holds the document's bytes may have one such shard more than others, since moving the bytes would cost more.
        chosen = min(free, key=lambda worker: worker.load - (load if worker.info.node_id == near else 0.0), default=None)
        if (chosen is None or chosen.shards > 0) and self._may_grow():
            self._start_worker()
        return chosen

    def _reserve(self) -> _Worker | None:
        free = [worker for worker in self._workers if not (worker.reserved or worker.retiring)]
        chosen = min(free, key=lambda worker: worker.load, default=None)
        if chosen is not None:
            chosen.reserved = True
        return chosen

    # -- growing ------------------------------------------------------------------------------------------------------------

    def _may_grow(self) -> bool:
        staying = sum(not worker.retiring for worker in self._workers)
        # The number doubles each time: growth is gradual at first, and fast if an autoscaler adds the nodes.
        room = min(self._max_workers + self._added - staying, max(1, staying)) - len(self._starting)
        return not self._draining and room > 0

    def _add_if_busy(self) -> None:
        """Allows one more worker than the limits seem to need if pages take so much CPU that every worker is fully busy."""
        staying = [worker for worker in self._workers if not worker.retiring]
        full = len(staying) >= self._max_workers + self._added and not self._starting
        if full and len(staying) < self._max_if_busy and all(worker.cpu_share > _BUSY for worker in staying):
            self._added += 1
            for worker in staying:
                worker.cpu_share = 0.0  # the load is measured again, now that it is shared

    def _start_worker(self) -> None:
        self._numbers += 1
        task = asyncio.get_running_loop().create_task(
            self._open_worker(f"page_worker:{self._label}:{self._numbers}:{self._run_id}")
        )
        self._starting.add(task)

    async def _open_worker(self, name: str) -> None:
        task = asyncio.current_task()
        assert task is not None
        handle: PageWorkerHandle | None = None
        try:
            handle = self._spawn(name)
            # Checked first, since a worker of another version may not understand its settings.
            check_build(await handle.running())
            info = await handle.open()
        except ActorFailed as error:
            self._failed_starts += 1
            log_event(log, "worker_start_failed", "A worker did not start.", level=logging.WARNING, worker=name, error=str(error))
            if self._failed_starts >= _STARTS_IN_A_ROW:
                self._failure = ClusterUnavailable("Workers do not start.", hint="See Ray's logs for the reason.")
        except asyncio.CancelledError:
            if handle is not None:
                handle.kill()
            raise
        except Exception as error:  # an engine that cannot work here, or a wrong key; the waiting callers get the error
            self._failure = error
        else:
            self._failed_starts = 0
            self._workers.append(_Worker(name=name, handle=handle, info=info, idle_since=self._clock()))
            log_event(
                log,
                "worker_started",
                "A worker is ready.",
                worker=name,
                engines=info.engines,
                host=info.host,
                pid=info.pid,
                node=info.node_id,
            )
        finally:
            # A callback of the task would run too late: only after the woken callers had found that they must not start a worker.
            self._starting.discard(task)
        async with self._changed:
            self._changed.notify_all()

    def _retire(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.handle.kill()
        self._on_failure(worker.name)
        log_event(log, "worker_retired", "A worker was retired.", worker=worker.name, pages=worker.pages)

    def _bury(self, worker: _Worker, error: ActorFailed) -> None:
        if worker not in self._workers:
            return
        worker.died_alone = worker.shards == 1
        self._workers.remove(worker)
        worker.end = asyncio.get_running_loop().create_task(self._end(worker, error))
        self._ends.add(worker.end)
        worker.end.add_done_callback(self._ends.discard)
        self._on_failure(worker.name)
        log_event(
            log,
            "worker_failed",
            "A worker died.",
            level=logging.WARNING,
            worker=worker.name,
            error=error.reason,
            reason=str(error),
        )

    async def _end(self, worker: _Worker, error: ActorFailed) -> bool:
        """Returns whether the worker was lost with its node; determined once for all of its shards."""
        try:
            return await worker.handle.lost_with_node(worker.info.node_id, error)
        finally:  # an "unavailable" worker may be alive behind a broken connection and must not continue reading
            worker.handle.kill()
