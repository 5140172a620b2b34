"""Maintains the index of a destination: one SQLite file with a row per document and a full-text index of its pages, built
incrementally. The index is a cache: rayocr builds it again if you delete it. A document is indexed again when its manifest
changes. Memory stays limited, because few documents are read at a time. Several threads use it; each has its own connection.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rayocr.errors import ObjectNotFound, RecordCorrupt, StorageError
from rayocr.ledger.corrections import CORRECTIONS_PREFIX, Corrections, corrections_name
from rayocr.ledger.manifest import DOCUMENTS_PREFIX, Manifest, document_id_of, manifest_name
from rayocr.messages import PageOutcome
from rayocr.observe.dead_letters import dismissed_ids
from rayocr.outputs.page_texts import read_texts
from rayocr.private_folder import private_temp_folder
from rayocr.storage.base import MAX_STATE_BYTES, Storage
from rayocr.view.search import OUTCOME, PAGE_BITS, Filters, conditions, count_more, folded, found_in, plain, rowids

_SCHEMA_VERSION = 3
_COMMIT_EVERY = 50  # number of documents that are in memory at the same time
_READ_AT_ONCE = 16  # number of documents that are read at the same time; in a bucket each costs two requests
_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
  id INTEGER PRIMARY KEY, document_id TEXT UNIQUE NOT NULL, manifest_version TEXT NOT NULL, source_uri TEXT NOT NULL,
  name TEXT NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL, page_count INTEGER NOT NULL,
  failed INTEGER NOT NULL, doubtful INTEGER NOT NULL, corrected INTEGER NOT NULL, engines TEXT NOT NULL, cost_usd REAL,
  finished_at TEXT NOT NULL, run_id TEXT NOT NULL, outputs TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS by_name ON documents (name, id);
CREATE INDEX IF NOT EXISTS by_source ON documents (source_uri, finished_at);
CREATE VIEW IF NOT EXISTS newest AS SELECT d.* FROM documents d WHERE NOT EXISTS (
  SELECT 1 FROM documents n WHERE n.source_uri = d.source_uri
  AND (n.finished_at, n.document_id) > (d.finished_at, d.document_id));
CREATE TABLE IF NOT EXISTS corrections (document_id TEXT PRIMARY KEY, version TEXT NOT NULL, unsettled INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS dismissed (document_id TEXT PRIMARY KEY);
CREATE VIEW IF NOT EXISTS earlier AS SELECT d.id AS id, o.document_id AS document_id, c.unsettled AS unsettled
  FROM corrections c JOIN documents o ON o.document_id = c.document_id
  JOIN newest d ON d.source_uri = o.source_uri AND d.id != o.id WHERE c.unsettled > 0;
CREATE TABLE IF NOT EXISTS reasons (document INTEGER NOT NULL, reason TEXT NOT NULL, pages INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS reasons_by_document ON reasons (document);
CREATE INDEX IF NOT EXISTS reasons_by_reason ON reasons (reason, document);
CREATE VIRTUAL TABLE IF NOT EXISTS texts USING fts5(text, tokenize = 'unicode61 remove_diacritics 2');
"""

_BESIDE = (  # columns of the list that are not in `documents`
    "(SELECT SUM(unsettled) FROM earlier e WHERE e.id = d.id) AS earlier,"
    " d.document_id IN (SELECT document_id FROM dismissed) AS dismissed"
)


def cache_path(state_uri: str) -> Path:
    """Returns the index file of this state, in a folder of its owner: below XDG_CACHE_HOME or ~/.cache, or in the temporary
    folder where those cannot be written. Raises UsageError."""
    try:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rayocr" / "view"
        base.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not os.access(base, os.W_OK | os.X_OK):
            raise PermissionError(base)
    except (OSError, RuntimeError):  # RuntimeError means that this user has no home folder
        base = private_temp_folder("view")
    return base / f"{hashlib.sha256(state_uri.encode()).hexdigest()[:24]}-{_SCHEMA_VERSION}.sqlite"


