from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rayocr.build import build_id
from rayocr.driver.cluster.nodes import Node, Nodes
from rayocr.driver.cluster.pools.document_worker_pool import DocumentWorkerPool
from rayocr.errors import ActorFailed, ActorUnreachable, ClusterUnavailable, CorruptPdf, NodeLost, StorageUnavailable
from rayocr.messages import WorkerInfo


class Worker:
    """`start`: its node, or the error of a process that died at its start."""

    def __init__(self, start: str | ActorFailed = "n", *, lost: bool = False) -> None:
        self.start = start
        self.lost = lost
        self.killed = False
        self.build = build_id()

    async def running(self) -> WorkerInfo:
        if isinstance(self.start, ActorFailed):
            raise self.start
        return WorkerInfo(host="h", pid=1, node_id=self.start, build=self.build)

    def kill(self) -> None:
        self.killed = True

    async def lost_with_node(self, node_id: str, error: ActorFailed) -> bool:
        assert not self.killed
        return self.lost

    fetch = assemble = assemble_copy = None  # the pool calls none of them


def pool(*workers: Worker, **options: Any) -> DocumentWorkerPool:
    waiting = list(workers)
    return DocumentWorkerPool(lambda name: waiting.pop(0), count=options.pop("count", 1), **options)  # type: ignore[arg-type, return-value]


async def test_a_worker_that_dies_before_it_has_a_document_is_replaced() -> None:
    workers = [Worker(NodeLost()), Worker(ActorUnreachable()), Worker("n")]
    async with pool(*workers).one() as worker:
        assert worker is workers[2]  # type: ignore[comparison-overlap]
    assert [worker.killed for worker in workers] == [True, True, False]


async def test_an_idle_worker_that_died_is_replaced() -> None:
    first, second = Worker(), Worker()
    workers = pool(first, second)
    async with workers.one():
        pass
    first.start = ActorFailed()
    async with workers.one() as worker:
        assert worker is second  # type: ignore[comparison-overlap]


async def test_a_run_whose_workers_never_start_is_stopped() -> None:
    workers = pool(*(Worker(ActorFailed()) for _ in range(6)))
    with pytest.raises(ClusterUnavailable):
        async with workers.one():
            raise AssertionError("never reached")
    with pytest.raises(ClusterUnavailable):  # its resources are free again
        await asyncio.wait_for(workers.one().__aenter__(), 60)


async def test_a_worker_of_another_version_gets_no_document() -> None:
    worker = Worker()
    worker.build = "0.0.9+abc"
    with pytest.raises(ClusterUnavailable, match=r"The worker on h runs rayocr 0\.0\.9\+abc, and this driver rayocr \d") as error:
        async with pool(worker).one():
            raise AssertionError("never reached")
    assert "same image" in str(error.value.hint)
    assert worker.killed


async def test_a_worker_is_used_again_after_a_document_that_is_rejected() -> None:
    worker = Worker()
    workers = pool(worker)
    with pytest.raises(CorruptPdf):
        async with workers.one():
            raise CorruptPdf("broken")
    async with workers.one() as again:
        assert again is worker  # type: ignore[comparison-overlap]


@pytest.mark.parametrize(("lost", "raised"), [(True, NodeLost), (False, ActorFailed)])
async def test_a_worker_that_died_with_its_node_blames_no_document(lost: bool, raised: type[ActorFailed]) -> None:
    worker = Worker(lost=lost)
    with pytest.raises(ActorFailed) as caught:
        async with pool(worker).one():
            raise ActorFailed("killed")
    assert type(caught.value) is raised
    assert worker.killed


async def test_a_worker_whose_call_timed_out_is_ended() -> None:
    worker = Worker()
    with pytest.raises(StorageUnavailable):
        async with pool(worker).one():
            raise StorageUnavailable("The download took longer than 1 s.")
    assert worker.killed


async def test_the_pool_grows_with_the_cluster_and_leaves_nodes_that_go() -> None:
    here, there = Worker("here"), Worker("there")
    workers = pool(here, there, count_for=lambda nodes: len(nodes.staying()))
    two = Nodes((Node(node_id="here", cpus=1), Node(node_id="there", cpus=1)))
    async with workers.one():
        await workers.follow(two)
        async with workers.one():
            pass
    await workers.follow(Nodes((Node(node_id="here", cpus=1), Node(node_id="there", cpus=1, leaving=True))))
    assert (here.killed, there.killed) == (False, True)


async def test_idle_workers_are_ended_after_a_while() -> None:
    now = [0.0]
    worker = Worker()
    workers = pool(worker, clock=lambda: now[0])
    async with workers.one():
        pass
    workers.shrink(idle_s=60)
    assert not worker.killed
    now[0] = 60.0
    workers.shrink(idle_s=60)
    assert worker.killed
