"""Outages during a watch: nothing is admitted, one message is logged, and afterwards the watch resumes."""

from __future__ import annotations

import asyncio

from rayocr.config import WindowConfig
from rayocr.driver.scheduling.deferred import DeferredDocuments
from rayocr.driver.scheduling.flow.document_state import FlowResult
from rayocr.driver.scheduling.outages import Outages
from rayocr.driver.scheduling.progress import Progress
from rayocr.driver.scheduling.scheduler import Scheduler
from rayocr.driver.scheduling.window import Window
from rayocr.errors import DayQuotaExhausted, StorageUnavailable
from rayocr.messages import DiscoveryBatch, DiscoveryTotals, Document
from tests.unit.virtual_time import pass_time, until


def document(name: str) -> Document:
    return Document(document_id=name, source_uri=f"u/{name}", name=name, output_name=name, version="1", size_bytes=1)


class Source:
    """Returns one document once, then nothing."""

    async def next_batch(self, count: int) -> DiscoveryBatch:
        return DiscoveryBatch(documents=(document("a"), document("b")), exhausted=True, totals=DiscoveryTotals())


class World:
    def __init__(self) -> None:
        self.away = False
        self.said: list[str] = []
        self.held = 0
        self.answers: dict[str, list[FlowResult | Exception]] = {}
        self.ran: list[str] = []
        self.progress = Progress()
        self.clock = asyncio.get_running_loop().time
        self.window = Window(WindowConfig())
        self.draining = asyncio.Event()
        self.outages = Outages(
            self.window,
            self.progress,
            probe=self._probe,
            say=self.said.append,
            warn=self.said.append,
            on_hold=self._hold,
            probe_s=5.0,
            wall_clock=self.clock,
        )
        self.scheduler = Scheduler(
            self,
            Source(),
            self.window,
            self.progress,
            self.draining,
            retry_s=5.0,
            outages=self.outages,
            clock=self.clock,
        )

    def _probe(self) -> None:
        if self.away:
            raise StorageUnavailable("gone")

    def _hold(self) -> None:
        self.held += 1

    def fencing_token(self, document_id: str) -> int | None:
        return None

    async def run(self, document: Document) -> FlowResult:
        """As a flow."""
        self.ran.append(document.name)
        answers = self.answers.get(document.name, [])
        answer = answers.pop(0) if answers else FlowResult.SETTLED
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def until(self, *names: str) -> None:
        again = asyncio.create_task(self.scheduler.retry_when_due())
        await self.scheduler.admit_listed()
        await until(lambda: self.ran == list(names) or self.scheduler.failure)
        assert self.scheduler.failure is None
        self.draining.set()
        await again
        await self.outages.close()


async def test_storage_that_is_unavailable_holds_the_window_until_it_is_back() -> None:
    world = World()
    world.away = True
    world.outages.storage_failed()
    world.outages.storage_failed()
    await until(lambda: world.window.paused)
    assert world.progress.waiting_for == "storage"
    waiting = asyncio.create_task(world.outages.over())
    await pass_time(60)
    assert not waiting.done()
    world.away = False
    await waiting
    await until(lambda: not world.window.paused)
    assert [text for text in world.said if "unavailable" in text] == ["Storage is unavailable; waiting for it: gone"]
    assert world.said[-1] == "Storage is available again."
    assert (world.progress.waiting_for, world.held) == ("", 1)


async def test_a_failure_of_one_document_does_not_hold_the_others() -> None:
    world = World()
    world.outages.storage_failed()
    await world.outages.over()
    assert (world.said, world.window.paused, world.held) == ([], False, 0)


async def test_a_user_who_paused_the_run_is_not_overruled_by_storage_that_is_back() -> None:
    world = World()
    await world.window.pause(True)
    world.away = True
    world.outages.storage_failed()
    await until(lambda: world.progress.waiting_for == "storage")
    world.away = False
    await world.outages.over()
    assert world.window.paused
    await world.window.pause(False)
    assert not world.window.paused


async def test_a_document_that_was_deferred_is_read_again_by_the_same_watch() -> None:
    world = World()
    world.answers["a"] = [FlowResult.DEFERRED, FlowResult.DEFERRED]
    await world.until("a", "b", "a", "a")
    assert world.progress.deferred == 0


async def test_the_quota_of_the_day_is_waited_for() -> None:
    world = World()
    world.answers["a"] = [DayQuotaExhausted("The daily quota for m is used up.", resumes_at=world.clock() + 600.0)]
    await world.until("a", "b", "a")
    assert world.scheduler.failure is None
    assert "resumes at" in world.said[0]
    assert world.held == 1


def test_a_document_whose_storage_fails_again_and_again_is_tried_less_and_less_often() -> None:
    now = [0.0]
    later = DeferredDocuments(clock=lambda: now[0])
    waits = []
    for _ in range(12):
        later.add_backing_off(document("a"), base_s=5.0)
        started = now[0]
        while not later.due(now[0]):
            now[0] += 1.0
        waits.append(now[0] - started)
    assert waits[:4] == [5.0, 10.0, 20.0, 40.0]
    assert waits[-1] == 600.0
    later.forget(document("a"))
    later.add_backing_off(document("a"), base_s=5.0)
    assert later.due(now[0] + 5.0)
