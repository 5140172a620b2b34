"""Restores the page records of a finished document from its manifest and the texts in its Markdown or JSON Lines. The positions
of lines, and the tokens and cost of single pages, are lost, because only the ledger had them.
"""

from __future__ import annotations

from dataclasses import replace

from rayocr.config import OutputConfig
from rayocr.ledger.manifest import Manifest
from rayocr.messages import Attempt, Document, DocumentContext, PageOutcome, PageRecord
from rayocr.outputs.base import Output
from rayocr.outputs.page_texts import engines_of, outcomes_of
from rayocr.outputs.registry import all_outputs
from rayocr.storage.base import Storage


def recorded_pages(manifest: Manifest, texts: dict[int, str]) -> list[PageRecord]:
    """Returns the records. `texts`: Markdown by page number."""
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


def recorded_context(manifest: Manifest, fencing_token: int) -> DocumentContext:
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


def output_of(name: str) -> type[Output] | None:
    """Returns the output with the longest matching suffix: `a.clean.pdf` is a clean PDF."""
    matching = [output for output in all_outputs() if name.endswith(output.suffix)]
    return max(matching, key=lambda output: len(output.suffix), default=None)


def recorded_style(manifest: Manifest, dest: Storage, config: OutputConfig) -> OutputConfig:
    """Returns the configured style, with front matter if the Markdown output has it. The texts are normalized already."""
    markdown = next((note.name for note in manifest.outputs if note.name.endswith(".md")), None)
    has_front_matter = markdown is not None and dest.read(markdown, length=4) == b"---\n"
    wanted = replace(config.markdown, normalize=False, headers="keep", front_matter=has_front_matter)
    return replace(config, markdown=wanted)
