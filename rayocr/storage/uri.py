"""Parses `source=`, `dest=` and `state=`, and gives each place one canonical URI.

All spellings of a place (`in`, `./in/`, a link to it) have the same canonical URI, since document ids and locks derive from it.
A folder's URI is `file://` with its real path, percent-encoded byte by byte, so that any name that a file system allows can be
restored.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, unquote_to_bytes

from rayocr.errors import UsageError
from rayocr.overrides import for_shell
from rayocr.storage.os_errors import printable

_FORMS = "Use a folder (./in, /data/in), gs://bucket/prefix or gdrive://FOLDER_ID."
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_HALF_SCHEME = re.compile(r"(gs|gdrive|file|s3|memory|https?):", re.IGNORECASE)
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_DRIVE_ID = re.compile(r"[A-Za-z0-9_-]+")
_GCS_LINK = re.compile(
    r"https?://(?:storage\.googleapis\.com|storage\.cloud\.google\.com|console\.cloud\.google\.com/storage/browser)/([^?#;]+)"
)
_DRIVE_LINK = re.compile(r"https?://drive\.google\.com/.*?folders/([A-Za-z0-9_-]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageUri:
    """A folder, bucket, Drive folder or memory storage, with a path below it. `root`: a folder's real absolute path, a bucket, a
    Drive folder's id, or the name of a memory storage. `prefix`: the path below a bucket or a Drive folder, without slashes at
    its ends."""

    scheme: str  # local | gs | gdrive | memory
    root: str
    prefix: str = ""

    @property
    def text(self) -> str:
        """The canonical URI; `parse_uri(uri.text) == uri`. No trailing slash, except for the root folder (`file:///`)."""
        if self.scheme == "local":
            return "file://" + quote(os.fsencode(self.root), safe="/-._~")
        return f"{self.scheme}://{self.root}" + (f"/{self.prefix}" if self.prefix else "")

    @property
    def display(self) -> str:
        """The form for messages: a folder's path on one line, otherwise the URI."""
        return printable(self.root) if self.scheme == "local" else self.text

    def __str__(self) -> str:
        return self.text


def local_path(text: str | os.PathLike[str]) -> Path:
    """Returns a user's path with `~` and `~user` expanded. The name of an unknown user, for which Path.expanduser raises
    RuntimeError, stays part of the file name."""
    return Path(os.path.expanduser(text))  # noqa: PTH111


def parse_uri(text: str) -> StorageUri:
    """Parses a path or URI. Raises UsageError, whose hint contains the correct form."""
    if not text.strip():
        raise UsageError("The path is empty.", hint=_FORMS)
    if "\0" in text:
        raise UsageError(f"{text!r} is not a path: it contains a NUL character.")
    if match := _SCHEME.match(text):
        return _parse_with_scheme(text, match.group(1).lower(), text[match.end() :])
    if _WINDOWS.match(text) and os.name != "nt":
        raise UsageError(f"{text!r} is a Windows path, but this is not Windows.", hint=_FORMS)
    if match := _HALF_SCHEME.match(text):
        scheme = match.group(1).lower()
        raise UsageError(
            f"{text!r} lacks a slash.", hint=f"Write {scheme}://…, or {for_shell(f'./{text}')} for a folder of that name."
        )
    return _local(os.path.expanduser(text))  # noqa: PTH111 - undecodable bytes stay as they are


def place(uri: str) -> str:
    """Returns a folder's absolute path, otherwise the URI, in the form that programs expect and `parse_uri` accepts."""
    parsed = parse_uri(uri)
    return parsed.root if parsed.scheme == "local" else parsed.text


def contains(outer: StorageUri, inner: StorageUri) -> bool:
    """Returns whether `inner` is `outer` or below it. For Drive folders with different ids, only the server can decide this."""
    if outer.scheme != inner.scheme:
        return False
    if outer.scheme == "local":
        return _is_below(outer.root, inner.root)
    return outer.root == inner.root and (not outer.prefix or _is_below(outer.prefix, inner.prefix))


def path_below(outer: StorageUri, inner: StorageUri) -> str:
    """Returns the name of `inner` below `outer`, which contains it; "" if they are the same. The result is plain text without
    percent-encoding."""
    assert contains(outer, inner)
    if outer.scheme == "local":
        return inner.root[len(outer.root) :].strip("/")
    return inner.prefix[len(outer.prefix) :].strip("/")


def _is_below(outer: str, inner: str) -> bool:
    return inner == outer or inner.startswith(outer.rstrip("/") + "/")


def _parse_with_scheme(text: str, scheme: str, rest: str) -> StorageUri:
    if scheme == "file":
        return _file(text, rest)
    if scheme == "gs":
        return _gs(text, rest)
    if scheme == "gdrive":
        folder_id, _, path = rest.partition("/")
        if not _DRIVE_ID.fullmatch(folder_id):
            raise UsageError(
                f"{text!r} has no folder id.",
                hint="Write gdrive://FOLDER_ID, the end of the folder's address in the browser.",
            )
        return StorageUri(scheme="gdrive", root=folder_id, prefix=_prefix(text, path, "path"))
    if scheme == "memory":
        name = rest.strip("/")
        if not name or "/" in name:
            raise UsageError(f"{text!r} is not a memory storage.", hint="Write memory://NAME.")
        return StorageUri(scheme="memory", root=name)
    if match := _DRIVE_LINK.match(text):
        raise UsageError(f"{text!r} is a web address.", hint=f"Write gdrive://{match.group(1)}")
    if match := _GCS_LINK.match(text):
        place = unquote(match.group(1).removeprefix("_details/").rstrip("/"))
        raise UsageError(f"{text!r} is a web address.", hint=f"Write {for_shell(f'gs://{place}')}")
    raise UsageError(f"{scheme}:// is not supported.", hint=_FORMS)


def _file(text: str, rest: str) -> StorageUri:
    host, slash, path = rest.partition("/")
    if host not in ("", "localhost") or not slash:
        raise UsageError(f"{text!r} is not a file URI of this machine.", hint="Write three slashes, as in file:///data/in")
    try:
        raw = unquote_to_bytes(os.fsencode("/" + path))
    except UnicodeEncodeError as error:
        raise UsageError(f"{text!r} is not a usable path: {error}.") from error
    if b"\0" in raw:
        raise UsageError(f"{text!r} is not a path: it contains a NUL character.")
    return _local(os.fsdecode(raw))


def _local(path: str) -> StorageUri:
    try:
        return StorageUri(scheme="local", root=os.path.realpath(path))
    except (OSError, ValueError) as error:  # ValueError: characters that no file system allows
        raise UsageError(f"{path!r} is not a usable path: {error}.") from error


def _gs(text: str, rest: str) -> StorageUri:
    bucket, _, prefix = rest.partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise UsageError(f"{text!r}: {bucket!r} is not a bucket name.", hint="Write gs://bucket/prefix")
    return StorageUri(scheme="gs", root=bucket, prefix=_prefix(text, prefix, "prefix"))


def _prefix(text: str, prefix: str, called: str) -> str:
    prefix = prefix.strip("/")
    if prefix and any(part in ("", ".", "..") for part in prefix.split("/")):
        raise UsageError(f"{text!r}: the {called} must not have empty parts, '.' or '..'.")
    return prefix
