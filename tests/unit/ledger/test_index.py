"""The index: idempotent on (document_id, page_number), the same in any order of arrival, and bounded in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rayocr.errors import StorageUnavailable
from rayocr.ledger.index import LedgerIndex
from rayocr.ledger.spill import SpillFile
from rayocr.messages import Attempt, PageOutcome, PageRecord

A, B = "a1" * 16, "b2" * 16

# A page has only one content under one lease at one step of the chain, so these values determine the content.
ranks = st.tuples(
    st.sampled_from([A, B]), st.integers(1, 3), st.booleans(), st.integers(0, 3), st.integers(0, 2), st.sampled_from(["f", "g"])
)


def record_of(rank: tuple[str, int, bool, int, int, str]) -> PageRecord:
    document_id, page_number, final, token, step, fingerprint = rank
    outcome = (
        (PageOutcome.DONE, PageOutcome.FAILED, PageOutcome.FALLBACK, PageOutcome.BLANK)[token] if final else PageOutcome.HANDED_ON
    )
    return page(
        document_id,
        page_number,
        outcome=outcome,
        fencing_token=token,
        next_engine=0 if final else step,
        fingerprint="f" if final else fingerprint,
        text=f"{final} {token} {step}" if not final else f"{final} {token}",
    )


def page(document_id: str = A, page_number: int = 1, **changes: Any) -> PageRecord:
    values: dict[str, Any] = {"outcome": PageOutcome.DONE, "text": f"text of page {page_number}", "engine": "gemini"}
    return PageRecord(document_id=document_id, page_number=page_number, **(values | changes))


def state(index: LedgerIndex) -> dict[str, tuple[PageRecord, ...]]:
    return {document_id: index.texts(document_id, 1, 10) for document_id in sorted(index.document_ids())}


def filled(records: list[PageRecord], **options: Any) -> LedgerIndex:
    index = LedgerIndex(**options)
    for record in records:
        index.add(record)
    return index


@given(st.lists(ranks, max_size=12))
def test_recording_everything_again_changes_nothing(arrivals: list[tuple[str, int, bool, int, int, str]]) -> None:
    records = [record_of(rank) for rank in arrivals]
    index = filled(records)
    before = state(index)
    assert not any(index.add(record) for records_again in (records, records[::-1]) for record in records_again)
    assert state(index) == before


@given(st.lists(ranks, max_size=12), st.randoms(use_true_random=False))
def test_what_is_final_does_not_depend_on_the_order_of_arrival(
    arrivals: list[tuple[str, int, bool, int, int, str]], order: Any
) -> None:
    records = [record_of(rank) for rank in arrivals]
    shuffled = order.sample(records, len(records))
    one, other = state(filled(records)), state(filled(shuffled))

    def outcomes(of: dict[str, tuple[PageRecord, ...]]) -> list[tuple[str, int, bool]]:
        return [(i, r.page_number, r.outcome.final) for i, pages in of.items() for r in pages]

    assert outcomes(one) == outcomes(other)


@given(st.lists(ranks, max_size=12), st.integers(0, 400))
def test_spilling_makes_no_difference_to_what_is_read(
    arrivals: list[tuple[str, int, bool, int, int, str]], memory_bytes: int
) -> None:
    records = [record_of(rank) for rank in arrivals]
    index = filled(records, memory_bytes=memory_bytes)
    assert state(index) == state(filled(records))
    assert index.memory_bytes <= max(memory_bytes, 0)
    for document_id in (A, B):
        index.drop(document_id)
    assert (index.page_count, index.memory_bytes, index.spilled_bytes) == (0, 0, 0)


READ, FAILED, ON = PageOutcome.DONE, PageOutcome.FAILED, PageOutcome.HANDED_ON


@pytest.mark.parametrize(
    ("old", "new", "replaced"),
    [
        (page(outcome=ON, fencing_token=9), page(outcome=READ, fencing_token=1), True),
        (page(outcome=READ, fencing_token=1), page(outcome=ON, fencing_token=9), False),
        (page(outcome=ON, next_engine=1), page(outcome=ON, next_engine=2), True),
        (page(outcome=ON, next_engine=2), page(outcome=ON, next_engine=1), False),
        (page(outcome=ON, next_engine=2, fencing_token=1), page(outcome=ON, next_engine=1, fencing_token=2), True),
        (page(outcome=READ), page(outcome=READ, text="a duplicate"), False),
        (page(outcome=READ), page(outcome=FAILED), False),
        (page(outcome=FAILED), page(outcome=READ), False),
        (page(outcome=READ, fencing_token=1), page(outcome=READ, fencing_token=2, text="later"), True),
        (page(outcome=READ, fencing_token=2), page(outcome=READ, fencing_token=1, text="a zombie's"), False),
        (page(outcome=FAILED, fencing_token=1), page(outcome=READ, fencing_token=2), True),
        (page(outcome=FAILED, fencing_token=2), page(outcome=READ, fencing_token=1), True),
        (page(outcome=READ, fencing_token=1), page(outcome=FAILED, fencing_token=2), False),
        (page(outcome=READ, fencing_token=1), page(outcome=FAILED, fencing_token=2, fingerprint="other settings"), True),
    ],
)
def test_which_of_two_records_of_a_page_stays(old: PageRecord, new: PageRecord, replaced: bool) -> None:
    index = LedgerIndex()
    assert index.add(old)
    assert index.add(new) is replaced
    assert index.texts(A, 1, 1) == ((new if replaced else old),)
    assert index.page_count == 1


def test_pages_come_in_order_without_text_and_by_fingerprint() -> None:
    index = filled([page(page_number=n, fingerprint="new" if n % 2 else "old") for n in (5, 3, 1, 2, 4)])
    assert [summary.page_number for summary in index.pages(A)] == [1, 2, 3, 4, 5]
    assert index.pages(A)[0] == page(page_number=1, fingerprint="new").summary
    assert [summary.page_number for summary in index.pages(A, fingerprint="new")] == [1, 3, 5]
    assert index.pages(B) == index.texts(B, 1, 5) == ()


def test_texts_are_those_of_the_run_of_pages_that_is_asked_for() -> None:
    index = filled([page(page_number=n) for n in (1, 2, 4, 5)])
    assert [record.text for record in index.texts(A, 2, 4)] == ["text of page 2", "text of page 4"]


def test_dropping_a_document_forgets_it_alone_and_may_be_repeated() -> None:
    index = filled([page(A), page(B)])
    index.drop(A)
    index.drop(A)
    assert index.document_ids() == (B,)
    assert index.page_count == 1
    assert index.add(page(A))


def test_memory_stays_bounded_and_spilled_space_is_given_back() -> None:
    index = LedgerIndex(memory_bytes=100_000)
    for number in range(1, 1001):
        index.add(page(page_number=number, text=f"{number}" * 500, document_id=A if number % 2 else B))
    assert index.memory_bytes <= 100_000
    assert index.spilled_bytes > 500_000
    assert index.texts(B, 1000, 1000)[0].text == "1000" * 500
    index.drop(A)
    assert index.texts(B, 998, 998)[0].text == "998" * 500
    index.drop(B)
    assert (index.spilled_bytes, index.memory_bytes) == (0, 0)


def test_a_full_local_disk_keeps_texts_in_memory_since_their_pages_are_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.pwrite", full)
    index = filled([page(text="kept")], memory_bytes=0)
    assert index.texts(A, 1, 1)[0].text == "kept"
    assert index.memory_bytes > 0


def test_a_local_disk_that_fails_is_one_of_our_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    index = filled([page()], memory_bytes=0)

    def broken(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("os.pread", broken)
    with pytest.raises(StorageUnavailable, match="local disk"):
        index.texts(A, 1, 1)


# -- the spill file -----------------------------------------------------------------------------------------------------------


def test_a_spill_file_has_no_name(tmp_path: Path) -> None:
    spill = SpillFile(str(tmp_path))
    spill.append(b"text")
    assert list(tmp_path.iterdir()) == []


@given(st.lists(st.tuples(st.binary(max_size=30), st.booleans()), max_size=60))
def test_what_is_live_can_be_read_after_any_rewriting(steps: list[tuple[bytes, bool]]) -> None:
    spill = SpillFile(rewrite_bytes=40)
    live = []
    for data, free_oldest in steps:
        live.append((spill.append(data), data))
        if free_oldest:
            for extent, _ in live[: len(live) // 2 + 1]:
                spill.free(extent)
                spill.free(extent)
            del live[: len(live) // 2 + 1]
        assert [spill.read(extent) for extent, _ in live] == [data for _, data in live]
        assert spill.live_bytes == sum(len(data) for _, data in live)
    assert spill.size_bytes <= 40 or spill.live_bytes >= 0.25 * spill.size_bytes - 30
    for extent, _ in live:
        spill.free(extent)
    assert spill.size_bytes == 0


def test_an_extent_that_is_not_there_is_an_error_and_not_a_short_text() -> None:
    spill = SpillFile()
    extent = spill.append(b"text")
    extent.length = 10
    with pytest.raises(OSError, match="lost 6 bytes"):
        spill.read(extent)


def test_of_two_interim_records_the_one_with_more_attempts_stays() -> None:
    once = (Attempt(engine="gemini", reason="Refused", model="a"),)
    first = page(outcome=PageOutcome.HANDED_ON, text="", attempts=once)
    second = page(outcome=PageOutcome.HANDED_ON, text="", attempts=once * 2)
    for arrivals in ([first, second], [second, first]):
        (kept,) = filled(arrivals).pages(A)
        assert len(kept.attempts) == 2


def test_a_doubtful_text_stays_while_others_are_asked_and_goes_when_one_does_better() -> None:
    doubtful = page(outcome=PageOutcome.HANDED_ON, text="perhaps", engine="rapidocr", doubts=("low_confidence",), next_engine=1)
    asked = page(outcome=PageOutcome.HANDED_ON, text="", attempts=(Attempt(engine="gemini", reason="Refused"),), next_engine=1)
    index = filled([doubtful, asked])
    (kept,) = index.texts(A, 1, 1)
    assert (kept.text, kept.engine, kept.doubts, kept.attempts) == ("perhaps", "rapidocr", ("low_confidence",), asked.attempts)
    index.add(page(text="for certain"))
    (kept,) = index.texts(A, 1, 1)
    assert (kept.text, kept.doubts) == ("for certain", ())


def test_an_interim_record_gives_way_to_the_page_whatever_comes_later() -> None:
    interim = page(
        outcome=PageOutcome.HANDED_ON, text="", attempts=(Attempt(engine="gemini", reason="Refused"),), fencing_token=9
    )
    for arrivals in ([interim, page()], [page(), interim]):
        (kept,) = filled(arrivals).pages(A)
        assert kept.outcome is PageOutcome.DONE
