"""Implements a storage in a folder. Invariants: A reader never sees a partial file (temporary file, fsync, then one link or
rename). A completed `write` survives a power failure. Names never leave the root; symbolic links leave it only with
`follow_links`. Temporary files and the lock that makes `if_version` safe between processes of one machine are in `.rayocr/tmp/`,
which listings omit. `listing.py` implements the listing.
"""

# Paths are strings throughout: names may hold undecodable bytes, and pathlib doubles the cost of a small write
# ruff: noqa: PTH101, PTH102, PTH103, PTH104, PTH106, PTH108, PTH112, PTH116

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from typing import BinaryIO

from rayocr.errors import (
    ObjectNotFound,
    PreconditionFailed,
    StorageDenied,
    StorageUnavailable,
    UnsafeName,
    UsageError,
    VersionChanged,
)
from rayocr.storage.base import Entry, Storage, check_size, checked_name
from rayocr.storage.local.listing import TEMP_BESIDE, TMP, OnError, entry_of, is_inside, leads_outside, list_folder
from rayocr.storage.local.temp_files import TempFolder, fsync_folder, stamp, unlink_quietly
from rayocr.storage.os_errors import printable, storage_error
from rayocr.storage.uri import StorageUri

_KNOWN_FOLDERS = 50_000  # number of folders that are cached as created; a lookup costs a few µs, so clearing the cache is cheap
_TRIES = 50  # number of attempts of a write whose folder is removed meanwhile, as `_prune` does after deletions
_IN_THE_WAY = {errno.ENOTDIR, errno.EEXIST, errno.EISDIR}
_NO_HARD_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EINVAL}


