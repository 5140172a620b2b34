"""Stores dead letters: failed documents, rejected or partial, with the reason and the command that retries them. The durable dead
letter is in the state, `.rayocr/dead_letters/<2 hex>/<document_id>.json`. It is written before the manifest, so that every
finished document with failures has one. A copy goes to `<logs>/dead_letter/<date>.jsonl` for users and their scripts.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Container
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from rayocr.errors import ObjectNotFound, RecordCorrupt, StorageError
from rayocr.ledger.manifest import DEAD_LETTERS_PREFIX, DISMISSED_PREFIX, document_id_of
from rayocr.messages import Document, DocumentOutcome
from rayocr.observe.logs import log_event
from rayocr.private_folder import make_private, private_opener
from rayocr.storage.base import Storage
from rayocr.untrusted_json import parse_as

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1
_READERS = 16  # number of reads; each costs a request if storage is remote
_RETRY = {
    DocumentOutcome.PARTIAL: "Remove the cause, then start the same command with mode=retry: it reads only the failed pages.",
    DocumentOutcome.REJECTED: "Remove the cause, then start the same command with mode=retry retry.rejected=true.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A dead letter. `reason` is a class name of rayocr.errors; `pages` are the failed pages as ranges ("3,7-9"), empty for whole
    documents."""

    document_id: str
    source_uri: str
    name: str
    outcome: str
    reason: str
    message: str
    retry: str
    run_id: str
    at: str
    pages: str = ""
    tries: int = 1  # number of runs in which the document failed
    first_at: str = ""  # time of the first failure
    schema_version: int = SCHEMA_VERSION

    @property
    def has_hint(self) -> bool:
        """Returns whether `retry` concerns this reason and is not the general advice."""
        return self.retry not in _RETRY.values()


def new_dead_letter(
    document: Document, *, outcome: DocumentOutcome, reason: str, message: str, hint: str | None, run_id: str, pages: str = ""
) -> DeadLetter:
    return DeadLetter(
        document_id=document.document_id,
        source_uri=document.source_uri,
        name=document.name,
        outcome=outcome.value,
        reason=reason,
        message=message,
        retry=hint or _RETRY[outcome],
        run_id=run_id,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        pages=pages,
    )


def read_dead_letter(state: Storage, name: str) -> DeadLetter:
    """Reads a dead letter. Raises StorageError and RecordCorrupt."""
    return parse_as(DeadLetter, state.read(name), name=f"The dead letter {name}")


def all_dead_letters(state: Storage, *, first: Container[str] = (), at_most: int) -> tuple[list[DeadLetter], int]:
    """Returns the dead letters in the order of their documents' names, after those of the documents `first`, without damaged
    ones. Also returns their total number. Raises StorageError."""
    names = [entry.name for entry in state.list(DEAD_LETTERS_PREFIX) if document_id_of(entry.name)]

    def read(name: str) -> DeadLetter | None:
        with contextlib.suppress(ObjectNotFound, RecordCorrupt):
            return read_dead_letter(state, name)
        return None

    with ThreadPoolExecutor(_READERS) as pool:
        letters = [letter for letter in pool.map(read, names[:at_most]) if letter is not None]
    return sorted(letters, key=lambda letter: (letter.document_id not in first, letter.name)), len(names)


def failure_of(state: Storage, document_id: str) -> DeadLetter | None:
    """Returns why a partial or rejected document failed, also if a person has dismissed the failure; None if the reason is not on
    record. Every view of a document's failure uses this function, because the manifest of a partial document has only reasons of
    pages. Raises StorageError."""
    for name in (dead_letter_name(document_id), dismissed_name(document_id)):
        with contextlib.suppress(ObjectNotFound, RecordCorrupt):
            return read_dead_letter(state, name)
    return None


def write_dead_letter(state: Storage, letter: DeadLetter) -> DeadLetter:
    """Replaces an earlier dead letter of the same document and counts the attempts. Raises StorageError."""
    name = dead_letter_name(letter.document_id)
    try:
        earlier = read_dead_letter(state, name)
        # 0 if the answer to an earlier write of this run was lost and the write is retried.
        again = int(earlier.run_id != letter.run_id)
        letter = replace(letter, tries=earlier.tries + again, first_at=earlier.first_at or earlier.at)
    except (ObjectNotFound, RecordCorrupt):
        letter = replace(letter, first_at=letter.at)
    state.write(name, json.dumps(asdict(letter), indent=1).encode())
    return letter


def dismiss_dead_letter(state: Storage, letter: DeadLetter) -> None:
    """Moves the dead letter to the folder of dismissed dead letters. Idempotent. Raises StorageError."""
    state.write(dismissed_name(letter.document_id), json.dumps(asdict(letter), indent=1).encode())
    with contextlib.suppress(ObjectNotFound):
        state.delete(dead_letter_name(letter.document_id))


def dismissed_ids(state: Storage, failed: Container[str | None] | None = None) -> frozenset[str]:
    """Returns the ids of documents whose failure a person has dismissed and which did not fail again. Every count of documents
    treats them as a class beside complete, partial and rejected ones. `failed`: the ids of the dead letters, if the caller has
    them. Raises StorageError."""
    dismissed = {found for entry in state.list(DISMISSED_PREFIX) if (found := document_id_of(entry.name))}
    if not dismissed:
        return frozenset()
    if failed is None:
        failed = {document_id_of(entry.name) for entry in state.list(DEAD_LETTERS_PREFIX)}
    return frozenset(found for found in dismissed if found not in failed)


def dismissed_name(document_id: str) -> str:
    return f"{DISMISSED_PREFIX}{document_id[:2]}/{document_id}.json"


def append_dead_letter(logs: Path, letter: DeadLetter) -> None:
    """Appends the copy in the logs. A failed write does no harm, since the durable dead letter exists by then."""
    folder = logs / "dead_letter"
    try:
        make_private(folder)
        with open(folder / f"{letter.at[:10]}.jsonl", "a", encoding="utf-8", opener=private_opener) as file:
            file.write(json.dumps(asdict(letter)) + "\n")
    except OSError as error:
        _note_not_copied(letter.document_id, error)


def copy_dead_letter(state: Storage, logs: Path, document_id: str) -> DeadLetter | None:
    """Copies the durable dead letter into the logs and returns it; None if it cannot be read. Never raises, since the document is
    finished."""
    try:
        letter = read_dead_letter(state, dead_letter_name(document_id))
    except (StorageError, RecordCorrupt) as error:
        _note_not_copied(document_id, error)
        return None
    append_dead_letter(logs, letter)
    return letter


def _note_not_copied(document_id: str, error: Exception) -> None:
    log_event(
        log,
        "dead_letter_not_copied",
        "A dead letter was not copied into the logs.",
        level=logging.WARNING,
        document_id=document_id,
        error=str(error),
    )


def dead_letter_name(document_id: str) -> str:
    return f"{DEAD_LETTERS_PREFIX}{document_id[:2]}/{document_id}.json"
