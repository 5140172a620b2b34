"""Plans which segments to delete and which to rewrite, so that a start reads only the records of unfinished documents. Planning
is pure; `apply_plan` determines the order. Invariants: A needed record is always in storage, because an old segment is deleted
only after the new one is written. A segment of a run that may be alive is never rewritten, and is deleted only when no document
needs it. A damaged segment is kept as evidence of its content. Compaction keeps the records of unfinished and of partial
documents, because a retry of a partial one reads only its failed pages.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rayocr.ledger.segment import MAX_SEGMENT_BYTES
from rayocr.messages import DocumentOutcome, PageRecord

_REWRITE_BELOW = 0.5  # a segment is rewritten below this share of needed records
_SMALL_BYTES = 256 << 10  # smaller segments are merged even if all of their records are needed
_MERGE_AT_LEAST = 16  # number of small segments; reading fewer of them at every start costs less than one rewrite
_LARGEST = MAX_SEGMENT_BYTES // 8  # maximum number of characters of a new segment; JSON may encode each in four bytes
_TARGET_BYTES = 8 << 20  # size of a new segment, estimated from the needed share of the old ones


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentFacts:
    """Facts about a segment. `documents`: the number of records per document."""

    name: str
    run_id: str
    size_bytes: int
    documents: Mapping[str, int]
    damaged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """Writes the records of `documents` in `sources` into one new segment, then deletes the sources."""

    sources: tuple[str, ...]
    documents: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactionPlan:
    delete: tuple[str, ...]  # segments that contain no needed record
    merges: tuple[Merge, ...]


def is_needed(document_id: str, finished: Mapping[str, DocumentOutcome]) -> bool:
    return finished.get(document_id, DocumentOutcome.PARTIAL) is DocumentOutcome.PARTIAL


def plan_compaction(
    segments: Sequence[SegmentFacts], *, finished: Mapping[str, DocumentOutcome], live_runs: Collection[str] = ()
) -> CompactionPlan:
    """Makes the plan. `live_runs`: other runs that may be alive, including those whose state is unknown."""
    delete: list[str] = []
    sparse: list[SegmentFacts] = []
    small: list[SegmentFacts] = []
    for segment in sorted(segments, key=lambda s: s.name):
        needed, total = _needed_records(segment, finished), sum(segment.documents.values())
        if segment.damaged or not total:
            continue
        if not needed:
            delete.append(segment.name)
        elif segment.run_id in live_runs:
            continue
        elif needed < _REWRITE_BELOW * total:
            sparse.append(segment)
        elif segment.size_bytes < _SMALL_BYTES:
            small.append(segment)
    candidates = sparse + small if len(sparse) + len(small) >= _MERGE_AT_LEAST else sparse
    return CompactionPlan(delete=tuple(delete), merges=tuple(_merges(sorted(candidates, key=lambda s: s.name), finished)))


def apply_plan(
    plan: CompactionPlan,
    *,
    read: Callable[[str], Sequence[PageRecord] | None],
    write: Callable[[Sequence[PageRecord]], str],
    delete: Callable[[str], None],
) -> list[str]:
    """Applies the plan and returns the names of the new segments. A crash leaves at worst duplicate records, which the index
    ignores.

    `read` returns None for a damaged or missing segment, whose merge is then skipped.
    """
    written = []
    for name in plan.delete:
        delete(name)
    for merge in plan.merges:
        sources = [read(source) for source in merge.sources]
        whole = [records for records in sources if records is not None]
        if len(whole) < len(sources):
            continue
        records = [record for source in whole for record in source if record.document_id in merge.documents]
        if sum(len(record.text) + len(record.boxes) for record in records) > _LARGEST:
            continue  # highly compressible text: one segment would be too large to read
        if records:
            written.append(write(records))
        for source in merge.sources:
            delete(source)
    return written


def _merges(candidates: Sequence[SegmentFacts], finished: Mapping[str, DocumentOutcome]) -> Iterable[Merge]:
    group: list[SegmentFacts] = []
    size = 0.0
    for segment in candidates:
        share = _needed_records(segment, finished) / sum(segment.documents.values())
        if group and size + share * segment.size_bytes > _TARGET_BYTES:
            yield _merge(group, finished)
            group, size = [], 0.0
        group.append(segment)
        size += share * segment.size_bytes
    if group:
        yield _merge(group, finished)


def _merge(group: Sequence[SegmentFacts], finished: Mapping[str, DocumentOutcome]) -> Merge:
    documents = frozenset(d for segment in group for d in segment.documents if is_needed(d, finished))
    return Merge(sources=tuple(segment.name for segment in group), documents=documents)


def _needed_records(segment: SegmentFacts, finished: Mapping[str, DocumentOutcome]) -> int:
    return sum(count for document_id, count in segment.documents.items() if is_needed(document_id, finished))
