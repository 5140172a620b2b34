"""Writes a document's outputs again after a person corrected a page, without reading any page again.

The page texts come from the existing Markdown or JSON Lines output, the corrections from the state. Outputs and manifest are
written under the document's lease, so a run that reads the document at the same time is not overwritten.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from typing import BinaryIO, cast

from rayocr.actors.document_worker.commit import commit, upload
from rayocr.actors.document_worker.corrections import corrections_of
from rayocr.actors.document_worker.recorded_pages import output_of, recorded_context, recorded_pages, recorded_style
from rayocr.config import RayocrConfig
from rayocr.errors import LockError, UsageError
from rayocr.ledger.corrections import Correction, corrected
from rayocr.ledger.manifest import Manifest, OutputNote, PageNote, read_by, with_correction
from rayocr.ledger.runs import format_runs, named_pages
from rayocr.locks.base import Locks
from rayocr.messages import DocumentOutcome, PageOutcome, PageRecord
from rayocr.outputs.page_pipeline import PagePipeline
from rayocr.outputs.page_texts import read_texts
from rayocr.retry import RetryPolicy
from rayocr.storage.base import Storage

_IN_MEMORY_BYTES = 4 << 20
_NOT_SHOWN = "This file was written before a person corrected {pages}; read the document again with overwrite=true to update it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewriter:
    dest: Storage
    state: Storage
    locks: Locks
    config: RayocrConfig
    policy: RetryPolicy

    def rewrite(self, manifest: Manifest) -> Manifest:
        """Returns the new manifest. Raises LockError while a run reads the document, UsageError where no output has the page
        texts, and StorageError."""
        lease = self.locks.acquire(manifest.document_id)
        if lease is None:
            raise LockError(f"A run is reading {manifest.name}. The correction is saved and the run applies it.")
        try:
            return self._rewrite(manifest, fencing_token=lease.fencing_token)
        finally:
            self.locks.release(lease)

    def _rewrite(self, manifest: Manifest, *, fencing_token: int) -> Manifest:
        texts = read_texts(manifest, self.dest)
        if not texts:
            raise UsageError(
                f"No output of {manifest.name} holds its page texts. The correction is saved; overwrite=true applies it.",
                hint="Add markdown to outputs= to correct pages at once.",
            )
        corrections = corrections_of(self.state, manifest.document_id, policy=self.policy)
        records = [corrected(record, corrections) for record in recorded_pages(manifest, texts)]
        notes = self._write_outputs(manifest, records, corrections, fencing_token)
        return self._write_manifest(manifest, records, corrections, notes, fencing_token)

    def _write_outputs(
        self, manifest: Manifest, records: list[PageRecord], corrections: dict[int, Correction], fencing_token: int
    ) -> tuple[OutputNote, ...]:
        context = recorded_context(manifest, fencing_token)
        found = {note: output_of(note.name) for note in manifest.outputs}
        stale = _NOT_SHOWN.format(pages=named_pages(format_runs(corrections)))
        settings = recorded_style(manifest, self.dest, self.config.output)
        written: dict[str, OutputNote] = {}
        with ExitStack() as stack:
            files, writers = {}, []
            for note, output in found.items():
                if output is None or output.needs_boxes:  # the positions of lines are no longer known
                    kept = tuple(dict.fromkeys((*note.notes, stale)))
                    written[note.name] = note.model_copy(update={"notes": kept})
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
                made = upload(self.dest, note.name, files[note.name], policy=self.policy, check=lambda: None)
                written[note.name] = OutputNote(
                    name=made.name, size_bytes=made.size_bytes, sha256=made.sha256, notes=writer.notes
                )
        return tuple(written[note.name] for note in manifest.outputs)

    def _write_manifest(
        self,
        manifest: Manifest,
        records: list[PageRecord],
        corrections: dict[int, Correction],
        outputs: tuple[OutputNote, ...],
        fencing_token: int,
    ) -> Manifest:
        kept = {note.page_number: note for note in manifest.notes}
        pages: dict[PageOutcome, list[int]] = {}
        known = "" not in {record.engine for record in records if record.text}
        for record in records:
            pages.setdefault(record.outcome, []).append(record.page_number)
            if record.page_number in corrections:
                note = PageNote(page_number=record.page_number, outcome=record.outcome, engine=record.engine)
                old = kept.get(record.page_number)
                note = note.model_copy(update={"attempts": old.attempts if old else ()})
                kept[record.page_number] = with_correction(note, corrections[record.page_number])
        failed = PageOutcome.FAILED in pages
        made = manifest.model_copy(
            update={
                "outcome": DocumentOutcome.PARTIAL if failed else DocumentOutcome.COMPLETE,
                "pages": {outcome: format_runs(pages[outcome]) for outcome in PageOutcome if outcome in pages},
                "notes": tuple(kept[number] for number in sorted(kept)),
                **(read_by(records) if known else {}),
                "outputs": outputs,
                "fencing_token": fencing_token,
            }
        )
        commit(self.state, made, policy=self.policy, check=lambda: None, replace_manifest=True, has_dead_letter=True)
        return made
