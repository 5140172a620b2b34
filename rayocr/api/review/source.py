"""Creates files for single pages from the source: a PDF with one page, and the pages of a searchable PDF. Each call opens the
source in a child process, within the limits of time and memory."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rayocr.api.review.child import in_child
from rayocr.errors import ObjectNotFound, VersionChanged
from rayocr.ledger.manifest import Manifest
from rayocr.messages import DocumentContext, PageRecord
from rayocr.outputs.report.pages import Drawing, open_for_pages

_NO_SOURCE = (
    "Put the file back to read its pages again, or name the folder to which it was moved: rayocr reread OUT NAME --pages PAGE"
    " source=FOLDER   `rayocr correct` works without the file."
)


def cut_page(manifest: Manifest, page_number: int, drawing: Drawing) -> bytes:
    """Returns a PDF with only this page. Raises RayocrError, also if the source has changed or no longer exists."""
    try:
        return in_child(_cut, manifest, page_number, drawing)
    except VersionChanged as error:
        message = f"{manifest.name} was changed after it was read, so its page {page_number} may be another page now."
        raise VersionChanged(message, hint="Read the new version first, as a new document: rayocr IN OUT") from error
    except ObjectNotFound as error:
        raise ObjectNotFound(f"{manifest.name} is no longer at its source: {error}", hint=_NO_SOURCE) from error


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
