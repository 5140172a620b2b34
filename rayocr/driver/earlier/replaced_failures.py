"""Removes obsolete failures: a file that failed was replaced, and this run has read the new version. The dead letter belongs to
the old version. No other part removes it, so `rayocr status` would report it forever.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass, field

from rayocr.driver.earlier.ended_documents import OnDocument, collecting
from rayocr.errors import RayocrError
from rayocr.ledger.manifest import DEAD_LETTERS_PREFIX, document_id_of
from rayocr.messages import Document
from rayocr.observe.dead_letters import read_dead_letter
from rayocr.observe.logs import log_event
from rayocr.storage.base import Storage

log = logging.getLogger(__name__)

_MOST_READ = 2000  # maximum number of dead letters that are read; the others are kept


@dataclass(slots=True)
class ReplacedFailures:
    state: Storage
    _failed: defaultdict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))  # source -> id -> object
    _ended: list[Document] = field(default_factory=list)  # ended documents that may replace failed ones
    _is_read: bool = False

    def read(self) -> None:
        """Reads the dead letters of earlier runs. Blocks. Never raises, since the run does not need them."""
        try:
            for count, entry in enumerate(self.state.list(DEAD_LETTERS_PREFIX)):
                document_id = document_id_of(entry.name)
                if document_id is not None and count < _MOST_READ:
                    self._failed[read_dead_letter(self.state, entry.name).source_uri][document_id] = entry.name
        except RayocrError as error:
            log_event(log, "dead_letters_not_read", "The dead letters could not be read.", error=str(error))
        self._is_read = True

    def watching(self, on_document: OnDocument) -> OnDocument:
        """Returns the same callback, which also notes documents that have ended."""
        return collecting(on_document, self._ended, lambda document: not self._is_read or document.source_uri in self._failed)

    def remove(self) -> int:
        """Deletes the dead letters of older versions, and returns their number. Blocks. Never raises."""
        removed = 0
        for document in self._ended:
            for document_id, name in self._failed.get(document.source_uri, {}).items():
                if document_id != document.document_id:
                    removed += self._delete(document, name)
        self._ended.clear()
        return removed

    def _delete(self, document: Document, name: str) -> int:
        try:
            self.state.delete(name)
        except RayocrError as error:
            log_event(log, "dead_letter_not_removed", "A dead letter could not be removed.", name=name, error=str(error))
            return 0
        log_event(log, "dead_letter_removed", "The file that failed was replaced and read.", name=document.name)
        return 1
