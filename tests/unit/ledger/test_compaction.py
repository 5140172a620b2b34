"""Compaction never loses a needed record, no matter when it is killed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rayocr.ledger.compaction import CompactionPlan, SegmentFacts, apply_plan, is_needed, plan_compaction
from rayocr.messages import DocumentOutcome, PageOutcome, PageRecord

COMPLETE, PARTIAL, REJECTED = DocumentOutcome.COMPLETE, DocumentOutcome.PARTIAL, DocumentOutcome.REJECTED
FINISHED = {"complete": COMPLETE, "partial": PARTIAL, "rejected": REJECTED}


def facts(name: str, run_id: str = "old", size_bytes: int = 1 << 20, damaged: bool = False, **documents: int) -> SegmentFacts:
    return SegmentFacts(name=name, run_id=run_id, size_bytes=size_bytes, documents=documents, damaged=damaged)


def plan(*segments: SegmentFacts, **options: Any) -> CompactionPlan:
    return plan_compaction(segments, finished=FINISHED, **options)


def test_segments_of_complete_and_rejected_documents_go() -> None:
    assert plan(facts("a", complete=5, rejected=2), facts("b", open=5), facts("c", partial=5)).delete == ("a",)


def test_records_of_partial_documents_are_kept_for_a_retry() -> None:
    assert is_needed("partial", FINISHED)
    (merge,) = plan(facts("a", complete=9, partial=1)).merges
    assert merge.documents == {"partial"}


def test_a_segment_that_is_mostly_needed_is_left_alone() -> None:
    assert plan(facts("a", complete=5, open=6)) == CompactionPlan(delete=(), merges=())


def test_a_run_that_may_be_alive_is_never_rewritten_and_its_dead_segments_may_go() -> None:
    segments = [facts("a", "live", complete=9, open=1), facts("b", "live", complete=9), facts("c", "dead", complete=9, open=1)]
    planned = plan(*segments, live_runs={"live"})
    assert planned.delete == ("b",)
    assert [merge.sources for merge in planned.merges] == [("c",)]


def test_damaged_segments_are_left_as_the_only_witness() -> None:
    assert plan(facts("a", damaged=True, complete=9), facts("b", damaged=True, complete=9, open=1), facts("c")) == CompactionPlan(
        delete=(), merges=()
    )


def test_many_small_segments_become_one_and_a_few_do_not() -> None:
    small = [facts(f"{i:02d}", size_bytes=1000, open=1) for i in range(20)]
    assert [merge.sources for merge in plan(*small).merges] == [tuple(segment.name for segment in small)]
    assert plan(*small[:10]).merges == ()


def test_new_segments_are_bounded_in_size() -> None:
    merges = plan(*[facts(f"{i:02d}", size_bytes=10 << 20, complete=6, open=4) for i in range(10)]).merges
    assert [len(merge.sources) for merge in merges] == [2] * 5


def test_documents_of_another_run_that_finish_meanwhile_do_no_harm() -> None:
    storage = {"a": [record("complete"), record("open")]}
    planned = plan(facts("a", complete=2, open=1))
    apply_plan(
        planned,
        read=storage.__getitem__,
        write=lambda records: storage.setdefault("new", list(records)) and "new",
        delete=storage.pop,
    )
    assert storage == {"new": [record("open")]}


def record(document_id: str, page_number: int = 1) -> PageRecord:
    return PageRecord(document_id=document_id, page_number=page_number, outcome=PageOutcome.DONE)


class Killed(Exception):
    pass


@given(
    st.dictionaries(
        st.text("abc", min_size=1, max_size=3),
        st.lists(
            st.tuples(st.sampled_from(["complete", "partial", "rejected", "open", "open too"]), st.integers(1, 9)), max_size=12
        ),
        max_size=25,
    ),
    st.integers(0, 40),
)
def test_killed_at_any_step_every_needed_record_is_on_storage(contents: dict[str, list[tuple[str, int]]], steps: int) -> None:
    storage = {name: [record(document_id, page) for document_id, page in pages] for name, pages in contents.items()}
    needed = {r.document_id: {} for pages in storage.values() for r in pages if is_needed(r.document_id, FINISHED)}
    segments = [
        SegmentFacts(
            name=name,
            run_id="old",
            size_bytes=1000,
            documents={d: sum(r.document_id == d for r in pages) for d in {r.document_id for r in pages}},
        )
        for name, pages in storage.items()
    ]

    def present() -> set[PageRecord]:
        return {r for pages in storage.values() for r in pages if r.document_id in needed}

    before = present()
    left = steps

    def step() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed

    def write(records: Any) -> str:
        step()
        name = f"new {len(storage)} {left}"
        storage[name] = list(records)
        return name

    def delete(name: str) -> None:
        step()
        del storage[name]

    try:
        apply_plan(plan_compaction(segments, finished=FINISHED), read=lambda name: storage[name], write=write, delete=delete)
    except Killed:
        pass
    assert present() == before


def test_a_merge_that_cannot_be_written_deletes_nothing() -> None:
    def refuse(_: Any) -> str:
        raise OSError("full")

    deleted: list[str] = []
    with pytest.raises(OSError, match="full"):
        apply_plan(plan(facts("a", complete=9, open=1)), read=lambda _: [record("open")], write=refuse, delete=deleted.append)
    assert deleted == []
