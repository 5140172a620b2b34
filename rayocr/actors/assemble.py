"""Assemble: texts from the ledger into outputs at the destination, the manifest last.

Order is the contract: outputs, then the dead letter if there is one, then the manifest, only if absent. Killed anywhere before
the manifest, the document is not finished and is assembled again from the ledger, at no cost. Never holds a whole document:
pages come from the ledger in runs and go to temporary files, which are uploaded when complete.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import BinaryIO, cast

from rayocr.config import RetryConfig
from rayocr.errors import ObjectNotFound, PreconditionFailed, RayocrError
from rayocr.ledger.manifest import Manifest, build_manifest, manifest_name
from rayocr.messages import (
    AssembledDocument,
    Document,
    DocumentContext,
    DocumentOutcome,
    OutputFile,
    PageOutcome,
    PageRecord,
    PageSummary,
)
from rayocr.observe.dead_letters import DeadLetter, dead_letter, dead_letter_name, write_dead_letter
from rayocr.outputs.base import Output
from rayocr.retry import RetryPolicy, call
from rayocr.storage.base import Storage

_PAGES_PER_CALL = 128  # of text asked from the ledger at once: about half a megabyte
_IN_MEMORY_BYTES = 4 << 20  # of an output, before it goes to a temporary file

ReadTexts = Callable[[str, int, int], Sequence[PageRecord]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssembleSettings:
    dest_uri: str
    state_uri: str
    outputs: tuple[type[Output], ...]
    run_id: str
    fingerprint: str
    retry: RetryConfig
    replace_manifest: bool = False  # overwrite=true: an older manifest of this document gives way


def assemble(context: DocumentContext, settings: AssembleSettings, read_texts: ReadTexts, started_at: str) -> AssembledDocument:
    """Write the document's outputs and finish it. Raises PreconditionFailed when somebody else finished it first, and
    StorageError."""
    from rayocr.storage.factory import cached_storage

    dest, state = cached_storage(settings.dest_uri), cached_storage(settings.state_uri)
    policy = RetryPolicy.from_config(settings.retry)
    summaries: list[PageSummary] = []
    outputs: list[OutputFile] = []
    with ExitStack() as stack:
        files = [cast(BinaryIO, stack.enter_context(_temporary_file())) for _ in settings.outputs]
        writers = [output(file, context) for output, file in zip(settings.outputs, files, strict=True)]
        for writer in writers:
            writer.begin()
        for record in _records(context, read_texts):
            summaries.append(record.summary)
            for writer in writers:
                writer.page(record)
        for writer, file in zip(writers, files, strict=True):
            writer.finish()
            outputs.append(_upload(dest, context.document.output_stem + writer.suffix, file, policy))
    outcome = _outcome(summaries)
    if outcome is DocumentOutcome.PARTIAL:
        call(lambda: write_dead_letter(state, partial_letter(context.document, summaries, settings.run_id)), policy=policy)
    manifest = build_manifest(
        context,
        outcome=outcome,
        summaries=summaries,
        outputs=outputs,
        run_id=settings.run_id,
        fingerprint=settings.fingerprint,
        started_at=started_at,
    )
    commit(state, manifest, policy=policy, replace_manifest=settings.replace_manifest)
    return AssembledDocument(document_id=context.document.document_id, outcome=outcome, outputs=tuple(outputs))


def reject(
    document: Document, error: RayocrError, settings: AssembleSettings, *, fencing_token: int, started_at: str
) -> DeadLetter:
    """Finish a document that cannot be read at all: dead letter, then manifest. Raises as `assemble` does."""
    from rayocr.storage.factory import cached_storage

    state = cached_storage(settings.state_uri)
    policy = RetryPolicy.from_config(settings.retry)
    letter = dead_letter(
        document,
        outcome=DocumentOutcome.REJECTED,
        reason=error.reason,
        message=str(error),
        hint=error.hint,
        run_id=settings.run_id,
    )
    call(lambda: write_dead_letter(state, letter), policy=policy)
    context = DocumentContext(document=document, page_count=0, title=None, fencing_token=fencing_token)
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
    )
    commit(state, manifest, policy=policy, replace_manifest=settings.replace_manifest)
    return letter


def commit(state: Storage, manifest: Manifest, *, policy: RetryPolicy, replace_manifest: bool) -> None:
    """Write the manifest, which makes the document finished. Raises PreconditionFailed when there is one already."""
    name, data = manifest_name(manifest.document_id), manifest.to_json()
    try:
        call(lambda: state.write(name, data, if_absent=True), policy=policy)
    except PreconditionFailed:
        there = Manifest.from_json(call(lambda: state.read(name), policy=policy), name=name)
        if (there.run_id, there.fencing_token) == (manifest.run_id, manifest.fencing_token):
            return  # our own: the answer to an earlier try was lost
        if not replace_manifest:
            raise
        version = call(lambda: state.stat(name), policy=policy).version
        call(lambda: state.write(name, data, if_version=version), policy=policy)
        if manifest.outcome == DocumentOutcome.COMPLETE:
            _delete_stale_letter(state, manifest.document_id, policy)


def partial_letter(document: Document, summaries: Sequence[PageSummary], run_id: str) -> DeadLetter:
    from rayocr.ledger.runs import format_runs

    failed = [page for page in summaries if page.outcome is PageOutcome.FAILED]
    last = failed[0].attempts[-1] if failed[0].attempts else None
    return dead_letter(
        document,
        outcome=DocumentOutcome.PARTIAL,
        reason=last.reason if last else "unknown",
        message=f"{len(failed)} of {len(summaries)} pages could not be read" + (f": {last.message}" if last else "."),
        hint=None,
        run_id=run_id,
        pages=format_runs(page.page_number for page in failed),
    )


def _records(context: DocumentContext, read_texts: ReadTexts) -> Iterator[PageRecord]:
    """Every page once and in order. Raises RayocrError when one is missing, since then nothing may be committed."""
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


def _outcome(summaries: Sequence[PageSummary]) -> DocumentOutcome:
    failed = any(page.outcome is PageOutcome.FAILED for page in summaries)
    return DocumentOutcome.PARTIAL if failed else DocumentOutcome.COMPLETE


def _temporary_file() -> tempfile.SpooledTemporaryFile[bytes]:
    return tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)


def _upload(dest: Storage, name: str, file: BinaryIO, policy: RetryPolicy) -> OutputFile:
    file.seek(0)
    digest, size_bytes = hashlib.sha256(), 0
    while block := file.read(1 << 20):
        digest.update(block)
        size_bytes += len(block)

    def write() -> None:
        file.seek(0)
        dest.write(name, file)

    call(write, policy=policy)
    return OutputFile(name=name, size_bytes=size_bytes, sha256=digest.hexdigest())


def _delete_stale_letter(state: Storage, document_id: str, policy: RetryPolicy) -> None:
    try:
        call(lambda: state.delete(dead_letter_name(document_id)), policy=policy)
    except ObjectNotFound:
        pass
