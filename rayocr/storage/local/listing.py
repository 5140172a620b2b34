"""Lists a folder: streams every regular file below it, ordered by full name.

Object stores use the same order, so listings do not depend on the backend. Memory holds the names of the folders between the root
and the current one, and the identity of every entered folder. A folder is entered only once, even if several links lead to it.
"""

# Paths are strings throughout: names may hold undecodable bytes, and pathlib doubles the cost of a listing
# ruff: noqa: PTH112, PTH114, PTH116

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from rayocr.errors import ObjectNotFound, StorageDenied, StorageError, StorageUnavailable, UnsafeName
from rayocr.storage.base import Entry, checked_prefix
from rayocr.storage.os_errors import printable, storage_error

OnError = Callable[[str, StorageError], None]

_STATE = ".rayocr"
TMP = ".rayocr/tmp"
TEMP_BESIDE = ".rayocr-tmp-"  # prefix of LocalStorage's temporary files in folders on other file systems


def entry_of(name: str, found: os.stat_result) -> Entry:
    return Entry(
        name=name, size_bytes=found.st_size, version=f"{found.st_size}-{found.st_mtime_ns}", modified_at=found.st_mtime_ns / 1e9
    )


def is_inside(root: str, path: str) -> bool:
    """Returns whether a resolved path is the root or below it."""
    return path == root or path.startswith(f"{root.rstrip('/')}/")


def leads_outside(path: str, root: str, *, writing: bool = False) -> StorageError:
    """Returns the error for a link that leads outside the root. The error concerns only the document of the output."""
    kind = UnsafeName if writing and f"{_STATE}/" not in f"{path}/" else StorageDenied
    return kind(
        f"rayocr does not {'write' if writing else 'read'} {printable(path)}: a symbolic link leads out of {printable(root)}.",
        hint="Set follow_links=true to follow such links.",
    )


def list_folder(root: str, prefix: str, *, follow_links: bool = False, on_error: OnError | None) -> Iterator[Entry]:
    """Yields the files whose name starts with `prefix`. Raises StorageDenied or StorageUnavailable if the root (or the prefix's
    folder) cannot be listed, and without an `on_error` also for folders below it."""
    folders = checked_prefix(prefix).split("/")[:-1]
    if not os.path.isdir(root):
        raise StorageUnavailable(f"The folder {printable(root)} no longer exists.")
    listing = _Listing(root=root.rstrip("/"), on_error=on_error, with_state=prefix.startswith(_STATE), follow_links=follow_links)
    for depth in range(len(folders)):
        if os.path.isdir(f"{root}/{'/'.join(folders[:depth])}"):
            listing.enter("/".join(folders[:depth]))  # links to a parent folder end here, as in a listing of everything
    for entry in listing.walk("/".join(folders)):
        if entry.name.startswith(prefix):
            yield entry


@dataclass(slots=True)
class _Listing:
    root: str
    on_error: OnError | None
    with_state: bool
    follow_links: bool
    entered: set[tuple[int, int]] = field(default_factory=set)

    def walk(self, start: str) -> Iterator[Entry]:
        names = self._scan(start, required=True)
        stack = [iter(names)] if names is not None else []
        while stack:
            name = next(stack[-1], None)
            if name is None:
                stack.pop()
            elif name.endswith("/"):
                names = self._scan(name[:-1])
                if names is not None:
                    stack.append(iter(names))
            elif entry := self._entry(name):
                yield entry

    def enter(self, folder: str) -> bool:
        """Enters a folder. Returns False if this real folder was entered before. Raises OSError."""
        found = os.stat(f"{self.root}/{folder}")
        identity = (found.st_dev, found.st_ino)
        if identity in self.entered:
            return False
        self.entered.add(identity)
        return True

    def _scan(self, folder: str, *, required: bool = False) -> list[str] | None:
        """Returns the sorted names in the folder, sub-folders with a trailing slash; None if the folder must not be entered."""
        path = f"{self.root}/{folder}"
        try:
            if not self.enter(folder):
                return None
            with os.scandir(path) as entries:
                return sorted(self._names(folder, entries))
        except OSError as error:
            failure = storage_error(error, path)
            if isinstance(failure, ObjectNotFound):
                return None  # the folder was deleted since its parent was read, or no file has the prefix
            if isinstance(failure, UnsafeName):
                # Unlike an unusable name of a file, a folder that cannot be entered may contain documents.
                failure = StorageDenied(f"The path of the folder is too long for this system: {printable(path)}")
            if required or self.on_error is None:
                raise failure from error
            self.on_error(folder, failure)
            return None

    def _names(self, folder: str, entries: Iterator[os.DirEntry[str]]) -> Iterator[str]:
        below = f"{folder}/" if folder else ""
        for entry in entries:
            name = below + entry.name
            if entry.name.startswith(TEMP_BESIDE) or name == TMP or (name == _STATE and not self.with_state):
                continue
            try:
                is_folder = entry.is_dir()
            except OSError as error:  # a link through a folder without search permission
                self._report(name, storage_error(error, entry.path))
                continue
            if not is_folder:
                yield name
            elif not entry.is_symlink():
                yield name + "/"
            elif is_inside(self.root, os.path.realpath(entry.path)):
                continue  # the files of a linked folder below the root are listed once, under their real names
            elif self.follow_links:
                yield name + "/"
            else:
                self._report(name, leads_outside(entry.path, self.root))

    def _entry(self, name: str) -> Entry | None:
        path = f"{self.root}/{name}"
        try:
            found = os.stat(path)
        except OSError as error:
            if not os.path.lexists(path) and error.errno != errno.ENAMETOOLONG:
                return None  # the file was deleted since its folder was read
            if os.path.islink(path) and isinstance(storage_error(error, path), ObjectNotFound):
                self._report(name, ObjectNotFound(f"The target of the link {printable(path)} does not exist."))
            else:
                self._report(name, storage_error(error, path))
            return None
        if not stat.S_ISREG(found.st_mode):
            return None  # a socket, a fifo, a device
        if not self.follow_links and os.path.islink(path) and not is_inside(self.root, os.path.realpath(path)):
            # Reported like a broken link if the name is that of a document.
            self._report(name, ObjectNotFound(str(leads_outside(path, self.root))))
            return None
        return entry_of(name, found)

    def _report(self, name: str, error: StorageError) -> None:
        if self.on_error is not None:
            self.on_error(name, error)
        elif isinstance(error, StorageDenied | StorageUnavailable):
            raise error
