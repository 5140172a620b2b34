"""Writes a document's outputs again after a person corrected a page, without reading any page again.

The page texts come from the existing Markdown or JSON Lines output, the corrections from the state. Outputs and manifest are
written under the document's lease, so a run that reads the document at the same time is not overwritten. Several readers of one
destination may write at the same time, since the manifest is read again under the lease.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from time import sleep
from typing import BinaryIO, cast

from rayocr.actors.document_worker.assemble import partial_letter
from rayocr.actors.document_worker.commit import commit, upload
from rayocr.actors.document_worker.corrections import corrections_of
from rayocr.actors.document_worker.recorded_pages import output_of, recorded_context, recorded_pages, recorded_style
from rayocr.api.review.source import update_searchable
from rayocr.config import RayocrConfig
from rayocr.errors import LockError, RayocrError, UsageError
from rayocr.ledger.corrections import Correction, ReplacedPage, corrected
from rayocr.ledger.manifest import Manifest, OutputNote, PageNote, Spent, manifest_name, read_by, with_correction
from rayocr.ledger.runs import format_runs, named_pages
from rayocr.locks.base import Lease, Locks
from rayocr.messages import DocumentContext, DocumentOutcome, PageOutcome, PageRecord
from rayocr.observe.dead_letters import failure_of, write_dead_letter
from rayocr.outputs.page_pipeline import PagePipeline
from rayocr.outputs.page_texts import read_texts
from rayocr.outputs.report.pages import Drawing
from rayocr.retry import RetryPolicy
from rayocr.storage.base import MAX_OUTPUT_BYTES, MAX_STATE_BYTES, Storage

OWNER_PREFIX = "view-"  # prefix of the owner of a lease that is held while a correction is written
_PATIENCE_S, _POLL_S = 60.0, 0.2  # seconds to wait for another correction of the same document
# Seconds to wait for a run that is finishing the document. It may have read the corrections for the last time.
_RUN_PATIENCE_S = 5.0
_IN_MEMORY_BYTES = 4 << 20
_NOT_SHOWN = "This file was written before a person corrected"
_TO_UPDATE = "read the document again with overwrite=true to update it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewriter:
    dest: Storage
    state: Storage
    locks: Locks
    config: RayocrConfig
    policy: RetryPolicy
    drawing: Drawing  # settings for opening the source

    def rewrite(self, document_id: str, *, restored: Mapping[int, ReplacedPage] | None = None) -> Manifest:
        """Writes the outputs and returns the new manifest. `restored`: pages whose text from before the correction is restored.
        Raises LockError while a run reads the document, UsageError if no output has the page texts, and StorageError."""
        with self._owned(document_id) as (manifest, fencing_token):
            texts = read_texts(manifest, self.dest)
            if not texts:
                raise UsageError(
                    f"No output of {manifest.name} holds its page texts.",
                    hint="Read it again with overwrite=true, and with markdown among outputs=.",
                )
            corrections = corrections_of(self.state, document_id, policy=self.policy)
            corrections = {number: c for number, c in corrections.items() if number not in (restored or {})}
            records = [
                _restored(record, restored[record.page_number])
                if restored and record.page_number in restored
                else corrected(record, corrections)
                for record in recorded_pages(manifest, texts)
            ]
            changed = frozenset((*corrections, *(restored or {})))
            outputs = self._write_outputs(manifest, records, changed, fencing_token)
            return self._write_manifest(manifest, records, corrections, restored or {}, outputs, fencing_token)

    def add_spent(self, document_id: str, spent: Spent) -> None:
        """Adds the cost of a reading of single pages to the manifest. Raises LockError while a run reads the document, and
        StorageError."""
        with self._owned(document_id) as (manifest, fencing_token):
            total = Spent.of(manifest) + spent
            made = manifest.model_copy(update={**total.fields(), "fencing_token": fencing_token})
            commit(self.state, made, policy=self.policy, check=lambda: None, replace_manifest=True)

    def check_free(self, manifest: Manifest) -> None:
        """Raises LockError if a run is reading the document."""
        holder = self.locks.holders([manifest.document_id]).get(manifest.document_id)
        if holder is not None and not holder.owner.startswith(OWNER_PREFIX):
            raise _is_reading(manifest)

    def _lease(self, document_id: str) -> Lease | None:
        """Waits for another correction, which takes seconds, and for a run that ends soon. Returns None while a run reads the
        document."""
        waited, by_run = 0.0, 0.0
        while (lease := self.locks.acquire(document_id)) is None and waited < _PATIENCE_S and by_run < _RUN_PATIENCE_S:
            holder = self.locks.holders([document_id]).get(document_id)
            sleep(_POLL_S)
            waited += _POLL_S
            by_run += _POLL_S if holder is not None and not holder.owner.startswith(OWNER_PREFIX) else 0.0
        return lease

    @contextmanager
    def _owned(self, document_id: str) -> Iterator[tuple[Manifest, int]]:
        """Yields the manifest and the fencing token. No other process changes the manifest within the `with` block."""
        lease = self._lease(document_id)
        name = manifest_name(document_id)
        try:
            manifest = Manifest.from_json(self.state.read(name, max_bytes=MAX_STATE_BYTES), name=name)
            if lease is None:
                raise _is_reading(manifest)
            yield manifest, lease.fencing_token
        finally:
            if lease is not None:
                self.locks.release(lease)

    def _write_outputs(
        self, manifest: Manifest, records: list[PageRecord], changed: Collection[int], fencing_token: int
    ) -> tuple[OutputNote, ...]:
        context = recorded_context(manifest, fencing_token)
        settings = recorded_style(manifest, self.dest, self.config.output)
        written: dict[str, OutputNote] = {}
        with ExitStack() as stack:
            files, writers = {}, []
            for note in manifest.outputs:
                output = output_of(note.name)
                if output is None or output.needs_boxes:
                    of_pages = [record for record in records if record.page_number in changed]
                    written[note.name] = self._updated(note, manifest, of_pages, context)
                    continue
                spooled = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115 - entered below
                file = files[note.name] = cast(BinaryIO, stack.enter_context(spooled))
                writer = output(file, context, config=settings, source=None)
                stack.callback(writer.close)
                writer.begin()
                writers.append((note, writer))
            pipeline = PagePipeline(settings.markdown, [writer for _, writer in writers])
            for record in records:
                pipeline.add(record)
            pipeline.finish()
            for note, writer in writers:
                written[note.name] = self._uploaded(note.name, files[note.name], writer.notes)
        return tuple(written[note.name] for note in manifest.outputs)

    def _updated(self, note: OutputNote, manifest: Manifest, records: list[PageRecord], context: DocumentContext) -> OutputNote:
        """Updates an output that contains positions of lines. Their original positions are no longer on record, so only the
        changed pages get new ones. Without the source the output is unchanged, with a note."""
        kept = [said for said in note.notes if not said.startswith(_NOT_SHOWN)]
        try:
            data = self.dest.read(note.name, max_bytes=MAX_OUTPUT_BYTES)
            made, notes = update_searchable(data, manifest, records, context, self.drawing)
        except RayocrError as error:
            pages = named_pages(format_runs(record.page_number for record in records))
            stale = f"{_NOT_SHOWN} {pages}, and could not be updated ({error}); {_TO_UPDATE}"
            return note.model_copy(update={"notes": (*kept, stale)})
        return self._uploaded(note.name, io.BytesIO(made), tuple(dict.fromkeys((*kept, *notes))))

    def _uploaded(self, name: str, file: BinaryIO, notes: tuple[str, ...]) -> OutputNote:
        made = upload(self.dest, name, file, policy=self.policy, check=lambda: None)
        return OutputNote(name=made.name, size_bytes=made.size_bytes, sha256=made.sha256, notes=notes)

    def _write_manifest(
        self,
        manifest: Manifest,
        records: list[PageRecord],
        corrections: Mapping[int, Correction],
        restored: Mapping[int, ReplacedPage],
        outputs: tuple[OutputNote, ...],
        fencing_token: int,
    ) -> Manifest:
        kept = {note.page_number: note for note in manifest.notes}
        pages: dict[PageOutcome, list[int]] = {}
        known = "" not in {record.engine for record in records if record.text}
        for record in records:
            pages.setdefault(record.outcome, []).append(record.page_number)
            if record.page_number in corrections:
                kept[record.page_number] = with_correction(_note(record, kept), corrections[record.page_number])
            elif (before := restored.get(record.page_number)) is not None:
                facts = {"reason": before.reason, "message": before.message, "agreement": before.agreement}
                kept[record.page_number] = _note(record, kept).model_copy(update=facts)
        failed = PageOutcome.FAILED in pages
        if failed and failure_of(self.state, manifest.document_id) is None:  # a page whose correction is undone
            document = recorded_context(manifest, fencing_token).document
            letter = partial_letter(document, [record.summary for record in records], manifest.run_id)
            write_dead_letter(self.state, letter)
        made = manifest.model_copy(
            update={
                "outcome": DocumentOutcome.PARTIAL if failed else DocumentOutcome.COMPLETE,
                "pages": {outcome: format_runs(pages[outcome]) for outcome in PageOutcome if outcome in pages},
                "notes": tuple(kept[number] for number in sorted(kept)),
                **(read_by(records) if known else {}),
                "models": tuple(sorted({*manifest.models, *(c.model for c in corrections.values() if c.model)})),
                "outputs": outputs,
                "fencing_token": fencing_token,
            }
        )
        commit(self.state, made, policy=self.policy, check=lambda: None, replace_manifest=True, has_dead_letter=True)
        return made


def outdated_outputs(manifest: Manifest) -> list[str]:
    """Returns the names of outputs that do not contain the corrections of the document."""
    return [output.name for output in manifest.outputs if any(note.startswith(_NOT_SHOWN) for note in output.notes)]


def _restored(record: PageRecord, before: ReplacedPage) -> PageRecord:
    return replace(
        record, text=before.text, outcome=before.outcome, engine=before.engine, doubts=before.doubts, agreement=before.agreement
    )


def _note(record: PageRecord, kept: Mapping[int, PageNote]) -> PageNote:
    """Returns the note of a page whose text has changed; it keeps the attempts."""
    old = kept.get(record.page_number)
    return PageNote(
        page_number=record.page_number,
        outcome=record.outcome,
        engine=record.engine,
        doubts=record.doubts,
        attempts=old.attempts if old else (),
    )


def _is_reading(manifest: Manifest) -> LockError:
    return LockError(f"A run is reading {manifest.name}.", hint="Wait until it has ended; `rayocr status OUT` names it.")
