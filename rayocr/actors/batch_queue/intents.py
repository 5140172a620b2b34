"""Stores the durable record of batches: `.rayocr/batches/<display_name>.json`, written before the job is submitted.

rayocr chooses the display name in advance, and the server assigns the job's name on submission. After a crash between the two,
the record identifies the job if it was created, so it is never paid for twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from rayocr.errors import ObjectNotFound, RecordCorrupt, StorageError
from rayocr.storage.base import Storage
from rayocr.untrusted_json import FiniteFloat, checked_as, parse_object

BATCHES_PREFIX = ".rayocr/batches/"
_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """The record of one job. `name`: the server's name of the job, once it is known. `created_at` is Unix time in seconds."""

    display_name: str
    model: str
    keys: tuple[str, ...]
    created_at: FiniteFloat
    name: str | None = None


def write_intent(state: Storage, intent: Intent) -> None:
    """Writes an intent. Blocks. Raises StorageError."""
    body = {"schema_version": _SCHEMA_VERSION, **asdict(intent)}
    state.write(f"{BATCHES_PREFIX}{intent.display_name}.json", json.dumps(body).encode())


def delete_intent(state: Storage, display_name: str) -> None:
    """Deletes an intent. Blocks. Idempotent. An intent that cannot be deleted expires later."""
    try:
        state.delete(f"{BATCHES_PREFIX}{display_name}.json")
    except StorageError:
        pass


def read_intents(state: Storage) -> Iterator[Intent]:
    """Reads the intents. Blocks. Skips records that are damaged or written by a newer rayocr, so their pages are requested
    again."""
    for entry in list(state.list(BATCHES_PREFIX)):
        try:
            body = parse_object(state.read(entry.name), name=entry.name)
            if body.get("schema_version") == _SCHEMA_VERSION:
                yield checked_as(Intent, body, name=entry.name)
        except (ObjectNotFound, RecordCorrupt):
            continue
