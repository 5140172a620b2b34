"""Sends requests to Google Drive: paces each one, sends it once, and translates its errors.

An Item holds the metadata of a file. Every request includes shared drives. Each query names one folder: the real server
silently returns incomplete results for several (`'a' in parents or 'b' in parents`).
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from rayocr.config import AccessConfig
from rayocr.errors import ObjectNotFound, RayocrError, StorageDenied, StorageUnavailable
from rayocr.storage.drive.credentials import drive_credentials
from rayocr.storage.drive.errors import translate
from rayocr.storage.drive.http import SessionHttp
from rayocr.storage.drive.names import FOLDER, Item, literal

FIELDS = (
    "id,name,mimeType,size,md5Checksum,headRevisionId,modifiedTime,createdTime,parents,driveId,trashed,"
    "resourceKey,shortcutDetails(targetId,targetMimeType,targetResourceKey)"
)
_IDENTIFIER = re.compile(r"[\w-]+")
PAGE = 1000  # number of items per request, the server's maximum
_IDS = 100  # number of ids for new files that are fetched at a time


class DriveClient:
    """Sends requests to Google Drive. Thread-safe. `wait` returns when the next request may start."""

    def __init__(self, access: AccessConfig, *, wait: Callable[[], None] = lambda: None) -> None:
        from googleapiclient.discovery import build_from_document
        from googleapiclient.discovery_cache import get_static_doc

        # The client logs a warning for each 403 besides rayocr's own message.
        logging.getLogger("googleapiclient.http").setLevel(logging.ERROR)
        document = json.loads(get_static_doc("drive", "v3"))
        if access.endpoint:  # client_options would redirect only metadata requests; uploads would still go to Google
            document["rootUrl"] = access.endpoint.rstrip("/") + "/"
            document.pop("mtlsRootUrl", None)
        self.http = SessionHttp(drive_credentials(access), timeout_s=access.timeout_s)
        service = build_from_document(document, http=self.http)
        self.files = service.files()
        self._changes = service.changes()
        self._about = service.about()
        self._wait = wait
        self._ids: deque[str] = deque()
        self._lock = threading.Lock()
        self._trashes = False
        self._keys: dict[str, str] = {}  # resource keys by id, for the few files that have one
        self._not_a_member: set[str] = set()  # ids of shared drives of which only single folders were shared

    # -- requests -----------------------------------------------------------------------------------------------------------

    def run(self, request: Any, *, place: str, doing: str) -> Any:
        """Sends one request of the client and returns its answer. Raises RayocrError."""
        if self._keys:
            named = {identifier for identifier in _IDENTIFIER.findall(unquote(request.uri)) if identifier in self._keys}
            if named:
                request.headers["x-goog-drive-resource-keys"] = ",".join(f"{i}/{self._keys[i]}" for i in sorted(named))
        return self.ask(lambda: request.execute(http=self.http, num_retries=0), place=place, doing=doing)

    def told(self, request: Any, *, place: str, doing: str) -> Any:
        """Does the same as `run` for answers with content. Raises StorageUnavailable if a proxy returned a web page instead."""
        answer = self.run(request, place=place, doing=doing)
        if not isinstance(answer, dict) or not answer:
            raise StorageUnavailable(f"{place}: Google Drive returned an invalid answer.")
        return answer

    def ask(self, send: Callable[[], Any], *, place: str, doing: str) -> Any:
        """Paces and runs `send`. Raises RayocrError, and OSError of the file that is sent."""
        self._wait()
        try:
            return send()
        except RayocrError:
            raise
        except Exception as error:  # errors of the client, requests or google-auth, which are all translated
            if isinstance(error, OSError) and type(error).__module__ == "builtins" and not isinstance(error, ConnectionError):
                raise
            raise translate(error, place, doing=doing) from error

    def account(self) -> str:
        """Returns the e-mail address of the account."""
        answer = self.told(self._about.get(fields="user(emailAddress)"), place="Google Drive", doing="read")
        return str(answer["user"].get("emailAddress", "an account without an address"))

    # -- metadata -----------------------------------------------------------------------------------------------------------

    def get(self, identifier: str, *, place: str = "", doing: str = "read") -> Item:
        """Returns the item. Raises ObjectNotFound."""
        found = self.told(
            self.files.get(fileId=identifier, fields=FIELDS, supportsAllDrives=True), place=place or identifier, doing=doing
        )
        return self._noted(item_of(found))

    def page(
        self, folder_id: str, drive_id: str | None, token: str | None, *, place: str, name: str | None = None, size: int = PAGE
    ) -> tuple[list[Item], str | None]:
        """Returns a page of the folder's items that are not in the trash; only those with `name`, if given."""
        query = f"{literal(folder_id)} in parents and trashed = false"
        if name is not None:
            query += f" and name = {literal(name)}"
        answer = self._in_drive(
            drive_id,
            lambda own: self.told(self._listing(query, token, size, own), place=place, doing="list"),
        )
        if answer.get("incompleteSearch"):
            raise StorageUnavailable(f"{place}: Google Drive returned an incomplete listing.")
        return [self._noted(item_of(found)) for found in answer.get("files", ())], answer.get("nextPageToken")

    def _noted(self, item: Item) -> Item:
        """Notes resource keys, which files require that were shared by link before 2021."""
        if item.resource_key:
            self._keys[item.id] = item.resource_key
        if item.target_id and item.target_key:
            self._keys[item.target_id] = item.target_key
        return item

    def _in_drive(self, drive_id: str | None, ask: Callable[[str | None], Any]) -> Any:
        """Returns query options for a shared drive. Only queries by its id are complete, and they fail for accounts that are not
        members."""
        if drive_id is None or drive_id in self._not_a_member:
            return ask(None)
        try:
            return ask(drive_id)
        except ObjectNotFound:
            answer = ask(None)
            self._not_a_member.add(drive_id)
            return answer

    def _listing(self, query: str, token: str | None, size: int, drive_id: str | None) -> Any:
        return self.files.list(
            q=query,
            fields=f"nextPageToken,incompleteSearch,files({FIELDS})",
            pageSize=size,
            pageToken=token,
            spaces="drive",
            includeItemsFromAllDrives=True,
            supportsAllDrives=True,
            **({"corpora": "drive", "driveId": drive_id} if drive_id else {}),
        )

    def named(self, folder_id: str, drive_id: str | None, name: str, *, place: str) -> list[Item]:
        """Returns the items with exactly this name in the folder, oldest first."""
        found, token = self.page(folder_id, drive_id, None, place=place, name=name)
        while token:
            more, token = self.page(folder_id, drive_id, token, place=place, name=name)
            found += more
        return sorted((item for item in found if item.name == name), key=lambda item: item.age_key)

    # -- changes of the tree ------------------------------------------------------------------------------------------------

    def new_id(self, *, place: str) -> str:
        """Returns an id for a new file, with which the server detects a repeated creation."""
        with self._lock:
            if not self._ids:
                request = self.files.generateIds(count=_IDS, space="drive", fields="ids")
                self._ids.extend(self.told(request, place=place, doing="write")["ids"])
            return self._ids.popleft()

    def make_folder(self, name: str, parent: str, *, place: str) -> Item:
        body = {"name": name, "mimeType": FOLDER, "parents": [parent]}
        return item_of(self.told(self.files.create(body=body, fields=FIELDS, supportsAllDrives=True), place=place, doing="write"))

    def remove(self, identifier: str, *, place: str) -> None:
        """Deletes the item permanently, or moves it to the trash if the account may not delete, as most members of a shared
        drive."""
        if not self._trashes:
            try:
                self.run(self.files.delete(fileId=identifier, supportsAllDrives=True), place=place, doing="delete")
                return
            except StorageDenied:
                self.trash(identifier, place=place)
                self._trashes = True
                return
        self.trash(identifier, place=place)

    def trash(self, identifier: str, *, place: str) -> None:
        request = self.files.update(fileId=identifier, body={"trashed": True}, fields="id,trashed", supportsAllDrives=True)
        self.run(request, place=place, doing="delete")

    # -- the feed of changes ------------------------------------------------------------------------------------------------

    def start_token(self, drive_id: str | None, *, place: str) -> str:
        def ask(own: str | None) -> Any:
            request = self._changes.getStartPageToken(supportsAllDrives=True, **({"driveId": own} if own else {}))
            return self.told(request, place=place, doing="list")

        return str(self._in_drive(drive_id, ask)["startPageToken"])

    def changes(self, token: str, drive_id: str | None, *, place: str) -> tuple[Sequence[tuple[str, Item | None]], str, bool]:
        """Returns a page of (id, the current item or None if deleted), the next token, and whether this is the last page."""
        request = self._changes.list(
            pageToken=token,
            fields=f"nextPageToken,newStartPageToken,changes(changeType,removed,fileId,file({FIELDS}))",
            pageSize=PAGE,
            spaces="drive",
            includeRemoved=True,
            includeItemsFromAllDrives=True,
            supportsAllDrives=True,
            **({"driveId": drive_id} if drive_id and drive_id not in self._not_a_member else {}),
        )
        answer = self.told(request, place=place, doing="list")
        found = [
            (change["fileId"], None if change.get("removed") or "file" not in change else item_of(change["file"]))
            for change in answer.get("changes", ())
            if change.get("changeType", "file") == "file"
        ]
        following = answer.get("nextPageToken")
        return found, str(following or answer["newStartPageToken"]), not following


def item_of(found: Any) -> Item:
    """Converts an answer to an item. Raises StorageUnavailable if it does not describe a file."""
    if not isinstance(found, Mapping) or "id" not in found:
        raise StorageUnavailable("Google Drive returned an invalid answer.")
    shortcut = found.get("shortcutDetails") or {}
    return Item(
        id=found["id"],
        name=found.get("name", ""),
        mime_type=sys.intern(found.get("mimeType", "")),  # this string, like the parents, is shared by thousands of items
        size_bytes=int(found.get("size") or 0),
        md5=found.get("md5Checksum", ""),
        revision=found.get("headRevisionId", ""),
        modified=found.get("modifiedTime", ""),
        created=found.get("createdTime", ""),
        parents=tuple(map(sys.intern, found.get("parents", ()))),
        drive_id=found.get("driveId"),
        target_id=shortcut.get("targetId"),
        target_type=shortcut.get("targetMimeType", ""),
        resource_key=found.get("resourceKey"),
        target_key=shortcut.get("targetResourceKey"),
        trashed=bool(found.get("trashed")),
    )
