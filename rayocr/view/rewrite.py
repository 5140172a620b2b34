"""Writes a document's outputs again after a person corrected a page, without reading any page again.

The page texts come from the existing Markdown or JSON Lines output, the corrections from the state. Outputs and manifest are
written under the document's lease, so a run that reads the document at the same time is not overwritten.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import BinaryIO, cast

from rayocr.actors.document_worker.commit import commit, upload
from rayocr.actors.document_worker.corrections import corrections_of
from rayocr.config import OutputConfig, RayocrConfig
from rayocr.errors import LockError, UsageError
from rayocr.ledger.corrections import Correction, corrected
from rayocr.ledger.manifest import Manifest, OutputNote, PageNote, read_by, with_correction
from rayocr.ledger.runs import format_runs, named_pages
from rayocr.locks.base import Locks
from rayocr.messages import Attempt, Document, DocumentContext, DocumentOutcome, PageOutcome, PageRecord
from rayocr.outputs.base import Output
from rayocr.outputs.page_pipeline import PagePipeline
from rayocr.outputs.page_texts import engines_of, outcomes_of, read_texts
from rayocr.outputs.registry import all_outputs
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
        records = [corrected(record, corrections) for record in _records(manifest, texts)]
        notes = self._write_outputs(manifest, records, corrections, fencing_token)
        return self._write_manifest(manifest, records, corrections, notes, fencing_token)

    def _write_outputs(
        self, manifest: Manifest, records: list[PageRecord], corrections: dict[int, Correction], fencing_token: int
    ) -> tuple[OutputNote, ...]:
        context = _context(manifest, fencing_token)
        found = {note: _output_of(note.name) for note in manifest.outputs}
        stale = _NOT_SHOWN.format(pages=named_pages(format_runs(corrections)))
        settings = self._settings(manifest)
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

    def _settings(self, manifest: Manifest) -> OutputConfig:
        """As configured; with front matter if the Markdown output has it. The texts are normalized already."""
        markdown = next((note.name for note in manifest.outputs if note.name.endswith(".md")), None)
        has_front_matter = markdown is not None and self.dest.read(markdown, length=4) == b"---\n"
        wanted = replace(self.config.output.markdown, normalize=False, headers="keep", front_matter=has_front_matter)
        return replace(self.config.output, markdown=wanted)

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


def _records(manifest: Manifest, texts: dict[int, str]) -> list[PageRecord]:
    notes = {note.page_number: note for note in manifest.notes}
    engines, outcomes = engines_of(manifest), outcomes_of(manifest)
    records = []
    for number in range(1, manifest.page_count + 1):
        note = notes.get(number)
        outcome = outcomes.get(number, PageOutcome.DONE)
        attempts = tuple(Attempt(engine=a.engine, reason=a.reason, message=a.message) for a in note.attempts) if note else ()
        if outcome is PageOutcome.FAILED and not attempts:
            attempts = (Attempt(engine=note.engine if note else "", reason=note.reason if note else "unknown"),)
        records.append(
            PageRecord(
                document_id=manifest.document_id,
                page_number=number,
                outcome=outcome,
                text="" if outcome is PageOutcome.FAILED else texts.get(number, ""),
                engine=engines.get(number, ""),
                attempts=attempts,
                doubts=note.doubts if note else (),
                agreement=note.agreement if note else None,
            )
        )
    return records


def _context(manifest: Manifest, fencing_token: int) -> DocumentContext:
    document = Document(
        document_id=manifest.document_id,
        source_uri=manifest.source_uri,
        name=manifest.name,
        output_name="",
        version=manifest.version,
        size_bytes=manifest.size_bytes,
    )
    return DocumentContext(
        document=document,
        page_count=manifest.page_count,
        title=manifest.title,
        fencing_token=fencing_token,
        content_sha256=manifest.content_sha256 or "",
        run_id=manifest.run_id,
    )


def _output_of(name: str) -> type[Output] | None:
    """By the longest suffix: `a.clean.pdf` is a clean PDF."""
    matching = [output for output in all_outputs() if name.endswith(output.suffix)]
    return max(matching, key=lambda output: len(output.suffix), default=None)
