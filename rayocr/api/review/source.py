"""Creates files for single pages from the source: a PDF with one page, and the pages of a searchable PDF. Each call opens the
source in a child process, within the limits of time and memory."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rayocr.api.review.child import in_child
from rayocr.ledger.manifest import Manifest
from rayocr.messages import DocumentContext, PageRecord
from rayocr.outputs.report.pages import Drawing, open_for_pages


def cut_page(manifest: Manifest, page_number: int, drawing: Drawing) -> bytes:
    """Returns a PDF with only this page. Raises RayocrError, also if the source has changed or no longer exists."""
    return in_child(_cut, manifest, page_number, drawing)


def _cut(manifest: Manifest, page_number: int, drawing: Drawing) -> bytes:
    with (
        open_for_pages(manifest.source_uri, manifest.name, manifest.version, drawing) as file,
        file.page(page_number) as page,
    ):
        return page.cut_out()


def update_searchable(
    written: bytes, manifest: Manifest, records: Sequence[PageRecord], context: DocumentContext, drawing: Drawing
) -> tuple[bytes, tuple[str, ...]]:
    """Replaces the text of these pages in a searchable PDF that a run has made. Returns the new file and the notes about these
    pages. Raises RayocrError, also if the source has changed or no longer exists."""
    return in_child(_update, written, manifest, records, context, drawing)


def _update(
    written: bytes, manifest: Manifest, records: Sequence[PageRecord], context: DocumentContext, drawing: Drawing
) -> tuple[bytes, tuple[str, ...]]:
    from rayocr.outputs.searchable_pdf import SearchablePdfOutput

    made = io.BytesIO()
    with open_for_pages(manifest.source_uri, manifest.name, manifest.version, drawing) as source:
        writer = SearchablePdfOutput(made, context, source=source)
        try:
            writer.begin(written)
            for record in records:
                writer.page(record)
            writer.finish()
            return made.getvalue(), writer.notes
        finally:
            writer.close()
