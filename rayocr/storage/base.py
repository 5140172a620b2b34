"""Defines the storage port. Adapters: local, memory, gcs, drive; one contract test suite covers all of them. Invariant: a reader
never sees a partial file, since every write is atomic. A write can have a precondition. All calls block, are thread-safe, and
raise only `rayocr.errors`. Names are paths below the storage's root, with `/`, never absolute, never with `.` or `..` parts. Any
other name raises UnsafeName.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from rayocr.errors import ObjectTooLarge, StorageError, UnsafeName

STATE_PREFIX = ".rayocr/"
MAX_OUTPUT_BYTES = 256 << 20  # limit for an output that is read back as a whole
MAX_STATE_BYTES = 128 << 20  # limit for one object of the state: a segment has about 1 MiB, the manifest of a long book a few MiB


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An object in storage. `version` is opaque and changes whenever the content changes; `modified_at` is in seconds since the
    epoch."""

    name: str
    size_bytes: int
    version: str
    modified_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The changes since a token. `names`: objects below the root that were added or changed; None: a full listing is needed.
    `token`: for the next call, which reports the changes after this answer."""

    names: tuple[str, ...] | None
    token: str


class Storage(ABC):
    """A storage: a root (a folder, a bucket with a prefix) and the objects below it."""

    # A listing calls this function for a folder or link that it cannot read. If it is None, such a folder ends the listing.
    on_error: Callable[[str, StorageError], None] | None = None

    # True if `if_absent` and `if_version` are atomic across all processes; otherwise they are atomic only within this process.
    has_atomic_create: bool = True

    @property
    @abstractmethod
    def uri(self) -> str:
        """The canonical URI, which is the same for all spellings of a root and has no trailing slash."""

    @abstractmethod
    def list(self, prefix: str = "") -> Iterator[Entry]:
        """Streams the objects whose name starts with the folder `prefix` ("" or "a/b/"), in a stable order."""

    @abstractmethod
    def stat(self, name: str) -> Entry:
        """Returns the object's entry. Raises ObjectNotFound."""

    @abstractmethod
    def read(
        self,
        name: str,
        *,
        start: int = 0,
        length: int | None = None,
        version: str | None = None,
        max_bytes: int | None = None,
    ) -> bytes:
        """Reads bytes of the object from `start`; returns fewer than `length` at its end. Raises ObjectNotFound; VersionChanged
        if `version` is given and is not the current one; ObjectTooLarge, before it uses memory, if more than `max_bytes` would be
        returned (for compressed objects, the inflated size counts); ObjectUnreadable if a retry cannot help and only this object
        is affected."""

    @abstractmethod
    def write(self, name: str, data: bytes | BinaryIO, *, if_absent: bool = False, if_version: str | None = None) -> Entry:
        """Writes atomically and durably, and creates missing folders. A file object is read from its position to its end.
        Raises PreconditionFailed, StorageFull, StorageDenied, StorageUnavailable."""

    @abstractmethod
    def delete(self, name: str, *, if_version: str | None = None) -> None:
        """Deletes the object. Raises ObjectNotFound and PreconditionFailed."""

    def changes_since(self, token: str | None) -> Changes | None:
        """Returns the changes since the token; a first call with None returns a token. Returns None if this storage has no change
        feed and must be listed. Raises StorageError."""
        return None

    def path_to(self, other: Storage) -> str | None:
        """Returns the path of `other` below this root, if the URIs do not show it; None if it is not below. Raises
        StorageError."""
        return None

    def check_readable(self) -> None:  # noqa: B027 - a folder that is there can be read, or tells so when it is listed
        """Checks before a run that objects can be listed. Raises StorageError, CredentialsError."""

    def check_writable(self, *, outputs_only: bool = False) -> None:
        """Writes and deletes a small object under `.rayocr/`, so that an unusable destination is detected before any page is paid
        for. `outputs_only`: the state is in another place, so delete permission is not needed here."""
        import secrets

        probe = f".rayocr/probe-{secrets.token_hex(8)}"
        self.write(probe, b"probe", if_absent=True)
        self.delete(probe)


def check_size(size_bytes: int, max_bytes: int | None, place: str) -> None:
    """Raises ObjectTooLarge if the size exceeds the limit."""
    if max_bytes is not None and size_bytes > max_bytes:
        raise ObjectTooLarge(f"{place} has {size_bytes:,} bytes; the limit is {max_bytes:,}.")


def checked_name(name: str) -> str:
    """Returns the name. Raises UnsafeName if it could leave the root."""
    parts = name.split("/")
    if not name or "\0" in name or any(part in ("", ".", "..") for part in parts):
        raise UnsafeName(f"{name!r} is not a name below the storage's root.")
    return name


def checked_prefix(prefix: str) -> str:
    """Returns the prefix of a listing. Raises UnsafeName if it could leave the root."""
    *folders, rest = prefix.split("/")
    if "\0" in prefix or rest in (".", "..") or any(part in ("", ".", "..") for part in folders):
        raise UnsafeName(f"{prefix!r} is not a prefix below the storage's root.")
    return prefix
