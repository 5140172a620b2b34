"""Identical pages: one is sent, its duplicates get its answer, and a duplicate of a failure is sent after all."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from rayocr.actors.page_worker.page_dedup import PageDeduplicator
from rayocr.ledger.copies import PageDuplicates
from rayocr.messages import PageOutcome, PageRecord
from tests.unit.settled import settled


def page(content_hash: str = "h", **changes: object) -> PageRecord:
    values = {"outcome": PageOutcome.DONE, "text": "text", "engine": "gemini", "content_hash": content_hash, "fingerprint": "f"}
    return PageRecord(document_id="d", page_number=1, **(values | changes))  # type: ignore[arg-type]


class FakeLedger:
    def __init__(self, *records: PageRecord) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.failing = False
        self._copies = PageDuplicates(memory_bytes=1 << 20)
        for record in records:
            self._copies.add(record)

    async def copies(self, fingerprint: str, content_hashes: Sequence[str]) -> tuple[PageRecord | None, ...]:
        self.calls.append(tuple(content_hashes))
        if self.failing:
            raise ConnectionError("the ledger restarts")
        return tuple(self._copies.get(fingerprint, content_hash) for content_hash in content_hashes)


def dedup(ledger: FakeLedger) -> PageDeduplicator:
    return PageDeduplicator(ledger, fingerprint="f", linger_s=0.0)


async def duplicate_of_one_in_progress(pages: PageDeduplicator) -> asyncio.Task[PageRecord | None]:
    assert await pages.claim("h") is None
    waiting = asyncio.create_task(pages.claim("h"))
    await settled()
    return waiting


async def test_pages_that_start_together_are_asked_about_in_one_call() -> None:
    ledger = FakeLedger(page("known"))
    found = await asyncio.gather(*(asked.claim(name) for asked in [dedup(ledger)] for name in ("known", "a", "b")))
    assert [record is not None for record in found] == [True, False, False]
    assert ledger.calls == [("known", "a", "b")]


async def test_a_duplicate_waits_for_the_page_in_progress() -> None:
    pages = dedup(FakeLedger())
    waiting = await duplicate_of_one_in_progress(pages)
    assert not waiting.done()
    pages.release("h", page())
    assert await waiting == page()


async def test_a_page_answers_for_its_duplicates_until_the_ledger_does() -> None:
    """A page becomes durable some time after it was read; a duplicate that arrived in between used to be sent again."""
    ledger = FakeLedger()
    pages = dedup(ledger)
    assert await pages.claim("h") is None
    pages.release("h", page())
    assert await pages.claim("h") == page()
    assert ledger.calls == [("h",)]
    pages.forget("h")
    assert await pages.claim("h") is None  # this ledger never received the page
    assert ledger.calls == [("h",), ("h",)]


async def test_pages_in_progress_are_not_forgotten() -> None:
    pages = dedup(FakeLedger())
    assert await pages.claim("h") is None
    pages.forget("h")
    waiting = asyncio.create_task(pages.claim("h"))
    await settled()
    assert not waiting.done()
    pages.release("h", page())
    assert await waiting == page()


async def test_duplicates_of_a_doubtful_page_are_read_themselves() -> None:
    pages = dedup(FakeLedger())
    waiting = await duplicate_of_one_in_progress(pages)
    pages.release("h", page(doubts=("suspect",)))
    assert await waiting is None


async def test_when_the_first_fails_its_duplicate_is_read_and_the_third_waits_for_that() -> None:
    pages = dedup(FakeLedger())
    assert await pages.claim("h") is None
    second, third = asyncio.create_task(pages.claim("h")), asyncio.create_task(pages.claim("h"))
    await settled()
    pages.release("h", None)
    done, waiting = await asyncio.wait([second, third], return_when=asyncio.FIRST_COMPLETED)
    assert [task.result() for task in done] == [None]
    pages.release("h", page())
    assert [await task for task in waiting] == [page()]


async def test_a_ledger_that_is_unavailable_costs_a_request_and_no_page() -> None:
    ledger = FakeLedger(page("h"))
    ledger.failing = True
    assert await dedup(ledger).claim("h") is None


async def test_one_who_gives_up_waiting_takes_nothing_from_the_others() -> None:
    pages = dedup(FakeLedger())
    await pages.claim("h")
    impatient, patient = asyncio.create_task(pages.claim("h")), asyncio.create_task(pages.claim("h"))
    await settled()
    impatient.cancel()
    pages.release("h", page())
    assert await patient == page()


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": PageOutcome.FALLBACK},
        {"outcome": PageOutcome.FAILED},
        {"outcome": PageOutcome.HANDED_ON},
        {"doubts": ("low_confidence",)},
        {"text": ""},
        {"content_hash": ""},
    ],
)
def test_only_pages_that_were_read_by_a_server_without_a_doubt_are_copied(changes: dict[str, object]) -> None:
    copies = PageDuplicates(memory_bytes=1 << 20)
    copies.add(page(**changes))
    assert len(copies) == 0


def test_other_settings_are_another_page() -> None:
    copies = PageDuplicates(memory_bytes=1 << 20)
    copies.add(page())
    assert copies.get("other", "h") is None
    assert copies.get("f", "h") == page()


def test_memory_is_bounded_and_requested_pages_stay() -> None:
    copies = PageDuplicates(memory_bytes=10_000)
    copies.add(page("kept", text="x" * 1000))
    for number in range(100):
        copies.add(page(str(number), text="x" * 1000))
        assert copies.get("f", "kept") is not None
        assert len(copies) <= 10
