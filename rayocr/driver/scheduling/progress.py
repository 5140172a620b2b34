"""Counts the progress of a run. Document flows write the counters; the terminal, the record and the metrics read them."""

from __future__ import annotations

import bisect
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rayocr.messages import (
    OUTAGE,
    SUSPECT,
    DiscoveryTotals,
    Document,
    DocumentOutcome,
    LimiterState,
    OutputFile,
    PageOutcome,
    PageSummary,
)

MOST_NAMED = 5  # number of failed documents that the closing table names
_WINDOW_S = 60.0  # the displayed rate covers this many seconds, like a quota per minute
_LUMPS = 3.0  # if the rates of the last minute and of the run differ by more than this factor, the ETA uses the run's rate
BOUNDS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)


@dataclass(slots=True)
class Timing:
    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))
    sum_s: float = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect.bisect_left(BOUNDS_S, seconds)] += 1
        self.sum_s += seconds

    def as_dict(self) -> dict[str, Any]:
        """Returns cumulative counts, as in Prometheus."""
        total, buckets = 0, []
        for bound, count in zip((*BOUNDS_S, "+Inf"), self.counts, strict=True):
            total += count
            buckets.append((bound, total))
        return {"buckets": buckets, "sum_s": self.sum_s}


@dataclass(slots=True)
class StageTimings:
    by_stage: dict[str, Timing] = field(default_factory=lambda: {s: Timing() for s in ("fetch", "recognize", "assemble")})

    @contextmanager
    def of(self, stage: str) -> Iterator[None]:
        """Returns the number of successful calls."""
        started = time.monotonic()
        yield
        self.by_stage[stage].add(time.monotonic() - started)

    def as_dict(self) -> dict[str, Any]:
        return {stage: timing.as_dict() for stage, timing in self.by_stage.items()}


def money(usd: float | None, *, unknown: bool = False, digits: int = 2) -> str:
    """Formats a sum for display. Neither an unknown cost nor a fraction of a cent is shown as $0.00."""
    if usd is None or (unknown and not usd):
        return "cost unknown"
    digits = 4 if 0 < usd < 0.01 else digits
    return f"${usd:,.{digits}f}" + (" + unknown" if unknown else "")


