"""Implements a storage in a Google Drive folder: `gdrive://FOLDER_ID`, or `gdrive://FOLDER_ID/sub/folder`.

The version of a file is its head revision with the MD5 of its bytes. Each request is sent once, and `rayocr.retry` decides on
retries. Operations with many requests (a listing, a large file) retry their parts themselves.

Drive has neither create-if-absent by name nor preconditions on replacements, so writes are best effort. Threads of one process
serialize on a name. If two processes create the same name at the same time, the later one finds the other's file, deletes its own
and gets PreconditionFailed. This works only if Drive already shows the other file, which Drive does not guarantee. A replacement
checks the version just before it writes. `has_atomic_create` is therefore False; several runs need Redis (docs/storage.md).
"""

from __future__ import annotations

import mimetypes
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO

from rayocr.config import AccessConfig
from rayocr.errors import (
    ObjectNotFound,
    PartMissing,
    PreconditionFailed,
    StorageDenied,
    StorageError,
    StorageUnavailable,
    VersionChanged,
)
from rayocr.retry import RetryPolicy, call
from rayocr.storage.base import Changes, Entry, Storage, check_size, checked_name, checked_prefix
from rayocr.storage.drive.changes import changes_since
from rayocr.storage.drive.client import FIELDS, DriveClient
from rayocr.storage.drive.folders import DriveFolders, Ref
from rayocr.storage.drive.listing import entry_of, list_tree
from rayocr.storage.drive.names import FOLDER, SHORTCUT, Item, marked, marked_id, may_be_shown, shown, stored
from rayocr.storage.drive.transfer import Content, download, upload
from rayocr.storage.os_errors import printable
from rayocr.storage.uri import StorageUri

_PATIENT = RetryPolicy(max_attempts=6, base_s=1.0, cap_s=30.0)  # timeouts of a page of a listing, and of a chunk of a large file
_READ_ATTEMPTS = 10  # number of attempts to read a file that is replaced meanwhile
_REMEMBERED = 1000  # ids of files that were created or may have been
_STRIPES = 64

_name_locks = [threading.Lock() for _ in range(_STRIPES)]  # storages of this process share these locks


