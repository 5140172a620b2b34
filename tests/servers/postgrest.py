"""A small strict PostgREST, as in Supabase: one table with a unique id. It can be unavailable, hang, or lose its answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class PostgRest:
    def __init__(self, *, key: str, table: str, columns: Sequence[str], unique: str | None) -> None:
        self.key = key
        self.table = table
        self.columns = set(columns)
        self.unique = unique
        self.rows: list[dict[str, Any]] = []
        self.requests = 0
        self.mode = "up"  # away: 503; hang: no answer; lossy: inserts and closes the connection
        self.poison = ""  # a message that violates a constraint
        self.released = threading.Event()
        self.url = ""

    def insert(self, path: str, headers: Any, body: bytes) -> tuple[int, dict[str, Any] | None]:
        address = urlsplit(path)
        query = parse_qs(address.query)
        if headers.get("apikey") != self.key or headers.get("authorization") != f"Bearer {self.key}":
            return 401, _error("PGRST301", "JWT could not be decoded")
        if address.path != f"/rest/v1/{self.table}":
            return 404, _error("PGRST205", f"Could not find the table {address.path} in the schema cache")
        prefer = {part.strip() for part in headers.get("prefer", "").split(",")}
        rows = json.loads(body)
        rows = rows if isinstance(rows, list) else [rows]
        for row in rows:
            if unknown := set(row) - self.columns:
                return 400, _error("PGRST204", f"Could not find the {min(unknown)!r} column in the schema cache")
            if self.poison and self.poison in str(row.values()):
                return 400, _error("23514", "new row violates check constraint")
        ids = {row[self.unique] for row in self.rows} if self.unique else set()
        ignores = "resolution=ignore-duplicates" in prefer and query.get("on_conflict") == [self.unique]
        fresh = [row for row in rows if not self.unique or row[self.unique] not in ids]
        if len(fresh) < len(rows) and not ignores:
            return 409, _error("23505", "duplicate key value violates unique constraint")
        self.rows += fresh
        return 201, None


def _error(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "message": message, "details": None, "hint": None}


@contextmanager
def serve_postgrest(*, key: str, table: str, columns: Sequence[str], unique: str | None = "event_id") -> Iterator[PostgRest]:
    database = PostgRest(key=key, table=table, columns=columns, unique=unique)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            database.requests += 1
            body = self.rfile.read(int(self.headers["content-length"]))
            if database.mode == "hang":
                database.released.wait()
            if database.mode in ("hang", "away"):
                self._answer(503, {"code": "503", "message": "Service Unavailable", "details": None, "hint": None})
                return
            status, answer = database.insert(self.path, self.headers, body)
            if database.mode == "lossy":
                self.close_connection = True
                self.connection.close()
                return
            self._answer(status, answer)

        def _answer(self, status: int, answer: Any) -> None:
            data = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    database.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield database
    finally:
        database.released.set()
        server.shutdown()
        server.server_close()
        thread.join(10)
