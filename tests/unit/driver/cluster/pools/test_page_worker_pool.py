"""The pool of page workers, with fakes as workers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from rayocr.build import build_id
from rayocr.driver.cluster.base import Content, PageWorkerHandle
from rayocr.driver.cluster.nodes import Node, Nodes
from rayocr.driver.cluster.pools.page_worker_pool import PageWorkerPool
from rayocr.errors import ActorFailed, ClusterUnavailable, Draining, EngineUnavailable, WorkerFailed
from rayocr.messages import Document, DocumentContext, PageOutcome, PageSummary, Shard, ShardReport, WorkerInfo

DOCUMENT = Document(document_id="d", source_uri="u", name="d.pdf", output_name="d", version="1", size_bytes=1)
CONTEXT = DocumentContext(document=DOCUMENT, page_count=9, title=None, fencing_token=1)


def read(page_number: int) -> PageSummary:
    return PageSummary(page_number=page_number, outcome=PageOutcome.DONE)


class FakeWorker:
    def __init__(self, name: str, fixture: Fixture) -> None:
        self.name = name
        self.fixture = fixture
        self.gate = asyncio.Event()
        self.received: list[Shard] = []
        self.dead = False
        self.node_id = "n"
        self.build = build_id()
        self.drained = False
        self.open_error: Exception | None = None

    async def running(self) -> WorkerInfo:
        return WorkerInfo(host="h", pid=1, node_id=self.node_id, build=self.build)

    async def open(self) -> WorkerInfo:
        assert self.build == build_id(), "another version may not understand its settings"
        if self.open_error:
            raise self.open_error
        return WorkerInfo(engines=("e",), host="h", pid=1, node_id=self.node_id, build=self.build)

    def drain(self) -> None:
        self.drained = True
        self.gate.set()

    def cancel(self, document_id: str, fencing_token: int) -> None:
        raise AssertionError

    def kill(self) -> None:
        self.fixture.killed.append(self)

    async def lost_with_node(self, node_id: str, error: ActorFailed) -> bool:
        assert self not in self.fixture.killed  # its error would only say that it was killed
        return node_id in self.fixture.nodes_gone

    async def local_pages(self, *_: Any) -> tuple[int, ...]:
        raise AssertionError

    async def recognize(self, shard: Shard, content: Content, context: DocumentContext) -> ShardReport:
        self.received.append(shard)
        await self.gate.wait()
        if self.dead:
            raise ActorFailed("killed")
        pages = tuple(read(number) for number in shard.page_numbers)
        return ShardReport(document_id=shard.document_id, pages=pages, cpu_share=self.fixture.cpu_share)


class Bytes:
    def __init__(self, node_id: str) -> None:
        self.node_id = node_id

    async def load(self) -> Any:
        raise AssertionError


class Fixture:
    def __init__(
        self,
        *,
        max_workers: int = 2,
        capacity: float = 2.0,
        open_error: Exception | None = None,
        max_pages: int | None = None,
        max_for: Callable[[Nodes], int] | None = None,
        max_if_busy: int = 0,
    ) -> None:
        self.cpu_share = 0.0
        self.workers: list[FakeWorker] = []
        self.forgotten: list[str] = []
        self.killed: list[Any] = []
        self.open_error = open_error
        self.start_errors: list[Exception] = []
        self.spawn_error: Exception | None = None
        self.node_ids: list[str] = []  # of the workers to come
        self.builds: list[str] = []

        self.nodes_gone: set[str] = set()
        self.pool = PageWorkerPool(
            "e",
            spawn=self._spawn,
            on_failure=self.forgotten.append,
            load_of=lambda shard: float(len(shard.page_numbers)),
            capacity=capacity,
            min_workers=1,
            max_workers=max_workers,
            max_pages=max_pages,
            max_for=max_for,
            max_if_busy=max_if_busy,
            run_id="r",
        )

    def _spawn(self, name: str) -> FakeWorker:
        if self.spawn_error:
            raise self.spawn_error
        worker = FakeWorker(name, self)
        worker.node_id = self.node_ids.pop(0) if self.node_ids else "n"
        worker.build = self.builds.pop(0) if self.builds else worker.build
        worker.open_error = self.start_errors.pop(0) if self.start_errors else self.open_error
        self.workers.append(worker)
        return worker

    def send(self, *pages: int, alone: bool = False, near: str = "") -> asyncio.Task[ShardReport]:
        shard = Shard(document_id="d", page_numbers=pages)
        return asyncio.create_task(self.pool.recognize(shard, Bytes(near), CONTEXT, alone=alone))


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_worker_is_started_for_the_first_shard() -> None:
    f = Fixture()
    task = f.send(1)
    await settle()
    f.workers[0].gate.set()
    await task
    assert f.workers[0].name == "page_worker:e:1:r"


async def test_a_worker_of_another_version_is_refused_with_both_versions() -> None:
    f = Fixture()
    f.builds = ["0.0.9+abc"]
    task = f.send(1)
    with pytest.raises(ClusterUnavailable, match=r"The worker on h runs rayocr 0\.0\.9\+abc, and this driver rayocr \d") as error:
        await task
    assert "same image" in str(error.value.hint)
    assert not f.workers[0].received


@pytest.mark.parametrize(("cpu_share", "workers"), [(0.5, 1), (0.95, 2)])
async def test_a_pool_whose_workers_all_use_a_whole_cpu_grows_beyond_what_its_limits_need(cpu_share: float, workers: int) -> None:
    f = Fixture(max_workers=1, capacity=100, max_if_busy=2)
    f.cpu_share = cpu_share
    first = f.send(0)
    await settle()
    f.workers[0].gate.set()
    await first
    f.workers[0].gate.clear()
    for number in range(1, 12):
        f.send(number)
        await settle()
    assert len(f.workers) == workers


async def test_the_pool_grows_to_its_limit_while_shards_wait_and_no_further() -> None:
    f = Fixture(max_workers=3)
    for number in range(12):
        f.send(number)
        await settle()
    assert len(f.workers) == 3
    for worker in f.workers:
        worker.gate.set()


async def test_a_worker_takes_two_shards_ahead_whatever_their_length() -> None:
    f = Fixture(max_workers=1, capacity=1.0)
    for _ in range(3):
        f.send(1, 2, 3)
    await settle()
    assert len(f.workers[0].received) == 2
    f.workers[0].gate.set()


async def test_short_shards_are_sent_ahead_up_to_the_capacity() -> None:
    f = Fixture(max_workers=1, capacity=5.0)
    for number in range(8):
        f.send(number)
    await settle()
    assert len(f.workers[0].received) == 5
    f.workers[0].gate.set()


async def test_a_crash_is_reported_to_every_shard_that_the_worker_had_and_the_worker_is_replaced() -> None:
    f = Fixture(max_workers=1)
    first, second = f.send(1), f.send(2)
    await settle()
    f.workers[0].dead = True
    f.workers[0].gate.set()
    results = await asyncio.gather(first, second, return_exceptions=True)
    assert [type(r) for r in results] == [WorkerFailed, WorkerFailed]
    assert [r.alone for r in results if isinstance(r, WorkerFailed)] == [False, False]
    assert f.forgotten == ["page_worker:e:1:r"]
    third = f.send(3)
    await settle()
    f.workers[1].gate.set()
    await third


async def test_a_crash_with_one_shard_only_is_reported_as_alone() -> None:
    f = Fixture(max_workers=1)
    task = f.send(1)
    await settle()
    f.workers[0].dead = True
    f.workers[0].gate.set()
    with pytest.raises(WorkerFailed) as caught:
        await task
    assert caught.value.alone
    assert not caught.value.node_lost


async def test_a_crash_with_the_whole_node_is_reported_as_that() -> None:
    f = Fixture(max_workers=1)
    task = f.send(1)
    await settle()
    f.nodes_gone.add("n")
    f.workers[0].dead = True
    f.workers[0].gate.set()
    with pytest.raises(WorkerFailed) as caught:
        await task
    assert caught.value.node_lost


async def test_a_shard_that_must_be_alone_waits_for_an_empty_worker_and_excludes_others() -> None:
    f = Fixture(max_workers=1)
    before = f.send(1)
    await settle()
    suspect = f.send(2, alone=True)
    await settle()
    after = f.send(3)
    await settle()
    assert [s.page_numbers for s in f.workers[0].received] == [(1,)]
    f.workers[0].gate.set()
    await asyncio.gather(before, suspect, after)
    assert [s.page_numbers for s in f.workers[0].received] == [(1,), (2,), (3,)]


async def test_an_engine_that_cannot_work_here_fails_every_caller_that_waits() -> None:
    f = Fixture(open_error=EngineUnavailable("no binary"))
    with pytest.raises(EngineUnavailable):
        await f.send(1)


@pytest.mark.parametrize("alone", [True, False])
async def test_a_worker_that_dies_while_it_starts_is_replaced(alone: bool) -> None:
    f = Fixture()
    f.start_errors = [ActorFailed(), ActorFailed()]
    task = f.send(1, alone=alone)
    await settle()
    assert len(f.workers) == 3
    f.workers[-1].gate.set()
    assert (await task).document_id == "d"


async def test_a_worker_that_cannot_even_be_asked_for_fails_every_caller_that_waits() -> None:
    f = Fixture()
    f.spawn_error = ValueError("the name is taken")
    with pytest.raises(ValueError, match="taken"):
        await f.send(1)


async def test_workers_that_never_start_end_the_run() -> None:
    f = Fixture()
    f.open_error = ActorFailed()
    with pytest.raises(ClusterUnavailable):
        await f.send(1)


async def test_a_worker_that_has_read_its_pages_gives_way_to_a_new_process() -> None:
    f = Fixture(max_workers=1, capacity=9.0, max_pages=3)
    for number, shard in enumerate([(1, 2), (3, 4), (5,)]):
        task = f.send(*shard)
        await settle()
        f.workers[-1].gate.set()
        await task
        assert f.killed == ([] if number == 0 else [f.workers[0]])
    assert [len(worker.received) for worker in f.workers] == [2, 1]
    assert f.forgotten == [f.workers[0].name]


async def test_a_worker_that_gives_way_finishes_the_shards_it_has() -> None:
    f = Fixture(max_workers=1, capacity=9.0, max_pages=1)
    tasks = [f.send(1), f.send(2)]
    await settle()
    assert len(f.workers[0].received) == 2
    f.workers[0].gate.set()
    await asyncio.gather(*tasks)
    assert f.killed == [f.workers[0]]


async def test_idle_workers_above_the_minimum_give_up_their_cpus() -> None:
    f = Fixture(max_workers=2, capacity=1.0)
    tasks = [f.send(n) for n in range(3)]
    await settle()
    assert len(f.workers) == 2
    f.pool.shrink(idle_s=0.0, keep=0)
    assert f.pool.size == 2  # both workers are busy
    f.workers[1].gate.set()
    await settle()
    f.pool.shrink(idle_s=60.0, keep=0)
    assert f.pool.size == 2  # not idle for long enough yet
    f.pool.shrink(idle_s=0.0, keep=1)
    assert f.killed == [f.workers[1]]
    f.workers[0].gate.set()
    await asyncio.gather(*tasks)
    f.pool.shrink(idle_s=0.0, keep=0)
    assert f.pool.size == 0
    again = f.send(4)
    await settle()
    f.workers[-1].gate.set()
    await again


async def test_draining_rejects_those_that_still_wait() -> None:
    f = Fixture(max_workers=1, capacity=1.0)
    tasks = [f.send(n) for n in range(4)]
    await settle()
    await f.pool.drain()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(r, Draining) for r in results] == [False, False, True, True]


def nodes(*ids: str, leaving: tuple[str, ...] = (), cpus: float = 1) -> Nodes:
    return Nodes(tuple(Node(node_id=node_id, cpus=cpus, leaving=node_id in leaving) for node_id in ids))


async def test_workers_of_a_node_that_is_about_to_go_finish_their_shards_and_go() -> None:
    f = Fixture(max_workers=2)
    f.node_ids = ["stays", "leaves"]
    first, second = f.send(1), f.send(2)
    await settle()
    leaving = next(worker for worker in f.workers if worker.node_id == "leaves")
    await f.pool.follow(nodes("stays", "leaves", leaving=("leaves",)))
    await settle()
    assert leaving.drained and leaving in f.killed
    assert not f.workers[0].drained
    f.workers[0].gate.set()
    await asyncio.gather(first, second)
    third = f.send(3)
    await settle()
    assert Shard(document_id="d", page_numbers=(3,)) not in leaving.received
    for worker in f.workers:
        worker.gate.set()
    await third


async def test_an_idle_worker_of_a_node_that_is_about_to_go_goes_at_once() -> None:
    f = Fixture()
    f.node_ids = ["leaves"]
    f.pool.prestart()
    await settle()
    await f.pool.follow(nodes("leaves", leaving=("leaves",)))
    assert f.pool.size == 0
    assert f.killed == f.workers


async def test_the_pool_is_as_large_as_the_nodes_allow() -> None:
    f = Fixture(max_workers=1, capacity=0.5, max_for=lambda there: len(there.staying()))
    tasks = [f.send(number) for number in range(1, 7)]
    await settle()
    assert len(f.workers) == 1
    await f.pool.follow(nodes("a", "b", "c"))
    await settle()
    assert len(f.workers) == 3
    for worker in f.workers:
        worker.gate.set()
    await asyncio.gather(*tasks)


async def test_a_shard_goes_to_the_worker_beside_its_bytes_unless_that_has_more_to_do() -> None:
    f = Fixture(max_workers=2, capacity=100)
    f.node_ids = ["here", "there"]
    warm = [f.send(1), f.send(2)]
    await settle()
    here, there = f.workers
    for _ in range(3):
        f.send(7, near="there")
        await settle()
    assert len(there.received) - len(here.received) in (1, 2)
    for worker in f.workers:
        worker.gate.set()
    await asyncio.gather(*warm)


async def test_worker_starts_that_are_no_longer_needed_are_cancelled() -> None:
    f = Fixture(max_workers=2)
    stuck = asyncio.Event()

    async def never(worker: FakeWorker) -> WorkerInfo:
        await stuck.wait()
        raise AssertionError

    task = f.send(1)
    await settle()
    f.node_ids = ["later"]
    original, f.pool._spawn = f.pool._spawn, f._spawn

    def spawn(name: str) -> FakeWorker:
        worker = original(name)
        worker.open = lambda: never(worker)  # type: ignore[method-assign]
        return worker

    f.pool._spawn = spawn
    second = f.send(2)
    await settle()
    assert len(f.workers) == 2
    f.workers[0].gate.set()
    await asyncio.gather(task, second)
    f.pool.shrink(idle_s=1e9, keep=1)
    await settle()
    assert f.killed == [f.workers[1]]


async def test_what_runs_beside_a_shard_ends_with_it() -> None:
    f = Fixture()
    told: list[object] = []

    async def beside(worker: PageWorkerHandle) -> None:
        told.append(worker)
        try:
            await asyncio.Event().wait()
        finally:
            told.append("ended")

    shard = Shard(document_id="d", page_numbers=(1,))
    task = asyncio.create_task(f.pool.recognize(shard, Bytes("n"), CONTEXT, beside=beside))
    await settle()
    assert told == [f.workers[0]]
    f.workers[0].gate.set()
    await task
    assert told == [f.workers[0], "ended"]


async def test_a_worker_can_be_started_before_its_first_shard() -> None:
    f = Fixture(max_workers=3)
    f.pool.prestart(at_least=2)
    await settle()
    assert f.pool.size == 2
