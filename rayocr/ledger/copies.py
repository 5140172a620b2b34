"""Caches page texts by page content, so that identical pages of other documents are not read again.

The size in bytes is limited; the least recently used page is evicted first. The cache contains only durable records. Entries
outlive their documents but not the run, except the records of unfinished documents.
"""

from __future__ import annotations

from collections import OrderedDict

from rayocr.messages import PageOutcome, PageRecord

_OVERHEAD_BYTES = 600  # bytes per record besides its text


class PageDuplicates:
    def __init__(self, *, memory_bytes: int) -> None:
        self._limit = memory_bytes
        self._size = 0
        self._records: OrderedDict[tuple[str, str], PageRecord] = OrderedDict()

    def add(self, record: PageRecord) -> None:
        """Adds records for which `can_be_copied` is true."""
        if not can_be_copied(record):
            return
        key = (record.fingerprint, record.content_hash)
        if key in self._records:
            return
        self._records[key] = record
        self._size += _size(record)
        while self._size > self._limit:
            _, oldest = self._records.popitem(last=False)
            self._size -= _size(oldest)

    def get(self, fingerprint: str, content_hash: str) -> PageRecord | None:
        """Returns a record that was made with the settings of this fingerprint, if there is one."""
        record = self._records.get((fingerprint, content_hash))
        if record is not None:
            self._records.move_to_end((fingerprint, content_hash))
        return record

    def __len__(self) -> int:
        return len(self._records)


def can_be_copied(record: PageRecord) -> bool:
    """Returns whether the page was read without doubts by an engine that calls a server (pages for local engines are not hashed,
    because reading them costs nothing)."""
    return bool(record.content_hash and record.text) and record.outcome is PageOutcome.DONE and not record.doubts


def _size(record: PageRecord) -> int:
    return len(record.text.encode("utf-8", "surrogatepass")) + _OVERHEAD_BYTES
