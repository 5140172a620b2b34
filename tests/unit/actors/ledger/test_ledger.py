"""Acknowledged pages are durable, and durable pages are never paid for again."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rayocr.actors.ledger.actor import Ledger
from rayocr.actors.ledger.other_runs import OtherRuns
from rayocr.actors.ledger.survey import survey
from rayocr.errors import StorageError, StorageFull, StorageUnavailable
from rayocr.ledger.manifest import manifest_name
from rayocr.ledger.segment import LEDGER_PREFIX, decode_segment
from rayocr.messages import DocumentOutcome, PageOutcome, PageRecord
from rayocr.observe.dead_letters import dead_letter_name
from rayocr.retry import RetryPolicy
from rayocr.storage.memory import MemoryStorage
from tests.unit.settled import settled
from tests.unit.virtual_time import until

A, B = "a" * 32, "b" * 32


@pytest.fixture(autouse=True)
def empty_state() -> Iterator[None]:
    MemoryStorage("ledger").clear()
    yield
    MemoryStorage("ledger").clear()


def page(number: int, document_id: str = A, *, text: str | None = None, outcome: PageOutcome = PageOutcome.DONE) -> PageRecord:
    return PageRecord(
        document_id=document_id, page_number=number, outcome=outcome, text=text or f"text {number}", engine="e", fingerprint="f"
    )


def ledger(
    *,
    run_id: str = "run",
    faults: Callable[[str, str], None] | None = None,
    interval_s: float = 0.0,
    clock: Callable[[], float] | None = None,
) -> Ledger:
    return Ledger(
        MemoryStorage("ledger", faults=faults),
        run_id=run_id,
        flush_interval_s=interval_s,
        flush_bytes=1 << 20,
        memory_bytes=1 << 20,
        policy=RetryPolicy(max_attempts=3, base_s=0.0, cap_s=0.0),
        **({"clock": clock} if clock else {}),
    )


def segments() -> list[str]:
    return [entry.name for entry in MemoryStorage("ledger").list(LEDGER_PREFIX)]


def stored() -> list[tuple[str, int]]:
    state = MemoryStorage("ledger")
    return sorted((r.document_id, r.page_number) for n in segments() for r in decode_segment(n, state.read(n)).records)


async def test_an_acknowledged_page_is_on_storage() -> None:
    await ledger().record([page(1), page(2)])
    assert stored() == [(A, 1), (A, 2)]


async def test_nothing_is_acknowledged_before_the_write_has_returned() -> None:
    started, gate = threading.Event(), threading.Event()

    def slow(operation: str, name: str) -> None:
        if operation == "write":
            started.set()
            assert gate.wait(300)

    recording = asyncio.create_task(ledger(faults=slow).record([page(1)]))
    await until(started.is_set)
    await settled()
    assert not recording.done()
    gate.set()
    await recording


async def test_a_new_ledger_knows_what_the_killed_one_had_acknowledged() -> None:
    await ledger().record([page(1), page(2, B)])
    after = ledger()
    assert after.page_count == 2
    assert [s.page_number for s in await after.open_document(A)] == [1]
    assert [r.text for r in await after.texts(B, 1, 9)] == ["text 2"]


async def test_a_new_ledger_of_the_same_run_overwrites_no_segment() -> None:
    await ledger().record([page(1)])
    await ledger().record([page(2)])
    assert (len(segments()), stored()) == (2, [(A, 1), (A, 2)])


async def test_two_runs_write_segments_of_their_own() -> None:
    await asyncio.gather(ledger(run_id="one").record([page(1)]), ledger(run_id="two").record([page(2)]))
    assert len({name.split("/")[2] for name in segments()}) == 2


async def test_pages_that_arrive_together_go_into_one_segment() -> None:
    it = ledger()
    await asyncio.gather(*(it.record([page(n)]) for n in range(1, 51)))
    assert len(segments()) == 1
    assert len(stored()) == 50


async def test_pages_that_arrive_during_a_write_share_the_next_segment() -> None:
    started, gate = threading.Event(), threading.Event()

    def slow(operation: str, name: str) -> None:
        if operation == "write":
            started.set()
            assert gate.wait(300)

    it = ledger(faults=slow)
    first = asyncio.create_task(it.record([page(1)]))
    await until(started.is_set)
    others = [asyncio.create_task(it.record([page(n)])) for n in range(2, 12)]
    await settled()
    gate.set()
    await asyncio.gather(first, *others)
    assert len(segments()) == 2


async def test_recording_a_page_twice_leaves_it_once() -> None:
    it = ledger()
    await it.record([page(1)])
    await it.record([page(1)])
    assert [r.page_number for r in await it.texts(A, 1, 9)] == [1]
    assert len(await ledger().open_document(A)) == 1


async def test_a_write_that_is_briefly_unavailable_is_repeated() -> None:
    errors = [StorageUnavailable("503"), StorageUnavailable("503")]

    def faults(operation: str, name: str) -> None:
        if operation == "write" and errors:
            raise errors.pop()

    await ledger(faults=faults).record([page(1)])
    assert stored() == [(A, 1)]


async def test_a_write_whose_answer_was_lost_leaves_every_page_once_in_the_index() -> None:
    errors = [StorageUnavailable("reset")]

    def faults(operation: str, name: str) -> None:
        if operation == "written" and errors:
            raise errors.pop()

    it = ledger(faults=faults)
    await it.record([page(1)])
    assert [r.page_number for r in await it.texts(A, 1, 9)] == [1]
    assert [r.page_number for r in await ledger().texts(A, 1, 9)] == [1]


@pytest.mark.parametrize("error", [StorageFull("full"), RuntimeError("defect")])
async def test_a_failed_write_acknowledges_nothing_and_the_ledger_lives_on(error: Exception) -> None:
    errors = [error]

    def faults(operation: str, name: str) -> None:
        if operation == "write" and errors:
            raise errors.pop()

    it = ledger(faults=faults)
    with pytest.raises(StorageError):
        await it.record([page(1)])
    assert await it.open_document(A) == ()
    await it.record([page(1)])
    assert stored() == [(A, 1)]


async def test_a_damaged_segment_is_reported_and_the_others_count() -> None:
    await ledger(run_id="one").record([page(1)])
    await ledger(run_id="two").record([page(2)])
    state = MemoryStorage("ledger")
    name = next(n for n in segments() if "/one/" in n)
    state.write(name, state.read(name)[:-10])
    after = ledger(run_id="three")
    assert 2 in {s.page_number for s in await after.open_document(A)}
    assert (await after.close()).damaged_segments == (name,)
    assert name in segments(), "damaged segments are not deleted"


async def test_pages_of_finished_documents_cost_nothing_at_the_next_start() -> None:
    await ledger(run_id="one").record([page(1)])
    await ledger(run_id="two").record([page(1, B)])
    MemoryStorage("ledger").write(manifest_name(A), b"{}")
    after = ledger(run_id="three")
    assert after.page_count == 1
    await after.compact([])
    assert [name.split("/")[2] for name in segments()] == ["two"]


async def test_a_segment_with_pages_of_an_unfinished_document_stays() -> None:
    await ledger().record([page(1), page(1, B)])
    MemoryStorage("ledger").write(manifest_name(A), b"{}")
    assert len(await ledger(run_id="next").open_document(B)) == 1
    assert len(segments()) == 1


async def test_pages_of_partial_documents_are_kept_for_a_retry() -> None:
    it = ledger(run_id="one")
    await it.record([page(1), page(2, outcome=PageOutcome.FAILED)])
    state = MemoryStorage("ledger")
    state.write(dead_letter_name(A), b"{}")
    state.write(manifest_name(A), b"{}")
    await it.close_document(A, DocumentOutcome.PARTIAL)
    ledger(run_id="two")
    assert stored() == [(A, 1), (A, 2)]


async def test_segments_are_deleted_when_all_their_documents_are_complete() -> None:
    it = ledger()
    await it.record([page(1), page(1, B)])
    await it.close_document(A, DocumentOutcome.COMPLETE)
    assert len(segments()) == 1
    await it.close_document(B, DocumentOutcome.COMPLETE)
    assert segments() == []
    assert await it.open_document(A) == ()


async def test_pages_made_with_other_settings_are_not_offered() -> None:
    it = ledger()
    await it.record([page(1)])
    assert len(await it.open_document(A, "f")) == 1
    assert await it.open_document(A, "other settings") == ()


async def test_a_final_record_replaces_one_that_was_handed_on_and_not_the_other_way_round() -> None:
    it = ledger()
    await it.record([page(1, outcome=PageOutcome.HANDED_ON)])
    await it.record([page(1, text="final")])
    await it.record([page(1, outcome=PageOutcome.HANDED_ON)])
    assert [r.text for r in await it.texts(A, 1, 1)] == ["final"]


async def test_closing_flushes_what_waits() -> None:
    it = ledger(interval_s=3600)
    await it.record([page(1)])  # after a time without pages, the first one does not wait
    waiting = asyncio.create_task(it.record([page(2)]))
    await asyncio.sleep(0)
    await it.close()
    await waiting
    assert stored() == [(A, 1), (A, 2)]
    assert (await it.state()).segments == len(segments())


# -- other runs -------------------------------------------------------------------------------------------------------------


async def test_pages_that_another_run_recorded_meanwhile_come_with_the_document_that_is_taken_over() -> None:
    ours, theirs = ledger(run_id="ours"), ledger(run_id="theirs")
    await theirs.record([page(1), page(2), page(1, B)])
    assert [summary.page_number for summary in await ours.open_document(A)] == [1, 2]
    assert [record.text for record in await ours.texts(A, 1, 2)] == ["text 1", "text 2"]
    await theirs.record([page(3)])
    assert [summary.page_number for summary in await ours.open_document(A)] == [1, 2, 3]


async def test_documents_of_other_runs_take_no_memory_until_they_are_taken_over() -> None:
    ours, theirs = ledger(run_id="ours"), ledger(run_id="theirs")
    await theirs.record([page(number, B) for number in range(1, 50)])
    assert await ours.open_document(A) == ()
    assert ours._index.page_count == 0
    assert len(await ours.open_document(B)) == 49


async def test_segments_that_another_run_deleted_are_forgotten() -> None:
    ours, theirs = ledger(run_id="ours"), ledger(run_id="theirs")
    await theirs.record([page(1, B)])
    await ours.open_document(A)
    await theirs.close_document(B, DocumentOutcome.COMPLETE)
    assert await ours.open_document(B) == ()
    assert not ours._others._names
    assert not ours._others._documents


async def test_those_who_ask_together_share_a_listing() -> None:
    listings = []

    def count(operation: str, name: str) -> None:
        if operation == "list":
            listings.append(name)

    ours = ledger(run_id="ours", faults=count)
    listings.clear()
    await asyncio.gather(*(ours.open_document(f"{number:032}") for number in range(50)))
    assert len(listings) <= 2


async def test_a_damaged_segment_of_another_run_is_reported_once() -> None:
    ours = ledger(run_id="ours")
    MemoryStorage("ledger").write(f"{LEDGER_PREFIX}theirs/00000000.jsonl.zst", b"torn")
    await ours.open_document(A)
    await ours.open_document(B)
    assert (await ours.close()).damaged_segments == (f"{LEDGER_PREFIX}theirs/00000000.jsonl.zst",)


async def test_storage_that_is_unavailable_is_reported_to_the_caller_that_opens_a_document() -> None:
    away = False

    def fault(operation: str, name: str) -> None:
        if away:
            raise StorageUnavailable("503")

    ours = ledger(run_id="ours", faults=fault)
    away = True
    with pytest.raises(StorageUnavailable):
        await ours.open_document(A)
    away = False
    assert await ours.open_document(A) == ()


# -- compaction ---------------------------------------------------------------------------------------------------------------


async def many_small_segments(run_id: str = "dead", count: int = 20) -> None:
    earlier = ledger(run_id=run_id)
    for number in range(1, count + 1):
        await earlier.record([page(number)])


async def test_small_segments_of_a_dead_run_become_one_and_every_page_stays() -> None:
    await many_small_segments()
    ours = ledger(run_id="ours")
    assert await ours.other_runs() == ("dead",)
    assert await ours.compact([]) == 20
    assert len(segments()) == 1
    assert [number for _, number in stored()] == list(range(1, 21))
    await ours.close_document(A, DocumentOutcome.COMPLETE)
    assert segments() == []


async def test_segments_of_a_run_that_is_alive_are_left_alone() -> None:
    await many_small_segments()
    assert await ledger(run_id="ours").compact(["dead"]) == 0
    assert len(segments()) == 20


async def test_pages_are_recorded_while_old_segments_are_merged() -> None:
    await many_small_segments()
    ours = ledger(run_id="ours")
    await asyncio.gather(ours.compact([]), *(ours.record([page(100 + number)]) for number in range(10)))
    assert [number for _, number in stored()] == [*range(1, 21), *range(100, 110)]


async def test_a_document_that_is_finished_while_its_segments_are_merged_leaves_nothing() -> None:
    await many_small_segments()
    ours = ledger(run_id="ours")
    compacting = asyncio.create_task(ours.compact([]))
    await asyncio.sleep(0)
    await ours.close_document(A, DocumentOutcome.COMPLETE)
    await compacting
    assert segments() == []


async def test_a_segment_that_turns_out_damaged_keeps_its_neighbours_from_being_merged() -> None:
    await many_small_segments()
    ours = ledger(run_id="ours")
    state = MemoryStorage("ledger")
    data = state.read(segments()[7])
    state.write(segments()[7], data[:-9])
    assert await ours.compact([]) == 0
    assert len(segments()) == 20


async def test_a_storage_that_fails_meanwhile_costs_nothing() -> None:
    await many_small_segments()

    def full(operation: str, name: str) -> None:
        if operation == "write":
            raise StorageError("full")

    assert await ledger(run_id="ours", faults=full).compact([]) == 0
    assert len(segments()) == 20


async def test_pages_that_another_run_merges_meanwhile_are_found_where_they_went() -> None:
    ours = ledger(run_id="ours")
    await many_small_segments()
    theirs = ledger(run_id="theirs")
    once = iter([True])
    read = OtherRuns._read

    def merged_in_between(self: OtherRuns, name: str) -> Any:
        if (
            threading.current_thread() is not threading.main_thread()
            and name.endswith("00000003.jsonl.zst")
            and next(once, False)
        ):
            asyncio.run(theirs.compact([]))
        return read(self, name)

    with pytest.MonkeyPatch.context() as patch:
        await ours._others.records_of("nobody's")  # this call finds the other runs
        patch.setattr(OtherRuns, "_read", merged_in_between)
        assert [s.page_number for s in await ours.open_document(A)] == list(range(1, 21))
    assert next(once, None) is None
    assert len(segments()) == 1


# -- what a start costs -------------------------------------------------------------------------------------------------------


async def test_segments_of_finished_documents_are_not_read_at_a_start() -> None:
    earlier = ledger()
    text = "".join(f"{number:x}" for number in range(100_000))
    await earlier.record([page(1, text=text)])
    await earlier.record([page(1, B, text=text)])
    MemoryStorage("ledger").write(manifest_name(A), b"{}")
    names = segments()
    whole: list[str] = []

    class Watched(MemoryStorage):
        def read(self, name: str, *, start: int = 0, length: int | None = None, version: str | None = None) -> bytes:
            if length is None:
                whole.append(name)
            return super().read(name, start=start, length=length, version=version)

    start = survey(Watched("ledger"), policy=RetryPolicy(max_attempts=1, base_s=0, cap_s=0))
    assert whole == []
    assert start.dead == names[:1]
    assert [segment.name for segment in start.live] == names[1:]


async def test_a_thousand_documents_are_looked_up_in_a_listing_instead_of_one_by_one() -> None:
    earlier = ledger()
    ids = [f"{number:064x}" for number in range(1500)]
    await earlier.record([page(1, document_id) for document_id in ids])
    for document_id in ids[:700]:
        MemoryStorage("ledger").write(manifest_name(document_id), b"{}")
    asked: list[str] = []
    state = MemoryStorage("ledger", faults=lambda operation, name: asked.append(operation))
    start = survey(state, policy=RetryPolicy(max_attempts=1, base_s=0, cap_s=0))
    assert len(start.finished) == 700
    assert asked.count("stat") == 700  # for their dead letters
