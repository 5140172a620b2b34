"""Defines the driver's state of a document in progress, and how its flow ends: counters and page summaries, never page text."""

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
    """A document in progress. `content`: a reference to the bytes."""

    document: Document
    lease: Lease
    fetched: FetchedDocument | None = None
    content: Content | None = None
    started_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))
    waiting: dict[int, int] = field(default_factory=dict)  # page_number -> the engine of the chain that the page waits for
    attempts: dict[int, tuple[Attempt, ...]] = field(default_factory=dict)  # attempts of earlier stages, by page_number
    earlier_attempts: dict[int, int] = field(default_factory=dict)  # number of attempts that earlier runs made, by page number
    ledger_asked: bool = False  # `waiting` is incomplete until this is set
    failures: int = 0  # number of workers that died while they had the document
    fetch_failures: int = 0  # number of these workers that were fetching it
    # Number of workers that died while they had the page, by page number.
    page_failures: Counter[int] = field(default_factory=Counter)
    crashed: dict[int, str] = field(
        default_factory=dict
    )  # pages that are not tried again because they crash workers, with the reason
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
        """Number of pages without an outcome; None until the document is fetched."""
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
    SETTLED = "settled"  # the document has an outcome, from this run or another, or was deleted
    HELD = "held"  # another run, which may die, holds the document
    DEFERRED = "deferred"  # the document's storage was unavailable


class Replaced(Exception):
    """Raised if the source has a newer version, `newer`, which counts as another document. The run commits nothing of the older
    version."""

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
