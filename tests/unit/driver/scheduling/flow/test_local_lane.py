"""Workers of the compute stage read the pages that a waiting worker gives away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest

from rayocr.driver.cluster.base import Content, PageWorkerHandle
from rayocr.driver.cluster.pool_sizing import StagePool
from rayocr.driver.cluster.pools.page_worker_pool import PageWorkerPool
from rayocr.driver.cluster.pools.shard_sizer import ShardSizer
from rayocr.driver.scheduling.flow.document_state import DocumentState
from rayocr.driver.scheduling.flow.local_lane import LocalLane
from rayocr.engines.registry import Stage
from rayocr.errors import ActorUnreachable, ContentLost, WorkerFailed
from rayocr.locks.base import Lease
from rayocr.messages import Document, FetchedDocument, PageOutcome, PageSummary, Shard, ShardReport

DOCUMENT = Document(document_id="d", source_uri="u", name="a.pdf", output_name="a", version="1", size_bytes=9)
SHARD = Shard(document_id="d", page_numbers=(1, 2, 3, 4))


class Waiting:
    """A waiting worker that gives `away` pages. Its first `unreachable` calls fail."""

    def __init__(self, away: set[int], unreachable: int = 0) -> None:
        self.away = away
        self.unreachable = unreachable
        self.ended: dict[int, bool] = {}
        self.changed = asyncio.Event()

    async def local_pages(
        self, document_id: str, page_numbers: tuple[int, ...], known: tuple[int, ...], ended: Mapping[int, bool]
    ) -> tuple[int, ...]:
        self.unreachable -= 1
        if self.unreachable >= 0:
            raise ActorUnreachable("the connection broke")
        self.ended |= ended
        while not (found := tuple(sorted(self.away - set(known)))):
            await self.changed.wait()
        return found


class Pool:
    def __init__(self, read: Callable[[int], bool]) -> None:
        self.read = read
        self.shards: list[Shard] = []

    async def recognize(self, shard: Shard, content: Any, context: Any) -> ShardReport:
        self.shards.append(shard)
        await asyncio.sleep(1)
        (number,) = shard.page_numbers
        pages = (PageSummary(page_number=number, outcome=PageOutcome.DONE, engine="rapidocr"),) if self.read(number) else ()
        return ShardReport(document_id="d", pages=pages)


def _state() -> DocumentState:
    fetched = FetchedDocument(document=DOCUMENT, page_count=4)
    return DocumentState(DOCUMENT, Lease(key="d", owner="me", fencing_token=1), fetched=fetched, content=cast(Content, object()))


async def _serve(waiting: Waiting, read: Callable[[int], bool]) -> tuple[Pool, list[int]]:
    noted: list[int] = []
    pool = Pool(read)
    stage = StagePool(
        stage=Stage(kind="compute", first=1, last=1),
        pool=cast(PageWorkerPool, pool),
        sizer=ShardSizer("compute", target_s=1.0, max_pages=8),
    )
    lane = LocalLane(stage, least_confidence=0.9, note=lambda state, page: noted.append(page.page_number))
    serving = asyncio.create_task(lane.serve(cast(PageWorkerHandle, waiting), _state(), SHARD))
    while waiting.ended.keys() != waiting.away:
        await asyncio.sleep(0.1)
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    return pool, noted


async def test_each_page_is_read_alone_and_reported_back() -> None:
    waiting = Waiting({2, 3})
    pool, noted = await _serve(waiting, lambda number: number == 2)
    assert [(shard.page_numbers, shard.first_engine, shard.least_confidence) for shard in pool.shards] == [
        ((2,), 1, 0.9),
        ((3,), 1, 0.9),
    ]
    assert (waiting.ended, noted) == ({2: True, 3: False}, [2])


async def test_a_worker_that_does_not_answer_is_asked_again() -> None:
    waiting = Waiting({1}, unreachable=3)
    pool, noted = await _serve(waiting, lambda number: True)
    assert (waiting.ended, noted, len(pool.shards)) == ({1: True}, [1], 1)


@pytest.mark.parametrize("error", [WorkerFailed("died"), ContentLost("lost"), RuntimeError("a bug")])
async def test_a_page_whose_reading_fails_needs_another_lane(error: Exception) -> None:
    def fails(number: int) -> bool:
        raise error

    waiting = Waiting({4})
    _, noted = await _serve(waiting, fails)
    assert (waiting.ended, noted) == ({4: False}, [])


async def test_pages_in_progress_are_noted_though_the_waiting_worker_dies() -> None:
    """Otherwise its shard, which is sent again, would read them a second time."""
    noted: list[int] = []
    pool = Pool(lambda number: True)
    stage = StagePool(
        stage=Stage(kind="compute", first=1, last=1),
        pool=cast(PageWorkerPool, pool),
        sizer=ShardSizer("compute", target_s=1.0, max_pages=8),
    )
    lane = LocalLane(stage, least_confidence=0.9, note=lambda state, page: noted.append(page.page_number))
    serving = asyncio.create_task(lane.serve(cast(PageWorkerHandle, Waiting({1})), _state(), SHARD))
    while not pool.shards:
        await asyncio.sleep(0)
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    assert noted == [1]
