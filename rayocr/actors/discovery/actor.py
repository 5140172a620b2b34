"""The Discovery actor turns the listing of the source into batches of documents that are not finished yet.

It owns the position in the listing and has no durable state. After a restart it lists again and skips documents that were
finished in the meantime. It finds finished documents from one listing of the manifests' names, without opening each, and keeps 16
bytes per document. The driver also uses it without Ray, to check whether there is anything to do before it starts a cluster.

In mode=watch it lists the source repeatedly (`poll`). It then keeps only the documents of the last complete listing in memory, so
memory depends on the current size of the source and not on its history.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from rayocr.actors.discovery.digest_table import DigestTable
from rayocr.actors.discovery.file_stability import FileStability
from rayocr.actors.discovery.name_collisions import NameCollisions
from rayocr.actors.discovery.ordering import in_order
from rayocr.actors.document_identity import document_at
from rayocr.errors import ObjectNotFound, UnsafeName
from rayocr.ledger.manifest import DEAD_LETTERS_PREFIX, DOCUMENTS_PREFIX, document_id_of
from rayocr.messages import DiscoveryBatch, DiscoveryTotals, Document, Poll
from rayocr.observe.logs import log_event
from rayocr.outputs.registry import all_outputs
from rayocr.storage.base import Entry, Storage
from rayocr.storage.name_patterns import matches

log = logging.getLogger(__name__)

_LIST_AHEAD = 20_000  # number of documents that are listed ahead of demand, so that progress knows the total of most runs
_LIST_AHEAD_S = 0.5  # maximum time spent on listing ahead
_ID_BYTES = 16
_NAMES_TOLD = 20  # number of names in the message; the log has all of them
_OWN_SUFFIXES = (*(output.suffix for output in all_outputs()), "report.html")
_ASK_EACH = 1000  # number of new documents per poll; with more, the manifests are listed once instead of checked one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryRules:
    """Selects the documents that Discovery returns. Globs are matched against names below the source, with `/`; `*` crosses
    folders (see rayocr.storage.name_patterns)."""

    only: str | None = None  # name of a single file, which is checked without listing its folder
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    reported: tuple[str, ...] = ()  # those of the patterns above that are reported if they match no document
    min_bytes: int = 0
    max_bytes: int | None = None
    order: str = "listing"  # or one of rayocr.actors.discovery.ordering.ORDERS
    limit: int | None = None
    overwrite: bool = False
    retried: frozenset[str] | None = None  # only these documents are processed again
    again: frozenset[str] = frozenset()  # these documents are read again although they are finished
    holds_results: bool = False  # the source is the destination of other runs, too
    narrowed: bool = False  # only a subset was requested, so dead letters of other documents are not reported
    watch: bool = False
    settle_s: float = 0.0  # in a watch, how long a file must be unchanged before it is read

    def admits(self, name: str) -> bool:
        if not is_document(name):
            return False
        if self.include and not any(matches(name, pattern) for pattern in self.include):
            return False
        return not any(matches(name, pattern) for pattern in self.exclude)

    def concerns(self, name: str, error: Exception) -> bool:
        """Returns whether an entry that could not be inspected might be a document or contain one. Always returns True for
        folders, for a broken link whose name may be that of a document or a folder, and for an unusable name of a document."""
        if isinstance(error, UnsafeName):
            return self.admits(name)
        if isinstance(error, ObjectNotFound):
            return self.admits(name) or ("." not in name.rpartition("/")[2] and self.admits(f"{name}/any.pdf"))
        return True

    def admits_entry(self, entry: Entry) -> bool:
        if entry.size_bytes < self.min_bytes or (self.max_bytes is not None and entry.size_bytes > self.max_bytes):
            return False
        return self.admits(entry.name)


def is_document(name: str) -> bool:
    """Returns whether the name is that of a PDF, and not of rayocr's state or of a file that macOS leaves next to real files."""
    folders, _, file = name.rpartition("/")
    return file.lower().endswith(".pdf") and not file.startswith("._") and f"/{folders}/".find("/.rayocr/") < 0


