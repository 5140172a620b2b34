"""A run leases only documents that it will process soon, so that a second run finds free documents."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from rayocr.driver.scheduling.lease_budget import AHEAD_S, LeaseBudget
from rayocr.driver.scheduling.progress import Progress
from rayocr.errors import Draining


@dataclass
class Document:
    pages_left: int | None


class Fixture:
    def __init__(self, pages_at_once: float = 4.0) -> None:
        self.now = 0.0
        self.progress = Progress(clock=lambda: self.now)
        self.leased: list[Document] = []
        self.draining = asyncio.Event()
        self.looked = 0
        self.budget = LeaseBudget(
            self.progress, lambda: list(self.leased), pages_at_once=pages_at_once, draining=self.draining, sleep=self._sleep
        )

    async def _sleep(self, seconds: float) -> None:
        self.looked += 1
        await asyncio.sleep(0)

    def reads(self, pages_per_s: float) -> None:
        self.progress.first_page_at, self.now = 0.0, 10.0
        self.progress.pages_done = int(10 * pages_per_s)

    async def lease_all(self, count: int, pages: int) -> int:
        """How many of the waiting documents have a lease when nothing more happens."""

        async def take() -> None:
            await self.budget.enter()
            self.leased.append(Document(pages))
            self.budget.entered()

        tasks = [asyncio.create_task(take()) for _ in range(count)]
        while self.looked < 20 and not all(task.done() for task in tasks):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return len(self.leased)


async def test_at_first_a_run_takes_enough_documents_to_keep_its_workers_busy() -> None:
    assert await Fixture(pages_at_once=50).lease_all(256, pages=10) == 10  # 2 x 50 pages


async def test_at_a_pace_it_takes_half_a_minute_of_work() -> None:
    f = Fixture()
    f.reads(pages_per_s=2.0)
    assert await f.lease_all(256, pages=10) == AHEAD_S * 2 / 10


async def test_a_few_documents_are_always_taken() -> None:
    assert await Fixture(pages_at_once=1).lease_all(256, pages=1_000) == 4


async def test_a_document_of_unknown_length_counts_as_the_average_of_the_others() -> None:
    f = Fixture(pages_at_once=50)
    f.progress.documents_started, f.progress.pages_known = 10, 200
    f.leased = [Document(None)] * 4  # 80 pages
    assert await f.lease_all(9, pages=20) == 5


async def test_who_waits_for_room_gives_up_when_the_run_drains() -> None:
    f = Fixture(pages_at_once=1)
    f.leased = [Document(1_000)] * 4
    f.draining.set()
    with pytest.raises(Draining):
        await f.budget.enter()


async def test_without_a_known_capacity_everything_is_taken() -> None:
    assert await Fixture(pages_at_once=float("inf")).lease_all(256, pages=1_000) == 256
