"""Keeps text that does not fit into memory in a local temporary file.

The file has no name (it is unlinked after opening), so a killed process does not leave it behind. Not thread-safe.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass

_REWRITE_BYTES = 64 << 20  # size below which a file is not rewritten
_LIVE_SHARE = 0.25  # the file is rewritten when less than this share is still needed


@dataclass(slots=True, eq=False)
class Extent:
    """A part of the file. Its offset changes when the file is rewritten."""

    offset: int
    length: int


class _UnnamedFile:
    """A file descriptor that is closed with its last reference, since an index is dropped without closing it."""

    def __init__(self, folder: str | None) -> None:
        with tempfile.TemporaryFile(dir=folder, prefix="rayocr-", buffering=0) as file:
            self.fd = os.dup(file.fileno())

    def __del__(self) -> None:
        if hasattr(self, "fd"):
            os.close(self.fd)


class SpillFile:
    """An append-only file that reclaims space by rewriting. Calls raise OSError if the disk is full."""

    def __init__(self, folder: str | None = None, *, rewrite_bytes: int = _REWRITE_BYTES) -> None:
        self._folder = folder
        self._rewrite_bytes = rewrite_bytes
        self._file = _UnnamedFile(folder)
        self._size = 0
        self._live: dict[int, Extent] = {}  # extents by identity
        self._live_bytes = 0

    @property
    def size_bytes(self) -> int:
        return self._size

    @property
    def live_bytes(self) -> int:
        return self._live_bytes

    def append(self, data: bytes) -> Extent:
        view, offset = memoryview(data), self._size
        while view.nbytes:  # the next append overwrites the data of a failed one
            written = os.pwrite(self._file.fd, view, offset)
            view, offset = view[written:], offset + written
        extent = Extent(self._size, len(data))
        self._size = offset
        self._live[id(extent)] = extent
        self._live_bytes += extent.length
        return extent

    def read(self, extent: Extent) -> bytes:
        data = os.pread(self._file.fd, extent.length, extent.offset)
        if len(data) != extent.length:
            raise OSError(f"The spill file has lost {extent.length - len(data)} bytes.")
        return data

    def free(self, extent: Extent) -> None:
        """Frees an extent. Idempotent."""
        if self._live.pop(id(extent), None) is None:
            return
        self._live_bytes -= extent.length
        if not self._live:
            os.ftruncate(self._file.fd, 0)
            self._size = 0
        elif self._size > self._rewrite_bytes and self._live_bytes < _LIVE_SHARE * self._size:
            self._rewrite()

    def _rewrite(self) -> None:
        try:
            fresh = SpillFile(self._folder, rewrite_bytes=self._rewrite_bytes)
            copies = [(extent, fresh.append(self.read(extent))) for extent in self._live.values()]
        except OSError:
            return  # there is no space for the copy, so keep the old file
        for extent, copy in copies:
            extent.offset = copy.offset
        self._file, self._size = fresh._file, fresh._size
