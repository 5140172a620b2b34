"""Reads the changes below a folder since a token from Drive's change feed, which covers everything to which the account has
access."""

from __future__ import annotations

from collections import defaultdict

from rayocr.errors import ObjectNotFound, StorageError, StorageUnavailable
from rayocr.retry import RetryPolicy, call
from rayocr.storage.base import Changes
from rayocr.storage.drive.client import DriveClient
from rayocr.storage.drive.errors import status_of
from rayocr.storage.drive.folders import DriveFolders
from rayocr.storage.drive.names import SHORTCUT, Item

_STATE = ".rayocr"
_NO_TOKEN = (400, 404, 410)  # Drive's answers to a token that is expired or belongs to another drive


def changes_since(client: DriveClient, folders: DriveFolders, token: str | None, *, place: str, policy: RetryPolicy) -> Changes:
    """Returns the changes. `names` is None at the start, for a token that Drive rejects, and after folders were added, moved or
    renamed, since their files are not in the feed. Raises StorageError."""
    drive_id = call(folders.top, policy=policy).drive_id
    if token is None:
        return Changes(names=None, token=_start(client, drive_id, place, policy))
    found: dict[str, Item] = {}
    while True:
        page_token = token
        try:
            page, token, is_last = call(lambda: client.changes(page_token, drive_id, place=place), policy=policy)  # noqa: B023
        except (StorageError, ObjectNotFound) as error:
            if status_of(error.__cause__) not in _NO_TOKEN:
                raise
            return Changes(names=None, token=_start(client, drive_id, place, policy))
        for identifier, item in page:
            if item is None or item.trashed:
                found.pop(identifier, None)  # a deleted file does not count as changed
            else:
                found[identifier] = item
        if is_last:
            return Changes(names=_names(folders, list(found.values()), place), token=token)


def _start(client: DriveClient, drive_id: str | None, place: str, policy: RetryPolicy) -> str:
    return call(lambda: client.start_token(drive_id, place=place), policy=policy)


def _names(folders: DriveFolders, changed: list[Item], place: str) -> tuple[str, ...] | None:
    if any(item.is_folder for item in changed):
        folders.forget()  # after such a change, cached paths may be outdated
    in_folder: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    for item in changed:
        path = folders.path_of(item)
        if path is None or path[:1] == (_STATE,):
            continue
        if item.is_folder and not path and item.name == _STATE:
            continue
        if item.is_folder or item.mime_type == SHORTCUT:
            return None
        if item.is_file:
            in_folder[path].add(item.id)
    names: list[str] = []
    for path, identifiers in in_folder.items():
        refs = folders.find_again(path)
        if not refs:
            raise StorageUnavailable(f"{place}: a folder was deleted while its changes were read.")
        contents = folders.contents(refs, place)
        names += ["/".join((*path, name)) for name, item in contents.files if item.id in identifiers]
    return tuple(sorted(names))
