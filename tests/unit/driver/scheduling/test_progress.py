from __future__ import annotations

import pytest

from rayocr.driver.monitor.closing.closing_table import unseen
from rayocr.driver.monitor.terminal import duration, printable, progress_line
from rayocr.driver.scheduling.progress import Progress, money
from rayocr.messages import Attempt, DiscoveryTotals, PageOutcome, PageSummary


def page(number: int, outcome: PageOutcome = PageOutcome.DONE, **fields: object) -> PageSummary:
    return PageSummary(page_number=number, outcome=outcome, engine="rapidocr", **fields)  # type: ignore[arg-type]


def test_pages_of_earlier_runs_count_as_done_but_not_for_the_rate_or_the_cost() -> None:
    now = [0.0]
    progress = Progress(clock=lambda: now[0])
    progress.page(page(1, cost_usd=5.0), resumed=True)
    progress.shard_sent()
    now[0] = 2.0
    progress.page(page(2, cost_usd=0.5))
    assert (progress.pages_done, progress.pages_per_s, progress.cost_usd) == (2, 0.5, 0.5)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def reading(clock: Clock, progress: Progress, *, seconds: int, pages_per_s: int) -> None:
    for _ in range(seconds):
        clock.now += 1.0
        progress.pages_recorded += pages_per_s
        progress.sample()


def test_the_rate_is_that_of_the_last_minute_and_so_is_the_time_left() -> None:
    clock = Clock()
    progress = Progress(clock=clock, documents_started=1, pages_known=100_000, pages_resumed=500)
    progress.shard_sent()
    progress.sample()
    reading(clock, progress, seconds=30, pages_per_s=10)
    assert progress.recent_pages_per_s == pytest.approx(progress.pages_per_s) == pytest.approx(10)
    reading(clock, progress, seconds=600, pages_per_s=10)
    reading(clock, progress, seconds=300, pages_per_s=0)
    assert progress.recent_pages_per_s == 0, "an outage"
    assert progress.eta_s == pytest.approx((100_000 - 6_800) / progress.pages_per_s), "by the rate of the run"
    reading(clock, progress, seconds=70, pages_per_s=10)
    assert progress.recent_pages_per_s == pytest.approx(10)
    assert progress.eta_s == pytest.approx((100_000 - 7_500) / 10), "the outage is over and is not counted"


def test_pages_that_come_in_lumps_do_not_move_the_time_left() -> None:
    clock = Clock()
    progress = Progress(clock=clock, documents_started=1, pages_known=100_000)
    progress.shard_sent()
    reading(clock, progress, seconds=3600, pages_per_s=0)
    reading(clock, progress, seconds=1, pages_per_s=10_000)
    assert progress.recent_pages_per_s > 100
    assert progress.eta_s == pytest.approx(90_000 / progress.pages_per_s)


def test_a_page_that_was_handed_on_is_not_done() -> None:
    progress = Progress()
    progress.page(page(1, PageOutcome.HANDED_ON))
    assert progress.pages_done == 0


def test_pages_of_documents_not_yet_fetched_are_estimated_from_the_others() -> None:
    progress = Progress(totals=DiscoveryTotals(found=10), documents_started=2, pages_known=30)
    assert progress.pages_total == 150


def test_reasons_of_failed_pages_are_counted() -> None:
    progress = Progress()
    progress.page(page(1, PageOutcome.FAILED, attempts=(Attempt(engine="e", reason="EmptyAnswer"),)))
    assert progress.reasons == {"EmptyAnswer": 1}


def test_the_line_says_documents_pages_rate_time_and_cost() -> None:
    progress = Progress(totals=DiscoveryTotals(found=3), listing_done=True, clock=lambda: 0.0)
    assert progress_line(progress) == "waiting for the first page, 0 s · 3 documents found"
    progress.documents_started, progress.pages_known = 1, 4
    assert progress_line(progress) == "waiting for the first page, 0 s · 0/~12 pages · 3 documents found"
    progress.pages_done = progress.pages_recorded = 2
    assert progress_line(progress) == "2/~12 pages · ETA – · $0.00 · 0.0 pages/s · 0/3 documents"


@pytest.mark.parametrize(("usd", "words"), [(0.0, "$0.00"), (0.0042, "$0.0042"), (0.01, "$0.01"), (None, "cost unknown")])
def test_a_fraction_of_a_cent_is_not_shown_as_nothing(usd: float | None, words: str) -> None:
    assert money(usd) == words


@pytest.mark.parametrize(("seconds", "words"), [(None, "–"), (5, "5 s"), (300, "5 min"), (7200, "2.0 h")])
def test_durations_are_short(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


def test_names_with_line_breaks_and_broken_bytes_are_printed_escaped() -> None:
    assert printable("a\nb\x1b[31m\udcff") == "a\\nb\\x1b[31m\\udcff"


def test_parts_of_the_source_that_cannot_be_listed_are_named() -> None:
    assert unseen(DiscoveryTotals(unreadable=1, unreadable_names=("a\nb",))).endswith("cannot be read: a\\nb")
    assert unseen(DiscoveryTotals(unreadable=21, unreadable_names=("a",))).endswith(": a and more")


def test_a_run_that_waits_for_documents_of_another_run_says_so() -> None:
    progress = Progress(totals=DiscoveryTotals(found=6), listing_done=True, clock=lambda: 0.0)
    progress.elsewhere, progress.held_elsewhere = 2, 4
    assert progress_line(progress).startswith("waiting for another run, which is reading the documents, 0 s")
    progress.held_elsewhere = 3
    assert progress_line(progress).startswith("waiting for the first page, 0 s")


def test_attempts_that_earlier_runs_paid_for_are_not_a_cost_of_this_run() -> None:
    attempts = tuple(
        Attempt(engine="gemini", reason="Refused", model="m", input_tokens=600, output_tokens=10, cost_usd=usd)
        for usd in (0.25, 0.5)
    )
    read = page(1, input_tokens=1800, output_tokens=30, cost_usd=1.75, attempts=attempts)
    progress = Progress()
    progress.page(read, earlier_attempts=1)
    assert (progress.cost_usd, progress.input_tokens, progress.output_tokens) == (1.5, 1200, 20)
