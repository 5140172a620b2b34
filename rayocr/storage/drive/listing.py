"""Lists a Drive folder: every file below it, ordered by full name as in all backends.

Drive has neither paths nor this order, so each folder is read completely and sorted. Memory grows with the largest folder and the
number of folders, not with the number of files. The next folders are prefetched, a few at a time. A folder is entered only once,
even with several parents or shortcuts, and a file in several folders is listed in the first of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from rayocr.errors import ObjectNotFound, StorageDenied, StorageError
from rayocr.storage.base import Entry
from rayocr.storage.drive.folders import Contents, DriveFolders, Refs
from rayocr.storage.drive.names import Item

OnError = Callable[[str, StorageError], None]

_STATE = ".rayocr"
_AT_ONCE = 8  # number of folders that are read at the same time


def entry_of(name: str, item: Item) -> Entry:
    return Entry(name=name, size_bytes=item.size_bytes, version=item.version, modified_at=_seconds(item.modified))


def list_tree(folders: DriveFolders, prefix: str, *, place: str, on_error: OnError | None) -> Iterator[Entry]:
    """Yields the files whose name starts with `prefix`. Raises StorageError; for folders below the first one, only without an
    `on_error`."""
    start = tuple(prefix.split("/")[:-1])
    refs = folders.find_again(start)
    if not refs:
        return
    pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="drive-listing")
    listing = _Listing(folders=folders, place=place, on_error=on_error, pool=pool, with_state=prefix.startswith(_STATE))
    try:
        for entry in listing.walk(refs, start):
            if entry.name.startswith(prefix):
                yield entry
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


@dataclass(slots=True, kw_only=True)
class _Listing:
    folders: DriveFolders
    place: str
    on_error: OnError | None
    pool: ThreadPoolExecutor
    with_state: bool
    entered: set[str] = field(default_factory=set)
    several: set[str] = field(default_factory=set)  # files with more than one parent

    def walk(self, refs: Refs, path: tuple[str, ...]) -> Iterator[Entry]:
        first = self._read(refs, path)
        stack = [self._steps(first.result(), path)] if first is not None else []
        while stack:
            step = next(stack[-1], None)
            if step is None:
                stack.pop()
            elif isinstance(step, Entry):
                yield step
            else:
                stack.append(step)

    def _steps(self, contents: Contents, path: tuple[str, ...]) -> Iterator[Entry | Iterator[Entry]]:
        """Yields entries and the content of folders, in order."""
        files = {name: item for name, item in contents.files if self._is_new(item)}
        names = sorted([*files, *(f"{name}/" for name in contents.folders if path or name != _STATE or self.with_state)])
        below = [name[:-1] for name in names if name.endswith("/")]
        reading: dict[str, Future[Contents] | None] = {}
        position = 0
        for name in names:
            if not name.endswith("/"):
                yield entry_of("/".join((*path, name)), files.pop(name))
                continue
            for ahead in below[position : position + _AT_ONCE]:
                if ahead not in reading:
                    reading[ahead] = self._read(contents.folders[ahead], (*path, ahead))
            position += 1
            found = self._settled(reading.pop(name[:-1]), (*path, name[:-1]))
            if found is not None:
                yield self._steps(found, (*path, name[:-1]))  # type: ignore[misc]

    def _read(self, refs: Refs, path: Sequence[str]) -> Future[Contents] | None:
        fresh = [ref for ref in refs if ref.id not in self.entered]
        if not fresh:
            return None
        self.entered.update(ref.id for ref in fresh)
        return self.pool.submit(self.folders.contents, fresh, "/".join((self.place, *path)))

    def _settled(self, reading: Future[Contents] | None, path: Sequence[str]) -> Contents | None:
        if reading is None:
            return None
        try:
            return reading.result()
        except ObjectNotFound:
            return None  # the folder was deleted meanwhile
        except StorageDenied as error:
            if self.on_error is None:
                raise
            self.on_error("/".join(path), error)
            return None

    def _is_new(self, item: Item) -> bool:
        if len(item.parents) < 2:
            return True
        if item.id in self.several:
            return False
        self.several.add(item.id)
        return True


def _seconds(rfc3339: str) -> float:
    try:
        return datetime.fromisoformat(rfc3339).timestamp()
    except ValueError:
        return 0.0
