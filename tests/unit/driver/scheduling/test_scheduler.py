"""From listing to flows: documents of other runs are requested again, and the first error ends the run."""

from __future__ import annotations

import asyncio

import pytest

from rayocr.config import WindowConfig
from rayocr.driver.scheduling.flow.document_state import FlowResult, Replaced
from rayocr.driver.scheduling.progress import Progress
from rayocr.driver.scheduling.scheduler import Scheduler
from rayocr.driver.scheduling.window import Window
from rayocr.errors import ClusterUnavailable, Draining, StorageFull
from rayocr.messages import DiscoveryBatch, DiscoveryTotals, Document
from tests.unit.settled import settled
from tests.unit.virtual_time import pass_time, until


def document(name: str) -> Document:
    return Document(document_id=name, source_uri=f"u/{name.rstrip('2')}", name=name, output_name=name, version="1", size_bytes=1)


class FakeDiscovery:
    def __init__(self, *batches: list[str]) -> None:
        self._batches = list(batches)

    async def next_batch(self, count: int) -> DiscoveryBatch:
        names = self._batches.pop(0)
        documents = tuple(document(name) for name in names)
        return DiscoveryBatch(documents=documents, exhausted=not self._batches, totals=DiscoveryTotals())


class FakeFlow:
    """`answers[name]`: the results of the document's flows in order; exceptions are raised. After the last one: SETTLED."""

    def __init__(self, answers: dict[str, list[FlowResult | Exception]]) -> None:
        self._answers = answers
        self.ran: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    def fencing_token(self, document_id: str) -> int | None:
        return 1 if document_id in self.ran else None

    async def run(self, document: Document) -> FlowResult:
        self.ran.append(document.name)
        await self.gate.wait()
        answers = self._answers.get(document.name, [])
        answer = answers.pop(0) if answers else FlowResult.SETTLED
        if isinstance(answer, Exception):
            raise answer
        return answer


class Fixture:
    def __init__(self, *batches: list[str], **answers: list[FlowResult | Exception]) -> None:
        self.draining = asyncio.Event()
        self.progress = Progress()
        self.window = Window(WindowConfig())
        self.flow = FakeFlow(answers)
        discovery = FakeDiscovery(*batches)
        clock = asyncio.get_running_loop().time
        self.scheduler = Scheduler(self.flow, discovery, self.window, self.progress, self.draining, retry_s=5.0, clock=clock)

    async def run(self) -> None:
        await self.scheduler.run()


async def test_every_document_has_its_flow_and_leaves_the_window() -> None:
    f = Fixture(["a", "b"], ["c"])
    await f.run()
    assert f.flow.ran == ["a", "b", "c"]
    await asyncio.sleep(0)
    assert (f.window.documents, f.window.bytes) == (0, 0)


async def test_documents_that_other_runs_hold_are_asked_for_again_until_they_are_settled() -> None:
    f = Fixture(["a", "b"], a=[FlowResult.HELD, FlowResult.HELD])
    await f.run()
    assert f.flow.ran == ["a", "b", "a", "a"]
    assert f.progress.held_elsewhere == 0


async def test_a_document_whose_lease_was_lost_is_asked_for_again() -> None:
    f = Fixture(["a"])
    f.flow.gate.clear()
    running = asyncio.create_task(f.run())
    while not f.flow.ran:
        await asyncio.sleep(0)
    f.scheduler.lost("a")
    f.flow.gate.set()
    await running
    assert f.flow.ran == ["a", "a"]


async def test_a_cancelled_document_is_dropped_or_skipped_and_not_asked_for_again() -> None:
    f = Fixture(["a", "b", "c"])
    f.flow.gate.clear()
    f.scheduler.cancel("c")
    running = asyncio.create_task(f.run())
    while len(f.flow.ran) < 2:
        await asyncio.sleep(0)
    f.scheduler.cancel("a")
    f.flow.gate.set()
    await running
    assert f.flow.ran == ["a", "b"]
    assert f.progress.cancelled == 2


async def test_a_cancelled_document_comes_back_for_a_client_that_asks_and_not_for_a_notification() -> None:
    f = Fixture(["a"])
    f.scheduler.cancel("c")
    f.flow.gate.clear()
    running = asyncio.create_task(f.run())
    while not f.flow.ran:
        await asyncio.sleep(0)
    f.scheduler.push(document("c"))
    while f.scheduler.has(document("c")):
        await asyncio.sleep(0)
    assert f.flow.ran == ["a"]
    f.scheduler.push(document("c"), asked=True)
    while len(f.flow.ran) < 2:
        await asyncio.sleep(0)
    f.flow.gate.set()
    await running
    assert f.flow.ran == ["a", "c"]


async def test_waiting_for_other_runs_ends_when_the_run_drains() -> None:
    f = Fixture(["a"], a=[FlowResult.HELD] * 1000)
    running = asyncio.create_task(f.run())
    await until(lambda: len(f.flow.ran) == 3)
    f.draining.set()
    await running
    assert f.scheduler.failure is None


async def test_the_first_error_ends_the_run_and_draining_is_not_an_error() -> None:
    f = Fixture(["a", "b", "c"], a=[Draining()], b=[StorageFull("full")], c=[ClusterUnavailable("later")])
    await f.run()
    assert isinstance(f.scheduler.failure, StorageFull)
    assert f.draining.is_set()


async def test_a_document_that_is_listed_twice_runs_once_at_a_time() -> None:
    f = Fixture(["a"], ["a"])
    f.flow.gate.clear()
    running = asyncio.create_task(f.run())
    await pass_time(60)
    assert f.flow.ran == ["a"]
    f.flow.gate.set()
    await running


@pytest.mark.parametrize("grace_s", [0.01])
async def test_settling_waits_no_longer_than_the_grace(grace_s: float) -> None:
    f = Fixture(["a"])
    f.flow.gate.clear()
    running = asyncio.create_task(f.run())
    await settled()
    await f.scheduler.settle(grace_s)
    assert not running.done()
    f.draining.set()
    await f.scheduler.close()
    await running


async def test_a_newer_version_waits_for_the_older_to_end() -> None:
    f = Fixture(["a", "a2", "b"])
    f.flow.gate.clear()
    running = asyncio.create_task(f.run())
    while len(f.flow.ran) < 2:
        await asyncio.sleep(0)
    assert f.flow.ran == ["a", "b"]
    f.flow.gate.set()
    await running
    assert f.flow.ran == ["a", "b", "a2"]
    assert (f.window.documents, f.window.bytes) == (0, 0)


async def test_a_document_that_was_replaced_while_it_was_read_is_read_in_its_new_version() -> None:
    f = Fixture(["a"], a=[Replaced(document("a2"))])
    await f.run()
    assert f.flow.ran == ["a", "a2"]
    assert f.scheduler.failure is None


async def test_deferred_documents_are_left_to_the_next_run() -> None:
    f = Fixture(["a"], a=[FlowResult.DEFERRED])
    await f.run()
    assert (f.flow.ran, f.progress.deferred) == (["a"], 1)
