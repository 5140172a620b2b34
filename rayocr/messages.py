"""The values that travel between driver, actors and tasks: frozen, keyword-only, no handles and no clients.

Page text travels in one of them only, `PageRecord`, and that goes from worker to ledger to assembler, never through the driver.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

SUSPECT = "suspect"  # a doubt: what a server said does not agree with another reading of the page


class PageOutcome(StrEnum):
    DONE = "done"
    BLANK = "blank"
    FALLBACK = "fallback"  # read by a later engine of the chain; `engine` says which
    FAILED = "failed"
    HANDED_ON = "handed_on"  # not final: waits for a later engine of the chain; remembered so that it is not paid for again

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
    opaque (local: `size-mtime_ns`, GCS: generation, Drive: revision and md5). `namesake` is the owner of that path, if another.
    `has_letter`: a run that was killed between its dead letter and its manifest left the letter.
    """

    document_id: str
    source_uri: str
    name: str
    output_stem: str
    version: str
    size_bytes: int
    namesake: str = ""
    has_letter: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedDocument:
    """What fetch learned of a document whose bytes now lie in the object store."""

    document: Document
    page_count: int
    title: str | None = None
    content_sha256: str = ""  # where copies are looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """A run of pages of one document: one unit of scheduling.

    `first_engine` is an index into the chain; `attempts` what earlier stages tried in vain, by page number.
    """

    document_id: str
    page_numbers: tuple[int, ...]
    first_engine: int = 0
    attempts: Mapping[int, tuple[Attempt, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextBox:
    """One line of text on the page. Corners in PDF points of the upright page, origin top left, y down. `angle_deg`: how far the
    text is turned there, clockwise; of turned text the box is the smallest upright one around it."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    confidence: float = 1.0
    angle_deg: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PageText:
    """An engine's answer. `text` is Markdown; `finish` the engine's own word for how it ended; `confidence` 0..1 where known."""

    text: str
    engine: str
    model: str
    input_tokens: int = 0
    output_tokens: int = 0  # thoughts included
    cached_tokens: int = 0  # of the input, those that the server had kept
    cost_usd: float = 0.0
    finish: str = "stop"
    confidence: float | None = None
    boxes: tuple[TextBox, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One engine that was asked and did not deliver: `reason` is a class name of errors.py.

    `finish` is the engine's own word for how its answer ended; the tokens are paid for, delivered or not. `model` is empty for
    engines that ask no server.
    """

    engine: str
    reason: str
    message: str = ""
    model: str = ""
    finish: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRecord:
    """What the ledger keeps of one page. `doubts` are short words such as `low_confidence` that readers should know of.

    Tokens and cost are of all tries, those in vain included.
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
    attempts: tuple[Attempt, ...] = ()
    next_engine: int = 0  # index into the chain, for HANDED_ON: whom to ask next, or again
    doubts: tuple[str, ...] = ()
    fencing_token: int = 0
    fingerprint: str = ""  # of the settings that the text was made with
    content_hash: str = ""  # of the page as it was sent to a server; see rayocr/pdf/content_hash.py
    copied: bool = False  # the text of an identical page that was read before, at no cost
    boxes: str = ""  # its lines, see rayocr/ledger/boxes.py; kept where an output needs them
    agreement: float | None = None  # 0..1 with another reading of the page (engines/answers/verification.py); None: not measured

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
            attempts=self.attempts,
            next_engine=self.next_engine,
            doubts=self.doubts,
            fingerprint=self.fingerprint,
            copied=self.copied,
            agreement=self.agreement,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSummary:
    """A PageRecord without its text: what the driver may hold."""

    page_number: int
    outcome: PageOutcome
    engine: str = ""
    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    attempts: tuple[Attempt, ...] = ()
    next_engine: int = 0
    doubts: tuple[str, ...] = ()
    fingerprint: str = ""
    copied: bool = False
    agreement: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardReport:
    """What became of a shard. Pages in it are acknowledged: the ledger's write returned before this was sent."""

    document_id: str
    pages: tuple[PageSummary, ...]
    compute_s: float = 0.0  # wall-clock seconds spent on its pages, for sizing the next shards


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFile:
    """One file written for a document: its name below the destination and the sha256 of its bytes. `notes`: sentences on what
    it could not show as it was."""

    name: str
    size_bytes: int
    sha256: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyOf:
    """The document whose bytes another one has, too. `name`: below its source; empty where it is no longer known."""

    document_id: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssembledDocument:
    """What assemble wrote. `renamed`: another document has the plain name. `copy_of` with `copied_pages`: nothing was read."""

    document_id: str
    outcome: DocumentOutcome
    outputs: tuple[OutputFile, ...] = field(default=())
    renamed: bool = False
    copy_of: CopyOf | None = None
    copied_pages: tuple[PageSummary, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentContext:
    """What every part needs to know of a document that is being worked on."""

    document: Document
    page_count: int
    title: str | None
    fencing_token: int
    content_sha256: str = ""
    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryTotals:
    """What the listing has come across so far. `found` counts every document; the others are parts of it."""

    found: int = 0
    finished: int = 0  # by an earlier run, whatever the outcome
    dead_letters: int = 0  # of those finished, the partial and rejected ones
    unreadable: int = 0  # files or folders that could not be looked at
    unreadable_names: tuple[str, ...] = ()  # the first of them, below the source
    strange: tuple[str, ...] = ()  # records under .rayocr that are empty, and what is not ours there; the first of them
    settling: int = 0  # files that are being written, and left alone for now


class Poll(StrEnum):
    """How mode=watch looks for new documents."""

    ALL = "all"  # a whole listing
    CHANGES = "changes"  # what the source's feed tells of; a whole listing where it has none
    SETTLING = "settling"  # only the files that were being written


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryBatch:
    documents: tuple[Document, ...]
    totals: DiscoveryTotals
    exhausted: bool
    limit_reached: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerInfo:
    """A worker that is ready. `engines`: those of its stage that work here, in order."""

    engines: tuple[str, ...]
    host: str
    pid: int
    node_id: str = ""  # Ray's


class ThrottleKind(StrEnum):
    """What a server refused a request for."""

    MINUTE = "minute"  # 429: the quota of a minute, or an unnamed one
    DAY = "day"  # 429: the quota of the day
    OVERLOADED = "overloaded"  # 5xx: it is too busy, whatever the quota


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """A refusal, as a worker reports it. `retry_after_s`: the server's own delay; `age_s`: since the request was sent."""

    kind: ThrottleKind
    retry_after_s: float | None = None
    age_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotReturn:
    """Slots that a worker gives back, with what their requests took: `answered` of them took these tokens and this money,
    `free` of them nothing (never sent, or turned away), the others (an answer that was lost or bad) probably what was expected.
    """

    slots: int
    answered: int = 0
    free: int = 0
    input_tokens: int = 0
    cost_usd: float = 0.0
    throttle: Throttle | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelQuota:
    """What the RateLimiter knows of one model. Instants are seconds since 1970; `rate_rpm` None: no limit."""

    model: str
    granted: int
    waited_s: float  # of all pages together: from asking for a slot to its start
    throttled: int  # refusals by the server
    rate_rpm: float | None  # learned; at most the configured one
    in_flight: int
    input_tokens: int
    spent_usd: float
    requests_today: int
    paused_until: float | None = None
    parked_until: float | None = None  # the quota of the day is used up


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerState:
    """The Ledger at one moment."""

    segments: int = 0  # written by this process of it
    bytes: int = 0
    flush_s: float = 0.0  # what the last one took
    pending_pages: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LimiterState:
    """The RateLimiter at one moment. `forgetful`: it was restarted and waits to be told what had been spent."""

    models: tuple[ModelQuota, ...] = ()
    spent_usd: float = 0.0
    promised_usd: float = 0.0  # to requests under way
    budget_usd: float | None = None
    away_for_s: float = 0.0  # so long has the shared bucket been out of reach
    forgetful: bool = False
