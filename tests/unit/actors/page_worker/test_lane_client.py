"""The client requests lanes for several pages at once, and reports each page when it comes back."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from rayocr.actors.page_worker.lane_client import LaneClient
from rayocr.errors import Draining, EngineShed, Refused
from rayocr.limits.lanes import LaneReport
from rayocr.messages import LaneGrant


class Limiter:
    def __init__(self, *grants: tuple[str, ...]) -> None:
        self.grants = list(grants)
        self.asked: list[int] = []
        self.local: list[bool] = []
        self.reports: list[LaneReport] = []
        self.opened = asyncio.Event()

    async def lanes(self, worker: str, wanted: int, local: bool = True) -> tuple[LaneGrant, ...]:
        self.asked.append(wanted)
        self.local.append(local)
        if not self.grants:
            await self.opened.wait()
        return tuple(LaneGrant(lane=lane) for lane in self.grants.pop(0)[:wanted])

    async def report_lanes(self, worker: str, reports: tuple[LaneReport, ...]) -> None:
        self.reports += reports


async def _settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_pages_that_wait_together_share_one_call_and_one_report() -> None:
    limiter = Limiter(("flex",) * 60, ("standard",) * 40)
    client = LaneClient(limiter, worker="w", linger=False)
    used: Counter[str] = Counter()

    async def page() -> None:
        async with client.lane() as grant:
            used[grant.lane] += 1

    await asyncio.gather(*(page() for _ in range(100)))
    await _settled()
    assert used == {"flex": 60, "standard": 40}
    assert limiter.asked == [100, 40]
    assert sum(report.answered for report in limiter.reports) == 100


@pytest.mark.parametrize(("error", "answered"), [(EngineShed("full"), 0), (Refused("no"), 1), (Draining(), 0)])
async def test_a_page_without_an_answer_is_reported_as_failed(error: Exception, answered: int) -> None:
    limiter = Limiter(("flex",))
    client = LaneClient(limiter, worker="w", linger=False)
    with pytest.raises(type(error)):
        async with client.lane():
            raise error
    await _settled()
    assert [(report.answered, report.failed) for report in limiter.reports] == [(answered, 1 - answered)]


async def test_a_page_that_stops_waiting_returns_its_lane() -> None:
    limiter = Limiter()
    client = LaneClient(limiter, worker="w", linger=False)

    async def page() -> None:
        async with client.lane():
            raise AssertionError("cancelled before")

    waiting = asyncio.create_task(page())
    await _settled()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    limiter.grants.append(("flex",))
    limiter.opened.set()
    await _settled()
    assert [report.failed for report in limiter.reports] == [1]


async def test_pages_that_wait_for_a_lane_leave_when_the_worker_drains() -> None:
    client = LaneClient(Limiter(), worker="w", linger=False)

    async def page() -> None:
        async with client.lane():
            raise AssertionError("no lane is open")

    waiting = asyncio.create_task(page())
    await _settled()
    client.close()
    with pytest.raises(Draining):
        await waiting
    with pytest.raises(Draining):
        await page()


async def test_a_page_that_needs_a_server_does_not_hold_up_one_for_local_engines() -> None:
    class Busy(Limiter):
        async def lanes(self, worker: str, wanted: int, local: bool = True) -> tuple[LaneGrant, ...]:
            if not local:
                await self.opened.wait()
            return await super().lanes(worker, wanted, local)

    limiter = Busy(("local",), ("flex",))
    client = LaneClient(limiter, worker="w", linger=False)

    async def page(local: bool) -> str:
        async with client.lane(local=local) as grant:
            return grant.lane

    waiting = asyncio.create_task(page(local=False))
    await _settled()
    assert await page(local=True) == "local"
    limiter.opened.set()
    assert await waiting == "flex"
    assert limiter.local == [True, False]
