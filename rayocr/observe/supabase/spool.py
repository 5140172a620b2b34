"""Spools rows for Supabase on disk, so that they survive the process. A size limit prevents the rows from filling the disk.

A run appends to `<run_id>.open.jsonl`, which it locks, and regularly renames it to `<run_id>-<n>.jsonl`, the rows of one request.
Any process that gets the lock of such a file sends and deletes it. The open file of a dead run is no longer locked and is
taken over.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rayocr.observe.supabase.rows import Row
from rayocr.private_folder import make_private
from rayocr.untrusted_json import parse_value

_OPEN = ".open.jsonl"
_REFUSED = "refused.jsonl"  # file of rows that the table rejects, for inspection


class Spool:
    """Stores rows for Supabase on disk. Thread-safe. Only `__init__` raises OSError."""

    def __init__(self, folder: Path, *, run_id: str, batch: int, max_bytes: int, retention_days: int) -> None:
        self._folder = folder
        self._run_id = run_id
        self._batch = batch
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._file: Any = None
        self._rows = 0
        self._numbers = 0
        self.dropped = 0  # number of rows dropped because the spool was full
        make_private(folder)
        self._sweep(retention_days)

    def add(self, row: Row) -> None:
        """Writes the row to disk before it returns. Drops the row if the disk is full, since a full disk must not end a run."""
        line = json.dumps(row, default=str) + "\n"
        with self._lock, contextlib.suppress(OSError):
            if self._file is None:
                self._file = (self._folder / f"{self._run_id}{_OPEN}").open("a", encoding="utf-8")
                fcntl.flock(self._file, fcntl.LOCK_EX)
            self._file.write(line)
            self._file.flush()
            self._rows += 1
            if self._rows >= self._batch:
                self._close_open()

    def seal(self) -> None:
        """Makes the appended rows available for sending."""
        with self._lock, contextlib.suppress(OSError):
            self._close_open()
        self._take_over()
        self._bound()

    def waiting(self) -> list[Path]:
        """Returns the sealed files, oldest first."""
        found = []
        for path in self._folder.glob("*.jsonl"):
            if not path.name.endswith(_OPEN) and path.name != _REFUSED:
                with contextlib.suppress(OSError):
                    found.append((path.stat().st_mtime, path.name, path))
        return [path for *_, path in sorted(found)]

    @contextmanager
    def rows_of(self, path: Path) -> Iterator[list[Row]]:
        """Locks the file and yields its rows; none if another process has the lock. Deletes the file unless an error occurs."""
        try:
            file = path.open("r+", encoding="utf-8")
        except OSError:
            yield []
            return
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield []
                return
            if not path.exists():  # another process sent it meanwhile
                yield []
                return
            yield [row for line in file if (row := _parsed(line)) is not None]
            path.unlink(missing_ok=True)

    def refuse(self, row: Row, why: str) -> None:
        """Sets aside a row that the table rejects permanently."""
        with self._lock, contextlib.suppress(OSError), (self._folder / _REFUSED).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"refused": why, "row": row}) + "\n")

    @property
    def pending(self) -> int:
        """The number of waiting rows."""
        count = self._rows
        for path in self.waiting():
            with contextlib.suppress(OSError):
                count += path.read_bytes().count(b"\n")
        return count

    def close(self) -> None:
        self.seal()

    def _close_open(self) -> None:
        if self._file is None:
            return
        self._numbers += 1
        path = self._folder / f"{self._run_id}{_OPEN}"
        path.rename(self._folder / f"{self._run_id}-{self._numbers:06d}-{time.time_ns()}.jsonl")
        self._file.close()  # releases the lock, after the file has its new name
        self._file, self._rows = None, 0

    def _take_over(self) -> None:
        """Seals the open files of dead runs."""
        for path in self._folder.glob(f"*{_OPEN}"):
            if path.name == f"{self._run_id}{_OPEN}":
                continue
            with contextlib.suppress(OSError), path.open("r+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.rename(path.with_name(f"{path.name.removesuffix(_OPEN)}-left-{time.time_ns()}.jsonl"))

    def _bound(self) -> None:
        with contextlib.suppress(OSError):
            sizes = [(path, path.stat().st_size) for path in self.waiting()]
            excess = sum(size for _, size in sizes) - self._max_bytes
            for path, size in sizes:
                if excess <= 0:
                    return
                self.dropped += path.read_bytes().count(b"\n")
                path.unlink(missing_ok=True)
                excess -= size

    def _sweep(self, days: int) -> None:
        oldest = time.time() - days * 86_400
        for path in (*self.waiting(), self._folder / _REFUSED):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < oldest:
                    path.unlink()


def _parsed(line: str) -> Row | None:
    try:
        row = parse_value(line)
    except ValueError:  # an incomplete line of a killed process
        return None
    return row if isinstance(row, dict) and "event_id" in row else None
