"""The content of the test Drive, and methods to add to it."""

from __future__ import annotations

import hashlib
import itertools
import secrets
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

FOLDER = "application/vnd.google-apps.folder"
SHORTCUT = "application/vnd.google-apps.shortcut"


@dataclass
class Drive:
    """The stored content; `files` is by id."""

    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    content: dict[str, bytes] = field(default_factory=dict)
    children: dict[str, dict[str, None]] = field(default_factory=dict)  # ids by parent, so that thousands of files are fast
    changes: list[str] = field(default_factory=list)  # ids, in the order of their changes
    ids: set[str] = field(default_factory=set)  # generated
    read_only: set[str] = field(default_factory=set)  # folders that the account can only read
    not_a_member: set[str] = field(default_factory=set)  # shared drives that the caller cannot search as a whole
    undeletable: bool = False  # deleting permanently is refused, as for most members of a shared drive
    unlisted: set[str] = field(default_factory=set)  # names of existing files that queries do not show yet
    keys: dict[str, str] = field(default_factory=dict)  # resource keys that must be sent, by id
    full: bool = False
    spoil: bytes = b""  # content to store for the next file instead of the sent content
    lock: threading.RLock = field(default_factory=threading.RLock)
    clock: itertools.count[int] = field(default_factory=lambda: itertools.count(1_700_000_000_000))

    def now(self) -> str:
        """A different time for each call."""
        at = next(self.clock)
        return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at % 1000:03d}Z"

    def add(
        self, name: str, parents: list[str], *, data: bytes | None = None, mime: str = "", identifier: str = "", **more: Any
    ) -> str:
        """Adds a file or folder, and returns its id."""
        with self.lock:
            identifier = identifier or new_id()
            drive = next((self.files[p].get("driveId") for p in parents if self.files.get(p, {}).get("driveId")), None)
            now = self.now()
            file = {
                "id": identifier, "name": name, "parents": parents, "trashed": False, "createdTime": now, "modifiedTime": now,
                "mimeType": mime or ("application/pdf" if data is not None else FOLDER), "appProperties": {},
            }  # fmt: skip
            if drive:
                file["driveId"] = drive
            self.files[identifier] = file | more
            for parent in parents:
                self.children.setdefault(parent, {})[identifier] = None
            if data is not None:
                self.fill(identifier, data)
            self.changes.append(identifier)
            return identifier

    def fill(self, identifier: str, data: bytes) -> None:
        data, self.spoil = self.spoil or data, b""
        self.content[identifier] = data
        self.files[identifier] |= {
            "size": str(len(data)), "md5Checksum": hashlib.md5(data).hexdigest(), "headRevisionId": new_id(),
            "modifiedTime": self.now(),
        }  # fmt: skip

    def path(self, root: str, path: str) -> str:
        """The id of the first file or folder at this path; raises KeyError if there is none."""
        here = root
        for part in path.split("/"):
            here = next(f["id"] for f in self.files.values() if f["name"] == part and here in f["parents"] and not f["trashed"])
        return here


def new_id() -> str:
    return "1" + secrets.token_urlsafe(24)[:32].replace("-", "x")
