"""Defines the values that driver, actors and tasks exchange: frozen, keyword-only, without handles or clients.

Only `PageRecord` carries page text. It goes from the worker to the ledger to the assembler, never through the driver.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from rayocr.build import build_id

OUTAGE = "outage"  # a doubt: a later engine read the page because the server was unavailable (engine.on_outage=fallback)
OUTAGE_REASONS = ("ModelUnavailable", "QuotaDenied")  # of attempts, classes of errors.py
UNPRICED = "unknown"  # a price class: a server was paid, and conf/prices.yaml has no price for the model
SUSPECT = "suspect"  # a doubt: a server's answer does not agree with another reading of the page
PICTURE_LOST = "picture_lost"  # a doubt: a picture on the page cannot be decoded, so that what it shows was not read
UNREAD_INK = "unread_ink"  # a doubt: the page shows lines that its text layer does not have, and no engine read them for certain
HIDDEN_TEXT = "hidden_text"  # a doubt: the file has text on this page that nobody sees; it was left out


class PageOutcome(StrEnum):
    DONE = "done"
    BLANK = "blank"
    FALLBACK = "fallback"  # read by a later engine of the chain, named in `engine`
    FAILED = "failed"
    HANDED_ON = "handed_on"  # not final: waits for a later engine of the chain; recorded so that it is not paid for again

    @property
    def final(self) -> bool:
        return self is not PageOutcome.HANDED_ON


class DocumentOutcome(StrEnum):
    COMPLETE = "complete"
    PARTIAL = "partial"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One PDF at its source, at one version.

    `name` is the path below the source, with `/`. `output_stem` is the path below the destination, without a suffix, that its
    outputs share unless another document owns it (`reports/2024/a`; see actors/document_worker/output_names.py). `version` is
    opaque (local: `size-mtime_ns`, GCS: generation, Drive: revision and md5). `name_owner` is the owner of that path, if another.
    `has_letter`: a run was killed after it wrote the dead letter and before the manifest.
    """

    document_id: str
    source_uri: str
    name: str
    output_stem: str
    version: str
    size_bytes: int
    name_owner: str = ""
    has_letter: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedDocument:
    """What fetch found out about a document whose bytes are now in the object store."""

    document: Document
    page_count: int
    title: str | None = None
    content_sha256: str = ""  # set only if duplicates are looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """Some pages of one document, scheduled as one unit.

    `first_engine` is an index into the chain. `attempts` holds the failed attempts of earlier stages, by page number.
    """

    document_id: str
    page_numbers: tuple[int, ...]
    first_engine: int = 0
    attempts: Mapping[int, tuple[Attempt, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextBox:
    """One line of text on the page. Corners in PDF points of the upright page, origin top left, y down. `angle_deg`: clockwise
    rotation of the text; for rotated text the box is the smallest upright box around it."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    confidence: float = 1.0
    angle_deg: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PageText:
    """An engine's answer. `text` is Markdown, `finish` the finish reason that the engine reported, `confidence` 0..1 if known."""

    text: str
    engine: str
    model: str
    input_tokens: int = 0
    output_tokens: int = 0  # including thinking
    cached_tokens: int = 0  # input tokens that the server had cached
    cost_usd: float = 0.0
    price_class: str = ""  # standard, flex, batch, priority or unknown; empty: costs nothing
    finish: str = "stop"
    confidence: float | None = None
    boxes: tuple[TextBox, ...] | None = None
    doubts: tuple[str, ...] = ()  # what the engine itself noticed; see PageRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One failed attempt of an engine. `reason` is a class name from errors.py.

    `finish` is the finish reason that the engine reported. The tokens are paid for although the attempt failed. `model` is empty
    for engines without a server.
    """

    engine: str
    reason: str
    message: str = ""
    model: str = ""
    finish: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    price_class: str = ""  # as in PageText


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRecord:
    """What the ledger stores for one page. `doubts` are short words such as `low_confidence` that a reader should know.

    Tokens and cost include all attempts, failed ones too.
    """

    document_id: str
    page_number: int
    outcome: PageOutcome
    text: str = ""
    engine: str = ""
    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    price_class: str = ""  # of the answer that was kept
    attempts: tuple[Attempt, ...] = ()
    next_engine: int = 0  # for HANDED_ON: index into the chain of the engine to ask next
    doubts: tuple[str, ...] = ()
    fencing_token: int = 0
    fingerprint: str = ""  # of the settings that the text was read with
    content_hash: str = ""  # hash of the page as sent to a server; see rayocr/pdf/cut/content_hash.py
    copied: bool = False  # the text was copied from an identical page, at no cost
    boxes: str = ""  # lines with their positions (rayocr/ledger); kept only if an output needs them
    agreement: float | None = None  # 0..1 with another reading of the page (engines/answers/verification.py); None: not measured

    @property
    def unpriced(self) -> bool:
        """Part of its cost is not known."""
        return self.price_class == UNPRICED or any(attempt.price_class == UNPRICED for attempt in self.attempts)

    @property
    def wants_retry(self) -> bool:
        """mode=retry reads the page again: it failed, or an outage gave it to a later engine."""
        return self.outcome is PageOutcome.FAILED or OUTAGE in self.doubts

    @property
    def summary(self) -> PageSummary:
        return PageSummary(
            page_number=self.page_number,
            outcome=self.outcome,
            engine=self.engine,
            model=self.model,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            cost_usd=self.cost_usd,
            price_class=self.price_class,
            attempts=self.attempts,
            next_engine=self.next_engine,
            doubts=self.doubts,
            fingerprint=self.fingerprint,
            copied=self.copied,
            agreement=self.agreement,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSummary:
    """A PageRecord without its text, which the driver may hold."""

    page_number: int
    outcome: PageOutcome
    engine: str = ""
    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    price_class: str = ""  # of the answer that was kept
    attempts: tuple[Attempt, ...] = ()
    next_engine: int = 0
    doubts: tuple[str, ...] = ()
    fingerprint: str = ""
    copied: bool = False
    agreement: float | None = None

    @property
    def unpriced(self) -> bool:
        """Part of its cost is not known."""
        return self.price_class == UNPRICED or any(attempt.price_class == UNPRICED for attempt in self.attempts)

    @property
    def wants_retry(self) -> bool:
        """mode=retry reads the page again: it failed, or an outage gave it to a later engine."""
        return self.outcome is PageOutcome.FAILED or OUTAGE in self.doubts


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardReport:
    """The result of a shard. Its pages are acknowledged: the ledger's write returned before this was sent."""

    document_id: str
    pages: tuple[PageSummary, ...]
    compute_s: float = 0.0  # wall-clock seconds for its pages, used to size the next shards
    cpu_share: float = 0.0  # CPUs that the worker's process used of late


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFile:
    """One file written for a document: its name below the destination and the sha256 of its bytes. `notes`: sentences
    about content that it could not show exactly."""

    name: str
    size_bytes: int
    sha256: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyOf:
    """The document with the same bytes. `name`: its name below the source; empty if no longer known."""

    document_id: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssembledDocument:
    """What assemble wrote. `renamed`: another document owns the plain name. `copy_of` and `copied_pages`: nothing was read."""

    document_id: str
    outcome: DocumentOutcome
    outputs: tuple[OutputFile, ...] = field(default=())
    renamed: bool = False
    copy_of: CopyOf | None = None
    copied_pages: tuple[PageSummary, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentContext:
    """What every part needs to know about a document in progress."""

    document: Document
    page_count: int
    title: str | None
    fencing_token: int
    content_sha256: str = ""
    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryTotals:
    """What the listing has found so far. `found` counts every document; the other counts are parts of it."""

    found: int = 0
    finished: int = 0  # by an earlier run, whatever the outcome
    dead_letters: int = 0  # finished documents that are partial or rejected
    unreadable: int = 0  # files or folders that could not be read
    unreadable_names: tuple[str, ...] = ()  # the first of them, relative to the source
    strange: tuple[str, ...] = ()  # the first empty records and unknown objects under .rayocr/
    settling: int = 0  # files that are being written and are skipped for now


class Poll(StrEnum):
    """How mode=watch polls for new documents."""

    ALL = "all"  # a full listing
    CHANGES = "changes"  # the source's change feed; a full listing if it has none
    SETTLING = "settling"  # only files that were being written


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryBatch:
    documents: tuple[Document, ...]
    totals: DiscoveryTotals
    exhausted: bool
    limit_reached: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerInfo:
    """A worker whose process runs. `engines`: the usable engines of a page worker's stage, in order, once it is open. `build`:
    see `rayocr.build`."""

    engines: tuple[str, ...] = ()
    host: str
    pid: int
    node_id: str = ""  # assigned by Ray
    build: str = field(default_factory=build_id)


class ThrottleKind(StrEnum):
    """Why a server refused a request."""

    MINUTE = "minute"  # 429: quota per minute, or an unnamed quota
    DAY = "day"  # 429: daily quota
    OVERLOADED = "overloaded"  # 5xx: the server is too busy, regardless of the quota
    AWAY = "away"  # no answer: a timeout or a lost connection
    DENIED = "denied"  # 429: no quota or no credit at all


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """A failed request reported by a worker. `retry_after_s`: the delay the server asks for. `age_s`: since the request was sent.
    `words`: of the server, or of the network."""

    kind: ThrottleKind
    retry_after_s: float | None = None
    age_s: float = 0.0
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotReply:
    """The limiter's answer to returned slots. `pause_s`: send nothing to the model for so long. `failing`: 0..1, the share of
    recent requests of all workers that failed; 1 while the model is held."""

    pause_s: float = 0.0
    failing: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotReturn:
    """Slots that a worker returns, with the use of their requests. `answered` of them used these tokens and this cost; `free` of
    them used nothing (never sent, or refused); the others (lost or bad answers) are assumed to have used the expected amount.
    """

    slots: int
    answered: int = 0
    free: int = 0
    failed: int = 0  # of all of them: those that `throttle` speaks for
    replied: int = 0  # of all of them: those that the server rejected, or answered with something unusable
    input_tokens: int = 0
    cost_usd: float = 0.0
    throttle: Throttle | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelQuota:
    """What the RateLimiter knows about one model. Times are seconds since 1970. `rate_rpm` None means no limit."""

    model: str
    granted: int
    waited_s: float  # sum over all pages, from requesting a slot to its start
    throttled: int  # refusals by the server
    rate_rpm: float | None  # learned rate, at most the configured one
    in_flight: int
    input_tokens: int
    spent_usd: float
    requests_today: int
    paused_until: float | None = None
    parked_until: float | None = None  # the daily quota is exhausted
    held_since: float | None = None  # the server answers nothing: one probe at a time is sent
    held_words: str = ""  # what the server or the network says
    answered: int = 0  # requests


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerState:
    """State of the Ledger at one moment."""

    segments: int = 0  # written by this process
    bytes: int = 0
    flush_s: float = 0.0  # duration of the last flush
    pending_pages: int = 0
    recorded_pages: int = 0  # with a final outcome, acknowledged by this process


@dataclass(frozen=True, slots=True, kw_only=True)
class LimiterState:
    """State of the RateLimiter at one moment. `forgetful`: it was restarted and waits for the earlier spending."""

    models: tuple[ModelQuota, ...] = ()
    spent_usd: float = 0.0
    spent_by_day: Mapping[str, float] = field(default_factory=dict)  # of this run
    spent_today_usd: float = 0.0  # of all runs that are known of
    spent_month_usd: float = 0.0  # likewise
    promised_usd: float = 0.0  # reserved for requests in flight
    budget_usd: float | None = None
    away_for_s: float = 0.0  # how long the shared bucket has been unavailable
    forgetful: bool = False
