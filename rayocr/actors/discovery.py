"""The Discovery actor: turns the listing of the source into documents that are not finished yet, a batch at a time.

It owns the position in the listing and nothing durable: restarted, it lists again, and what was finished meanwhile is skipped.
Finished documents are known from one listing of the manifests' names, never from a look at each. Also used without Ray, by the
driver, to see whether there is anything to do before a cluster is started for it.
"""

from __future__ import annotations

import fnmatch
import hashlib
import logging
import time
import unicodedata
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from rayocr.ledger.manifest import DEAD_LETTERS_PREFIX, DOCUMENTS_PREFIX, document_id_of
from rayocr.messages import DiscoveryBatch, DiscoveryTotals, Document
from rayocr.observe.logs import log_event
from rayocr.storage.base import Entry, Storage

log = logging.getLogger(__name__)

_LOOK_AHEAD = 20_000  # documents listed ahead of need, so that progress knows the total of any ordinary run
_LOOK_AHEAD_S = 0.5  # and no longer than this beyond what was asked for


_NAMES_TOLD = 20  # names; the log has all of them


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryRules:
    """Globs are matched against names below the source, with `/`; `*` crosses folders."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    limit: int | None = None
    overwrite: bool = False
    retried: frozenset[str] | None = None  # documents that are taken up again, and no others

    def admits(self, name: str) -> bool:
        folders, _, file = name.rpartition("/")
        if not file.lower().endswith(".pdf") or file.startswith("._"):  # what macOS leaves beside real files
            return False
        if f"/{folders}/".find("/.rayocr/") >= 0:
            return False
        if self.include and not any(fnmatch.fnmatchcase(name, pattern) for pattern in self.include):
            return False
        return not any(fnmatch.fnmatchcase(name, pattern) for pattern in self.exclude)


def document_id(source_uri: str, version: str) -> str:
    """32 hex digits, the same for the same URI and version everywhere and always."""
    return hashlib.sha256(f"{source_uri}\0{version}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


class Discovery:
    """`source` is this object's own: it is made to tell of folders that cannot be listed."""

    def __init__(self, source: Storage, state: Storage, rules: DiscoveryRules) -> None:
        self._source = source
        source.on_error = self.note_unreadable
        self._state = state
        self._rules = rules
        self._totals = DiscoveryTotals()
        self._taken = 0
        self._ahead: deque[Document] = deque()
        self._stems = _Stems()
        self._finished: set[bytes] | None = None
        self._dead_letters: set[bytes] = set()
        self._documents = self._unfinished()
        self._exhausted = False

    def next_batch(self, count: int) -> DiscoveryBatch:
        """Up to `count` documents; fewer than that only at the end. Blocks while it lists. Raises StorageError."""
        self._fill(count)
        documents = tuple(self._ahead.popleft() for _ in range(min(count, len(self._ahead))))
        return DiscoveryBatch(documents=documents, totals=self._totals, exhausted=self._exhausted and not self._ahead)

    def _fill(self, count: int) -> None:
        deadline: float | None = None
        while not self._exhausted and len(self._ahead) < max(count, _LOOK_AHEAD):
            if len(self._ahead) >= count:
                deadline = deadline or time.monotonic() + _LOOK_AHEAD_S
                if time.monotonic() > deadline:
                    return
            document = next(self._documents, None)
            if document is None:
                self._exhausted = True
            else:
                self._ahead.append(document)

    def _unfinished(self) -> Iterator[Document]:
        self._load_finished()
        for entry in self._source.list():
            if not self._rules.admits(entry.name):
                continue
            if self._rules.limit is not None and self._taken >= self._rules.limit:
                return
            document = self._document(entry)
            self._count(found=1)
            if self._rules.retried is not None:
                if document.document_id not in self._rules.retried:
                    self._count(finished=1)
                    continue
            elif not self._rules.overwrite and self._is_finished(document.document_id):
                continue
            self._taken += 1
            yield document

    def _document(self, entry: Entry) -> Document:
        uri = f"{self._source.uri}/{entry.name}"
        return Document(
            document_id=document_id(uri, entry.version),
            source_uri=uri,
            name=entry.name,
            output_stem=self._stems.stem(entry.name),
            version=entry.version,
            size_bytes=entry.size_bytes,
        )

    def _is_finished(self, identifier: str) -> bool:
        assert self._finished is not None
        raw = bytes.fromhex(identifier)
        if raw not in self._finished:
            return False
        self._count(finished=1, dead_letters=int(raw in self._dead_letters))
        return True

    def _load_finished(self) -> None:
        self._finished = set(self._identifiers(DOCUMENTS_PREFIX))
        self._dead_letters = set(self._identifiers(DEAD_LETTERS_PREFIX))

    def _identifiers(self, prefix: str) -> Iterator[bytes]:
        for entry in self._state.list(prefix):
            identifier = document_id_of(entry.name)
            if identifier is not None and entry.size_bytes:
                yield bytes.fromhex(identifier)
            else:  # nothing of ours, or what a broken disk left of it: as if it were not there
                self._note_strange(entry.name)

    def _note_strange(self, name: str) -> None:
        log_event(log, "record_strange", "Something under .rayocr is damaged or foreign.", level=logging.WARNING, name=name)
        if len(self._totals.strange) < _NAMES_TOLD:
            self._totals = replace(self._totals, strange=(*self._totals.strange, name))

    def _count(self, **changes: int) -> None:
        self._totals = replace(self._totals, **{name: getattr(self._totals, name) + change for name, change in changes.items()})

    def note_unreadable(self, name: str, error: Exception) -> None:
        """The storage's callback for a folder or link that it could not look at: counted, and no reason to end the listing."""
        self._count(unreadable=1)
        if len(self._totals.unreadable_names) < _NAMES_TOLD:
            self._totals = replace(self._totals, unreadable_names=(*self._totals.unreadable_names, name))
        log_event(
            log, "source_unreadable", "A part of the source cannot be listed.", level=logging.WARNING, name=name, error=str(error)
        )


class _Stems:
    """Where a document's outputs go: its name without `.pdf`, and apart from its neighbours.

    `a.pdf` and `a.PDF` (or names that differ by case or by Unicode composition alone) would write the same file on some
    file system: the first in listing order keeps the plain stem, the others carry a hash of their name. A folder's names are
    forgotten when the listing has left it, which bounds the memory: listings keep the names of a folder together.
    """

    def __init__(self) -> None:
        self._folders: dict[str, set[str]] = {}

    def stem(self, name: str) -> str:
        folder, _, file = name.rpartition("/")
        for known in [f for f in self._folders if f and f != folder and not folder.startswith(f + "/")]:
            del self._folders[known]
        taken = self._folders.setdefault(folder, set())
        stem = _shortened(file[: -len(".pdf")] or file, name)
        folded = unicodedata.normalize("NFC", stem).casefold()
        if folded in taken:
            stem = _with_hash(stem, name)
            folded = unicodedata.normalize("NFC", stem).casefold()
        taken.add(folded)
        return f"{folder}/{stem}" if folder else stem


_NAME_BYTES = 255 - len(".searchable.pdf")  # file systems end a name at 255 bytes, and every output adds its suffix


def _shortened(stem: str, name: str) -> str:
    if len(stem.encode("utf-8", "surrogateescape")) <= _NAME_BYTES:
        return stem
    return _with_hash(stem, name)


def _with_hash(stem: str, name: str) -> str:
    mark = "~" + hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    cut = stem.encode("utf-8", "surrogateescape")[: _NAME_BYTES - len(mark)]
    return cut.decode("utf-8", "ignore") + mark
