"""Implements a storage in memory for tests, shared by name inside one process, with faults on demand. It has the same semantics
as the other adapters: atomic writes, preconditions, and listings ordered by name without `.rayocr/`.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from rayocr.errors import ObjectNotFound, PreconditionFailed, UnsafeName, VersionChanged
from rayocr.storage.base import Entry, Storage, check_size, checked_name

Faults = Callable[[str, str], None]


@dataclass(slots=True)
class _Root:
    objects: dict[str, tuple[Entry, bytes]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    generations: Iterator[int] = field(default_factory=lambda: itertools.count(1))


_roots: dict[str, _Root] = {}
_roots_lock = threading.Lock()


class MemoryStorage(Storage):
    """Stores objects in memory. `faults(operation, name)` is called before each operation (list, stat, read, write, delete) and
    after a write or delete took effect (written, deleted), which simulates a lost answer. Exceptions of `faults` reach the
    caller."""

    def __init__(self, name: str = "test", *, faults: Faults | None = None, clock: Callable[[], float] = time.time) -> None:
        self._name = name
        self._faults = faults
        self._clock = clock
        with _roots_lock:
            self._root = _roots.setdefault(name, _Root())

    @property
    def uri(self) -> str:
        return f"memory://{self._name}"

    def list(self, prefix: str = "") -> Iterator[Entry]:
        if prefix.startswith("/") or any(part in (".", "..") for part in prefix.split("/")):
            raise UnsafeName(f"{prefix!r} is not a prefix below the storage's root.")
        self._fault("list", prefix)
        with self._root.lock:
            names = sorted(name for name in self._root.objects if name.startswith(prefix))
        for name in names:
            if name.startswith(".rayocr/") and not prefix.startswith(".rayocr"):
                continue
            stored = self._root.objects.get(name)
            if stored is not None:
                yield stored[0]

    def stat(self, name: str) -> Entry:
        self._fault("stat", checked_name(name))
        return self._stored(name)[0]

    def read(
        self,
        name: str,
        *,
        start: int = 0,
        length: int | None = None,
        version: str | None = None,
        max_bytes: int | None = None,
    ) -> bytes:
        self._fault("read", checked_name(name))
        entry, data = self._stored(name)
        if version is not None and entry.version != version:
            raise VersionChanged(f"{name} was changed since it was listed.")
        part = data[start:] if length is None else data[start : start + length]
        check_size(len(part), max_bytes, name)
        return part

    def write(self, name: str, data: bytes | BinaryIO, *, if_absent: bool = False, if_version: str | None = None) -> Entry:
        if if_absent and if_version is not None:
            raise ValueError("if_absent and if_version exclude each other")
        self._fault("write", checked_name(name))
        content = (
            bytes(data) if isinstance(data, bytes | bytearray | memoryview) else b"".join(iter(lambda: data.read(1 << 20), b""))
        )
        with self._root.lock:
            stored = self._root.objects.get(name)
            if if_absent and stored is not None:
                raise PreconditionFailed(f"{name!r} already exists.")
            if if_version is not None and (stored is None or stored[0].version != if_version):
                raise PreconditionFailed(f"{name!r} has changed.")
            entry = Entry(
                name=name,
                size_bytes=len(content),
                version=f"{len(content)}-{next(self._root.generations)}",
                modified_at=self._clock(),
            )
            self._root.objects[name] = (entry, content)
        self._fault("written", name)
        return entry

    def delete(self, name: str, *, if_version: str | None = None) -> None:
        self._fault("delete", checked_name(name))
        with self._root.lock:
            entry, _ = self._stored(name)
            if if_version is not None and entry.version != if_version:
                raise PreconditionFailed(f"{name!r} has changed.")
            del self._root.objects[name]
        self._fault("deleted", name)

    def clear(self) -> None:
        """Removes every object, for the next test."""
        with self._root.lock:
            self._root.objects.clear()

    def _stored(self, name: str) -> tuple[Entry, bytes]:
        stored = self._root.objects.get(name)
        if stored is None:
            raise ObjectNotFound(f"There is no object {name!r}.")
        return stored

    def _fault(self, operation: str, name: str) -> None:
        if self._faults is not None:
            self._faults(operation, name)
