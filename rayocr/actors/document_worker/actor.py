"""The DocumentWorker actor fetches and assembles whole documents, one at a time, in a process that may be killed.

It has no durable state. It is an actor instead of a task because Ray ends idle task processes above the number of CPUs, and
starting a process takes one second of CPU, which is more than most documents need (docs/decisions/0003).
"""

from __future__ import annotations

from typing import Any

from rayocr.actors.document_worker.assemble import ReadTexts, assemble
from rayocr.actors.document_worker.assemble_settings import AssembleSettings
from rayocr.actors.document_worker.document_dedup import find_duplicate
from rayocr.actors.document_worker.fetch import FetchSettings, check_current, fetch
from rayocr.messages import AssembledDocument, Document, DocumentContext, FetchedDocument
from rayocr.retry import RetryPolicy


class DocumentWorker:
    def __init__(self, fetch_settings: FetchSettings, assemble_settings: AssembleSettings, read_texts: ReadTexts) -> None:
        self._fetch_settings = fetch_settings
        self._assemble_settings = assemble_settings
        self._read_texts = read_texts

    def fetch(self, document: Document, load_pages: bool = True) -> tuple[FetchedDocument, Any]:
        """Fetches a document; see `rayocr.actors.document_worker.fetch`."""
        return fetch(document, self._fetch_settings, load_pages=load_pages)

    def assemble(self, context: DocumentContext, started_at: str, content: Any = None, crashes: int = 0) -> AssembledDocument:
        """Assembles a document; see `rayocr.actors.document_worker.assemble`."""
        check = lambda: check_current(context.document, self._fetch_settings)  # noqa: E731
        return assemble(
            context, self._assemble_settings, self._read_texts, started_at, content, check_source=check, crashes=crashes
        )

    def assemble_copy(self, context: DocumentContext, started_at: str, content: Any = None) -> AssembledDocument | None:
        """Assembles the document from the pages of one with the same bytes; returns None if there is none. Raises the same errors
        as `assemble`."""
        settings = self._assemble_settings
        original = find_duplicate(
            settings.state(),
            settings.contents_name(context.content_sha256),
            document_id=context.document.document_id,
            page_count=context.page_count,
            policy=RetryPolicy.from_config(settings.retry),
        )
        if original is None or original.copy_of.document_id == context.document.document_id:
            return None
        check = lambda: check_current(context.document, self._fetch_settings)  # noqa: E731
        return assemble(context, settings, self._read_texts, started_at, content, check_source=check, original=original)
