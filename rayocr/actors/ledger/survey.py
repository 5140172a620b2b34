"""Surveys the segments of earlier runs in the ledger at the start. The cost depends only on the unfinished documents. The first
line of a segment lists the documents that have pages in it. A segment whose documents are all finished is therefore recognized by
this line alone. Only the manifests of documents in a segment are checked, regardless of the total number of manifests.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from rayocr.errors import ObjectNotFound, RecordCorrupt
from rayocr.ledger.compaction import SegmentFacts, is_needed
from rayocr.ledger.manifest import DEAD_LETTERS_PREFIX, DOCUMENTS_PREFIX, document_id_of, manifest_name
from rayocr.ledger.segment import LEDGER_PREFIX, DecodedSegment, decode_segment, documents_of, load_segment, run_id_of
from rayocr.messages import DocumentOutcome
from rayocr.observe.dead_letters import dead_letter_name
from rayocr.observe.logs import log_event
from rayocr.retry import RetryPolicy, call
from rayocr.storage.base import Entry, Storage

log = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")

_AT_ONCE = 16  # number of concurrent reads, since storage may have a high latency
_HEAD_BYTES = 1 << 17  # the first line of a segment usually fits; otherwise the whole segment is read
# Number of documents; with more, the manifests are listed, because a listing returns a thousand names per request.
_ASK_EACH = 1000


@dataclass(slots=True, kw_only=True)
class LedgerSurvey:
    """The result of the survey. `names`: all segments; `live`: those still needed; `dead`: the others. `finished`: the outcome of
    documents that are in a segment and have a manifest; PARTIAL if pages are kept for a retry."""

    names: list[str] = field(default_factory=list)
    live: list[SegmentFacts] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    finished: dict[str, DocumentOutcome] = field(default_factory=dict)


def survey(state: Storage, *, policy: RetryPolicy, run_id: str = "") -> LedgerSurvey:
    """Reads the facts of all segments, and determines which of them are live. The run's own segments are always live: a document
    that is retried or overwritten keeps its old manifest until the new one is written. Raises StorageError."""
    entries = call(lambda: list(state.list(LEDGER_PREFIX)), policy=policy)
    start = LedgerSurvey(names=[entry.name for entry in entries])
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="ledger-start") as threads:
        facts = [found for found in threads.map(lambda entry: _facts(state, entry, policy), entries) if found is not None]
        document_ids = {document_id for segment in facts for document_id in segment.documents}
        with_manifest = _existing(state, document_ids, DOCUMENTS_PREFIX, manifest_name, threads, policy)
        with_letter = _existing(state, with_manifest, DEAD_LETTERS_PREFIX, dead_letter_name, threads, policy)
    for document_id in with_manifest:
        start.finished[document_id] = DocumentOutcome.PARTIAL if document_id in with_letter else DocumentOutcome.COMPLETE
    for segment in facts:
        own = segment.run_id == run_id
        if own or segment.damaged or any(is_needed(document_id, start.finished) for document_id in segment.documents):
            start.live.append(segment)
        elif segment.documents:
            start.dead.append(segment.name)
    return start


def read_segments(state: Storage, names: Collection[str], *, policy: RetryPolicy) -> Iterator[DecodedSegment]:
    """Yields the segments in the order of the names, without those that no longer exist. Raises StorageError."""
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="ledger-start") as threads:
        pending = iter(names)
        window = [threads.submit(_read, state, name, policy) for _, name in zip(range(2 * _AT_ONCE), pending, strict=False)]
        while window:
            decoded = window.pop(0).result()
            if (name := next(pending, None)) is not None:
                window.append(threads.submit(_read, state, name, policy))
            if decoded is not None:
                yield decoded


def report_damage(segment: DecodedSegment) -> None:
    log_event(
        log,
        "segment_damaged",
        "A ledger segment is damaged.",
        level=logging.WARNING,
        segment=segment.name,
        error="; ".join(segment.damage),
    )


def _facts(state: Storage, entry: Entry, policy: RetryPolicy) -> SegmentFacts | None:
    """Reads the facts of a segment; returns None if another run has deleted it."""
    try:
        head = call(lambda: state.read(entry.name, length=_HEAD_BYTES), policy=policy)
        documents = documents_of(head)
        damaged = False
        if documents is None:
            data = head if len(head) < _HEAD_BYTES else call(lambda: state.read(entry.name), policy=policy)
            documents = documents_of(data)
            if documents is None:
                decoded = decode_segment(entry.name, data)
                documents, damaged = decoded.documents, bool(decoded.damage)
    except ObjectNotFound:
        return None
    except RecordCorrupt:
        documents, damaged = {}, True
    return SegmentFacts(
        name=entry.name, run_id=run_id_of(entry.name), size_bytes=entry.size_bytes, documents=documents, damaged=damaged
    )


def _existing(
    state: Storage,
    document_ids: Collection[str],
    prefix: str,
    name_of: Callable[[str], str],
    threads: ThreadPoolExecutor,
    policy: RetryPolicy,
) -> set[str]:
    """Returns the documents that have such an object, if it is not empty."""

    def exists(document_id: str) -> bool:
        try:
            return call(lambda: state.stat(name_of(document_id)), policy=policy).size_bytes > 0
        except ObjectNotFound:
            return False

    if len(document_ids) <= _ASK_EACH:
        there = threads.map(exists, document_ids)
        return {document_id for document_id, found in zip(document_ids, there, strict=True) if found}
    wanted = set(document_ids)
    listed = (document_id_of(entry.name) for entry in state.list(prefix) if entry.size_bytes)
    return {document_id for document_id in listed if document_id in wanted}


def _read(state: Storage, name: str, policy: RetryPolicy) -> DecodedSegment | None:
    try:
        return load_segment(name, lambda: call(lambda: state.read(name), policy=policy))
    except ObjectNotFound:
        return None
