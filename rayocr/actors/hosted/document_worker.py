"""Hosts a document worker in an actor process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ray

from rayocr.actors.document_worker.actor import DocumentWorker
from rayocr.actors.document_worker.assemble_settings import AssembleSettings
from rayocr.actors.document_worker.fetch import FetchSettings
from rayocr.actors.hosted.actor_process import relaying, this_node_id, this_worker, to_ledger
from rayocr.masking import hide
from rayocr.messages import (
    AssembledDocument,
    Document,
    DocumentContext,
    FetchedDocument,
    PageRecord,
    WorkerInfo,
)
from rayocr.pdf.guard import report_before_exit


class DocumentWorkerActor(DocumentWorker):
    def __init__(self, name: str, run_id: str, ledger: Any) -> None:
        self._handler = relaying(name, run_id, to_ledger(ledger))
        self._ledger = ledger
        self._in_progress = ""  # document_id
        report_before_exit(lambda why: self._handler.report_exit([self._in_progress], why))

    def configure(self, fetch_settings: FetchSettings, assemble_settings: AssembleSettings) -> None:
        """Configures the worker. Call it before all other methods except `running`. Calls run one at a time, since this actor has
        one thread."""
        hide([assemble_settings.lease.redis_url])
        ledger = self._ledger

        def read_texts(document_id: str, first: int, last: int) -> Sequence[PageRecord]:
            records: Sequence[PageRecord] = ray.get(ledger.texts.remote(document_id, first, last))
            return records

        super().__init__(fetch_settings, assemble_settings, read_texts)

    def fetch(self, document: Document, load_pages: bool = True) -> tuple[FetchedDocument, Any]:
        self._in_progress = document.document_id
        try:
            return super().fetch(document, load_pages)
        finally:
            self._handler.post()

    def assemble(self, context: DocumentContext, started_at: str, content: Any = None, crashes: int = 0) -> AssembledDocument:
        self._in_progress = context.document.document_id
        try:
            return super().assemble(context, started_at, content, crashes)
        finally:
            self._handler.post()

    def running(self) -> WorkerInfo:
        return this_worker()

    def node_id(self) -> str:
        return this_node_id()
