"""Implements the in-memory index of the pages of unfinished documents, used by the Ledger actor. Invariant: idempotent on
(document_id, page_number). The index keeps one of two records of a page:

    on record      arrives         stays
    handed on      final           the final one, regardless of tokens
    final          handed on       the final one
    handed on      handed on       the higher fencing token; at the same, the one further down the chain; then the one with more
                                   attempts; else the earlier
    final          final           the higher fencing token; if equal, the earlier
    read, failed   failed, read    with different tokens but the same settings: the read one, since its text is already paid for

Texts beyond `memory_bytes` go to a spill file. Not thread-safe; the actor's event loop is the only caller.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import dataclass, field, replace

from rayocr.errors import StorageUnavailable
from rayocr.ledger.spill import Extent, SpillFile
from rayocr.messages import PageRecord, PageSummary


@dataclass(slots=True)
class _Pages:
    """Records by page number. Records in `spilled` have an empty text here."""

    records: dict[int, PageRecord] = field(default_factory=dict)
    spilled: dict[int, Extent] = field(default_factory=dict)


class LedgerIndex:
    def __init__(self, *, memory_bytes: int = 256 << 20, spill_folder: str | None = None) -> None:
        self._memory_limit = memory_bytes
        self._spill_folder = spill_folder
        self._documents: defaultdict[str, _Pages] = defaultdict(_Pages)
        self._spill: SpillFile | None = None
        self._memory = 0
        self._page_count = 0

    @property
    def page_count(self) -> int:
        return self._page_count

    @property
    def memory_bytes(self) -> int:
        """Size of the texts in memory."""
        return self._memory

    @property
    def spilled_bytes(self) -> int:
        """Size of the texts on disk that are still needed."""
        return self._spill.live_bytes if self._spill else 0

    def document_ids(self) -> tuple[str, ...]:
        return tuple(self._documents)

    def add(self, record: PageRecord) -> bool:
        """Adds a record; returns whether it was accepted (see the table above)."""
        known = self._documents.get(record.document_id)
        old = known.records.get(record.page_number) if known else None
        if old is not None and not _replaces(record, old):
            return False
        pages = self._documents[record.document_id]
        if old is not None and old.doubts and not (record.outcome.final or record.text):
            # A doubtful text is kept until an engine returns a better one.
            whole = self._whole(pages, old)
            record = replace(
                record, text=whole.text, engine=whole.engine, model=whole.model, doubts=whole.doubts, boxes=whole.boxes
            )
        if old is None:
            self._page_count += 1
        else:
            self._forget_text(pages, old)
        pages.records[record.page_number] = self._stored(pages, record)
        return True

    def pages(self, document_id: str, *, fingerprint: str | None = None) -> tuple[PageSummary, ...]:
        """Returns the pages in order; with a fingerprint, only pages that were read with its settings."""
        known = self._documents.get(document_id)
        if known is None:
            return ()
        records = (known.records[number] for number in sorted(known.records))
        return tuple(record.summary for record in records if fingerprint is None or record.fingerprint == fingerprint)

    def texts(self, document_id: str, first_page: int, last_page: int) -> tuple[PageRecord, ...]:
        """Returns the recorded pages from first to last (inclusive), in order. Raises StorageUnavailable (the local disk)."""
        known = self._documents.get(document_id)
        if known is None:
            return ()
        numbers = [n for n in range(first_page, last_page + 1) if n in known.records]
        return tuple(self._whole(known, known.records[number]) for number in numbers)

    def drop(self, document_id: str) -> None:
        """Drops a document. Idempotent."""
        pages = self._documents.pop(document_id, None)
        if pages is None:
            return
        self._page_count -= len(pages.records)
        for record in pages.records.values():
            self._forget_text(pages, record)

    def _stored(self, pages: _Pages, record: PageRecord) -> PageRecord:
        """Returns the record as stored. Spills the newest text, since documents finish in order."""
        size = _size(record)
        if record.text and self._memory + size > self._memory_limit:
            try:
                self._spill = self._spill or SpillFile(self._spill_folder)
                pages.spilled[record.page_number] = self._spill.append(_spilled(record))
                return replace(record, text="", boxes="")
            except OSError:
                pass  # the local disk is full; the page is acknowledged, so keep its text in memory
        self._memory += size
        return record

    def _forget_text(self, pages: _Pages, record: PageRecord) -> None:
        extent = pages.spilled.pop(record.page_number, None)
        if extent is None:
            self._memory -= _size(record)
        elif self._spill is not None:
            self._spill.free(extent)

    def _whole(self, pages: _Pages, record: PageRecord) -> PageRecord:
        extent = pages.spilled.get(record.page_number)
        if extent is None or self._spill is None:
            return record
        try:
            return _unspilled(record, self._spill.read(extent))
        except OSError as error:
            raise StorageUnavailable(f"Text that was moved to the local disk cannot be read: {error}.") from error


def _size(record: PageRecord) -> int:
    return sys.getsizeof(record.text) + sys.getsizeof(record.boxes)


def _spilled(record: PageRecord) -> bytes:
    """Encodes the length of the text, the text and the boxes."""
    return f"{len(record.text)}:{record.text}{record.boxes}".encode("utf-8", "surrogatepass")


def _unspilled(record: PageRecord, data: bytes) -> PageRecord:
    length, _, content = data.decode("utf-8", "surrogatepass").partition(":")
    return replace(record, text=content[: int(length)], boxes=content[int(length) :])


def _replaces(new: PageRecord, old: PageRecord) -> bool:
    if new.outcome.final != old.outcome.final:
        return new.outcome.final
    if not new.outcome.final:
        return _depth(new) > _depth(old)
    if new.fencing_token != old.fencing_token and new.fingerprint == old.fingerprint and _is_read(new) != _is_read(old):
        return _is_read(new)
    return new.fencing_token > old.fencing_token


def _depth(record: PageRecord) -> tuple[int, int, int]:
    return record.fencing_token, record.next_engine, len(record.attempts)


def _is_read(record: PageRecord) -> bool:
    return not record.wants_retry
