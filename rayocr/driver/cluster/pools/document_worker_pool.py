"""Manages the DocumentWorkers of a run, each with one document at a time."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from rayocr.build import check_build
from rayocr.driver.cluster.base import DocumentWorkerHandle
from rayocr.driver.cluster.nodes import Nodes
from rayocr.errors import ActorFailed, ClusterUnavailable, NodeLost, StorageUnavailable
from rayocr.observe.logs import log_event

log = logging.getLogger(__name__)

_STARTS_IN_A_ROW = 3  # number of failed starts of one worker before the run stops


@dataclass(frozen=True, slots=True)
class _Idle:
    worker: DocumentWorkerHandle
    node_id: str
    since: float  # time by the pool's clock


class DocumentWorkerPool:
    """Starts workers on demand and replaces dead ones. `count_for(nodes)`: how many workers a cluster of these nodes can use, if
    the number is not fixed."""

    def __init__(
        self,
        spawn: Callable[[str], DocumentWorkerHandle],
        *,
        count: int,
        count_for: Callable[[Nodes], int] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._spawn = spawn
        self._count = count
        self._count_for = count_for
        self._clock = clock
        self._idle: list[_Idle] = []
        self._leaving: frozenset[str] = frozenset()  # nodes
        self._room = asyncio.Semaphore(count)
        self._numbers = itertools.count(1)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[DocumentWorkerHandle]:
        """Yields a worker for one document. Raises NodeLost for a worker that died with its node, which does not count against
        the document, and ClusterUnavailable when workers do not start."""
        async with self._room:
            worker, node_id = await self._alive()
            try:
                yield worker
            except ActorFailed as error:
                try:
                    lost = await worker.lost_with_node(node_id, error)
                finally:
                    worker.kill()
                if lost:
                    raise NodeLost(f"The node of a worker was lost: {error}") from error
                raise
            except (StorageUnavailable, asyncio.CancelledError):  # busy with work whose result is no longer awaited
                worker.kill()
                raise
            except BaseException:
                self._put_back(worker, node_id)
                raise
            self._put_back(worker, node_id)

    async def follow(self, nodes: Nodes) -> None:
        """Ends workers on nodes that are about to be removed, and grows with the cluster."""
        self._leaving = nodes.leaving
        self._give_up(lambda idle: idle.node_id in self._leaving)
        wanted = self._count_for(nodes) if self._count_for is not None else 0
        while self._count < wanted:  # a shrinking cluster ends workers by itself
            self._count += 1
            self._room.release()

    def shrink(self, *, idle_s: float) -> None:
        """Ends idle workers, since an autoscaler removes only nodes without actors."""
        now = self._clock()
        self._give_up(lambda idle: now - idle.since >= idle_s)

    def _give_up(self, which: Callable[[_Idle], bool]) -> None:
        for idle in [idle for idle in self._idle if which(idle)]:
            self._idle.remove(idle)
            idle.worker.kill()

    def _put_back(self, worker: DocumentWorkerHandle, node_id: str) -> None:
        if node_id in self._leaving:
            worker.kill()
        else:
            self._idle.append(_Idle(worker, node_id, self._clock()))

    async def _alive(self) -> tuple[DocumentWorkerHandle, str]:
        """Returns a worker that responds. The death of a worker that had no document, idle or at its start, does not count
        against a document."""
        while self._idle:
            worker = self._idle.pop().worker
            try:
                return worker, (await worker.running()).node_id
            except ActorFailed:
                worker.kill()
        for _ in range(_STARTS_IN_A_ROW):
            worker = self._spawn(f"document_worker:{next(self._numbers)}")
            try:
                info = await worker.running()
                check_build(info)
                return worker, info.node_id
            except ClusterUnavailable:
                worker.kill()
                raise
            except ActorFailed as error:
                worker.kill()
                log_event(log, "worker_start_failed", "A worker did not start.", level=logging.WARNING, error=str(error))
        raise ClusterUnavailable("Workers do not start.", hint="See Ray's logs for the reason.")
