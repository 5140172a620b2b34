"""Tracks whether the server of one model answers, and decides between sending, probing and giving up. Pure; callers pass the
time.

| state | action of the limiter |
|---|---|
| answering | lends slots at the pace of the quota |
| held: no answer for `hold_s` while requests fail | lends one slot at a time, at growing intervals, as a probe |
| held: `_UNUSABLE` rejected requests or malformed answers in a row | the same |
| held: refused or truncated pages of several documents in a row (`_REFUSED`) | the same |
| exhausted: no answer for `patience_s`, or the server says that the project has no quota or credit | refuses every page |

One usable answer resets the state. An outage is a property of the model, so no failure counts against a page while a model is
held. A model can refuse a whole document (the text of a famous book), so the pages of one document are not evidence against the
server.

An empty text is a refusal, too, unless the page has no text: a folder of photos would hold the model forever. After `_EMPTY_S` of
empty texts, they no longer hold the model for the rest of the run. It stays suspicious, so mode=retry requests the pages again.
"""

from __future__ import annotations

from rayocr.messages import SlotReturn, Throttle, ThrottleKind

HOLD_S = 10.0  # seconds without an answer, longer than an answer of a fast model takes
NEVER_S = 120.0  # seconds with only 429 responses since the run began, longer than any per-minute quota needs to recover
_FIRST_PROBE_S, _LAST_PROBE_S = 1.0, 30.0  # interval between probes, doubled each time
_UNUSABLE = 8  # number of rejected requests and malformed answers in a row; a single bad page causes fewer
_REFUSED = ((16, 3), (32, 2))  # number of refused or truncated pages in a row, and of their documents
_SUSPICIOUS, _SUSPICIOUS_DOCUMENTS = 4, 2  # from this number on, mode=retry requests a page again that another engine reads
_EMPTY_S = 300.0
_ALMOST_ALL = 0.999
_MEMORY = 64  # number of requests over which the share of failures is averaged


