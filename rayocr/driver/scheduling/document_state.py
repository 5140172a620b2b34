"""What the driver knows of a document under way, and two questions about it. Counters and summaries of pages, never their
text."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rayocr.errors import ObjectNotFound, RecordCorrupt
from rayocr.ledger.manifest import Manifest, manifest_name
from rayocr.locks.base import Lease
from rayocr.messages import Attempt, Document, DocumentContext, FetchedDocument
from rayocr.observe.dead_letters import DeadLetter
from rayocr.observe.logs import log_event

if TYPE_CHECKING:
    from rayocr.driver.cluster.actors import RayActors

log = logging.getLogger(__name__)


@dataclass(slots=True)
class DocumentState:
    """`content`: the bytes in the object store, or rather where they are."""

    document: Document
    lease: Lease
    fetched: FetchedDocument | None = None
    content: object = None
    started_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    waiting: dict[int, int] = field(default_factory=dict)  # page_number -> the engine of the chain it waits for
    attempts: dict[int, tuple[Attempt, ...]] = field(default_factory=dict)  # of earlier stages, by page_number
    asked_ledger: bool = False  # only then does `waiting` say what is left
    deaths: int = 0
    refetches: int = 0

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


def is_finished_by_another(actors: RayActors, document: Document, *, since: str) -> bool:
    """Since it was listed; where finished documents are read again, since this run began. What this run finished itself is given
    once more by a Discovery that had to list again, and paid for twice only where a client asked for it. Blocks. Raises
    StorageError."""
    name = manifest_name(document.document_id)
    try:
        if not actors.overwrite and not actors.retries(document.document_id):
            return actors.state.stat(name).size_bytes > 0
        manifest = Manifest.from_json(actors.state.read(name), name=name)
    except (ObjectNotFound, RecordCorrupt):
        return False
    if manifest.run_id == actors.assemble_settings.run_id:
        return document.document_id not in actors.retried
    return manifest.started_at >= since


def log_letter(action: str, message: str, letter: DeadLetter) -> None:
    log_event(
        log,
        action,
        message,
        level=logging.WARNING,
        document_id=letter.document_id,
        name=letter.name,
        error=letter.reason,
        reason=letter.message,
        pages=letter.pages or None,
        attempt=letter.tries,
        hint=letter.retry,
    )
