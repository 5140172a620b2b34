"""Maps paths below a root to Drive folders, and lists their content under rayocr's names.

Folders with the same name in the same place count as one folder: rayocr finds the files of all of them and writes to the oldest.
Two processes may therefore create a folder at the same time; the later one removes its own as soon as it finds the other.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from rayocr.errors import ObjectNotFound, StorageDenied, StorageError
from rayocr.retry import RetryPolicy, call
from rayocr.storage.drive.client import DriveClient
from rayocr.storage.drive.names import FOLDER, SHORTCUT, Item, distinct, may_be_shown, shown, stored

_KNOWN_S = 120.0  # how long a path is cached, since others may create and remove folders


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """A folder and the shared drive that contains it."""

    id: str
    drive_id: str | None


Refs = tuple[Ref, ...]  # folders with the same name, oldest first


@dataclass(slots=True, kw_only=True)
class Contents:
    """The content of a folder: `files` under unique names."""

    files: list[tuple[str, Item]] = field(default_factory=list)
    folders: dict[str, Refs] = field(default_factory=dict)


class DriveFolders:
    """The folders below a root. `root_id` and `base`: the root's id, and the path of this storage below it. Thread-safe."""

    def __init__(
        self,
        client: DriveClient,
        root_id: str,
        base: Sequence[str],
        *,
        place: str,
        policy: RetryPolicy,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._root_id = root_id
        self._base = tuple(base)
        self._place = place
        self._policy = policy
        self._clock = clock
        self._known: dict[tuple[str, ...], tuple[float, Refs]] = {}
        self._above: dict[str, Item | None] = {}  # folders by id, for paths towards the root
        self._making = threading.Lock()
        self.on_error: Callable[[str, StorageError], None] | None = None

    # -- paths --------------------------------------------------------------------------------------------------------------

    def top(self) -> Ref:
        """Returns the folder of the URI's id. Raises ObjectNotFound, StorageDenied, and StorageError if it is not a folder."""
        known = self._cached(())
        if known:
            return known[0]
        found = self._client.get(self._root_id, place=self._place, doing="list")
        if not found.is_folder or found.trashed:
            raise StorageError(
                f"{self._place} is {'in the trash' if found.trashed else 'not a folder'}: {found.name}.",
                hint="gdrive:// needs the id of a folder: the last part of its address in the browser.",
            )
        ref = Ref(id=found.id, drive_id=found.drive_id)
        self._above[found.id] = found
        self._remember((), (ref,))
        return ref

    def root(self) -> Refs:
        """Returns the folders of the root; () if the path below the id does not exist."""
        return self._at(self._base)

    def find(self, parts: Sequence[str]) -> Refs:
        """Returns the folders of a path; () if there is none."""
        return self._at((*self._base, *parts))

    def find_again(self, parts: Sequence[str]) -> Refs:
        """Returns the same as `find`, and retries transient errors, for callers that are not called again."""
        return call(lambda: self.find(parts), policy=self._policy)

    def make(self, parts: Sequence[str]) -> Ref:
        """Creates the folder and its parents."""
        path = (*self._base, *parts)
        if refs := self._cached(path):
            return refs[0]
        with self._making:
            ref = self.top()
            for depth in range(1, len(path) + 1):
                refs = self._at(path[:depth])
                ref = refs[0] if refs else self._make(ref, path[:depth])
        return ref

    def forget(self) -> None:
        """Drops the cached paths after one of them was wrong."""
        self._known.clear()
        self._above.clear()

    def _at(self, path: tuple[str, ...]) -> Refs:
        if not path:
            return (self.top(),)
        if refs := self._cached(path):
            return refs
        found: list[tuple[tuple[int, str, str], Ref]] = []
        for above in self._at(path[:-1]):
            for item in self._candidates(above, path[-1]):
                if item.is_folder:
                    found.append(((0, *item.age_key), Ref(id=item.id, drive_id=item.drive_id)))
                elif item.mime_type == SHORTCUT and item.target_type == FOLDER and (ref := self._behind(item)):
                    # New files are created in a real folder, not in the target of a shortcut.
                    found.append(((1, *item.age_key), ref))
        refs = tuple(ref for _, ref in sorted(found, key=lambda pair: pair[0]))
        if refs:
            self._remember(path, refs)
        return refs

    def _candidates(self, above: Ref, part: str) -> list[Item]:
        place = f"{self._place}/{part}"
        if not may_be_shown(part):
            return self._client.named(above.id, above.drive_id, stored(part), place=place)
        return [item for item in self._items(above, place) if shown(item.name) == shown(part)]

    def _make(self, above: Ref, path: tuple[str, ...]) -> Ref:
        name, place = stored(path[-1]), "/".join((self._place, *path))
        try:
            made = self._client.make_folder(name, above.id, place=place)
        except ObjectNotFound:
            self.forget()
            raise
        same = [i for i in self._client.named(above.id, above.drive_id, name, place=place) if i.is_folder]
        first = same[0] if same else made
        if first.id != made.id:
            self._withdraw(made, place)
        ref = Ref(id=first.id, drive_id=first.drive_id)
        self._remember(path, (ref,))
        return ref

    def _withdraw(self, made: Item, place: str) -> None:
        """Moves the folder to the trash instead of deleting it, since another process may just have put a file into it."""
        try:
            if not self._client.page(made.id, made.drive_id, None, place=place, size=1)[0]:
                self._client.trash(made.id, place=place)
        except StorageError:
            pass  # two folders with the same name count as one

    # -- what is in a folder ------------------------------------------------------------------------------------------------

    def contents(self, refs: Sequence[Ref], place: str) -> Contents:
        """Returns the content of a folder. Retries pages that fail. Raises StorageError."""
        files: list[Item] = []
        folders: dict[str, list[tuple[tuple[str, str], Ref]]] = {}
        for ref in refs:
            for item in self._items(ref, place):
                if item.is_folder:
                    folders.setdefault(shown(item.name), []).append((item.age_key, Ref(id=item.id, drive_id=item.drive_id)))
                elif item.mime_type == SHORTCUT:
                    self._add_target(item, files, folders, place)
                elif item.is_file:
                    files.append(item)
        return Contents(
            files=list(distinct(files)),
            folders={name: tuple(ref for _, ref in sorted(found, key=lambda f: f[0])) for name, found in folders.items()},
        )

    def _items(self, ref: Ref, place: str) -> list[Item]:
        items: list[Item] = []
        token: str | None = None
        while True:
            found, token = call(
                lambda token=token: self._client.page(ref.id, ref.drive_id, token, place=place),  # type: ignore[misc]
                policy=self._policy,
            )
            items += found
            if not token:
                return items

    def _add_target(
        self, shortcut: Item, files: list[Item], folders: dict[str, list[tuple[tuple[str, str], Ref]]], place: str
    ) -> None:
        """Adds the target of a shortcut. Skips targets that are already in the tree."""
        try:
            target = call(lambda: self.target(shortcut), policy=self._policy)
            if target is None:
                self._report_unreachable(shortcut, place)
                return
            if (not target.is_file and not target.is_folder) or self.path_of(target) is not None:
                return
        except StorageError as error:
            if self.on_error is None:
                raise
            self.on_error(f"{place}/{shown(shortcut.name)}", error)
            return
        if target.is_folder:
            ref = Ref(id=target.id, drive_id=target.drive_id)
            folders.setdefault(shown(shortcut.name), []).append((shortcut.age_key, ref))
        else:
            files.append(target)

    def _report_unreachable(self, shortcut: Item, place: str) -> None:
        """Reports a shortcut without a reachable target, since its target may contain documents."""
        if self.on_error is None:
            return
        is_folder = shortcut.target_type == FOLDER
        name = f"{place}/{shown(shortcut.name)}"
        what = "folder" if is_folder else "file"
        words = f"The shortcut {name} leads to a {what} that is in the trash or not shared with the account."
        self.on_error(name, (StorageDenied if is_folder else ObjectNotFound)(words, hint="Share the target with the account."))

    def target(self, shortcut: Item) -> Item | None:
        """Returns the shortcut's target, under the shortcut's name; None if it does not exist."""
        if shortcut.target_id is None:
            return None
        try:
            found = self._client.get(shortcut.target_id, place=f"{self._place}: the shortcut {shown(shortcut.name)}")
        except (ObjectNotFound, StorageDenied):
            return None
        return None if found.trashed else replace(found, name=shortcut.name, created=shortcut.created)

    def _behind(self, shortcut: Item) -> Ref | None:
        target = self.target(shortcut)
        return Ref(id=target.id, drive_id=target.drive_id) if target is not None and target.is_folder else None

    # -- the path to the root
    # ---------------------------------------------------------------------------------------------------------

    def path_of(self, item: Item) -> tuple[str, ...] | None:
        """Returns the folders between the root and the item, under rayocr's names; None if it is not below the root."""
        roots = {ref.id for ref in self.find_again(())}
        if item.id in roots:
            return ()
        waiting: list[tuple[str, tuple[str, ...]]] = [(parent, ()) for parent in item.parents]
        seen = set()
        while waiting:
            identifier, below = waiting.pop()
            if identifier in roots:
                return below
            if identifier in seen or (folder := self._folder(identifier)) is None:
                continue
            seen.add(identifier)
            waiting += [(parent, (shown(folder.name), *below)) for parent in folder.parents]
        return None

    def _folder(self, identifier: str) -> Item | None:
        """Returns a folder; None if the account has no access to it, since items that are shared individually have no visible
        parent."""
        if identifier not in self._above:
            try:
                self._above[identifier] = call(
                    lambda: self._client.get(identifier, place=self._place, doing="list"), policy=self._policy
                )
            except (ObjectNotFound, StorageDenied):
                self._above[identifier] = None
        return self._above[identifier]

    def _cached(self, path: tuple[str, ...]) -> Refs:
        until, refs = self._known.get(path, (0.0, ()))
        return refs if self._clock() < until else ()

    def _remember(self, path: tuple[str, ...], refs: Refs) -> None:
        self._known[path] = (self._clock() + _KNOWN_S, refs)