@dataclass(slots=True)
class Progress:
    """Counts documents, pages and costs of a run. `pages_known` counts the pages of the documents fetched so far, `pages_done`
    those with a final outcome."""

    clock: Callable[[], float] = time.monotonic
    started: float = field(init=False)
    first_page_at: float | None = None
    totals: DiscoveryTotals = field(default_factory=DiscoveryTotals)
    listing_done: bool = False
    documents: Counter[DocumentOutcome] = field(default_factory=Counter)
    failed: list[Document] = field(default_factory=list)  # the first rejected and partial documents, which are named at the end
    documents_started: int = 0
    elsewhere: int = 0  # documents that another run holds or finished first
    cancelled: int = 0  # documents cancelled on request
    retried: int = 0  # dead letters of earlier runs that this run retries
    held_elsewhere: int = 0  # documents that other runs hold at this moment; awaited at the end
    locks_unavailable: bool = False
    watching: bool = False  # mode=watch: the run does not end by itself
    next_poll_at: float | None = None  # time of the watch's next poll, by `clock`; None during a poll
    waiting_for: str = ""  # the outage that the watch waits for
    settling: int = 0  # number of files that are still being written
    in_progress: int = 0  # number of documents with a flow
    gone: int = 0  # documents removed from the source before they were read
    renamed: int = 0  # documents whose outputs have a hash in the name, since another document has the plain name
    documents_noted: int = 0  # documents of which an output could not show everything exactly; `first_note` is an example
    first_note: str = ""
    documents_copied: int = 0  # documents with the same bytes as another one, which were not read
    deferred: int = 0  # documents whose storage was unavailable; the next run processes them
    pages_known: int = 0
    pages_done: int = 0
    pages_recorded: int = 0  # pages that the ledger acknowledged in this run; their shards may still be in progress
    pages_resumed: int = 0  # pages found in the ledger of an earlier run
    pages_copied: int = 0  # pages identical to one that was read before
    doubtful_pages: int = 0
    suspect_pages: int = 0  # doubtful pages with which another reading of the page does not agree
    compared_pages: int = 0  # pages whose agreement with another reading was measured
    outcomes: Counter[PageOutcome] = field(default_factory=Counter)
    engines: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)  # reasons of rejected documents and failed pages
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0  # the part of the input tokens that the server had cached
    cost_usd: float = 0.0  # engines of the pages that were returned
    outage_pages: int = 0  # pages read by a later engine because the server was unavailable
    unpriced_pages: int = 0  # pages whose cost is partly unknown
    workers: int = 0
    limiter: LimiterState | None = None  # up to one second old; None if no engine waits for a server

    storage_calls: Counter[tuple[str, str]] = field(default_factory=Counter)  # calls of the workers by (operation, outcome)
    timings: StageTimings = field(default_factory=StageTimings)
    last_page_at: float | None = None
    stalled_since: float | None = None  # Unix time; see monitor/stall.py
    stops_at: float | None = None  # latest end of a run that is stopping, by `clock`; None while it is not
    fresh_pages: deque[tuple[float, int]] = field(default_factory=deque)  # (time, pages read by this run) during the last minute
    on_document: Callable[[Document, DocumentOutcome], None] = lambda document, outcome: None  # called when a document ends

    def __post_init__(self) -> None:
        self.started = self.clock()

    def note_outputs(self, document: str, outputs: Iterable[OutputFile]) -> None:
        notes = [note for output in outputs for note in output.notes]
        if notes:
            self.documents_noted += 1
            self.first_note = self.first_note or f"{document}: {notes[0]}"

    @property
    def spent_usd(self) -> float:
        """The cost of this run: that of its pages, or the limiter's total if it is higher, because of answers that failed the
        checks or pages of shards that never returned."""
        return max(self.cost_usd, self.limiter.spent_usd if self.limiter is not None else 0.0)

    @property
    def spent_words(self) -> str:
        return money(self.spent_usd, unknown=self.unpriced_pages > 0)

    @property
    def documents_by_outcome(self) -> dict[str, int]:
        return {outcome.value: self.documents[outcome] for outcome in DocumentOutcome}

    @property
    def pages_by_outcome(self) -> dict[str, int]:
        return {outcome.value: count for outcome, count in self.outcomes.items()}

    @property
    def tokens(self) -> dict[str, int]:
        return {"input": self.input_tokens, "output": self.output_tokens}

    @property
    def elapsed_s(self) -> float:
        return self.clock() - self.started

    @property
    def documents_done(self) -> int:
        return self.documents.total()

    @property
    def documents_total(self) -> int:
        """The number of documents for this run that have been listed so far."""
        return max(self.totals.found - self.totals.finished, self.documents_done)

    @property
    def pages_total(self) -> int:
        """The estimated number of pages. Documents that are not fetched yet count with the average length of the others."""
        if not self.documents_started:
            return 0
        unknown = max(0, self.documents_total - self.documents_started)
        return self.pages_known + round(unknown * self.pages_known / self.documents_started)

    @property
    def pages_read(self) -> int:
        """The number of pages with an outcome that the ledger has acknowledged, including pages of shards in progress."""
        return max(self.pages_done, min(self.pages_known, self.pages_resumed + self.pages_recorded))

    @property
    def pages_per_s(self) -> float:
        fresh = self.pages_read - self.pages_resumed
        if self.first_page_at is None or fresh <= 0:
            return 0.0
        return fresh / max(self.clock() - self.first_page_at, 0.05)

    def sample(self) -> None:
        """Records the pages read so far, for the rate of the last minute. Call it every second."""
        now = self.clock()
        self.fresh_pages.append((now, self.pages_read - self.pages_resumed))
        while len(self.fresh_pages) > 1 and self.fresh_pages[1][0] <= now - _WINDOW_S:
            self.fresh_pages.popleft()

    @property
    def recent_pages_per_s(self) -> float:
        """Returns the pages per second over the last minute; during the first minute, over the run."""
        since, pages = self.fresh_pages[0] if self.fresh_pages else (self.clock(), 0)
        if (elapsed_s := self.clock() - since) < _WINDOW_S - 2:
            return self.pages_per_s
        return max(0, self.pages_read - self.pages_resumed - pages) / elapsed_s

    @property
    def eta_s(self) -> float | None:
        """Returns the seconds left at the rate of the last minute, or at the rate of the run if the two differ a lot (batches, an
        outage)."""
        rate, recent = self.pages_per_s, self.recent_pages_per_s
        if rate / _LUMPS <= recent <= rate * _LUMPS:
            rate = recent
        return (self.pages_total - self.pages_read) / rate if rate > 0 and self.pages_total else None

    def ended(self, document: Document, outcome: DocumentOutcome) -> None:
        self.documents[outcome] += 1
        if outcome is not DocumentOutcome.COMPLETE and len(self.failed) < MOST_NAMED:
            self.failed.append(document)
        self.on_document(document, outcome)

    def page(self, page: PageSummary, *, resumed: bool = False, earlier_attempts: int = 0) -> None:
        """Counts a page. `resumed`: an earlier run read the page. `earlier_attempts`: the number of its attempts that earlier
        runs paid for."""
        if not page.outcome.final:
            return
        self.pages_done += 1
        self.last_page_at = self.clock()
        self.pages_resumed += resumed
        self.outcomes[page.outcome] += 1
        self.pages_copied += page.copied
        self.doubtful_pages += bool(page.doubts)
        self.suspect_pages += SUSPECT in page.doubts
        self.outage_pages += OUTAGE in page.doubts
        self.compared_pages += page.agreement is not None
        self.engines[page.engine or page.outcome.value] += 1
        if page.outcome is PageOutcome.FAILED and page.attempts:
            self.reasons[page.attempts[-1].reason] += 1
        if not resumed:
            earlier = page.attempts[:earlier_attempts]
            self.input_tokens += page.input_tokens - sum(attempt.input_tokens for attempt in earlier)
            self.output_tokens += page.output_tokens - sum(attempt.output_tokens for attempt in earlier)
            self.cached_tokens += page.cached_tokens - sum(attempt.cached_tokens for attempt in earlier)
            self.cost_usd += page.cost_usd - sum(attempt.cost_usd for attempt in earlier)
            self.unpriced_pages += page.unpriced

    def note_retry(self, outcome: DocumentOutcome, *, of_this_run: bool) -> None:
        """Notes that a failed document is retried, so that its new outcome replaces the old one."""
        if of_this_run:
            self.documents[outcome] -= 1
        else:
            self.retried += 1

    def shard_sent(self) -> None:
        if self.first_page_at is None:
            self.first_page_at = self.clock()
