"""Lists the corrections that concern a run: those that it kept although it read the page again, and those of an earlier version
of a replaced file, which it does not apply."""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass, field

from rayocr.actors.document_worker.corrections import corrected_documents
from rayocr.driver.earlier.ended_documents import OnDocument, collecting
from rayocr.errors import RayocrError
from rayocr.ledger.corrections import Corrections
from rayocr.ledger.runs import format_runs
from rayocr.messages import Document
from rayocr.observe.logs import log_event
from rayocr.retry import RetryPolicy
from rayocr.storage.base import Storage

log = logging.getLogger(__name__)

_MOST_READ = 2000  # number of documents whose corrections are read; others are not named


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedPages:
    """Corrections of a document. `pages`: as page ranges. `earlier`: they belong to an earlier version of the file and are not
    applied."""

    name: str
    pages: str
    authors: tuple[str, ...]
    earlier: bool


@dataclass(slots=True)
class CorrectedDocuments:
    state: Storage
    policy: RetryPolicy
    _by_source: defaultdict[str, list[Corrections]] = field(default_factory=lambda: defaultdict(list))
    _ended: list[Document] = field(default_factory=list)  # ended documents that may have corrections
    _is_read: bool = False

    def read(self) -> None:
        """Reads the corrections of all documents. Blocks. Never raises, since the run does not need them."""
        try:
            for corrections in corrected_documents(self.state, policy=self.policy, at_most=_MOST_READ):
                self._by_source[corrections.source_uri].append(corrections)
        except RayocrError as error:
            log_event(log, "corrections_not_read", "The corrections could not be read.", error=str(error))
        self._is_read = True

    def watching(self, on_document: OnDocument) -> OnDocument:
        """Returns the same callback, which also notes documents that have ended."""
        return collecting(on_document, self._ended, lambda document: not self._is_read or document.source_uri in self._by_source)

    def found(self) -> list[CorrectedPages]:
        """Returns the corrections of the documents that have ended, in the order of their names."""
        ended = {document.document_id: document for document in self._ended}
        pages = [
            CorrectedPages(
                name=document.name,
                pages=format_runs(numbers),
                authors=tuple(sorted({corrections.pages[number].author for number in numbers})),
                earlier=corrections.document_id != document.document_id,
            )
            for document in ended.values()
            for corrections in self._by_source.get(document.source_uri, ())
            if (numbers := _numbers(corrections, document))
        ]
        return sorted(pages, key=lambda found: (found.name, found.earlier))


def _numbers(corrections: Corrections, document: Document) -> list[int]:
    return sorted(corrections.pages) if corrections.document_id == document.document_id else corrections.unsettled
