from __future__ import annotations

import asyncio

from rayocr.actors.placement import Group
from rayocr.config import WindowConfig
from rayocr.driver.cluster.nodes import Node, Nodes
from rayocr.driver.scheduling.window import Window
from tests.unit.settled import settled


async def test_documents_wait_at_the_limit_and_continue_when_one_is_released() -> None:
    window = Window(WindowConfig(documents=2))
    await window.admit_document(1)
    await window.admit_document(1)
    third = asyncio.create_task(window.admit_document(1))
    await settled()
    assert not third.done()
    await window.release_document(1)
    await third
    assert window.documents == 2


async def test_bytes_bound_the_documents_too() -> None:
    window = Window(WindowConfig(bytes=100))
    await window.admit_document(60)
    second = asyncio.create_task(window.admit_document(60))
    await settled()
    assert not second.done()
    await window.release_document(60)
    await second


async def test_a_document_larger_than_the_window_gets_in_alone() -> None:
    window = Window(WindowConfig(bytes=100))
    await asyncio.wait_for(window.admit_document(10_000), 60)
    assert (window.documents, window.bytes) == (1, 10_000)


async def test_pages_wait_at_the_limit() -> None:
    window = Window(WindowConfig(pages=10))
    await window.admit_pages(8)
    more = asyncio.create_task(window.admit_pages(4))
    await settled()
    assert not more.done()
    await window.release_pages(8)
    await more


async def test_a_shard_larger_than_the_window_gets_in_alone() -> None:
    window = Window(WindowConfig(pages=2))
    await asyncio.wait_for(window.admit_pages(50), 60)
    assert window.pages == 50


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


def cluster(*stores: int, groups: tuple[frozenset[Group], ...] = ()) -> Nodes:
    given = groups or (frozenset(),) * len(stores)
    return Nodes(
        tuple(Node(node_id=str(i), cpus=1, store_bytes=s, groups=g) for i, (s, g) in enumerate(zip(stores, given, strict=True)))
    )


async def test_the_object_stores_of_the_cluster_bound_the_bytes() -> None:
    """Above this, Ray spills to disk, and a run stalls when the disk is full."""
    window = Window(WindowConfig(bytes=1_000))
    await window.follow(cluster(100, 100))
    await window.admit_document(60)
    await window.admit_document(60)
    third = asyncio.create_task(window.admit_document(60))
    await settled()
    assert not third.done()
    await window.follow(cluster(100, 100, 100))
    await third


async def test_the_configured_size_stays_the_upper_bound() -> None:
    window = Window(WindowConfig(bytes=100))
    await window.follow(cluster(10**9))
    assert window.max_bytes == 100
    await window.follow(cluster(0))
    assert window.max_bytes == 100, "a cluster that does not report sizes sets no limit"


async def test_only_the_nodes_that_hold_documents_count_and_any_where_there_are_none_yet() -> None:
    window = Window(WindowConfig(bytes=10**9), held_on=Group.WAIT)
    await window.follow(cluster(100, 900, groups=(frozenset({Group.WAIT}), frozenset())))
    assert window.max_bytes == 60
    await window.follow(cluster(900, groups=(frozenset(),)))
    assert window.max_bytes == 540
