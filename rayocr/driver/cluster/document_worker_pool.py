"""The DocumentWorkers of a run, each with one document at a time. Importing this imports Ray."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from rayocr.actors.remote import answer
from rayocr.driver.cluster.failures import ACTOR_FAILED, NODE_DIED, kill, lost_with_node
from rayocr.driver.cluster.nodes import Nodes
from rayocr.errors import ClusterUnavailable, StorageUnavailable
from rayocr.observe.logs import log_event

log = logging.getLogger(__name__)

_STARTS_IN_A_ROW = 3  # failed starts of one worker before the run is given up


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
            except ACTOR_FAILED as error:
                try:
                    lost = await lost_with_node(worker, node_id, error)
                finally:
                    kill(worker)
                if lost:
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
        """One that is there. That one died before it had a document, idle or as it started, is no document's fault."""
        while self._idle:
            worker, *_ = self._idle.pop()
            try:
                return worker, await answer(worker.node_id.remote())
            except ACTOR_FAILED:
                kill(worker)
        for _ in range(_STARTS_IN_A_ROW):
            worker = self._spawn(f"document_worker:{next(self._numbers)}")
            try:
                return worker, await answer(worker.node_id.remote())
            except ACTOR_FAILED as error:
                kill(worker)
                log_event(log, "worker_start_failed", "A worker did not start.", level=logging.WARNING, error=str(error))
        raise ClusterUnavailable("Workers do not start; Ray's logs say why.")