class ResultsIndex:
    """The index of a destination's documents and pages. `total` and `done` count the documents of the update in progress, or of
    the last one. `listed`: whether documents have been counted before."""

    def __init__(self, path: Path, dest: Storage, state: Storage) -> None:
        self._path = path
        self._dest = dest
        self._state = state
        self._updating = threading.Lock()
        self._local = threading.local()
        self.total = 0
        self.done = 0
        self.listed = False
        self.damaged: list[str] = []
        path.touch(mode=0o600)
        with self._connection() as db:
            db.executescript(_SCHEMA)

    # -- building ---------------------------------------------------------------------------------------------------------------

    def update(self, stop: threading.Event | None = None) -> None:
        """Indexes new and changed documents and drops removed ones. Blocks. Raises StorageError."""
        with self._updating, self._connection() as db:
            known = dict(db.execute("SELECT document_id, manifest_version FROM documents"))
            listed = [
                (document_id, entry.version)
                for entry in self._state.list(DOCUMENTS_PREFIX)
                if (document_id := document_id_of(entry.name)) and entry.size_bytes
            ]
            changed = [(document_id, version) for document_id, version in listed if known.get(document_id) != version]
            gone = known.keys() - {document_id for document_id, _ in listed}
            self.total, self.done, self.damaged = len(listed), len(listed) - len(changed), []
            self.listed = True
            for document_id in gone:
                _forget(db, document_id)
            self._update_corrections(db)
            dismissed = dismissed_ids(self._state)
            db.execute("DELETE FROM dismissed")
            db.executemany("INSERT INTO dismissed VALUES (?)", ((document_id,) for document_id in dismissed))
            with ThreadPoolExecutor(_READ_AT_ONCE, thread_name_prefix="read") as pool:
                for first in range(0, len(changed), _COMMIT_EVERY):
                    if stop is not None and stop.is_set():
                        break
                    together = changed[first : first + _COMMIT_EVERY]
                    failures: list[StorageError] = []
                    for (_, version), found in zip(together, pool.map(self._try_to_read, (d for d, _ in together)), strict=True):
                        if isinstance(found, StorageError):
                            failures.append(found)  # the next update tries again
                            continue
                        if found is not None:
                            self._index(db, *found, version)
                        self.done += 1
                    db.commit()
                    if len(failures) == len(together):
                        raise failures[-1]
                    self.damaged += [str(failure) for failure in failures]

    def _update_corrections(self, db: sqlite3.Connection) -> None:
        """Reads new and changed records of corrections. Their number is small, since people make them."""
        known: dict[str, str] = dict(db.execute("SELECT document_id, version FROM corrections"))
        there = {found: entry.version for entry in self._state.list(CORRECTIONS_PREFIX) if (found := document_id_of(entry.name))}
        for document_id in known.keys() - there.keys():
            db.execute("DELETE FROM corrections WHERE document_id = ?", (document_id,))
        for document_id, version in there.items():
            if known.get(document_id) != version:
                name = corrections_name(document_id)
                try:
                    read = Corrections.from_json(self._state.read(name, max_bytes=MAX_STATE_BYTES), name=name)
                except ObjectNotFound:
                    continue
                except RecordCorrupt as error:
                    self.damaged.append(str(error))
                    continue
                db.execute("INSERT OR REPLACE INTO corrections VALUES (?,?,?)", (document_id, version, len(read.unsettled)))

    def refresh_corrections(self) -> None:
        """Updates the corrections of a document after one was saved, applied or discarded."""
        with self._updating, self._connection() as db:
            self._update_corrections(db)

    def refresh(self, document_id: str) -> None:
        """Indexes one document again, after its outputs have changed."""
        with self._updating, self._connection() as db:
            version = self._state.stat(manifest_name(document_id)).version
            if (found := self._read(document_id)) is not None:
                self._index(db, *found, version)

    def _try_to_read(self, document_id: str) -> tuple[Manifest, dict[int, str]] | StorageError | None:
        """Does the same as `_read`, but returns the error, so that one unreadable object does not hide the other documents."""
        try:
            return self._read(document_id)
        except StorageError as error:
            return error

    def _read(self, document_id: str) -> tuple[Manifest, dict[int, str]] | None:
        """Returns manifest and page texts; None if the manifest no longer exists or is damaged."""
        try:
            manifest = self.manifest(document_id)
        except ObjectNotFound:
            return None
        except RecordCorrupt as error:
            self.damaged.append(str(error))
            return None
        return manifest, read_texts(manifest, self._dest)

    def _index(self, db: sqlite3.Connection, manifest: Manifest, texts: dict[int, str], version: str) -> None:
        _forget(db, manifest.document_id)
        cursor = db.execute(
            "INSERT INTO documents (document_id, manifest_version, source_uri, name, outcome, reason, message, page_count,"
            " failed, doubtful, corrected, engines, cost_usd, finished_at, run_id, outputs)"
            " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            _row(manifest, version),
        )
        row = cursor.lastrowid
        for reason, pages in _reasons(manifest).items():
            db.execute("INSERT INTO reasons VALUES (?,?,?)", (row, reason, pages))
        for number, text in texts.items():
            if text:
                db.execute("INSERT INTO texts (rowid, text) VALUES (?,?)", (((row or 0) << PAGE_BITS) + number, plain(text)))

    # -- asking -----------------------------------------------------------------------------------------------------------------

    def manifest(self, document_id: str) -> Manifest:
        """Returns the manifest. Raises ObjectNotFound, RecordCorrupt and StorageError."""
        name = manifest_name(document_id)
        return Manifest.from_json(self._state.read(name, max_bytes=MAX_STATE_BYTES), name=name)

    def documents(self, filters: Filters, *, after: str = "", limit: int = 50) -> tuple[list[dict[str, Any]], str]:
        """Returns one page of the list in the order of names, and the cursor of the next page, "" at the end."""
        where_parts, values = conditions(filters)
        name, _, row = after.rpartition("\0")
        if after:
            where_parts.append("(d.name, d.id) > (?, ?)")
            values += [name, int(row)]
        where = f" WHERE {' AND '.join(where_parts)}" if where_parts else ""
        query = f"SELECT d.*, {_BESIDE} FROM newest d{where} ORDER BY d.name, d.id LIMIT ?"  # noqa: S608 - conditions are constants
        with self._connection() as db:
            db.row_factory = sqlite3.Row
            rows = [dict(row) for row in db.execute(query, [*values, limit + 1])]
            if filters.words:
                for found in rows[:limit]:
                    found["found"] = found_in(db, found["id"], filters.words)
                    found["found_more"] = count_more(db, found["id"], filters.words)
        more = rows[limit - 1] if len(rows) > limit else None
        for found in rows:
            found["engines"], found["outputs"] = json.loads(found["engines"]), json.loads(found["outputs"])
        return rows[:limit], f"{more['name']}\0{more['id']}" if more else ""

    def counts(self) -> dict[str, Any]:
        """Returns documents by outcome, pages by reason, and engines, for the filters."""
        with self._connection() as db:
            outcomes = dict(db.execute(f"SELECT {OUTCOME} AS shown, COUNT(*) FROM newest d GROUP BY shown"))  # noqa: S608
            reasons = [
                {"reason": reason, "documents": documents, "pages": pages}
                for reason, documents, pages in db.execute(
                    "SELECT r.reason, COUNT(DISTINCT document), SUM(pages) FROM reasons r JOIN newest d ON d.id = r.document"
                    " WHERE d.document_id NOT IN (SELECT document_id FROM dismissed) GROUP BY r.reason ORDER BY 2 DESC, 1"
                )
            ]
            engines: set[str] = set()
            for (found,) in db.execute("SELECT DISTINCT engines FROM documents"):
                engines.update(json.loads(found))
            (earlier,) = db.execute("SELECT COUNT(DISTINCT id) FROM earlier").fetchone()
            doubtful, failed = db.execute("SELECT SUM(doubtful > 0), SUM(failed) FROM newest").fetchone()
        return {
            "outcomes": outcomes,
            "reasons": reasons,
            "engines": sorted(engines),
            "doubtful": doubtful or 0,
            "failed": failed or 0,
            "earlier": earlier,
        }

    def newest_version(self, document_id: str) -> str:
        """Returns the id of the newest version of this document's file, which differs only if the file was replaced and read
        again."""
        query = "SELECT n.document_id FROM newest n JOIN documents d ON d.source_uri = n.source_uri WHERE d.document_id = ?"
        with self._connection() as db:
            row = db.execute(query, (document_id,)).fetchone()
        return row[0] if row else document_id

    def earlier_versions(self, document_id: str) -> list[str]:
        """Returns the ids of earlier versions whose corrections are neither applied nor discarded; none if this is not the newest
        version itself."""
        query = "SELECT e.document_id FROM earlier e JOIN documents d ON d.id = e.id WHERE d.document_id = ? ORDER BY 1"
        with self._connection() as db:
            return [found for (found,) in db.execute(query, (document_id,))]

    def ids(self, filters: Filters) -> Iterator[str]:
        """Yields every document that matches, for downloads."""
        where_parts, values = conditions(filters)
        where = f" WHERE {' AND '.join(where_parts)}" if where_parts else ""
        with self._connection() as db:
            rows = db.execute(f"SELECT d.document_id FROM newest d{where} ORDER BY d.name", values).fetchall()  # noqa: S608
        for (document_id,) in rows:
            yield document_id

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        db = getattr(self._local, "db", None)
        if db is None:
            db = self._local.db = sqlite3.connect(self._path, timeout=30)
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=NORMAL")
            db.execute("PRAGMA cache_size=-32000")  # size in KiB
            db.create_function("folded", 1, folded, deterministic=True)
        try:
            yield db
            db.commit()
        except BaseException:
            db.rollback()
            raise
        finally:
            db.row_factory = None

    def close(self) -> None:
        """Closes the connection of this thread."""
        if (db := getattr(self._local, "db", None)) is not None:
            db.close()
            self._local.db = None