class LocalStorage(Storage):
    """Stores objects in a folder. `create`: creates a missing root; otherwise a missing root raises ObjectNotFound. `fsync=False`
    trades durability for speed (tests, temporary outputs). `follow_links`: also follow symbolic links that lead out of the root.
    A listing reports paths that it cannot inspect to `on_error(name, error)`. Without it, an unreadable folder ends the listing,
    because pages of manifests that are missing from a listing would be paid for again."""

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        create: bool = False,
        fsync: bool = True,
        follow_links: bool = False,
        on_error: OnError | None = None,
    ) -> None:
        self._root = os.path.realpath(root)
        self._base = self._root.rstrip("/")
        self._fsync = fsync
        self._follow_links = follow_links
        self.on_error = on_error
        self._known_folders: set[str] = set()
        self._temp = TempFolder(f"{self._base}/{TMP}", fsync=fsync, make_folder=self._make_folder)
        if create:
            self._make_root()
        else:
            self._check_root()

    @property
    def uri(self) -> str:
        return StorageUri(scheme="local", root=self._root).text

    @property
    def root(self) -> str:
        return self._root

    def list(self, prefix: str = "") -> Iterator[Entry]:
        return list_folder(self._root, prefix, follow_links=self._follow_links, on_error=self.on_error)

    def stat(self, name: str) -> Entry:
        path = self._path(name)
        try:
            self._check_inside(path)
            found = os.stat(path)
        except OSError as error:
            raise storage_error(error, path) from error
        if not stat.S_ISREG(found.st_mode):
            raise ObjectNotFound(f"There is no file {printable(path)}.")
        return entry_of(name, found)

    def read(
        self,
        name: str,
        *,
        start: int = 0,
        length: int | None = None,
        version: str | None = None,
        max_bytes: int | None = None,
    ) -> bytes:
        path = self._path(name)
        try:
            self._check_inside(path)
            # The flag is non-blocking, since opening a fifo would wait for a writer.
            with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
                before = os.fstat(file.fileno())
                if not stat.S_ISREG(before.st_mode):
                    raise ObjectNotFound(f"There is no file {printable(path)}.")
                self._check_version(name, before, version)
                left = max(0, before.st_size - start)
                check_size(left if length is None else min(left, length), max_bytes, printable(path))
                if start:
                    file.seek(start)
                data = file.read() if length is None else file.read(length)
                if version is not None:  # another process may write into the file in place while it is read
                    self._check_version(name, os.fstat(file.fileno()), version)
                return data
        except OSError as error:
            raise storage_error(error, path) from error

    def write(self, name: str, data: bytes | BinaryIO, *, if_absent: bool = False, if_version: str | None = None) -> Entry:
        if if_absent and if_version is not None:
            raise ValueError("if_absent and if_version exclude each other")
        path = self._path(name)
        try:
            self._check_inside(os.path.dirname(path), f"{self._base}/{TMP}", writing=True)
            # The common case is that another process created the file long ago; then no bytes are written.
            if if_absent and os.path.isdir(path):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
            if if_absent and os.path.lexists(path):
                raise PreconditionFailed(f"{name!r} already exists.")
            temp = self._temp.write(data, mode=0o600 if is_state(name) else 0o666)
            return self._commit(name, temp, path, if_absent=if_absent, if_version=if_version)
        except OSError as error:
            failure = storage_error(error, path, writing=True)
            place = os.fsdecode(error.filename2 or error.filename or path)
            # The error concerns only this document's output.
            if error.errno in _IN_THE_WAY and not is_state(place[len(self._base) + 1 :]):
                failure = UnsafeName(str(failure), hint=failure.hint)
            raise failure from error

    def delete(self, name: str, *, if_version: str | None = None) -> None:
        path = self._path(name)
        try:
            self._check_inside(os.path.dirname(path), f"{self._base}/{TMP}", writing=True)
            if if_version is None:
                os.unlink(path)
            else:
                with self._temp.locked():
                    if entry_of(name, os.stat(path)).version != if_version:
                        raise PreconditionFailed(f"{name!r} has changed.")
                    os.unlink(path)
        except OSError as error:
            if os.path.isdir(path):
                raise ObjectNotFound(f"There is no file {printable(path)}.") from error
            raise storage_error(error, path) from error
        if name.startswith(".rayocr/"):
            self._prune(os.path.dirname(name))

    def check_readable(self) -> None:
        try:
            with os.scandir(self._root) as entries:
                next(entries, None)
        except OSError as error:
            if isinstance(failure := storage_error(error, self._root), ObjectNotFound):
                failure = StorageUnavailable(f"The folder {printable(self._root)} no longer exists.")
            raise failure from error

    def sweep_temp(self) -> int:
        """Removes files that killed processes left in `.rayocr/tmp/`, and returns their number. Also makes the state private.
        A run calls it at its start."""
        try:
            self._check_inside(f"{self._base}/{TMP}", writing=True)
            with contextlib.suppress(OSError):  # this is another user's state to which this user may write
                if os.stat(f"{self._base}/.rayocr").st_mode & 0o077:  # files of an earlier version
                    os.chmod(f"{self._base}/.rayocr", 0o700)
            return self._temp.sweep()
        except OSError as error:
            raise storage_error(error, f"{self._base}/{TMP}") from error

    def _check_root(self) -> None:
        try:
            if stat.S_ISDIR(os.stat(self._root).st_mode):
                return
        except OSError as error:
            failure = storage_error(error, self._root)
            if isinstance(failure, StorageDenied):
                raise failure from error
            raise ObjectNotFound(f"The folder {printable(self._root)} does not exist.") from error
        raise UsageError(f"{printable(self._root)} is a file, but a folder is needed.", hint="Name a folder.")

    # -- writing ------------------------------------------------------------------------------------------------------------

    def _commit(self, name: str, temp: str, path: str, *, if_absent: bool, if_version: str | None) -> Entry:
        """Renames the temporary file to its final name; removes it in any case."""
        folder = os.path.dirname(path)
        try:
            for _ in range(_TRIES):
                try:
                    if folder not in self._known_folders:
                        self._make_folder(folder)
                    entry = self._link(name, temp, path) if if_absent else self._rename(name, temp, path, if_version)
                except FileNotFoundError:
                    self._known_folders.clear()  # another process removed the folder or one above it, so create it again
                except OSError as error:
                    if error.errno != errno.EXDEV:
                        raise
                    temp = self._temp.move_beside(temp, folder, TEMP_BESIDE)
                else:
                    if self._fsync:
                        fsync_folder(folder)
                    return entry
        finally:
            unlink_quietly(temp)
        raise StorageUnavailable(f"The folder of {printable(path)} was removed repeatedly while rayocr wrote a file into it.")

    def _link(self, name: str, temp: str, path: str) -> Entry:
        """Creates the file or fails. link() is atomic and refuses an existing name, on local disks and on NFS."""
        found = os.stat(temp)
        try:
            os.link(temp, path)
        except FileExistsError as error:
            raise PreconditionFailed(f"{name!r} already exists.") from error
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            with self._temp.locked():  # for FAT and some network mounts; safe between processes of this machine
                if os.path.lexists(path):
                    raise PreconditionFailed(f"{name!r} already exists.") from error
                os.rename(temp, path)
        return entry_of(name, found)

    def _rename(self, name: str, temp: str, path: str, if_version: str | None) -> Entry:
        with self._temp.locked():
            found = os.stat(temp)
            try:
                old: os.stat_result | None = os.stat(path)
            except OSError:
                old = None
            current = entry_of(name, old).version if old else None
            if if_version is not None and current != if_version:
                raise PreconditionFailed(f"{name!r} has changed." if current else f"{name!r} no longer exists.")
            if old and current == entry_of(name, found).version:  # size and time are the same, but the version must differ
                stamp(temp, old.st_mtime_ns + 1000)
                found = os.stat(temp)
            os.rename(temp, path)
        return entry_of(name, found)

    # -- folders ------------------------------------------------------------------------------------------------------------

    def _make_root(self) -> None:
        try:
            os.makedirs(self._root, exist_ok=True)
        except FileExistsError as error:
            raise UsageError(f"{printable(self._root)} is a file, but a folder is needed.", hint="Name a folder.") from error
        except OSError as error:
            raise storage_error(error, self._root, writing=True) from error

    def _make_folder(self, folder: str) -> None:
        """Creates a folder durably: also syncs its parent."""
        missing = []
        parent = folder
        while not os.path.isdir(parent):
            missing.append(parent)
            parent = os.path.dirname(parent)
        for path in reversed(missing):
            try:
                os.mkdir(path, 0o700 if is_state(path[len(self._base) + 1 :]) else 0o777)
            except FileExistsError:
                if not _is_folder(path):
                    raise
            if self._fsync:
                fsync_folder(os.path.dirname(path))
        if len(self._known_folders) >= _KNOWN_FOLDERS:
            self._known_folders.clear()
        self._known_folders.add(folder)

    def _prune(self, folder: str) -> None:
        """Removes folders of the state that a deletion left empty, as in an object store."""
        while folder.count("/") >= 1:
            path = f"{self._base}/{folder}"
            try:
                os.rmdir(path)
            except OSError:
                return
            self._known_folders.discard(path)
            folder = os.path.dirname(folder)

    def _path(self, name: str) -> str:
        path = f"{self._base}/{checked_name(name)}"
        try:
            os.fsencode(path)
        except UnicodeEncodeError as error:
            raise UnsafeName(f"{name!r} contains characters that no file system allows.") from error
        return path

    def _check_inside(self, *paths: str, writing: bool = False) -> None:
        """Raises StorageDenied if a symbolic link leads one of the paths out of the root."""
        for path in () if self._follow_links else paths:
            if not is_inside(self._root, os.path.realpath(path)):
                raise leads_outside(path, self._root, writing=writing)

    def _check_version(self, name: str, found: os.stat_result, version: str | None) -> None:
        if version is not None and entry_of(name, found).version != version:
            raise VersionChanged(f"{printable(name)} was changed since it was listed.")


def is_state(name: str) -> bool:
    """Returns whether a name below the root belongs to the state, which contains page texts and is private to its user."""
    return f"{name}/".startswith(".rayocr/")


def _is_folder(path: str) -> bool:
    """Returns whether the path is a folder. Raises FileNotFoundError when the folder does not exist, since `_prune` of another
    process may have removed it."""
    found = os.lstat(path)
    return stat.S_ISDIR(found.st_mode) or (stat.S_ISLNK(found.st_mode) and os.path.isdir(path))
