"""The storage port. Adapters: local, memory, gcs, drive; one contract suite runs over all of them.

Invariant: a reader never sees half a file; every write is atomic and may carry a precondition. All calls block, are safe from
several threads, and raise only `rayocr.errors`. Names are paths below the storage's root, with `/`, never absolute, never with
`.` or `..` parts: anything else is UnsafeName.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from rayocr.errors import ObjectTooLarge, StorageError, UnsafeName

STATE_PREFIX = ".rayocr/"
MAX_STATE_BYTES = 128 << 20  # of one object of the state: a segment is about 1 MiB, the manifest of a long book a few


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One object: `version` is opaque and changes whenever the content does; `modified_at` is seconds since the epoch."""

    name: str
    size_bytes: int
    version: str
    modified_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """`names`: objects below the root that were added or changed since the token that was asked with; None: only a full listing
    can tell. `token`: to ask with the next time; what changes after this answer is in that one."""

    names: tuple[str, ...] | None
    token: str


class Storage(ABC):
    """A root (a folder, a bucket with a prefix) and the objects below it."""

    # Called with a folder or link that a listing cannot inspect; without it such a folder ends the listing.
    on_error: Callable[[str, StorageError], None] | None = None

    # Whether `if_absent` and `if_version` have one winner among all processes everywhere; else only among those of this one.
    has_atomic_create: bool = True

    @property
    @abstractmethod
    def uri(self) -> str:
        """Canonical: two spellings of the same root give the same URI; no trailing slash."""

    @abstractmethod
    def list(self, prefix: str = "") -> Iterator[Entry]:
        """Objects whose name starts with the folder `prefix` ("" or "a/b/"), as a stream in a stable order."""

    @abstractmethod
    def stat(self, name: str) -> Entry:
        """Raises ObjectNotFound."""

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
        """Bytes of the object from `start`; shorter than `length` at its end. Raises ObjectNotFound; VersionChanged when
        `version` is given and is not the current one; ObjectTooLarge, before it takes up memory, when more than `max_bytes`
        would be returned (objects that are stored compressed count as they come out); ObjectUnreadable when this object can
        never be read, whatever happens to others."""

    @abstractmethod
    def write(self, name: str, data: bytes | BinaryIO, *, if_absent: bool = False, if_version: str | None = None) -> Entry:
        """Write atomically and durably; missing folders are created. A file object is read from its position to its end.
        Raises PreconditionFailed, StorageFull, StorageDenied, StorageUnavailable."""

    @abstractmethod
    def delete(self, name: str, *, if_version: str | None = None) -> None:
        """Raises ObjectNotFound, PreconditionFailed."""

    def changes_since(self, token: str | None) -> Changes | None:
        """What changed since the token; a first call with None gives a token to begin with. None: this storage keeps no feed of
        its changes, and has to be listed. Raises StorageError."""
        return None

    def path_to(self, other: Storage) -> str | None:
        """Where `other` lies below this root, when that cannot be seen by their URIs; None: it does not. Raises StorageError."""
        return None

    def check_readable(self) -> None:  # noqa: B027 - a folder that is there can be read, or tells so when it is listed
        """Raises StorageError or CredentialsError when nothing can be listed here. Called before a run begins."""

    def check_writable(self, *, outputs_only: bool = False) -> None:
        """Write and delete a small object under `.rayocr/`, so that a destination is refused before any page is paid for.
        `outputs_only`: the state is elsewhere, and nothing has to be deleted here."""
        import secrets

        probe = f".rayocr/probe-{secrets.token_hex(8)}"
        self.write(probe, b"probe", if_absent=True)
        self.delete(probe)


def check_size(size_bytes: int, max_bytes: int | None, place: str) -> None:
    """Raises ObjectTooLarge."""
    if max_bytes is not None and size_bytes > max_bytes:
        raise ObjectTooLarge(f"{place} has {size_bytes:,} bytes; at most {max_bytes:,} are read.")


def checked_name(name: str) -> str:
    """The name itself, or UnsafeName when it could leave the root."""
    parts = name.split("/")
    if not name or "\0" in name or any(part in ("", ".", "..") for part in parts):
        raise UnsafeName(f"{name!r} is not a name below the storage's root.")
    return name


def checked_prefix(prefix: str) -> str:
    """The prefix of a listing itself, or UnsafeName when it could leave the root."""
    *folders, rest = prefix.split("/")
    if "\0" in prefix or rest in (".", "..") or any(part in ("", ".", "..") for part in folders):
        raise UnsafeName(f"{prefix!r} is not a prefix below the storage's root.")
    return prefix
