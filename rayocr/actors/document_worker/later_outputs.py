"""Adds outputs to a finished document from its recorded pages, in a child process, since the source may crash PDFium.

No page is read again. The caller holds the document's lease and writes the manifest.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import BinaryIO, cast

from rayocr.actors.document_worker.commit import upload
from rayocr.actors.document_worker.corrections import corrections_of
from rayocr.actors.document_worker.recorded_pages import output_of, recorded_context, recorded_pages, recorded_style
from rayocr.actors.document_worker.source import GuardedSource
from rayocr.config import AccessConfig, LimitsConfig, OutputConfig, RetryConfig
from rayocr.errors import RayocrError, UsageError
from rayocr.ledger.corrections import corrected
from rayocr.ledger.manifest import Manifest, OutputNote
from rayocr.messages import DocumentOutcome, PageOutcome
from rayocr.outputs.base import Output
from rayocr.outputs.page_pipeline import PagePipeline
from rayocr.outputs.page_texts import outcomes_of, outputs_are_of, read_texts
from rayocr.outputs.parquet import ParquetOutput
from rayocr.outputs.registry import parse_outputs
from rayocr.retry import RetryPolicy
from rayocr.storage.base import Storage

_IN_MEMORY_BYTES = 4 << 20
_NO_SOURCE = "Page sizes and page labels differ from the source: it could not be opened when this file was added."
_NO_TOKENS = "This file was added later: the tokens and the cost of single pages are unknown and given as 0."
_OWN_NOTE = "is not written"  # part of a note that output_plan.py writes after crashes; another attempt would crash, too


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterOutputSettings:
    dest_uri: str
    state_uri: str
    output: OutputConfig
    retry: RetryConfig
    limits: LimitsConfig
    source_access: AccessConfig = field(default_factory=AccessConfig)
    dest_access: AccessConfig = field(default_factory=AccessConfig)
    state_access: AccessConfig = field(default_factory=AccessConfig)


def lacking_outputs(manifest: Manifest, wanted: Sequence[type[Output]]) -> tuple[type[Output], ...]:
    """Returns the wanted outputs that a finished document does not have. Rejected documents have no outputs and lack none."""
    if manifest.outcome is DocumentOutcome.REJECTED or not manifest.page_count:
        return ()
    there = {output_of(note.name) for note in manifest.outputs}
    notes = [text for note in manifest.outputs for text in note.notes]
    given_up = {output for output in wanted if any(text.startswith(f"{output.name} {_OWN_NOTE}") for text in notes)}
    return tuple(output for output in wanted if output not in there and output not in given_up)


def holds_texts(manifest: Manifest) -> bool:
    """Returns whether one of the outputs contains the page texts."""
    return any(note.name.endswith((".md", ".jsonl")) for note in manifest.outputs)


def add_outputs(
    manifest: Manifest, names: Sequence[str], settings: LaterOutputSettings, *, fencing_token: int, with_source: bool
) -> tuple[OutputNote, ...]:
    """Writes the outputs of these names. If `with_source` is false, writes only what does not need the source. Raises
    RayocrError, and UsageError if the texts are not those that the manifest describes."""
    from rayocr.storage.factory import open_storage

    dest = open_storage(settings.dest_uri, settings.dest_access)
    state = open_storage(settings.state_uri, settings.state_access)
    policy = RetryPolicy.from_config(settings.retry)
    texts = _checked_texts(manifest, dest)
    corrections = corrections_of(state, manifest.document_id, policy=policy)
    style = recorded_style(manifest, dest, settings.output)
    context = recorded_context(manifest, fencing_token)
    stem = next(note.name.removesuffix(kind.suffix) for note in manifest.outputs if (kind := output_of(note.name)))
    outputs = parse_outputs(names)
    with ExitStack() as stack:
        source = _source(manifest, settings) if with_source and any(output.needs_source for output in outputs) else None
        if source is not None:
            stack.enter_context(source)
        possible = [output for output in outputs if source is not None or not output.needs_source or output.works_without_source]
        files = [cast(BinaryIO, stack.enter_context(_temporary_file())) for _ in possible]
        writers = [output(file, context, config=style, source=source) for output, file in zip(possible, files, strict=True)]
        for writer in writers:
            stack.callback(writer.close)
            writer.begin()
        pipeline = PagePipeline(style.markdown, writers, limits=settings.limits, page_count=manifest.page_count)
        for record in recorded_pages(manifest, texts):
            pipeline.add(corrected(record, corrections))
        pipeline.finish()
        made = []
        for writer, file in zip(writers, files, strict=True):
            written = upload(dest, stem + writer.suffix, file, policy=policy, check=lambda: None)
            notes = [*writer.notes]
            if writer.needs_source and source is None:
                notes.insert(0, _NO_SOURCE)
            if isinstance(writer, ParquetOutput) and manifest.input_tokens:
                notes.insert(0, _NO_TOKENS)
            made.append(OutputNote(name=written.name, size_bytes=written.size_bytes, sha256=written.sha256, notes=tuple(notes)))
    return tuple(made)


def _checked_texts(manifest: Manifest, dest: Storage) -> dict[int, str]:
    """Returns the texts. Raises UsageError if pages are missing, or if the file was edited and so no longer has the document's
    text."""
    texts = read_texts(manifest, dest) if outputs_are_of(manifest, dest) else {}
    read = (PageOutcome.DONE, PageOutcome.FALLBACK)
    if not texts or any(outcome in read and number not in texts for number, outcome in outcomes_of(manifest).items()):
        raise UsageError(f"The Markdown or JSON Lines of {manifest.name} was changed or removed after the run.")
    return texts


def _source(manifest: Manifest, settings: LaterOutputSettings) -> GuardedSource | None:
    """Opens the source; returns None if it cannot be read or opened."""
    import numpy

    from rayocr.storage.factory import open_storage

    try:
        folder = open_storage(manifest.source_uri.removesuffix(f"/{manifest.name}"), settings.source_access)
        data = folder.read(manifest.name, version=manifest.version, max_bytes=settings.limits.max_document_bytes)
        return GuardedSource(numpy.frombuffer(data, dtype=numpy.uint8), settings.limits)
    except RayocrError:
        return None


def _temporary_file() -> tempfile.SpooledTemporaryFile[bytes]:
    return tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)