def _forget(db: sqlite3.Connection, document_id: str) -> None:
    row = db.execute("SELECT id FROM documents WHERE document_id = ?", (document_id,)).fetchone()
    if row is not None:
        db.execute("DELETE FROM texts WHERE rowid BETWEEN ? AND ?", rowids(row[0]))
        db.execute("DELETE FROM reasons WHERE document = ?", row)
        db.execute("DELETE FROM documents WHERE id = ?", row)


def _row(manifest: Manifest, version: str) -> tuple[Any, ...]:
    return (
        manifest.document_id,
        version,
        manifest.source_uri,
        manifest.name.encode("utf-8", "replace").decode(),
        manifest.outcome.value,
        manifest.reason or "",
        manifest.message or "",
        manifest.page_count,
        sum(note.outcome is PageOutcome.FAILED for note in manifest.notes),
        sum(bool(note.doubts) for note in manifest.notes),
        sum(bool(note.corrected_at) for note in manifest.notes),
        json.dumps(sorted(manifest.engines)),
        manifest.cost_usd,
        manifest.finished_at,
        manifest.run_id,
        json.dumps([output.name for output in manifest.outputs]),
    )


def _reasons(manifest: Manifest) -> dict[str, int]:
    """Returns the number of failed pages by reason. A rejected document counts as one page."""
    found: dict[str, int] = {manifest.reason: 1} if manifest.reason else {}
    for note in manifest.notes:
        if note.outcome is PageOutcome.FAILED:
            reason = note.reason or "unknown"
            found[reason] = found.get(reason, 0) + 1
    return found
