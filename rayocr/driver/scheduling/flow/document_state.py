"""The driver's state of a document in progress, and how its flow ends. Counters and page summaries, never page text."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum

from rayocr.driver.cluster.base import Content
from rayocr.locks.base import Lease
from rayocr.messages import Attempt, Document, DocumentContext, FetchedDocument
from rayocr.observe.dead_letters import DeadLetter
from rayocr.observe.logs import log_event

log = logging.getLogger(__name__)


@dataclass(slots=True)
class DocumentState:
    """`content`: a reference to the bytes."""

    document: Document
    lease: Lease
    fetched: FetchedDocument | None = None
    content: Content | None = None
    started_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))
    waiting: dict[int, int] = field(default_factory=dict)  # page_number -> the engine of the chain it waits for
    attempts: dict[int, tuple[Attempt, ...]] = field(default_factory=dict)  # attempts of earlier stages, by page_number
    earlier_attempts: dict[int, int] = field(default_factory=dict)  # how many of them earlier runs made, by page number
    ledger_asked: bool = False  # until then `waiting` is incomplete
    failures: int = 0  # workers that died while they had the document
    fetch_failures: int = 0  # of those, workers that were fetching it
    page_failures: Counter[int] = field(default_factory=Counter)  # workers that died while they had the page, by page number
    crashed: dict[int, str] = field(
        default_factory=dict
    )  # pages that are not tried again because they end workers, with the reason
    assembly_crashes: int = 0
    refetches: int = 0
    refetching: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def document_id(self) -> str:
        return self.document.document_id

    @property
    def pages_done(self) -> int:
        return self.fetched.page_count - len(self.waiting) if self.fetched and self.ledger_asked else 0

    @property
    def pages_left(self) -> int | None:
        """Returns None until the document is fetched."""
        return self.fetched.page_count - self.pages_done if self.fetched else None

    @property
    def context(self) -> DocumentContext:
        assert self.fetched is not None
        return DocumentContext(
            document=self.document,
            page_count=self.fetched.page_count,
            title=self.fetched.title,
            fencing_token=self.lease.fencing_token,
            content_sha256=self.fetched.content_sha256,
        )


class FlowResult(Enum):
    SETTLED = "settled"  # it has an outcome, from this run or another, or is gone
    HELD = "held"  # by another run, which may die
    DEFERRED = "deferred"  # its storage was unavailable


class Replaced(Exception):
    """The source has a newer version, which counts as another document: `newer`. Nothing of this one is committed."""

    def __init__(self, newer: Document) -> None:
        super().__init__(newer.document_id)
        self.newer = newer


def log_dead_letter(action: str, message: str, dead_letter: DeadLetter) -> None:
    log_event(
        log,
        action,
        message,
        level=logging.WARNING,
        document_id=dead_letter.document_id,
        name=dead_letter.name,
        error=dead_letter.reason,
        reason=dead_letter.message,
        pages=dead_letter.pages or None,
        attempt=dead_letter.tries,
        hint=dead_letter.retry,
    )
