"""Plans which segments to delete and which to rewrite, so that a start costs what is unfinished, not what was ever done.

Planning is pure; `apply_plan` fixes the order. Invariants: a record that is still needed is on storage at every instant (an old
segment is deleted only after the new one is written); a segment of a run that may be alive is never rewritten, only deleted when
no document needs it; a damaged segment is left alone, as the only witness of what was in it.

Needed are the records of unfinished documents, and of partial ones, since a retry reads their failed pages only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rayocr.ledger.segment import MAX_SEGMENT_BYTES
from rayocr.messages import DocumentOutcome, PageRecord

_REWRITE_BELOW = 0.5  # share of records still needed, under which a segment is rewritten
_SMALL_BYTES = 256 << 10  # segments under this are merged even if all of their records are needed
_MERGE_AT_LEAST = 16  # of them: fewer cost less to read at every start than to rewrite once
_LARGEST = MAX_SEGMENT_BYTES // 8  # characters of a new segment, which JSON may make four bytes each
_TARGET_BYTES = 8 << 20  # of a new segment, by the needed share of the old ones


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentFacts:
    """`documents`: how many records of each document are in the segment."""

    name: str
    run_id: str
    size_bytes: int
    documents: Mapping[str, int]
    damaged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """Write the records of `documents` that are in `sources` into one new segment, then delete the sources."""

    sources: tuple[str, ...]
    documents: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactionPlan:
    delete: tuple[str, ...]  # no record in them is needed
    merges: tuple[Merge, ...]


def is_needed(document_id: str, finished: Mapping[str, DocumentOutcome]) -> bool:
    return finished.get(document_id, DocumentOutcome.PARTIAL) is DocumentOutcome.PARTIAL


def plan_compaction(
    segments: Sequence[SegmentFacts], *, finished: Mapping[str, DocumentOutcome], live_runs: Collection[str] = ()
) -> CompactionPlan:
    """`live_runs`: other runs that may still be at work; one that cannot be told dead belongs in there."""
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
    """The names of the new segments. Killed anywhere, it leaves at worst a record twice, which the index takes once.

    `read` gives None for a segment that turns out to be damaged, or gone: its merge is left alone.
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
            continue  # text that compresses well: one segment of it would be too large to read again
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
