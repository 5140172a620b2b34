"""Defines the values of pages: the answers of engines, the records of the ledger, and the summaries of the driver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum

OUTAGE = "outage"  # a doubt: a later engine read the page because the server was unavailable (engine.on_outage=fallback)
OUTAGE_REASONS = ("ModelUnavailable", "QuotaDenied", "UnknownModel")  # reasons of attempts, classes of rayocr.errors
UNPRICED = "unknown"  # a price class: a server was paid, and conf/prices.yaml has no price for the model
SUSPECT = "suspect"  # a doubt: a server's answer does not agree with another reading of the page
PICTURE_LOST = "picture_lost"  # a doubt: a picture on the page cannot be decoded, so its content was not read
LOW_CONFIDENCE = "low_confidence"  # a doubt: lines of the page were read with low confidence, or not at all
UNREAD_INK = "unread_ink"  # a doubt: the page shows lines that its text layer does not have, and no engine read them reliably
PACK_MISSING = (
    # A doubt, with the pack, such as "pack_missing:hin": lines are in a script or language that no installed pack reads.
    "pack_missing"
)
PLACEHOLDER = "placeholder"  # a doubt: the page asks to open the form in Adobe Acrobat, which alone can show its content
CROSSED_OUT = "crossed_out"  # a doubt: an X or a zigzag line is drawn over text of the page, which is read nevertheless
HIDDEN_TEXT = "hidden_text"  # a doubt: the file has invisible text on this page; the text was left out


class PageOutcome(StrEnum):
    DONE = "done"
    BLANK = "blank"
    FALLBACK = "fallback"  # a later engine of the chain, named in `engine`, read the page
    FAILED = "failed"
    # Not final: the page waits for a later engine of the chain; recorded so that it is not paid for again.
    HANDED_ON = "handed_on"

    @property
    def final(self) -> bool:
        return self is not PageOutcome.HANDED_ON


@dataclass(frozen=True, slots=True, kw_only=True)
class TextBox:
    """One line of text on the page. The corners are in PDF points of the upright page, with the origin at the top left and y
    downwards. `angle_deg`: clockwise rotation of the text; for rotated text the box is the smallest upright box around it."""

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
    cached_tokens: int = 0  # the part of the input tokens that the server had cached
    cost_usd: float = 0.0
    price_class: str = ""  # standard, flex, batch, priority or unknown; empty: no cost
    finish: str = "stop"
    confidence: float | None = None
    boxes: tuple[TextBox, ...] | None = None
    doubts: tuple[str, ...] = ()  # doubts of the engine itself; see PageRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One failed attempt of an engine. `reason` is a class name of rayocr.errors.

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
    cached_tokens: int = 0  # as in PageText
    cost_usd: float = 0.0
    price_class: str = ""  # as in PageText


@dataclass(frozen=True, slots=True, kw_only=True)
class _PageResult:
    """The result of a page. `doubts` are short words such as `low_confidence` that a reader should know.

    Tokens and cost include all attempts, failed ones too.
    """

    page_number: int
    outcome: PageOutcome
    engine: str = ""
    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost_usd: float = 0.0
    price_class: str = ""  # confidence of the answer that was kept
    attempts: tuple[Attempt, ...] = ()
    next_engine: int = 0  # for HANDED_ON, the index in the chain of the next engine
    doubts: tuple[str, ...] = ()
    fingerprint: str = ""  # fingerprint of the settings with which the text was read
    copied: bool = False  # the text was copied from an identical page, at no cost
    # Agreement with another reading of the page, 0..1 (engines/answers/verification.py); None: not measured.
    agreement: float | None = None

    @property
    def unpriced(self) -> bool:
        """True if part of the cost is unknown."""
        return self.price_class == UNPRICED or any(attempt.price_class == UNPRICED for attempt in self.attempts)

    @property
    def wants_retry(self) -> bool:
        """True if mode=retry reads the page again, because it failed or a later engine read it during an outage."""
        return self.outcome is PageOutcome.FAILED or OUTAGE in self.doubts


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSummary(_PageResult):
    """A page's result without its text, which the driver may hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRecord(_PageResult):
    """The ledger's record of one page."""

    document_id: str
    text: str = ""
    fencing_token: int = 0
    content_hash: str = ""  # hash of the page as sent to a server; see rayocr/pdf/cut/content_hash.py
    boxes: str = ""  # lines with their positions (rayocr/ledger); kept only if an output needs them

    @property
    def summary(self) -> PageSummary:
        return PageSummary(**{field.name: getattr(self, field.name) for field in fields(PageSummary)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """Some pages of one document, scheduled as one unit.

    `first_engine` is an index in the chain. `attempts` contains the failed attempts of earlier stages, by page number. `crashed`
    contains pages that crashed their worker, with the reason; they are recorded as failed without being opened.
    `least_confidence` is set for pages of the lane of local engines. If the local engines read a page with a lower mean
    confidence or with a doubt, the page is not recorded and is missing in the report.
    """

    document_id: str
    page_numbers: tuple[int, ...]
    first_engine: int = 0
    attempts: Mapping[int, tuple[Attempt, ...]] = field(default_factory=dict)
    crashed: Mapping[int, str] = field(default_factory=dict)
    least_confidence: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardReport:
    """The result of a shard. Its pages are acknowledged: the ledger's write returned before this was sent."""

    document_id: str
    pages: tuple[PageSummary, ...]
    compute_s: float = 0.0  # wall-clock seconds for its pages, used to size the next shards
    cpu_share: float = 0.0  # CPUs that the worker's process used recently