class DriveStorage(Storage):
    """Stores objects in a Drive folder. The account needs the role Editor on the folder (Content manager in a shared drive);
    Viewer is enough to read."""

    has_atomic_create = False

    def __init__(
        self,
        folder_id: str,
        path: str = "",
        *,
        access: AccessConfig | None = None,
        policy: RetryPolicy = _PATIENT,
        wait: Callable[[], None] = lambda: None,
        on_error: Callable[[str, StorageError], None] | None = None,
    ) -> None:
        self._uri = StorageUri(scheme="gdrive", root=folder_id, prefix=path)
        self._policy = policy
        self._client = DriveClient(access or AccessConfig(), wait=wait)
        base = path.split("/") if path else []
        self._folders = DriveFolders(self._client, folder_id, base, place=self._uri.text, policy=policy)
        self._creating: OrderedDict[str, str] = OrderedDict()  # id of a creation whose answer was lost, by name
        # File that a query may not show yet and that is found by its id, by name.
        self._created: OrderedDict[str, str] = OrderedDict()
        self.on_error = on_error

    @property
    def uri(self) -> str:
        return self._uri.text

    def check_readable(self) -> None:
        self._folders.top()
        refs = self._folders.root()
        if not refs:
            raise ObjectNotFound(f"There is no folder {printable(self.uri)}.", hint="Check the path after the folder's id.")
        self._client.page(refs[0].id, refs[0].drive_id, None, place=self.uri, size=1)

    def list(self, prefix: str = "") -> Iterator[Entry]:
        checked_prefix(prefix)
        self._folders.on_error = self.on_error
        yield from list_tree(self._folders, prefix, place=self.uri, on_error=self.on_error)

    def changes_since(self, token: str | None) -> Changes | None:
        return changes_since(self._client, self._folders, token, place=self.uri, policy=self._policy)

    def path_to(self, other: Storage) -> str | None:
        if not isinstance(other, DriveStorage):
            return None
        try:
            top = call(lambda: self._client.get(other._uri.root, place=other.uri, doing="list"), policy=self._policy)
        except (ObjectNotFound, StorageDenied):  # only the other account has access to the file, so this one does not list it
            return None
        path = self._folders.path_of(top)
        if path is None:
            return None
        own = () if top.id in {ref.id for ref in self._folders.root()} else (shown(top.name),)
        return "/".join((*path, *own, *filter(None, other._uri.prefix.split("/"))))

    def stat(self, name: str) -> Entry:
        return entry_of(name, self._there(name))

    def read(
        self,
        name: str,
        *,
        start: int = 0,
        length: int | None = None,
        version: str | None = None,
        max_bytes: int | None = None,
    ) -> bytes:
        place = self._place(name)
        item = self._there(name)
        for _ in range(_READ_ATTEMPTS):
            if version not in (None, item.version):
                raise VersionChanged(f"{printable(name)} was changed since it was listed.")
            end = item.size_bytes if length is None else min(item.size_bytes, start + length)
            check_size(end - start, max_bytes, place)
            whole = start == 0 and end == item.size_bytes
            broken = StorageUnavailable(f"{place}: the received bytes do not match the checksum.")
            data, md5 = None, ""
            try:
                data = download(self._client, item, start, end, place=place, policy=self._policy)
                md5 = Content(data).md5 if whole else ""
            except PartMissing as error:
                broken = error
            if data is not None and (md5 == item.md5 if whole and item.md5 else version is None):
                return data
            # The file may have been replaced meanwhile, which only a second check shows for a partial read.
            now = self._there(name)
            same = md5 == now.md5 if whole and now.md5 else now.version == item.version
            if data is not None and same and version in (None, now.version):
                return data
            if now.version == item.version:
                raise broken
            item = now
        raise StorageUnavailable(f"{place} is replaced faster than rayocr can read it.")

    def write(self, name: str, data: bytes | BinaryIO, *, if_absent: bool = False, if_version: str | None = None) -> Entry:
        if if_absent and if_version is not None:
            raise ValueError("if_absent and if_version exclude each other")
        parts = checked_name(name).split("/")
        stored(parts[-1])
        content = Content(data)
        _ = content.md5  # fails for an unreadable file before the first request
        with self._turn(name):
            there = self._find(name)
            if there is None:
                if if_version is not None:
                    raise PreconditionFailed(f"{self._place(name)} has changed.")
                return entry_of(name, self._create(name, parts, content, alone=if_absent))
            if if_absent and self._creating.get(name) == there.id and there.md5 == content.md5:
                self._creating.pop(name, None)  # id of the attempt whose answer was lost
                return entry_of(name, there)
            if if_absent or if_version not in (None, there.version):
                self._withdraw_unanswered(name, there)
                raise PreconditionFailed(f"{self._place(name)} already exists or has changed.")
            return entry_of(name, self._replace(name, there, content))

    def delete(self, name: str, *, if_version: str | None = None) -> None:
        with self._turn(checked_name(name)):
            there = self._there(name)
            if if_version not in (None, there.version):
                raise PreconditionFailed(f"{self._place(name)} has changed.")
            self._client.remove(there.id, place=self._place(name))
            self._created.pop(name, None)

    # -- finding ------------------------------------------------------------------------------------------------------------

    def _there(self, name: str) -> Item:
        """Returns the existing file. Raises ObjectNotFound."""
        found = self._find(checked_name(name))
        if found is None:
            raise ObjectNotFound(f"There is no file {self._place(name)}.")
        return found

    def _find(self, name: str) -> Item | None:
        *folders, leaf = name.split("/")
        refs = self._folders.find(folders)
        if not refs:
            return None
        if not may_be_shown(leaf):
            found = self._named(refs, leaf, self._place(name)) or self._created_here(name, refs)
            if found is not None or marked_id(leaf) is None:
                return found
        # For a generated name, only the content of the folder shows which file it means.
        if (item := self._by_id(refs, leaf)) is not None:
            return item
        contents = self._folders.contents(refs, self.uri)
        return next((item for shown_name, item in contents.files if shown_name in (leaf, shown(leaf))), None)

    def _created_here(self, name: str, refs: Sequence[Ref]) -> Item | None:
        """Returns the file that this storage created recently, if it still exists."""
        identifier = self._created.get(name)
        if identifier is None:
            return None
        try:
            item = self._client.get(identifier, place=self._place(name))
        except ObjectNotFound:
            self._created.pop(name, None)
            return None
        is_here = not {ref.id for ref in refs}.isdisjoint(item.parents) and item.name == stored(name.rpartition("/")[2])
        return item if is_here and not item.trashed else None

    def _by_id(self, refs: Sequence[Ref], leaf: str) -> Item | None:
        """Returns the file whose id is in the name, if a listing would give it this name."""
        identifier = marked_id(leaf)
        if identifier is None:
            return None
        try:
            item = self._client.get(identifier, place=self.uri)
        except ObjectNotFound:
            return None
        if item.trashed or not item.is_file or marked(shown(item.name), item.id) != leaf:
            return None
        if not {ref.id for ref in refs}.intersection(item.parents):
            return None
        first = self._named(refs, item.name, self.uri)
        return item if first is not None and first.id != item.id else None

    def _named(self, refs: Sequence[Ref], leaf: str, place: str) -> Item | None:
        found: list[Item] = []
        for ref in refs:
            for item in self._client.named(ref.id, ref.drive_id, stored(leaf), place=place):
                if item.is_file:
                    found.append(item)
                elif item.mime_type == SHORTCUT and item.target_type != FOLDER:
                    target = self._folders.target(item)
                    if target is not None and target.is_file:
                        found.append(target)
        return min(found, key=lambda item: item.age_key, default=None)

    # -- writing ------------------------------------------------------------------------------------------------------------

    def _create(self, name: str, parts: Sequence[str], content: Content, *, alone: bool) -> Item:
        place = self._place(name)
        folder = self._folders.make(parts[:-1])
        identifier = self._creating.get(name) or self._client.new_id(place=place)
        _remember(self._creating, name, identifier)
        body = {"id": identifier, "name": stored(parts[-1]), "parents": [folder.id]}
        mime_type = _mime_type(name)
        request = self._client.files.create(
            body=body | {"mimeType": mime_type}, media_body=content.media(mime_type), fields=FIELDS, supportsAllDrives=True
        )
        try:
            made = upload(self._client, request, place=place, policy=self._policy)
        except PreconditionFailed:  # an own attempt whose answer was lost uses the id
            made = self._made_before(name, identifier)
        except ObjectNotFound as error:  # another process has removed the folder
            self._folders.forget()
            raise StorageUnavailable(f"{place}: its folder was deleted.") from error
        if made.md5 != content.md5:
            self._client.remove(made.id, place=place)
            self._creating.pop(name, None)
            raise StorageUnavailable(f"{place}: the uploaded bytes do not match the checksum.")
        if alone:
            self._withdraw_if_second(name, parts[-1], folder, made)
        self._creating.pop(name, None)
        _remember(self._created, name, made.id)
        return made

    def _made_before(self, name: str, identifier: str) -> Item:
        """Returns the file of an earlier attempt. Raises StorageUnavailable if it was deleted; the next attempt uses another
        id."""
        try:
            made = self._client.get(identifier, place=self._place(name))
        except ObjectNotFound:
            made = None
        if made is None or made.trashed:
            self._creating.pop(name, None)
            raise StorageUnavailable(f"{self._place(name)} was created and then deleted.")
        return made

    def _withdraw_if_second(self, name: str, leaf: str, folder: Ref, made: Item) -> None:
        """Deletes the new file and raises PreconditionFailed if another process created the same name just before."""
        same = [i for i in self._client.named(folder.id, folder.drive_id, stored(leaf), place=self._place(name)) if i.is_file]
        if same and same[0].age_key < made.age_key:
            self._client.remove(made.id, place=self._place(name))
            self._creating.pop(name, None)
            raise PreconditionFailed(f"{self._place(name)} was created by another writer at the same time.")

    def _withdraw_unanswered(self, name: str, there: Item) -> None:
        """Deletes the file of an own attempt whose answer was lost, if another process's file exists."""
        identifier = self._creating.pop(name, None)
        if identifier is not None and identifier != there.id:
            try:
                self._client.remove(identifier, place=self._place(name))
            except StorageError:
                pass  # the file was never created, or it stays beside the other under a name with its id

    def _replace(self, name: str, there: Item, content: Content) -> Item:
        request = self._client.files.update(
            fileId=there.id, media_body=content.media(_mime_type(name)), fields=FIELDS, supportsAllDrives=True
        )
        written = upload(self._client, request, place=self._place(name), policy=self._policy)
        if written.md5 != content.md5:
            raise StorageUnavailable(f"{self._place(name)}: the uploaded bytes do not match the checksum.")
        return written

    def _turn(self, name: str) -> Any:
        return _name_locks[hash((self.uri, name)) % _STRIPES]

    def _place(self, name: str) -> str:
        return f"{self.uri}/{printable(name)}"


def _remember(ids: OrderedDict[str, str], name: str, identifier: str) -> None:
    ids[name] = identifier
    while len(ids) > _REMEMBERED:
        ids.popitem(last=False)


def _mime_type(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
