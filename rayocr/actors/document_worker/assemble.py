"""Assembles a document: writes texts from the ledger into outputs at the destination. The contract is the order: outputs, then
the dead letter if there is one, then the manifest, only if absent. If the process is killed before the manifest, the document is
not finished and is assembled again from the ledger, at no cost. Memory never holds a whole document: pages are read from the
ledger in ranges and written to temporary files, which are uploaded when complete.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from rayocr.actors.document_worker.assemble_settings import AssembleSettings
from rayocr.actors.document_worker.commit import check_lease, commit, manifest_in
from rayocr.actors.document_worker.corrections import corrections_of
from rayocr.actors.document_worker.document_dedup import DedupRecorder, FinishedDuplicate, texts_of
from rayocr.actors.document_worker.output_writing import write_outputs
from rayocr.errors import ObjectNotFound, RayocrError
from rayocr.ledger.corrections import Correction, corrected
from rayocr.ledger.manifest import Manifest, Spent, build_manifest, manifest_name, spent_before
from rayocr.messages import (
    OUTAGE_REASONS,
    AssembledDocument,
    CopyOf,
    Document,
    DocumentContext,
    DocumentOutcome,
    OutputFile,
    PageOutcome,
    PageRecord,
    PageSummary,
)
from rayocr.observe.dead_letters import DeadLetter, new_dead_letter, write_dead_letter
from rayocr.retry import RetryPolicy, call
from rayocr.storage.base import Storage

if TYPE_CHECKING:
    pass

log = logging.getLogger(__name__)

_PAGES_PER_CALL = 128  # number of pages per ledger call, with about half a megabyte of text
_MOST_WRITES = 5  # maximum number of times that the outputs of a document are written

ReadTexts = Callable[[str, int, int], Sequence[PageRecord]]


def assemble(
    context: DocumentContext,
    settings: AssembleSettings,
    read_texts: ReadTexts,
    started_at: str,
    content: Any = None,
    *,
    check_source: Callable[[], None] = lambda: None,
    original: FinishedDuplicate | None = None,
    crashes: int = 0,
) -> AssembledDocument:
    """Writes the document's outputs and finishes it.

    `content`: the source's bytes, for outputs that need them. `crashes`: how many processes died while they assembled it; see
    `plan_outputs`. `check_source` raises VersionChanged if the source has a newer version, whose outputs must not be overwritten.
    `original`: the result of an identical document that was read before. Raises LeaseLost and PreconditionFailed when another run
    now owns the document, LocksUnavailable when the lease cannot be checked, UnusableName, and StorageError.
    """
    state = settings.state()
    context = replace(context, run_id=settings.run_id)
    policy = RetryPolicy.from_config(settings.retry)
    check = _lease_check(settings, context)

    def check_both() -> None:
        check()
        check_source()

    earlier = _earlier_manifest(state, context, policy) if settings.replace_manifest else None
    read_pages = read_texts if original is None else _texts_of(original)
    keeps_contents = settings.keep_contents and original is None

    def write(corrections: Mapping[int, Correction]) -> _Written:
        recorder = DedupRecorder(settings.contents_name(context.content_sha256)) if keeps_contents else None
        written = _Written(
            dedup_recorder=recorder, corrections=corrections, earlier_token=-1 if earlier is None else earlier.fencing_token
        )
        pages = (written.noted(record) for record in _records(context, read_pages))
        written.output_name, written.outputs = write_outputs(
            context, settings, pages, content, crashes=crashes, policy=policy, check=check_both
        )
        return written

    written = _write_with_corrections(write, lambda: corrections_of(state, context.document.document_id, policy=policy))
    copy_of = None if original is None else original.copy_of
    outcome = _finish(context, settings, written, earlier, started_at=started_at, copy_of=copy_of, policy=policy)
    return AssembledDocument(
        document_id=context.document.document_id,
        outcome=outcome,
        outputs=tuple(written.outputs),
        renamed=written.output_name != context.document.output_name,
        copy_of=copy_of,
        copied_pages=() if original is None else tuple(written.summaries),
    )


@dataclass(slots=True, kw_only=True)
class _Written:
    """The result of writing the outputs once. `kept`: cost of the pages that an earlier run read."""

    dedup_recorder: DedupRecorder | None
    corrections: Mapping[int, Correction]
    earlier_token: int
    summaries: list[PageSummary] = field(default_factory=list)
    outputs: list[OutputFile] = field(default_factory=list)
    kept: Spent = field(default_factory=Spent)
    output_name: str = ""

    def noted(self, record: PageRecord) -> PageRecord:
        """Returns the page with its correction, after counting it."""
        if self.dedup_recorder is not None:
            self.dedup_recorder.add(record)
        record = corrected(record, self.corrections)
        self.summaries.append(record.summary)
        if record.fencing_token <= self.earlier_token:
            self.kept += Spent.on([record])
        return record


def _write_with_corrections(
    write: Callable[[Mapping[int, Correction]], _Written], corrections_now: Callable[[], dict[int, Correction]]
) -> _Written:
    """Writes the outputs, and again if a person has corrected a page in the meantime: while a run holds the lease, it applies the
    corrections."""
    corrections = corrections_now()
    for _ in range(_MOST_WRITES):
        written = write(corrections)
        corrections = corrections_now()
        if corrections == written.corrections:
            break
    return written


def _finish(
    context: DocumentContext,
    settings: AssembleSettings,
    written: _Written,
    earlier: Manifest | None,
    *,
    started_at: str,
    copy_of: CopyOf | None,
    policy: RetryPolicy,
) -> DocumentOutcome:
    """Writes the dead letter if there is one, then the manifest."""
    state = settings.state()
    outcome = DocumentOutcome.PARTIAL if any(page.wants_retry for page in written.summaries) else DocumentOutcome.COMPLETE
    if outcome is DocumentOutcome.PARTIAL:
        letter = partial_letter(context.document, written.summaries, settings.run_id)
        call(lambda: write_dead_letter(state, letter), policy=policy)
    manifest = build_manifest(
        context,
        outcome=outcome,
        summaries=written.summaries,
        outputs=written.outputs,
        run_id=settings.run_id,
        fingerprint=settings.fingerprint,
        started_at=started_at,
        copy_of=copy_of,
        corrections=written.corrections,
        spent_before=Spent() if earlier is None else spent_before(earlier, written.kept),
    )
    commit(
        state,
        manifest,
        policy=policy,
        check=_lease_check(settings, context),
        replace_manifest=settings.replace_manifest,
        has_dead_letter=context.document.has_dead_letter,
    )
    if written.dedup_recorder is not None:
        written.dedup_recorder.keep(state, run_id=settings.run_id, policy=policy)
    return outcome


def _earlier_manifest(state: Storage, context: DocumentContext, policy: RetryPolicy) -> Manifest | None:
    try:
        return manifest_in(state, manifest_name(context.document.document_id), policy)
    except ObjectNotFound:
        return None


def reject(
    document: Document, error: RayocrError, settings: AssembleSettings, *, fencing_token: int, started_at: str
) -> DeadLetter:
    """Finishes a document that cannot be read at all: writes the dead letter, then the manifest. Raises the same errors as
    `assemble`."""
    state = settings.state()
    policy = RetryPolicy.from_config(settings.retry)
    dead_letter = new_dead_letter(
        document,
        outcome=DocumentOutcome.REJECTED,
        reason=error.reason,
        message=str(error),
        hint=error.hint,
        run_id=settings.run_id,
    )
    dead_letter = call(lambda written=dead_letter: write_dead_letter(state, written), policy=policy)  # type: ignore[misc]
    context = DocumentContext(document=document, page_count=0, title=None, fencing_token=fencing_token)
    earlier = _earlier_manifest(state, context, policy) if settings.replace_manifest else None
    manifest = build_manifest(
        context,
        outcome=DocumentOutcome.REJECTED,
        summaries=(),
        outputs=(),
        run_id=settings.run_id,
        fingerprint=settings.fingerprint,
        started_at=started_at,
        reason=error.reason,
        message=str(error),
        spent_before=spent_before(earlier, Spent()) if earlier is not None else None,
    )
    commit(
        state,
        manifest,
        policy=policy,
        check=_lease_check(settings, context),
        replace_manifest=settings.replace_manifest,
    )
    return dead_letter


def _texts_of(original: FinishedDuplicate) -> ReadTexts:
    return lambda document_id, first, last: texts_of(original.records, first, last)


def _lease_check(settings: AssembleSettings, context: DocumentContext) -> Callable[[], None]:
    return lambda: check_lease(settings.lease, context.document.document_id, context.fencing_token)


def partial_letter(document: Document, summaries: Sequence[PageSummary], run_id: str) -> DeadLetter:
    from rayocr.ledger.runs import format_runs

    failed = [page for page in summaries if page.outcome is PageOutcome.FAILED]
    wanted = [page for page in summaries if page.wants_retry]
    pages = "page" if len(summaries) == 1 else "pages"
    words = f"{len(failed)} of {len(summaries)} {pages} could not be read"
    last = failed[0].attempts[-1] if failed and failed[0].attempts else None
    if not failed:
        readers = ", ".join(sorted({page.engine for page in wanted}))
        words = f"{len(wanted)} of {len(summaries)} pages were read by {readers} while the server was unavailable"
        last = next((a for page in wanted for a in page.attempts if a.reason in OUTAGE_REASONS), None)
    return new_dead_letter(
        document,
        outcome=DocumentOutcome.PARTIAL,
        reason=last.reason if last else "unknown",
        message=words + (f": {last.message}" if last else "."),
        hint=None,
        run_id=run_id,
        pages=format_runs(page.page_number for page in wanted),
    )


def _records(context: DocumentContext, read_texts: ReadTexts) -> Iterator[PageRecord]:
    """Yields every page once and in order. Raises RayocrError when a page is missing, because the document must not be committed
    then."""
    expected = 1
    for first in range(1, context.page_count + 1, _PAGES_PER_CALL):
        last = min(first + _PAGES_PER_CALL - 1, context.page_count)
        for record in read_texts(context.document.document_id, first, last):
            if record.page_number != expected or not record.outcome.final:
                raise RayocrError(f"The ledger has no text of page {expected} of {context.document.name}.")
            expected += 1
            yield record
    if expected != context.page_count + 1:
        raise RayocrError(f"The ledger has no text of page {expected} of {context.document.name}.")
