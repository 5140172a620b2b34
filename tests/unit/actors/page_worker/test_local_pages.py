"""Pages of a waiting worker that local engines in other processes read."""

from __future__ import annotations

import asyncio

import pytest

from rayocr.actors.page_worker.local_pages import LocalPages
from rayocr.errors import Draining


async def _settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_the_driver_learns_of_pages_of_its_shard_and_reports_them_back() -> None:
    pages = LocalPages()
    reading = {n: asyncio.create_task(pages.read("d", n)) for n in (1, 2, 9)}
    asking = asyncio.create_task(pages.exchange("d", (1, 2, 3), (), {}))
    assert await asking == (1, 2)
    more = asyncio.create_task(pages.exchange("d", (1, 2, 3), (1, 2), {1: True, 2: False}))
    assert (await reading[1], await reading[2]) == (True, False)
    await _settled()
    assert not more.done()
    reading[3] = asyncio.create_task(pages.read("d", 3))
    assert await more == (3,)
    for task in (reading[3], reading[9]):
        task.cancel()


async def test_a_reply_that_was_lost_is_given_again() -> None:
    pages = LocalPages()
    reading = asyncio.create_task(pages.read("d", 1))
    await _settled()
    assert await pages.exchange("d", (1,), (), {}) == (1,)
    assert await pages.exchange("d", (1,), (), {}) == (1,)
    asking = asyncio.create_task(pages.exchange("d", (1,), (1,), {1: True}))
    assert await reading
    again = asyncio.create_task(pages.exchange("d", (1,), (1,), {1: True}))
    await _settled()
    for task in (asking, again):
        assert not task.done()
        task.cancel()


async def test_a_call_returns_after_a_while_without_pages() -> None:
    assert await LocalPages().exchange("d", (1,), (), {}) == ()


async def test_pages_that_wait_for_local_engines_leave_when_the_worker_drains() -> None:
    pages = LocalPages()
    reading = asyncio.create_task(pages.read("d", 1))
    await _settled()
    pages.close()
    with pytest.raises(Draining):
        await reading
    with pytest.raises(Draining):
        await pages.read("d", 2)
