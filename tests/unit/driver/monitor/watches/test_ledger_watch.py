from __future__ import annotations

from rayocr.driver.monitor.watches.ledger_watch import LedgerWatch
from rayocr.driver.scheduling.progress import Progress
from rayocr.messages import LedgerState, PageOutcome, PageSummary


class Ledger:
    recorded = 0

    async def state(self) -> LedgerState:
        return LedgerState(recorded_pages=self.recorded)


async def test_pages_count_when_the_ledger_has_them_and_not_when_their_shard_returns() -> None:
    ledger, progress = Ledger(), Progress(pages_known=100)
    watch = LedgerWatch(ledger, progress)
    ledger.recorded = 40
    await watch.poll()
    assert (progress.pages_read, progress.pages_done) == (40, 0)
    for number in range(1, 51):
        progress.page(PageSummary(page_number=number, outcome=PageOutcome.DONE))
    assert progress.pages_read == 50


async def test_pages_of_an_earlier_run_and_of_a_ledger_that_died_count_too() -> None:
    ledger, progress = Ledger(), Progress(pages_known=100, pages_resumed=10, pages_done=10)
    watch = LedgerWatch(ledger, progress)
    ledger.recorded = 40
    await watch.poll()
    ledger.recorded = 5
    await watch.poll()
    assert progress.pages_read == 55


async def test_pages_that_were_recorded_twice_are_never_more_than_there_are() -> None:
    ledger, progress = Ledger(), Progress(pages_known=30)
    ledger.recorded = 40
    await LedgerWatch(ledger, progress).poll()
    assert progress.pages_read == 30
