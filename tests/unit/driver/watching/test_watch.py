"""When and how the watch lists the source."""

from __future__ import annotations

import asyncio
from pathlib import Path

from rayocr.composition import compose
from rayocr.config import WindowConfig
from rayocr.driver.commands.submit import entrypoint
from rayocr.driver.monitor.terminal import progress_line
from rayocr.driver.scheduling.flow.document_state import FlowResult
from rayocr.driver.scheduling.outages import Outages
from rayocr.driver.scheduling.progress import Progress
from rayocr.driver.scheduling.scheduler import Scheduler
from rayocr.driver.scheduling.window import Window
from rayocr.driver.watching.watch import Watch
from rayocr.errors import StorageUnavailable
from rayocr.messages import DiscoveryBatch, DiscoveryTotals, Document, Poll
from tests.unit.virtual_time import until


class World:
    """A polled source. `answers`: the results of the polls in order, documents by name or an error."""

    def __init__(self, *answers: list[str] | Exception, settling: int = 0, live: bool = False, **options: object) -> None:
        overrides = [f"{name.replace('__', '.')}={value}" for name, value in options.items()]
        self.config = compose(["source=in", "mode=watch", "engine=textlayer", *overrides], {})
        self.answers = list(answers)
        self.settling = settling
        self.live = live
        self.looks: list[Poll] = []
        self.ran: list[str] = []
        self.said: list[str] = []
        self.limit_reached = False
        self.progress, self.window, self.draining = Progress(), Window(WindowConfig()), asyncio.Event()
        self.outages = Outages(self.window, self.progress, probe=lambda: None, say=self.said.append, warn=self.said.append)
        clock = asyncio.get_running_loop().time
        self.scheduler = Scheduler(
            self, self, self.window, self.progress, self.draining, retry_s=5.0, outages=self.outages, clock=clock
        )
        self.watch = Watch(
            self, self.scheduler, self.outages, self.progress, self.config, self.draining, events=self, clock=clock
        )

    async def poll(self, what: Poll) -> None:
        self.looks.append(what)

    async def next_batch(self, count: int) -> DiscoveryBatch:
        answer = self.answers.pop(0) if self.answers else []
        if isinstance(answer, Exception):
            raise answer
        documents = tuple(
            Document(document_id=name, source_uri=name, name=name, output_name=name, version="1", size_bytes=1) for name in answer
        )
        totals = DiscoveryTotals(settling=self.settling)
        return DiscoveryBatch(documents=documents, totals=totals, exhausted=True, limit_reached=self.limit_reached)

    def fencing_token(self, document_id: str) -> int | None:
        return None

    async def run(self, document: Document) -> FlowResult:
        self.ran.append(document.name)
        return FlowResult.SETTLED

    async def until_polled(self, times: int) -> None:
        running = asyncio.create_task(self.watch.run())
        await until(lambda: len(self.looks) >= times or running.done())
        assert not running.done(), running.result()
        self.draining.set()
        await running
        await self.outages.close()


async def test_the_first_poll_is_the_listing_that_was_started_and_then_come_the_changes() -> None:
    world = World(["a"], [], ["b"], poll_interval_s=30, watch__relist_s=3600)
    await world.until_polled(4)
    assert set(world.looks) == {Poll.CHANGES}
    assert world.ran == ["a", "b"]


async def test_everything_is_listed_again_after_a_while() -> None:
    world = World(poll_interval_s=30, watch__relist_s=90)
    await world.until_polled(8)
    assert {Poll.ALL, Poll.CHANGES} == set(world.looks)


async def test_while_notifications_come_the_source_is_listed_seldom() -> None:
    world = World(live=True, poll_interval_s=30, watch__relist_s=150)
    await world.until_polled(2)
    assert world.looks == [Poll.ALL, Poll.ALL]


async def test_files_that_settle_are_examined_by_themselves_and_delay_no_other_poll() -> None:
    world = World(settling=1, poll_interval_s=30, watch__settle_s=3, watch__relist_s=3600)
    await world.until_polled(25)
    assert Poll.CHANGES in world.looks
    assert world.looks.count(Poll.SETTLING) > world.looks.count(Poll.CHANGES)


async def test_a_poll_that_fails_is_made_up_for_by_a_whole_listing_soon() -> None:
    world = World([], StorageUnavailable("503"), ["a"], poll_interval_s=30, watch__relist_s=3600)
    await world.until_polled(3)
    assert world.looks[:2] == [Poll.CHANGES, Poll.ALL]
    assert world.ran == ["a"]


async def test_the_limit_ends_it() -> None:
    world = World(["a"], poll_interval_s=30)
    world.limit_reached = True
    await world.watch.run()
    assert (world.ran, world.looks) == (["a"], [])


def test_the_line_of_an_idle_watch_counts_down_only_where_it_is_overwritten() -> None:
    progress = Progress(clock=lambda: 100.0, watching=True, next_poll_at=130.0)
    assert "next poll in 30 s" in progress_line(progress)
    assert "next poll" not in progress_line(progress, countdown=False)
    progress.waiting_for = "storage"
    assert "waiting for storage" in progress_line(progress)
    progress.in_progress = 1
    assert "documents found" in progress_line(progress)


def test_the_interval_of_the_old_environment_counts(tmp_path: Path) -> None:
    assert compose(["mode=watch"], {"POLL_INTERVAL": "7"}).poll_interval_s == 7
    assert compose(["mode=watch", "poll_interval_s=0.5"], {"POLL_INTERVAL": "7"}).poll_interval_s == 0.5
    assert compose(["mode=watch"], {}).poll_interval_s == 30


def test_a_job_can_watch() -> None:
    arguments = ["mode=submit", "cluster=http://h:8265", "submit.mode=watch", "source=gs://b/in", "poll_interval_s=5"]
    command = entrypoint(compose(arguments, {}), arguments)
    assert "mode=watch" in command
    assert "poll_interval_s=5" in command
