"""Opens the storage of a URI. This is the only module that imports all adapters."""

from __future__ import annotations

import functools
from typing import Any

from rayocr.config import AccessConfig
from rayocr.extras import require
from rayocr.storage.base import Storage
from rayocr.storage.counted import CountedStorage
from rayocr.storage.paced import Pace, PacedStorage
from rayocr.storage.uri import parse_uri

_OF_FOLDERS = ("create", "fsync", "on_error")


def open_storage(uri: str, access: AccessConfig | None = None, **options: Any) -> Storage:
    """Opens a storage. `access`: credentials and address. `options`: options of the adapter (for folders create, fsync,
    on_error). Raises UsageError, CredentialsError; ObjectNotFound if the folder is missing and `create` is not set."""
    return CountedStorage(_adapter(uri, access, options))


def _adapter(uri: str, access: AccessConfig | None, options: dict[str, Any]) -> Storage:
    parsed = parse_uri(uri)
    if parsed.scheme == "local":
        from rayocr.storage.local.storage import LocalStorage

        return LocalStorage(parsed.root, follow_links=access is not None and access.follow_links, **options)
    if parsed.scheme == "memory":
        from rayocr.storage.memory import MemoryStorage

        own = {name: value for name, value in options.items() if name not in _OF_FOLDERS}
        return MemoryStorage(parsed.root, **own)
    if parsed.scheme == "gs":
        from rayocr.storage.gcs.storage import GcsStorage

        return GcsStorage(parsed.root, parsed.prefix, access=access)
    require("drive", "gdrive://")
    from rayocr.storage.drive.storage import DriveStorage

    own = {name: value for name, value in options.items() if name not in _OF_FOLDERS}
    return DriveStorage(parsed.root, parsed.prefix, access=access, **own)


@functools.lru_cache(maxsize=64)
def cached_storage(uri: str, requests_per_s: float | None = None, access: AccessConfig | None = None) -> Storage:
    """Returns one storage per URI and process, for repeated tasks. The root must exist. The driver creates it with
    `open_storage(uri, create=True)`, so if it is missing here, it is missing on this machine. Raises the same errors as
    `open_storage`.

    `requests_per_s`: this process's limit for the backend, for all of its storages together; None: no limit."""
    if requests_per_s is None:
        return open_storage(uri, access)
    scheme = parse_uri(uri).scheme
    pace = _pace(scheme, requests_per_s)
    if scheme == "gdrive":  # a call to Drive consists of several requests, each of which waits
        return open_storage(uri, access, wait=pace.wait)
    return PacedStorage(open_storage(uri, access), pace)


@functools.lru_cache(maxsize=8)
def _pace(scheme: str, requests_per_s: float) -> Pace:
    return Pace(requests_per_s)
