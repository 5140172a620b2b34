"""Translates errors of the operating system from errno to the classes of rayocr.errors."""

from __future__ import annotations

import errno
import os

from rayocr.errors import ObjectNotFound, StorageDenied, StorageError, StorageFull, StorageUnavailable, UnsafeName

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ETXTBSY}
_UNSAFE = {errno.EILSEQ, errno.EINVAL}


def storage_error(error: OSError, path: str, *, writing: bool = False) -> StorageError:
    """Returns an error whose message is one sentence with the path. Its class decides how callers react."""
    shown, why = printable(path), error.strerror or str(error)
    code = error.errno
    if code in _FULL:
        return StorageFull(f"No space to write {shown}: {why}{_disk(path)}.")
    if code == errno.EACCES:
        return StorageDenied(f"No permission to {'write' if writing else 'read'} {shown}.")
    if code in _DENIED:
        return StorageDenied(f"No permission to {'write' if writing else 'read'} {shown}: {why}.")
    if code == errno.ENAMETOOLONG:
        return UnsafeName(f"The name is too long for this file system: {shown}")
    if code in (errno.ENOTDIR, errno.EEXIST) and writing:
        return StorageDenied(f"{_blocking_file(error, path)} is a file, but a folder is needed to write {shown}.")
    if code == errno.EISDIR and writing:
        hint = "Move or delete the folder. Then start the same command again."
        return StorageDenied(f"{shown} is a folder, so a file of that name cannot be written.", hint=hint)
    if code in (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENXIO) and not writing:
        return ObjectNotFound(f"There is no file {shown}.")
    if code == errno.ELOOP:
        return (StorageDenied if writing else ObjectNotFound)(f"The symbolic links of {shown} form a loop.")
    if code in _UNSAFE:
        return UnsafeName(f"This file system does not allow the name {shown}: {why}.")
    return StorageUnavailable(f"Cannot {'write to' if writing else 'read'} {shown}: {why}.")


def printable(path: str) -> str:
    """Returns the name on one line and in UTF-8, for messages: names may contain newlines and bytes that are not text."""
    if path.isprintable():
        return path
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in path)


def _disk(path: str) -> str:
    """Returns the mount that is full and its free space, since it may not be the one that the user expects."""
    place = os.path.realpath(path)
    try:
        while not os.path.lexists(place):
            place = os.path.dirname(place)
        free = os.statvfs(place)
        while not os.path.ismount(place):
            place = os.path.dirname(place)
    except OSError:
        return ""
    return f" (disk {printable(place)}: {free.f_bavail * free.f_frsize >> 20:,} MiB free, {free.f_favail:,} files)"


def _blocking_file(error: OSError, path: str) -> str:
    """Returns the nearest existing parent path, which is not a folder."""
    place = error.filename2 or error.filename or path  # for a link or rename, the second path is the target
    place = os.fsdecode(place)
    while place not in ("", "/") and not os.path.lexists(place):
        place = os.path.dirname(place)
    return printable(place)
