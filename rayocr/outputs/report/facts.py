"""Adds up the manifests that a report covers. It processes them one at a time and keeps lists of limited length, so a destination
with millions of documents takes no more memory than one with a thousand."""

from __future__ import annotations

import heapq
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from rayocr.config import ReportConfig
from rayocr.ledger.manifest import Manifest, PageNote
from rayocr.ledger.runs import runs_of
from rayocr.messages import DocumentOutcome, PageOutcome

_MAX_NOTES = 1000  # number of distinct notes that are counted; notes contain page numbers, so most documents have different ones
_DOCUMENTS_OF_A_NOTE = 10  # number of documents that the report names
_BINS = 60  # number of bars in the chart; fewer if the run was short


@dataclass(frozen=True, slots=True, kw_only=True)
class PageToShow:
    """A page that the report shows: its picture beside its text. `why` is empty for pages of the sample."""

    manifest: Manifest
    page_number: int
    why: str = ""
    note: PageNote | None = None


@dataclass(frozen=True, slots=True)
class Bin:
    start: datetime
    pages: int


@dataclass(slots=True)
class ReportFacts:
    """The facts of a report. Call `add` with every manifest, then read the attributes. `documents` counts those whose failure was
    not dismissed."""

    settings: ReportConfig
    documents: Counter[DocumentOutcome] = field(default_factory=Counter)
    dismissed: frozenset[str] = frozenset()  # ids of documents whose failure was dismissed
    dismissed_count: int = 0  # counted from the manifests
    pages: Counter[PageOutcome] = field(default_factory=Counter)
    engines: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)  # for each model, the number of documents of which it read pages
    reasons: Counter[str] = field(default_factory=Counter)  # reasons of failed attempts and rejected documents
    doubts: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)  # number of documents by note about content that outputs could not show
    # The first few documents of each.
    note_documents: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    notes_left_out: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost_usd: float = 0.0
    unpriced_documents: int = 0  # pages read by a model without a known price
    doubtful: list[PageToShow] = field(default_factory=list)
    doubtful_count: int = 0
    compared: int = 0  # pages that were compared with another reading
    _finished: Counter[datetime] = field(default_factory=Counter)  # pages by the time at which their document was finished
    _started: datetime | None = None
    _rows: list[tuple[tuple[int, int, str], int, Manifest]] = field(default_factory=list)  # a heap with the least important first
    _sample: list[PageToShow] = field(default_factory=list)
    _pages_seen: int = 0
    _random: random.Random = field(default_factory=lambda: random.Random(0))

    def add(self, manifest: Manifest) -> None:
        if manifest.document_id in self.dismissed:
            self.dismissed_count += 1
        else:
            self.documents[manifest.outcome] += 1
        for outcome, runs in manifest.pages.items():
            self.pages[outcome] += sum(map(len, runs_of(runs)))
        self.engines.update(manifest.engines)
        self.models.update(manifest.models)
        self.add_spent(manifest)
        self.compared += manifest.compared
        if manifest.reason and manifest.document_id not in self.dismissed:
            self.reasons[manifest.reason] += 1
        for note in dict.fromkeys(note for output in manifest.outputs for note in output.notes):
            if note not in self.notes and len(self.notes) >= _MAX_NOTES:
                self.notes_left_out += 1
                continue
            self.notes[note] += 1
            if len(self.note_documents[note]) < _DOCUMENTS_OF_A_NOTE:
                self.note_documents[note].append(manifest.name)
        self._time(manifest)
        self._read_pages(manifest)
        self._keep_row(manifest)

    def add_spent(self, manifest: Manifest) -> None:
        """Adds only the cost, for an earlier version of a replaced file: its outputs no longer exist, but its cost was spent."""
        self.input_tokens += manifest.input_tokens
        self.output_tokens += manifest.output_tokens
        self.cached_tokens += manifest.cached_tokens
        self.cost_usd += manifest.cost_usd or 0.0
        self.unpriced_documents += manifest.cost_usd is None

    @property
    def document_count(self) -> int:
        return self.documents.total() + self.dismissed_count

    @property
    def page_count(self) -> int:
        return sum(self.pages.values())

    @property
    def sample(self) -> list[PageToShow]:
        return sorted(self._sample, key=lambda page: (page.manifest.name, page.page_number))

    @property
    def rows(self) -> list[Manifest]:
        """The documents: those with failures first, then those with doubts, each ordered by name."""
        return [manifest for _, _, manifest in sorted(self._rows, key=lambda row: (-row[0][0], -row[0][1], row[2].name))]

    def throughput(self) -> list[Bin]:
        """Returns the pages by the time at which their document was finished, in bins of equal length."""
        if not self._finished:
            return []
        first = min([*self._finished, *([self._started] if self._started else [])])
        last = max(self._finished)
        width = max((last - first) / _BINS, (last - first).resolution * 1_000_000)
        bins = int((last - first) / width) + 1
        counts = [0] * bins
        for moment, pages in self._finished.items():
            counts[min(bins - 1, int((moment - first) / width))] += pages
        return [Bin(first + width * position, pages) for position, pages in enumerate(counts)]

    # -- inside -----------------------------------------------------------------------------------------------------------------

    def _time(self, manifest: Manifest) -> None:
        started, finished = _moment(manifest.started_at), _moment(manifest.finished_at)
        if finished is not None:
            self._finished[finished] += manifest.page_count
        if started is not None and (self._started is None or started < self._started):
            self._started = started

    def _read_pages(self, manifest: Manifest) -> None:
        dismissed = manifest.document_id in self.dismissed  # its pages are not shown, since nobody has to look at them
        for note in manifest.notes:
            self.reasons.update(attempt.reason for attempt in note.attempts)
            self.doubts.update(note.doubts)
            if not dismissed and (note.doubts or note.outcome is PageOutcome.FAILED):
                self.doubtful_count += 1
                if len(self.doubtful) < self.settings.pages:
                    why = ", ".join(note.doubts) or f"failed: {note.reason}"
                    if note.agreement is not None:
                        why += f", {note.agreement:.0%} agreement"
                    self.doubtful.append(PageToShow(manifest=manifest, page_number=note.page_number, why=why, note=note))
        for number in self._chosen(0 if dismissed else manifest.page_count):
            page = PageToShow(manifest=manifest, page_number=number)
            if len(self._sample) < self.settings.sample:
                self._sample.append(page)
            else:
                self._sample[self._random.randrange(len(self._sample))] = page

    def _chosen(self, page_count: int) -> Iterator[int]:
        """Yields the pages of this document that enter a uniform sample of all pages (reservoir sampling)."""
        for number in range(1, page_count + 1):
            self._pages_seen += 1
            if self._random.random() * self._pages_seen < self.settings.sample:
                yield number

    def _keep_row(self, manifest: Manifest) -> None:
        trouble = {DocumentOutcome.REJECTED: 2, DocumentOutcome.PARTIAL: 1}.get(manifest.outcome, 0)
        trouble = 0 if manifest.document_id in self.dismissed else trouble
        doubtful = sum(1 for note in manifest.notes if note.doubts)
        entry = ((trouble, doubtful, manifest.name), id(manifest), manifest)
        if len(self._rows) < self.settings.documents:
            heapq.heappush(self._rows, entry)
        else:
            heapq.heappushpop(self._rows, entry)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
