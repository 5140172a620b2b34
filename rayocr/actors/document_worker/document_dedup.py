"""Implements document dedup (`dedup.documents`): files with the same bytes are read once, and outputs are written for each.

A document's result is kept under the SHA-256 of its bytes and the settings, `.rayocr/contents/<2
hex>/<hash>-<settings>.jsonl.zst`, in the format of a ledger segment. A copy is assembled from this result. The copy has outputs
and a manifest under its own name, and its pages are not read. Only complete documents without a doubtful page that are small
enough to hold in memory are kept.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rayocr.errors import ObjectNotFound, PreconditionFailed, RecordCorrupt, StorageError
from rayocr.ledger.manifest import Manifest, manifest_name
from rayocr.ledger.segment import encode_segment, load_segment
from rayocr.messages import CopyOf, PageOutcome, PageRecord
from rayocr.observe.logs import log_event
from rayocr.retry import RetryPolicy, call
from rayocr.storage.base import Storage

log = logging.getLogger(__name__)

CONTENTS_PREFIX = ".rayocr/contents/"
_MAX_BYTES = 16 << 20  # bytes of text, about 5,000 pages


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedDuplicate:
    """A document that was read, with its pages as a copy uses them, without cost."""

    copy_of: CopyOf
    records: tuple[PageRecord, ...]


def contents_name(content_sha256: str, fingerprint: str, *, boxes: bool) -> str:
    """Returns the name of the object. `boxes`: includes the positions of lines, which some outputs need."""
    return f"{CONTENTS_PREFIX}{content_sha256[:2]}/{content_sha256}-{fingerprint}{'-boxes' if boxes else ''}.jsonl.zst"


class DedupRecorder:
    """Collects the pages of a document while it is assembled, as long as a copy can use them."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._records: list[PageRecord] | None = []
        self._size = 0

    def add(self, record: PageRecord) -> None:
        if self._records is None:
            return
        self._size += len(record.text) + len(record.boxes)
        if record.outcome is PageOutcome.FAILED or record.doubts or self._size > _MAX_BYTES:
            self._records = None
        else:
            self._records.append(record)

    def keep(self, state: Storage, *, run_id: str, policy: RetryPolicy) -> None:
        """Stores the pages. Never raises StorageError; after a failure a copy is read again."""
        if not self._records:
            return
        data = encode_segment(self._records, run_id=run_id, seq=0)
        try:
            call(lambda: state.write(self._name, data, if_absent=True), policy=policy)
        except PreconditionFailed:
            return
        except StorageError as error:
            log_event(log, "contents_write_failed", "Cannot keep a document's result for its copies.", error=str(error))


def find_duplicate(
    state: Storage, name: str, *, document_id: str, page_count: int, policy: RetryPolicy
) -> FinishedDuplicate | None:
    """Returns a document with the same bytes; None if none was read, or if its record is damaged. Raises StorageError."""
    try:
        decoded = load_segment(name, lambda: call(lambda: state.read(name), policy=policy))
    except ObjectNotFound:
        return None
    records = sorted(decoded.records, key=lambda record: record.page_number)
    if decoded.damage or [record.page_number for record in records] != list(range(1, page_count + 1)):
        message = "The kept result of a document is damaged; its copy is read instead."
        log_event(log, "contents_damaged", message, level=logging.WARNING, name=name)
        return None
    first = records[0].document_id
    return FinishedDuplicate(
        copy_of=CopyOf(document_id=first, name=_name_of(state, first, policy)),
        records=tuple(_as_copy(record, document_id) for record in records),
    )


def _as_copy(record: PageRecord, document_id: str) -> PageRecord:
    return replace(record, document_id=document_id, copied=True, input_tokens=0, output_tokens=0, cached_tokens=0, cost_usd=0.0)


def _name_of(state: Storage, document_id: str, policy: RetryPolicy) -> str:
    name = manifest_name(document_id)
    try:
        return Manifest.from_json(call(lambda: state.read(name), policy=policy), name=name).name
    except (ObjectNotFound, RecordCorrupt):
        return ""


def texts_of(records: Sequence[PageRecord], first_page: int, last_page: int) -> Sequence[PageRecord]:
    return records[first_page - 1 : last_page]
