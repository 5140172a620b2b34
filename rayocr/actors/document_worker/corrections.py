"""Reads and saves the corrections of a document. Used by assemble and by the results view."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from rayocr.errors import ObjectNotFound, PreconditionFailed, RecordCorrupt, UsageError
from rayocr.ledger.corrections import MAX_TEXT_CHARS, Correction, Corrections, corrections_name
from rayocr.observe.logs import log_event
from rayocr.retry import RetryPolicy, call
from rayocr.storage.base import MAX_STATE_BYTES, Storage

log = logging.getLogger(__name__)

_TRIES = 5  # when several people save pages of one document at the same time


def corrections_of(state: Storage, document_id: str, *, policy: RetryPolicy) -> dict[int, Correction]:
    """By page number. A damaged record is logged and ignored. Raises StorageError."""
    try:
        return dict(_read(state, document_id, policy)[0].pages)
    except RecordCorrupt as error:
        log_event(
            log,
            "corrections_damaged",
            "Cannot read the corrections of a document; it is assembled without them.",
            level=logging.WARNING,
            document_id=document_id,
            error=str(error),
        )
        return {}


def save_correction(
    state: Storage, document_id: str, page_number: int, *, text: str, author: str, policy: RetryPolicy
) -> Correction:
    """Durable when it returns. Raises UsageError if the text is too long, RecordCorrupt, PreconditionFailed and StorageError."""
    if len(text) > MAX_TEXT_CHARS:
        raise UsageError(f"The text of page {page_number} has {len(text):,} characters; the limit is {MAX_TEXT_CHARS:,}.")
    made = Correction(text=text, author=author[:200], corrected_at=datetime.now(UTC).isoformat(timespec="seconds"))
    for attempt in range(1, _TRIES + 1):
        found, version = _read(state, document_id, policy)
        data = found.having(page_number, made).to_json()
        try:
            state.write(corrections_name(document_id), data, if_absent=version is None, if_version=version)
            break
        except PreconditionFailed:
            if attempt == _TRIES:
                raise
    return made


def _read(state: Storage, document_id: str, policy: RetryPolicy) -> tuple[Corrections, str | None]:
    """With the version of the object, or None if there is none."""
    name = corrections_name(document_id)
    try:
        entry = call(lambda: state.stat(name), policy=policy)
        data = call(lambda: state.read(name, version=entry.version, max_bytes=MAX_STATE_BYTES), policy=policy)
    except ObjectNotFound:
        return Corrections(document_id=document_id), None
    return Corrections.from_json(data, name=name), entry.version
