from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from rayocr.actors.page_worker.ledger_client import LedgerClient
from rayocr.errors import StorageFull
from rayocr.messages import PageOutcome, PageRecord
from tests.unit.settled import settled


def record(number: int) -> PageRecord:
    return PageRecord(document_id="d", page_number=number, outcome=PageOutcome.DONE, text="t")


class FakeLedger:
    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.error: Exception | None = None

    async def record(self, records: Sequence[PageRecord]) -> None:
        await self.gate.wait()
        if self.error:
            raise self.error
        self.batches.append([r.page_number for r in records])


async def test_a_lone_page_is_sent_without_waiting_for_company() -> None:
    ledger = FakeLedger()
    await (await LedgerClient(ledger, linger_s=0).put(record(1)))
    assert ledger.batches == [[1]]


async def test_pages_that_finish_together_travel_together() -> None:
    ledger = FakeLedger()
    recorder = LedgerClient(ledger, linger_s=0)
    futures = [await recorder.put(record(n)) for n in range(1, 6)]
    await asyncio.gather(*futures)
    assert ledger.batches == [[1, 2, 3, 4, 5]]


async def test_a_full_batch_does_not_wait_for_the_linger() -> None:
    ledger = FakeLedger()
    recorder = LedgerClient(ledger, linger_s=3600, max_batch=2)
    await (await recorder.put(record(1)), await recorder.put(record(2)))[0]
    assert ledger.batches == [[1, 2]]


async def test_pages_that_wait_for_others_can_be_sent_at_once() -> None:
    ledger = FakeLedger()
    recorder = LedgerClient(ledger, linger_s=3600)
    recorder.flush()  # nothing waits
    futures = [await recorder.put(record(n)) for n in (1, 2)]
    recorder.flush()
    await asyncio.gather(*futures)
    assert ledger.batches == [[1, 2]]


async def test_nothing_is_acknowledged_before_the_ledger_answers() -> None:
    ledger = FakeLedger()
    ledger.gate.clear()
    future = await LedgerClient(ledger, linger_s=0).put(record(1))
    await settled()
    assert not future.done()
    ledger.gate.set()
    await future


async def test_a_ledger_that_cannot_write_fails_its_pages() -> None:
    ledger = FakeLedger()
    ledger.error = StorageFull("full")
    future = await LedgerClient(ledger, linger_s=0).put(record(1))
    with pytest.raises(StorageFull):
        await future


async def test_a_slow_ledger_holds_the_worker_back() -> None:
    ledger = FakeLedger()
    ledger.gate.clear()
    recorder = LedgerClient(ledger, linger_s=0, max_unacknowledged=2)
    await recorder.put(record(1))
    await recorder.put(record(2))
    third = asyncio.create_task(recorder.put(record(3)))
    await settled()
    assert not third.done()
    ledger.gate.set()
    await (await third)
