"""Writes temporary files of a local storage, which are complete, synced, and named after their process, so that files of dead
processes can be swept.

All of them are in one folder below the root (`.rayocr/tmp/`), normally on the file system of their target, beside the lock file
that makes checks-then-renames safe between the processes of one machine.
"""

# Paths are strings throughout: names may hold undecodable bytes, and pathlib doubles the cost of a small write
# ruff: noqa: PTH106, PTH108, PTH116, PTH208

from __future__ import annotations

import contextlib
import errno
import fcntl
import io
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

from rayocr.process import ProcessIdentity, current_process
from rayocr.storage.uri import local_path

_LOCK = "write.lock"
_BLOCK = 1 << 20
_FOREIGN_S = 24 * 3600  # age at which files of other hosts are swept, since this host cannot check whether their process is alive
_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
_NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}


class TempFolder:
    """Manages the folder for temporary files. Calls raise OSError, which the storage translates. `make_folder` creates the folder
    durably."""

    def __init__(self, path: str, *, fsync: bool, make_folder: Callable[[str], None]) -> None:
        self._path = path
        self._fsync = fsync
        self._make_folder = make_folder
        self._mutex = threading.Lock()

    def write(self, data: bytes | BinaryIO, *, mode: int = 0o666) -> str:
        """Writes the data to a new temporary file, durably, and returns its path. `mode`: the mode of the file before the umask
        applies."""
        me = current_process()
        temp = f"{self._path}/{me.host}.{me.pid}.{me.started}.{secrets.token_hex(6)}"
        fd = self._open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            with open(fd, "wb", buffering=0) as file:
                _copy(data, file)
                stamp(fd, time.time_ns())
                if self._fsync:
                    os.fsync(fd)
        except BaseException:
            unlink_quietly(temp)
            raise
        return temp

    def move_beside(self, temp: str, folder: str, prefix: str) -> str:
        """Moves the file to `folder`, which is on another file system. Removes the old file in any case."""
        beside = f"{folder}/{prefix}{os.path.basename(temp)}"
        try:
            with open(temp, "rb") as source, open(beside, "xb", buffering=0) as target:
                _copy(source, target)
                stamp(target.fileno(), os.fstat(source.fileno()).st_mtime_ns)
                if self._fsync:
                    os.fsync(target.fileno())
        except BaseException:
            unlink_quietly(beside)
            raise
        finally:
            unlink_quietly(temp)
        return beside

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Excludes the other threads and the other processes of this machine that write below the same root."""
        with self._mutex:
            fd = self._open(f"{self._path}/{_LOCK}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                try:
                    fcntl.flock(fd, fcntl.LOCK_EX)
                except OSError as error:
                    if error.errno not in _NO_LOCKS:  # on a mount without locks, this excludes only this process's threads
                        raise
                yield
            finally:
                os.close(fd)

    def sweep(self) -> int:
        swept = 0
        try:
            files = os.listdir(self._path)
        except FileNotFoundError:
            return 0
        for file in files:
            if file != _LOCK and self._is_orphan(file):
                unlink_quietly(f"{self._path}/{file}")
                swept += 1
        return swept

    def _open(self, path: str, flags: int, mode: int) -> int:
        try:
            return os.open(path, flags, mode)
        except FileNotFoundError:
            self._make_folder(self._path)
            return os.open(path, flags, mode)

    def _is_orphan(self, file: str) -> bool:
        host, pid, started, *_ = [*file.split("."), "", "", ""]
        if pid.isascii() and pid.isdigit() and host == current_process().host:
            return ProcessIdentity(host=host, pid=int(pid), started=started).is_dead()
        try:
            return time.time() - os.stat(f"{self._path}/{file}").st_mtime > _FOREIGN_S
        except OSError:
            return False


def remove_empty_state(root: str) -> None:
    """Removes the folders of the state below the root, which a check of the destination created, if they are empty."""
    for folder, _, _ in os.walk(f"{root}/.rayocr", topdown=False):
        try:
            os.rmdir(folder)
        except OSError:
            pass


def missing_folders(place: str) -> list[str]:
    """Returns the folders that a run on this place will create, the deepest first. None for a bucket."""
    if "://" in place:
        return []
    folder = local_path(place).absolute()
    return [str(path) for path in (folder, *folder.parents) if not os.path.lexists(path)]


def remove_if_empty(folders: Iterable[str]) -> None:
    for folder in folders:
        with contextlib.suppress(OSError):
            os.rmdir(folder)


def stamp(file: int | str, at_ns: int) -> None:
    """Sets the file time explicitly. The kernel's clock ticks every few milliseconds, so two writes of the same size could
    otherwise get the same version."""
    try:
        os.utime(file, ns=(at_ns, at_ns))
    except OSError:
        pass  # the mount sets its own times


def fsync_folder(folder: str) -> None:
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return  # the folder was removed with its content
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(fd)


def unlink_quietly(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass


def _copy(data: bytes | BinaryIO, file: io.FileIO) -> None:
    if isinstance(data, bytes | bytearray | memoryview):
        _write_all(file, memoryview(data))
        return
    while block := data.read(_BLOCK):
        _write_all(file, memoryview(block))


def _write_all(file: io.FileIO, view: memoryview) -> None:
    while view.nbytes:  # an unbuffered write may be partial
        view = view[file.write(view) :]
