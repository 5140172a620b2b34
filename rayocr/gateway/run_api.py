"""Provides the sources of the HTTP API's answers: snapshots of the run, its records in storage, and commands that go back to the
run.

The run pushes snapshots, which are never changed afterwards. Commands are functions that are safe to call from any thread. The
run never waits for the API.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rayocr.errors import ObjectNotFound, RecordCorrupt, StorageError
from rayocr.gateway.history import History
from rayocr.ledger.manifest import DOCUMENTS_PREFIX, Manifest, document_id_of, manifest_name
from rayocr.ledger.runs import runs_of
from rayocr.messages import DocumentOutcome
from rayocr.outputs.page_texts import engine_of
from rayocr.outputs.report.pages import pages_of_markdown
from rayocr.storage.base import Storage

_ID = re.compile(r"[0-9a-f]{32}")
_SCANNED = 2000  # number of manifests that one request scans
_FRESH_S = 10.0  # an older snapshot means that the run's loop hangs
_LOG_TAIL_BYTES = 512 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """Commands of the run; each returns immediately. `add(name)` raises ObjectNotFound, StorageError; `notice(name)` raises the
    same errors, and accepts only documents that a listing would return (`include=` and similar filters)."""

    pause: Callable[[], None]
    resume: Callable[[], None]
    drain: Callable[[], None]
    cancel: Callable[[str], None]
    retry: Callable[[Manifest], None]
    add: Callable[[str], str]
    notice: Callable[[str], str | None]


@dataclass(slots=True, kw_only=True)
class RunApi:
    source: Storage
    dest: Storage
    state: Storage
    commands: Commands
    config: Mapping[str, Any]  # configuration without secrets
    logs: Path
    draw: Callable[[Manifest, int], bytes | None]  # renders a page as JPEG
    readiness: Callable[[], dict[str, str]]  # returns problems by part; empty if ready
    snapshot: Mapping[str, Any] = field(default_factory=dict)
    history: History = field(default_factory=History)
    pushed_at: float = field(default_factory=time.monotonic)
    streams: int = 0  # number of open event streams

    def push(self, snapshot: Mapping[str, Any]) -> None:
        self.snapshot, self.pushed_at = snapshot, time.monotonic()
        self.history.add(snapshot)

    @property
    def lives(self) -> bool:
        return time.monotonic() - self.pushed_at < _FRESH_S

    def manifest(self, document_id: str) -> Manifest | None:
        """Returns the document's manifest. Raises StorageError."""
        if not _ID.fullmatch(document_id):
            return None
        name = manifest_name(document_id)
        try:
            return Manifest.from_json(self.state.read(name), name=name)
        except (ObjectNotFound, RecordCorrupt):
            return None

    def in_progress(self) -> list[Mapping[str, Any]]:
        return list(self.snapshot.get("in_progress", ()))

    def documents(
        self, *, outcome: str | None, q: str | None, reason: str | None, cursor: str | None, limit: int
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Returns finished documents ordered by id, and the next cursor, None at the end. Raises StorageError."""
        found: list[dict[str, Any]] = []
        last = None
        for scanned, manifest in enumerate(self._manifests_after(cursor), start=1):
            last = manifest.document_id
            if _matches(manifest, outcome, q, reason):
                found.append(line_of(manifest))
            if len(found) >= limit or scanned >= _SCANNED:
                return found, last
        return found, None

    def retry_all(self, *, reason: str | None, q: str | None) -> int:
        """Retries all matching failed documents and returns their number. Raises StorageError."""
        count = 0
        for manifest in self._manifests_after(None):
            if self.can_retry(manifest) and _matches(manifest, None, q, reason):
                self.commands.retry(manifest)
                count += 1
        return count

    def can_retry(self, manifest: Manifest) -> bool:
        """Returns whether the document has failures and belongs to this run's source. Another source of the destination may have
        a document with the same name."""
        ours = manifest.source_uri == f"{self.source.uri}/{manifest.name}"
        return ours and manifest.outcome is not DocumentOutcome.COMPLETE

    def _manifests_after(self, cursor: str | None) -> Iterator[Manifest]:
        for entry in self.state.list(DOCUMENTS_PREFIX):
            document_id = document_id_of(entry.name)
            if document_id is None or (cursor is not None and document_id <= cursor):
                continue
            manifest = self.manifest(document_id)
            if manifest is not None:
                yield manifest

    def text(self, manifest: Manifest, page_number: int) -> str | None:
        name = next((output.name for output in manifest.outputs if output.name.endswith(".md")), None)
        if name is None:
            return None
        try:
            return pages_of_markdown(self.dest.read(name).decode("utf-8", "replace")).get(page_number)
        except StorageError:
            return None

    def page(self, manifest: Manifest, page_number: int) -> dict[str, Any] | None:
        """Returns a page's record and text; None if there is no such page."""
        outcome = next((kind.value for kind, runs in manifest.pages.items() if _holds(runs, page_number)), None)
        if outcome is None:
            return None
        note = next((note for note in manifest.notes if note.page_number == page_number), None)
        return {
            "page_number": page_number,
            "outcome": outcome,
            "engine": engine_of(manifest, page_number),
            "doubts": list(note.doubts) if note else [],
            "attempts": [attempt.model_dump() for attempt in note.attempts] if note else [],
            "text": self.text(manifest, page_number),
        }

    def picture(self, manifest: Manifest, page_number: int) -> bytes | None:
        return self.draw(manifest, page_number)

    def log_lines(self, count: int) -> list[str]:
        """Returns the last lines of the newest log file."""
        files = sorted((self.logs / "json").glob("*.jsonl"))
        if not files:
            return []
        with files[-1].open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - _LOG_TAIL_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()
        return lines[-count:]


def _holds(runs: str, page_number: int) -> bool:
    return any(page_number in run for run in runs_of(runs))


def line_of(manifest: Manifest) -> dict[str, Any]:
    return {
        "document_id": manifest.document_id,
        "name": manifest.name,
        "outcome": manifest.outcome.value,
        "reason": manifest.reason or next((note.reason for note in manifest.notes if note.reason), None),
        "page_count": manifest.page_count,
        "failed_pages": next((runs for kind, runs in manifest.pages.items() if kind.value == "failed"), ""),
        "doubtful_pages": sum(bool(note.doubts) for note in manifest.notes),
        "engines": manifest.engines,
        "cost_usd": manifest.cost_usd,
        "finished_at": manifest.finished_at,
    }


def _matches(manifest: Manifest, outcome: str | None, q: str | None, reason: str | None) -> bool:
    if outcome is not None and manifest.outcome.value != outcome:
        return False
    if reason is not None and reason not in {manifest.reason, *(note.reason for note in manifest.notes)}:
        return False
    return q is None or q.casefold() in manifest.name.casefold()
