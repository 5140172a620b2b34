"""Documents with a manifest that are read again, by a retry or an overwriting run, keep their records."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from rayocr.actors.ledger.actor import Ledger
from rayocr.errors import StorageUnavailable
from rayocr.ledger.manifest import manifest_name
from rayocr.ledger.segment import LEDGER_PREFIX, run_id_of
from rayocr.ledger.segments import SegmentTable
from rayocr.messages import DocumentOutcome, PageOutcome, PageRecord
from rayocr.observe.dead_letters import dead_letter_name
from rayocr.retry import RetryPolicy
from rayocr.storage.memory import MemoryStorage

A, B = "a" * 32, "b" * 32


@pytest.fixture(autouse=True)
def empty_state() -> Iterator[None]:
    MemoryStorage("retries").clear()
    yield
    MemoryStorage("retries").clear()


def page(
    number: int, document_id: str = A, *, outcome: PageOutcome = PageOutcome.DONE, fingerprint: str = "old", token: int = 1
) -> PageRecord:
    return PageRecord(
        document_id=document_id,
        page_number=number,
        outcome=outcome,
        text="" if outcome is PageOutcome.FAILED else f"{fingerprint} {number}",
        engine="e",
        fingerprint=fingerprint,
        fencing_token=token,
    )


def ledger(run_id: str, *, faults: Callable[[str, str], None] | None = None) -> Ledger:
    return Ledger(
        MemoryStorage("retries", faults=faults),
        run_id=run_id,
        flush_interval_s=0.0,
        flush_bytes=1 << 20,
        memory_bytes=1 << 20,
        policy=RetryPolicy(max_attempts=1, base_s=0.0, cap_s=0.0),
    )


def segments() -> list[str]:
    return [entry.name for entry in MemoryStorage("retries").list(LEDGER_PREFIX)]


def finish(document_id: str, *, partial: bool = False) -> None:
    if partial:
        MemoryStorage("retries").write(dead_letter_name(document_id), b"{}")
    MemoryStorage("retries").write(manifest_name(document_id), b"{}")


async def partial_document(run_id: str = "one") -> Ledger:
    """Page 1 was read, page 2 was not; in two segments."""
    it = ledger(run_id)
    await it.record([page(1)])
    await it.record([page(2, outcome=PageOutcome.FAILED)])
    finish(A, partial=True)
    await it.close_document(A, DocumentOutcome.PARTIAL)
    return it


async def texts(it: Ledger) -> list[str]:
    return [record.text for record in await it.texts(A, 1, 2)]


async def test_a_retry_takes_the_pages_that_were_read_and_reads_the_others() -> None:
    await partial_document()
    again = ledger("two")
    assert again.page_count == 0, "partial documents cost no memory before their retry"
    assert [summary.page_number for summary in await again.open_document(A)] == [1]
    await again.record([page(2, fingerprint="new", token=2)])
    assert await texts(again) == ["old 1", "new 2"]


async def test_a_page_that_fails_in_the_retry_too_has_its_new_failure_on_record() -> None:
    await partial_document()
    again = ledger("two")
    await again.open_document(A)
    await again.record([page(2, outcome=PageOutcome.FAILED, fingerprint="new", token=2)])
    assert [(r.outcome, r.fencing_token) for r in await again.texts(A, 2, 2)] == [(PageOutcome.FAILED, 2)]


async def test_what_a_retry_hands_on_from_engine_to_engine_is_on_record() -> None:
    await partial_document()
    again = ledger("two")
    await again.open_document(A)
    await again.record([page(2, outcome=PageOutcome.HANDED_ON, fingerprint="new", token=2)])
    assert await texts(again) == ["old 1", "new 2"]


async def test_a_retry_in_the_same_run_takes_the_pages_that_were_read_however_often() -> None:
    it = await partial_document()
    for token in (2, 3):
        assert [summary.page_number for summary in await it.open_document(A)] == [1]
        await it.record([page(2, outcome=PageOutcome.FAILED, token=token)])
        await it.close_document(A, DocumentOutcome.PARTIAL)
    await it.open_document(A)
    await it.record([page(2, fingerprint="new", token=4)])
    assert await texts(it) == ["old 1", "new 2"]
    await it.close_document(A, DocumentOutcome.COMPLETE)
    assert segments() == []
    assert await it.open_document(A) == ()


async def test_the_segments_of_a_partial_document_are_read_once() -> None:
    await partial_document()
    read: list[str] = []
    again = ledger("two", faults=lambda operation, name: read.append(name) if operation == "read" else None)
    read.clear()
    await asyncio.gather(*(again.open_document(A) for _ in range(5)))
    await again.open_document(A)
    assert sorted(read) == segments()


async def test_a_retry_that_storage_was_unavailable_for_can_be_started_again() -> None:
    await partial_document()
    away = False

    def faults(operation: str, name: str) -> None:
        if away and operation == "read":
            raise StorageUnavailable("503")

    again = ledger("two", faults=faults)
    away = True
    with pytest.raises(StorageUnavailable):
        await again.open_document(A)
    away = False
    assert len(await again.open_document(A)) == 1


async def test_an_overwriting_run_takes_nothing_of_a_partial_document() -> None:
    await partial_document()
    again = ledger("two")
    assert await again.open_document(A, "old") == ()
    await again.record([page(1, fingerprint="new", token=2)])
    assert await texts(again) == ["new 1"]


@pytest.mark.parametrize("whose", ["ours", "theirs"])
async def test_pages_of_a_partial_document_whose_segments_are_merged_meanwhile_are_found(whose: str) -> None:
    earlier = ledger("one")
    for number in range(1, 21):
        await earlier.record([page(number)])
    finish(A, partial=True)
    merged = asyncio.Event()
    loop = asyncio.get_running_loop()
    gone = segments()[3]
    compacting: list[asyncio.Task[int]] = []

    def faults(operation: str, name: str) -> None:
        if operation == "read" and name == gone and armed and not compacting:

            async def compact() -> None:
                it = again if whose == "ours" else other
                compacting.append(asyncio.create_task(it.compact([])))
                await compacting[0]
                merged.set()

            asyncio.run_coroutine_threadsafe(compact(), loop).result(300)

    armed = False
    again, other = ledger("two", faults=faults), ledger("three")
    armed = True
    assert [summary.page_number for summary in await again.open_document(A)] == list(range(1, 21))
    assert merged.is_set()
    assert len(segments()) == 1


# -- the ledger is killed -----------------------------------------------------------------------------------------------------


async def test_a_ledger_that_is_killed_in_a_retry_knows_every_page_of_it() -> None:
    await partial_document()
    killed = ledger("two")
    await killed.open_document(A)
    await killed.record([page(2, fingerprint="new", token=2)])
    assert await texts(ledger("two")) == ["old 1", "new 2"]
    assert [summary.page_number for summary in await ledger("two").open_document(A)] == [1, 2]


async def test_a_ledger_that_is_killed_while_a_partial_document_is_finished_knows_its_failures_of_earlier_runs() -> None:
    await partial_document()
    outcomes = [record.outcome for record in await ledger("two").texts(A, 1, 2)]
    assert outcomes == [PageOutcome.DONE, PageOutcome.FAILED]


async def test_a_ledger_that_is_killed_in_an_overwriting_run_knows_what_it_had_acknowledged() -> None:
    finish(A)
    await ledger("two").record([page(1, fingerprint="new", token=2), page(2, fingerprint="new", token=2)])
    after = ledger("two")
    assert await texts(after) == ["new 1", "new 2"]
    assert [summary.page_number for summary in await after.open_document(A, "new")] == [1, 2]
    await after.compact([])
    assert len(segments()) == 1
    await after.close_document(A, DocumentOutcome.COMPLETE)
    assert segments() == []


# -- another run tidies up ----------------------------------------------------------------------------------------------------


async def test_pages_that_a_live_run_overwrites_are_not_deleted_by_another() -> None:
    finish(A)
    finish(B)
    await ledger("overwriting").record([page(1, fingerprint="new", token=2)])
    await ledger("dead").record([page(1, B)])
    second = ledger("second")
    assert await second.other_runs() == ("dead", "overwriting"), "their leases are requested"
    assert await second.compact(["overwriting"]) == 1
    assert [run_id_of(name) for name in segments()] == ["overwriting"]


def test_a_document_s_segments_follow_where_they_are_written_anew() -> None:
    table = SegmentTable()
    table.add("2", [A])
    table.add("1", [A, B])
    assert (table.of(A), table.of(B), table.of("c")) == (["1", "2"], ["1"], [])
    table.replace(["1", "2"], by="3")
    assert table.of(A) == table.of(B) == ["3"]
    table.finish(A)
    assert table.of(A) == []


async def test_a_retry_asks_everybody_anew_for_a_page_that_had_been_asked_for_without_result() -> None:
    it = ledger("one")
    await it.record([page(1)])
    await it.record([page(2, outcome=PageOutcome.HANDED_ON)])
    await it.record([page(2, outcome=PageOutcome.FAILED)])
    finish(A, partial=True)
    again = ledger("two")
    assert [found.page_number for found in await again.open_document(A)] == [1]