class Discovery:
    """Lists the source and returns the documents that are not finished. `source` must not be shared, since this object sets its
    callback for unreadable folders."""

    def __init__(self, source: Storage, state: Storage, rules: DiscoveryRules) -> None:
        self._source = source
        source.on_error = self.note_unreadable
        self._state = state
        self._rules = rules
        self._totals = DiscoveryTotals()
        self._taken = 0
        self._ahead: deque[Document] = deque()
        self._finished: DigestTable | None = None
        self._dead_letters: DigestTable | None = None
        self._known = DigestTable(key_bytes=_ID_BYTES)  # in a watch, documents that were found and are not returned again
        self._present = DigestTable(key_bytes=_ID_BYTES)  # in a watch, documents that the listing in progress found
        self._fresh = 0  # new documents of this poll
        self._polls = 0
        self._token: str | None = None  # the position in the source's change feed
        self._settling = FileStability(rules.settle_s if source.uri.startswith("file:") else 0.0)
        self._documents = self._limited(self._listing())
        self._exhausted = False
        self._unmatched = list(rules.reported)

    def next_batch(self, count: int) -> DiscoveryBatch:
        """Returns up to `count` documents; fewer only at the end. Blocks while it lists. Raises StorageError."""
        self._fill(count)
        documents = tuple(self._ahead.popleft() for _ in range(min(count, len(self._ahead))))
        totals = replace(self._totals, settling=len(self._settling))
        exhausted = self._exhausted and not self._ahead
        return DiscoveryBatch(documents=documents, totals=totals, exhausted=exhausted, limit_reached=self._limit_reached())

    def poll(self, what: Poll) -> None:
        """Polls the source of a watch. `next_batch` then returns the documents that are new since the last poll. The next poll
        finds documents that a failed or incomplete poll missed."""
        self._known.update(self._present)
        self._present = DigestTable(key_bytes=_ID_BYTES)
        self._fresh = 0
        self._polls += 1
        self._exhausted = False
        found = self._listing() if what is Poll.ALL else self._settled() if what is Poll.SETTLING else self._changed()
        self._documents = self._limited(found)

    def note(self, document_id: str) -> None:
        """Notes a pushed document, so that a watch does not return it. Idempotent."""
        self._known.add(bytes.fromhex(document_id))
        self._present.add(bytes.fromhex(document_id))

    def forget(self, document_id: str) -> None:
        """Notes that a document that a watch returned no longer exists. If it reappears, the next poll returns it, so a brief
        outage of the source loses no document. Idempotent."""
        self._known.discard(bytes.fromhex(document_id))
        self._present.discard(bytes.fromhex(document_id))

    def _fill(self, count: int) -> None:
        deadline: float | None = None
        while not self._exhausted and len(self._ahead) < max(count, _LIST_AHEAD):
            if len(self._ahead) >= count:
                deadline = deadline or time.monotonic() + _LIST_AHEAD_S
                if time.monotonic() > deadline:
                    return
            document = next(self._documents, None)
            if document is None:
                self._exhausted = True
            else:
                self._ahead.append(document)

    # -- listings -----------------------------------------------------------------------------------------------------------

    def _limited(self, documents: Iterable[Document]) -> Iterator[Document]:
        for document in documents:
            self._taken += 1
            if self._rules.watch:
                self._present.add(bytes.fromhex(document.document_id))
            yield document
            if self._limit_reached():
                return

    def _limit_reached(self) -> bool:
        return self._rules.limit is not None and self._taken >= self._rules.limit

    def _listing(self) -> Iterator[Document]:
        """Yields all documents."""
        changes = self._source.changes_since(None) if self._rules.watch else None
        self._settling.begin_listing()
        found = self._unfinished(self._entries(), NameCollisions())
        if self._rules.order == "listing":
            yield from (document for _, document in found)
        else:
            yield from in_order(found, self._rules.order)
        self._settling.end_listing()
        self._totals = replace(self._totals, unmatched=tuple(self._unmatched))
        self._finished = None if self._rules.watch else self._finished
        self._known, self._present = self._present, DigestTable(key_bytes=_ID_BYTES)
        self._token = changes.token if changes is not None else None

    def _entries(self) -> Iterator[Entry]:
        return self._source.list() if self._rules.only is None else self._each([self._rules.only])

    def _changed(self) -> Iterator[Document]:
        """Yields the documents in the source's change feed; all documents if there is no feed or it cannot answer."""
        changes = self._source.changes_since(self._token) if self._token is not None else None
        if changes is None or changes.names is None:
            yield from self._listing()
            return
        yield from self._settled(changes.names)
        self._token = changes.token

    def _settled(self, names: tuple[str, ...] = ()) -> Iterator[Document]:
        """Yields these documents, and the files that were still being written at the last poll."""
        entries = self._each({*names, *self._settling.names()})
        yield from (document for _, document in self._unfinished(entries, None))

    def _each(self, names: Iterable[str]) -> Iterator[Entry]:
        for name in sorted(names):
            try:
                yield self._source.stat(name)
            except (ObjectNotFound, UnsafeName):
                self._settling.forget(name)

    def _unfinished(self, entries: Iterable[Entry], collisions: NameCollisions | None) -> Iterator[tuple[Entry, Document]]:
        for entry in entries:
            if self._unmatched and is_document(entry.name):
                self._unmatched = [pattern for pattern in self._unmatched if not matches(entry.name, pattern)]
            if not self._rules.admits_entry(entry):
                self._count_skipped(entry.name)
                continue
            document = document_at(self._source, entry)
            if collisions is not None and (name_owner := collisions.owner_before(document.output_name, document.source_uri)):
                document = replace(document, name_owner=name_owner)
            if self._is_new(entry, document):
                yield entry, replace(document, has_dead_letter=True) if self._has_stale_dead_letter(document) else document

    def _count_skipped(self, name: str) -> None:
        if self._polls or "/.rayocr/" in f"/{name}":
            return
        if self._rules.holds_results and name.lower().endswith(_OWN_SUFFIXES):
            self._count(own_outputs=1)
        elif is_document(name):
            self._totals = replace(self._totals, filtered_name=self._totals.filtered_name or name)
            self._count(filtered=1)
        elif not name.rpartition("/")[2].startswith("."):
            self._totals = replace(self._totals, other_name=self._totals.other_name or name)
            self._count(others=1)

    def _is_new(self, entry: Entry, document: Document) -> bool:
        raw = bytes.fromhex(document.document_id)
        if self._rules.watch:
            if raw in self._known or raw in self._present:
                self._present.add(raw)
                self._settling.forget(entry.name)
                return False
            if not self._settling.is_settled(entry):
                return False
        self._count(found=1)
        self._fresh += 1
        if self._rules.retried is not None:
            if document.document_id in self._rules.retried:
                return True
            self._count(finished=1, dead_letters=int(not self._rules.narrowed and self._has_dead_letter(raw)))
            return False
        if self._rules.overwrite or document.document_id in self._rules.again or not self._is_finished(raw):
            return True
        if self._rules.watch:
            self._present.add(raw)
        return False

    # -- finished documents -------------------------------------------------------------------------------------------------

    def _is_finished(self, raw: bytes) -> bool:
        if self._finished is None:
            if self._polls and self._fresh <= _ASK_EACH:
                return False  # the document worker checks the manifest
            self._load_finished()
        assert self._finished is not None
        if raw not in self._finished:
            return False
        self._count(finished=1, dead_letters=int(self._has_dead_letter(raw)))
        return True

    def _has_dead_letter(self, raw: bytes) -> bool:
        if self._dead_letters is None:
            self._dead_letters = self._identifiers(DEAD_LETTERS_PREFIX)
        return raw in self._dead_letters

    def _has_stale_dead_letter(self, document: Document) -> bool:
        """Returns whether the document had a stale dead letter when the manifests were listed. A dead letter that was written
        later belongs to a manifest that is being replaced or was just created."""
        return self._finished is not None and self._has_dead_letter(bytes.fromhex(document.document_id))

    def _load_finished(self) -> None:
        self._finished = self._identifiers(DOCUMENTS_PREFIX)
        self._dead_letters = None  # listed again on demand, after the manifests, which are written later than the dead letters

    def _identifiers(self, prefix: str) -> DigestTable:
        found = DigestTable(key_bytes=_ID_BYTES)
        for entry in self._state.list(prefix):
            identifier = document_id_of(entry.name)
            if identifier is not None and len(identifier) == 2 * _ID_BYTES and entry.size_bytes:
                found.add(bytes.fromhex(identifier))
            else:  # an unknown or damaged record, which is treated as absent
                self._note_strange(entry.name)
        return found

    # -- reporting ----------------------------------------------------------------------------------------------------------

    def _note_strange(self, name: str) -> None:
        log_event(log, "record_strange", "A file under .rayocr is damaged or unknown.", level=logging.WARNING, name=name)
        if len(self._totals.strange) < _NAMES_TOLD:
            self._totals = replace(self._totals, strange=(*self._totals.strange, name))

    def _count(self, **changes: int) -> None:
        self._totals = replace(self._totals, **{name: getattr(self._totals, name) + change for name, change in changes.items()})

    def note_unreadable(self, name: str, error: Exception) -> None:
        """Counts a folder or link that the storage cannot read. The storage calls this method. The listing continues."""
        if self._polls:  # in a watch, every poll reports the same paths again
            return
        if not self._rules.concerns(name.removeprefix(f"{self._source.uri}/"), error):
            return
        self._count(unreadable=1)
        if len(self._totals.unreadable_names) < _NAMES_TOLD:
            self._totals = replace(self._totals, unreadable_names=(*self._totals.unreadable_names, name))
        # A warning without a log file would be printed, and the commands report these names themselves.
        log_event(log, "source_unreadable", "Cannot list a part of the source.", name=name, error=str(error))
