from __future__ import annotations

import asyncio

from rayocr.config import WindowConfig
from rayocr.driver.scheduling.window import Window


async def test_documents_wait_at_the_limit_and_go_on_when_one_is_released() -> None:
    window = Window(WindowConfig(documents=2))
    await window.admit_document(1)
    await window.admit_document(1)
    third = asyncio.create_task(window.admit_document(1))
    await asyncio.sleep(0.01)
    assert not third.done()
    await window.release_document(1)
    await third
    assert window.documents == 2


async def test_bytes_bound_the_documents_too() -> None:
    window = Window(WindowConfig(bytes=100))
    await window.admit_document(60)
    second = asyncio.create_task(window.admit_document(60))
    await asyncio.sleep(0.01)
    assert not second.done()
    await window.release_document(60)
    await second


async def test_a_document_larger_than_the_window_gets_in_alone() -> None:
    window = Window(WindowConfig(bytes=100))
    await asyncio.wait_for(window.admit_document(10_000), 10)


async def test_pages_wait_at_the_limit() -> None:
    window = Window(WindowConfig(pages=10))
    await window.admit_pages(8)
    more = asyncio.create_task(window.admit_pages(4))
    await asyncio.sleep(0.01)
    assert not more.done()
    await window.release_pages(8)
    await more


async def test_a_shard_larger_than_the_window_gets_in_alone() -> None:
    window = Window(WindowConfig(pages=2))
    await asyncio.wait_for(window.admit_pages(50), 10)


async def test_a_long_shard_gets_its_room_although_short_ones_keep_coming() -> None:
    window = Window(WindowConfig(pages=4))
    for _ in range(4):
        await window.admit_pages(1)
    long = asyncio.create_task(window.admit_pages(3))
    await asyncio.sleep(0)
    short = [asyncio.create_task(window.admit_pages(1)) for _ in range(5)]
    for _ in range(3):
        await window.release_pages(1)
    await asyncio.wait_for(long, 60)
    assert not any(task.done() for task in short)
    await window.release_pages(3)
    await asyncio.wait_for(asyncio.gather(*short[:3]), 60)
    for task in short[3:]:
        task.cancel()
    await asyncio.gather(*short[3:], return_exceptions=True)
    await window.release_pages(4)
    await asyncio.wait_for(window.admit_pages(4), 60)
