"""Limits the request rate of one process to a storage, by GCRA, for backends that bill or limit requests (Drive: 12,000 per
minute and project). A run divides `storage.requests_per_s` among its processes, so they keep the total limit without
communicating.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import BinaryIO

from rayocr.storage.base import Changes, Entry, Storage


class Pace:
    """Paces requests. `wait()` returns when the next request may start. Requests start at least one interval apart, without
    credit for idle time. Thread-safe."""

    def __init__(
        self,
        per_s: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._interval_s = 1.0 / per_s
        self._clock = clock
        self._sleep = sleep
        self._next = clock()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Blocks until the next request may start."""
        with self._lock:
            now = self._clock()
            start = max(now, self._next)
            self._next = start + self._interval_s
        if start > now:
            self._sleep(start - now)


class PacedStorage(Storage):
    """Paces every call except listings, which take one request per thousand names. Does not have the methods of the adapter that
    are not part of the port (for temporary files)."""

    def __init__(self, storage: Storage, pace: Pace) -> None:
        self._storage = storage
        self._pace = pace

        self.has_atomic_create = storage.has_atomic_create

    @property
    def uri(self) -> str:
        return self._storage.uri

    def list(self, prefix: str = "") -> Iterator[Entry]:
        return self._storage.list(prefix)

    def changes_since(self, token: str | None) -> Changes | None:
        self._pace.wait()
        return self._storage.changes_since(token)

    def stat(self, name: str) -> Entry:
        self._pace.wait()
        return self._storage.stat(name)

    def read(
        self,
        name: str,
        *,
        start: int = 0,
        length: int | None = None,
        version: str | None = None,
        max_bytes: int | None = None,
    ) -> bytes:
        self._pace.wait()
        return self._storage.read(name, start=start, length=length, version=version, max_bytes=max_bytes)

    def write(self, name: str, data: bytes | BinaryIO, *, if_absent: bool = False, if_version: str | None = None) -> Entry:
        self._pace.wait()
        return self._storage.write(name, data, if_absent=if_absent, if_version=if_version)

    def delete(self, name: str, *, if_version: str | None = None) -> None:
        self._pace.wait()
        self._storage.delete(name, if_version=if_version)
