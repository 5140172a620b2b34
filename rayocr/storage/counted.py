"""Counts this process's storage calls by operation and outcome, for the metrics of the run."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, TypeVar

from rayocr.errors import ObjectTooLarge, ObjectUnreadable, RayocrError, RecordCorrupt
from rayocr.storage.base import MAX_OUTPUT_BYTES, MAX_STATE_BYTES, STATE_PREFIX, Changes, Entry, Storage

T = TypeVar("T")

_calls: Counter[tuple[str, str]] = Counter()
_lock = threading.Lock()


def storage_calls() -> dict[tuple[str, str], int]:
    """Returns the number of calls since this process began, by (operation, outcome). The outcome is `ok` or the error class."""
    with _lock:
        return dict(_calls)


class CountedStorage(Storage):
    """Counts the calls to a storage; a listing of any length counts once. Also limits reads that have no limit: an object of the
    state that is unreadable or larger than MAX_STATE_BYTES raises RecordCorrupt, and any other object larger than
    MAX_OUTPUT_BYTES raises ObjectTooLarge. Also has the methods of the adapter that are not part of the port (for temporary
    files)."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.has_atomic_create = storage.has_atomic_create

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_storage"], name)

    @property
    def uri(self) -> str:
        return self._storage.uri

    @property
    def on_error(self) -> Any:
        return self._storage.on_error

    @on_error.setter
    def on_error(self, told: Any) -> None:
        self._storage.on_error = told

    def list(self, prefix: str = "") -> Iterator[Entry]:
        outcome = "ok"
        try:
            yield from self._storage.list(prefix)
        except RayocrError as error:
            outcome = error.reason
            raise
        finally:
            _count("list", outcome)

    def stat(self, name: str) -> Entry:
        return _counted("stat", lambda: self._storage.stat(name))

    def read(
        self,
        name: str,
        *,
        start: int = 0,
        length: int | None = None,
        version: str | None = None,
        max_bytes: int | None = None,
    ) -> bytes:
        of_state = name.startswith(STATE_PREFIX)
        bound = max_bytes
        if max_bytes is None and length is None:
            bound = MAX_STATE_BYTES if of_state else MAX_OUTPUT_BYTES
        try:
            return _counted(
                "read", lambda: self._storage.read(name, start=start, length=length, version=version, max_bytes=bound)
            )
        except (ObjectTooLarge, ObjectUnreadable) as error:
            if not of_state:
                raise
            raise RecordCorrupt(str(error), hint=error.hint) from error

    def write(self, name: str, data: bytes | BinaryIO, *, if_absent: bool = False, if_version: str | None = None) -> Entry:
        return _counted("write", lambda: self._storage.write(name, data, if_absent=if_absent, if_version=if_version))

    def delete(self, name: str, *, if_version: str | None = None) -> None:
        _counted("delete", lambda: self._storage.delete(name, if_version=if_version))

    def changes_since(self, token: str | None) -> Changes | None:
        return _counted("changes", lambda: self._storage.changes_since(token))

    def path_to(self, other: Storage) -> str | None:
        adapter = other._storage if isinstance(other, CountedStorage) else other
        return _counted("path", lambda: self._storage.path_to(adapter))

    def check_readable(self) -> None:
        _counted("check", self._storage.check_readable)

    def check_writable(self, *, outputs_only: bool = False) -> None:
        _counted("check", lambda: self._storage.check_writable(outputs_only=outputs_only))


def _counted(operation: str, ask: Callable[[], T]) -> T:
    try:
        answer = ask()
    except RayocrError as error:
        _count(operation, error.reason)
        raise
    _count(operation, "ok")
    return answer


def _count(operation: str, outcome: str) -> None:
    with _lock:
        _calls[operation, outcome] += 1
