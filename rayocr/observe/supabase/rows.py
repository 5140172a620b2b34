"""Creates the rows of the table: one for each failed document or page, defect, or run that stopped early."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rayocr.errors import UsageError
from rayocr.masking import masked

FIELDS = (
    "event_id",  # a UUID, generated once, so that retries are safe
    "occurred_at",
    "action",
    "level",
    "run_id",
    "instance",
    "document_id",
    "document_name",
    "page_number",
    "pages",
    "attempt",
    "engine",
    "error",
    "message",
    "hint",
)
_SENT = frozenset({"document_rejected", "document_partial", "page_failed", "run_stopped"})
_MESSAGE_CHARS = 2000

Row = dict[str, Any]


def is_sent(action: str, level: int = logging.INFO) -> bool:
    return action in _SENT or level >= logging.ERROR


def row_of(fields: Mapping[str, Any], *, level: str, run_id: str, instance: str, message: str, at: float) -> Row:
    """Returns the row for a log line's fields; `at`: seconds since 1970."""
    row = {
        "event_id": str(uuid.uuid4()),
        "occurred_at": datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds"),
        "action": fields.get("action", "noted"),
        "level": level,
        "run_id": run_id,
        "instance": instance,
        "document_id": fields.get("document_id"),
        "document_name": fields.get("name"),
        "page_number": fields.get("page_number"),
        "pages": fields.get("pages"),
        "attempt": fields.get("attempt"),
        "engine": fields.get("engine"),
        "error": fields.get("error"),
        "message": _storable(str(fields.get("reason") or message)),
        "hint": _storable(str(fields["hint"])) if fields.get("hint") else None,
    }
    return {name: masked(value) if isinstance(value, str) else value for name, value in row.items()}


def chosen_columns(wanted: Mapping[str, str | None]) -> dict[str, str]:
    """Maps rayocr's fields to the table's columns. Raises UsageError for an unknown field."""
    for name in wanted:
        if name not in FIELDS:
            raise UsageError(f"supabase.columns names the unknown field {name!r}.", hint=f"Choose from {', '.join(FIELDS)}.")
    columns = {name: wanted.get(name, name) for name in FIELDS}
    return {name: column for name, column in columns.items() if column}


def _storable(text: str) -> str:
    """Converts a value. PostgreSQL text cannot contain NUL; long texts are truncated."""
    return text.replace("\0", "")[:_MESSAGE_CHARS]
