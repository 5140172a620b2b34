"""Accesses the table with Supabase's client, which is imported only here, when a row is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rayocr.errors import RowsRefused, TableError, TableMisconfigured, TableUnavailable
from rayocr.observe.supabase.rows import Row

# PostgREST's codes for a missing table, column or schema, and PostgreSQL's for the same and for missing permission.
_MISFITS = frozenset({"PGRST106", "PGRST204", "PGRST205", "PGRST301", "PGRST302", "42P01", "42703", "42501", "42P10"})
_LATER = frozenset({"408", "425", "429", "PGRST000", "PGRST001", "PGRST002", "PGRST003"})


class SupabaseTable:
    def __init__(self, url: str, key: str, *, table: str, columns: Mapping[str, str], timeout_s: float) -> None:
        self._url = url
        self._key = key
        self._table = table
        self._columns = columns
        self._timeout_s = timeout_s
        self._client: Any = None
        self._http: Any = None

    def close(self) -> None:
        if self._http is not None:
            self._http.close()

    def insert(self, rows: Sequence[Row]) -> None:
        """Inserts rows; skips existing ones if the table has a column for `event_id`. Raises TableUnavailable,
        TableMisconfigured, RowsRefused."""
        mapped = [{column: row.get(field) for field, column in self._columns.items()} for row in rows]
        identity = self._columns.get("event_id")
        import httpx

        try:
            from postgrest.exceptions import APIError

            builder = self._open().table(self._table)
            if identity is None:
                builder.insert(mapped, returning="minimal").execute()
            else:
                builder.upsert(mapped, returning="minimal", ignore_duplicates=True, on_conflict=identity).execute()
        except APIError as error:
            raise _translated(error) from error
        except (httpx.HTTPError, OSError) as error:
            raise TableUnavailable(f"{type(error).__name__}: {error}") from error

    def _open(self) -> Any:
        if self._client is None:
            import httpx
            from supabase import ClientOptions, create_client

            self._http = httpx.Client(timeout=self._timeout_s)  # this process's own client, which `close` closes
            options = ClientOptions(httpx_client=self._http, auto_refresh_token=False, persist_session=False)
            try:
                self._client = create_client(self._url, self._key, options)
            except Exception as error:  # SupabaseException: a malformed address or key
                raise TableMisconfigured(f"SUPABASE_URL or SUPABASE_API_KEY: {error}") from error
        return self._client


def _translated(error: Any) -> TableError:
    code, words = str(error.code or ""), f"{error.code}: {error.message}"
    if code in _MISFITS or code in ("401", "403", "404"):
        return TableMisconfigured(words)
    # A proxy's page (5xx) has its status as the code; PostgreSQL's error classes 08, 53 and 57 mean an unavailable server.
    if code in _LATER or (len(code) == 3 and code.startswith("5")) or code[:2] in ("08", "53", "57"):
        return TableUnavailable(words)
    return RowsRefused(words)