class ModelHealth:
    """Tracks whether one model answers. With an infinite `patience_s`, the model is probed forever, even if the server says that
    there is no quota."""

    def __init__(self, *, patience_s: float) -> None:
        self.patience_s = patience_s
        self.since: float | None = None  # time of the first failure after the last answer
        self.words = ""  # message of the server, or of the network
        self.answers = 0
        self._failures = 0
        self._failing = 1.0
        self._hold_at = 0.0
        self._denied = False
        self._refused_only = True
        self._probe_of: str | None = None
        self._probe_at = 0.0
        self._probes = 0
        self._unusable = 0
        self.refused_in_a_row = 0  # number of pages
        self.refused_words = ""
        self._empty_in_a_row = 0  # how many of these pages were answered with an empty text
        self._empty_since: float | None = None  # time since which the model is held only for empty texts
        self.expects_empty = False  # empty texts no longer hold the model
        self._refused_documents: set[str] = set()
        self.overloaded = False  # whether requests failed for another reason than a quota since the last answer

    def answered(self, count: int) -> None:
        self.answers += count
        weight = max(1 - (1 - 1 / _MEMORY) ** count, count / (self.answers + self._failures))
        self._failing -= weight * self._failing
        self.since, self._denied, self._probe_of, self._probes = None, False, None, 0
        self._unusable, self.overloaded = 0, False

    def note_refusals(self, returned: SlotReturn) -> None:
        """Counts refused and truncated pages in a row. A return that contains a usable answer resets the count."""
        if returned.answered + returned.replied > returned.unusable + returned.refused:
            self.refused_in_a_row, self._refused_documents = 0, set()
            self._empty_in_a_row, self._empty_since = 0, None
        elif returned.refused:
            self.refused_words = returned.words
            self.refused_in_a_row += returned.refused_first
            self._empty_in_a_row += returned.empty_first
            self._refused_documents |= returned.refused_documents

    @property
    def suspicious(self) -> bool:
        """Returns whether the last pages were refused and belong to more than one document."""
        return self.refused_in_a_row >= _SUSPICIOUS and len(self._refused_documents) >= _SUSPICIOUS_DOCUMENTS

    @property
    def refusing(self) -> bool:
        """Returns whether too many pages of too many documents were refused in a row for their content to be the cause."""
        return self._are_too_many(self.refused_in_a_row - (self._empty_in_a_row if self.expects_empty else 0))

    def _are_too_many(self, refused: int) -> bool:
        return any(refused >= pages and len(self._refused_documents) >= documents for pages, documents in _REFUSED)

    def _note_empty(self, now: float) -> None:
        """Ends the hold when only empty texts have caused it for `_EMPTY_S`, or half of a shorter patience."""
        if not self.refusing or self._are_too_many(self.refused_in_a_row - self._empty_in_a_row):
            return
        self._empty_since = now if self._empty_since is None else self._empty_since
        if now - self._empty_since >= min(_EMPTY_S, self.patience_s / 2):
            self.expects_empty, self.since, self._probes = True, None, 0

    def unusable(self, count: int, words: str, worker: str, *, refused: int = 0, now: float) -> None:
        """Records rejected requests and answers without content. A page can cause one, but not all pages in a row. `refused`: how
        many of these requests were refused or truncated. Call `note_refusals` first."""
        self.answers += count
        self._unusable += count - refused
        self._refused_only = False
        self._note_empty(now)
        if self._unusable < _UNUSABLE and not self.refusing:
            self.returned(worker)
            return
        self.words = words or self.words
        if self.refusing:
            pages, documents = self.refused_in_a_row, len(self._refused_documents)
            self.words = f"The last {pages} pages, of {documents} documents, were refused or truncated. {words}"
        if self.since is None:
            self.since = now
            self._probe_at = now + _FIRST_PROBE_S
        self._hold_at = min(self._hold_at, now)
        self._probed(worker, now=now, delay_s=0.0)

    def failed(self, throttle: Throttle, worker: str, *, now: float, count: int = 1) -> None:
        self._failures += count
        weight = max(1 - (1 - 1 / _MEMORY) ** count, count / (self.answers + self._failures))
        self._failing += (1 - self._failing) * weight
        self._refused_only &= throttle.kind is ThrottleKind.MINUTE
        self._denied |= throttle.kind is ThrottleKind.DENIED
        self.overloaded |= throttle.kind in (ThrottleKind.OVERLOADED, ThrottleKind.UNAVAILABLE)
        if throttle.words:
            self.words = throttle.words
        delay_s = throttle.retry_after_s or 0.0
        if self.since is None:
            self.since = now
            self._hold_at = now + delay_s + HOLD_S
            self._probe_at = now + max(delay_s, _FIRST_PROBE_S)
        self._probed(worker, now=now, delay_s=delay_s)

    def _probed(self, worker: str, *, now: float, delay_s: float) -> None:
        """Notes that the probe has failed, if this worker sent it."""
        if self._probe_of == worker:
            self._probe_of = None
            self._probe_at = now + max(delay_s, min(_LAST_PROBE_S, _FIRST_PROBE_S * 2**self._probes))

    def failing(self, now: float) -> float:
        """Returns the share of recent requests that failed, 0..1; 1 only while the model is held."""
        return 1.0 if self.held(now) else min(self._failing, _ALMOST_ALL)

    def held(self, now: float) -> bool:
        return self.since is not None and (self._denied or now >= self._hold_at)

    def exhausted(self, now: float) -> bool:
        """Returns whether waiting longer is pointless."""
        if self.since is None or self.patience_s == float("inf"):
            return False
        return self._denied or self.never_answered(now) or now >= self.since + self.patience_s

    def never_answered(self, now: float) -> bool:
        """Returns whether the server has sent only 429 responses since the run began. The project then has no quota, even if the
        server states a delay."""
        return self.since is not None and not self.answers and self._refused_only and now >= self.since + NEVER_S

    @property
    def denied(self) -> bool:
        """True if the server reports that the project has no quota or credit."""
        return self._denied

    def probe_in_s(self, now: float) -> float:
        """Returns the seconds until the next probe may be sent; infinite while one is in flight."""
        return float("inf") if self._probe_of is not None else max(0.0, self._probe_at - now)

    def probing(self, worker: str) -> None:
        self._probe_of = worker
        self._probes += 1

    def returned(self, worker: str | None) -> None:
        """Notes that a slot was returned without a response: the probe was never sent, or its worker died. None means any
        worker."""
        if worker in (None, self._probe_of):
            self._probe_of = None
