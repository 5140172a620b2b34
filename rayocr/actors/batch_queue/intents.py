"""What is durable of batches: `.rayocr/batches/<display_name>.json`, written before the job is submitted.

The display name is ours and known beforehand, the job's name is the server's and known only afterwards. So a crash between the
two leaves a record with which the job, if it was made, is found again: it is never paid for a second time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from rayocr.errors import ObjectNotFound, RecordCorrupt, StorageError
from rayocr.storage.base import Storage
from rayocr.untrusted_json import checked_as, parse_object

BATCHES_PREFIX = ".rayocr/batches/"
_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """`name`: the server's name of the job, once it is known. `created_at` is Unix time in seconds."""

    display_name: str
    model: str
    keys: tuple[str, ...]
    created_at: float
    name: str | None = None


def write_intent(state: Storage, intent: Intent) -> None:
    """Blocks. Raises StorageError."""
    body = {"schema_version": _SCHEMA_VERSION, **asdict(intent)}
    state.write(f"{BATCHES_PREFIX}{intent.display_name}.json", json.dumps(body).encode())


def delete_intent(state: Storage, display_name: str) -> None:
    """Blocks. Idempotent; what cannot be deleted is left to age."""
    try:
        state.delete(f"{BATCHES_PREFIX}{display_name}.json")
    except StorageError:
        pass


def read_intents(state: Storage) -> Iterator[Intent]:
    """Blocks. What is damaged, or of a newer rayocr, is passed by: its pages are asked for again."""
    for entry in list(state.list(BATCHES_PREFIX)):
        try:
            body = parse_object(state.read(entry.name), name=entry.name)
            if body.get("schema_version") == _SCHEMA_VERSION:
                yield checked_as(Intent, body, name=entry.name)
        except (ObjectNotFound, RecordCorrupt):
            continue
