"""Creates the temporary folder of one `rayocr.read`. The caller removes it. If the caller dies first, its child process removes
it. If both die, the next process that reads a document removes it. A lock on the folder shows whether its process is alive, since
the kernel releases it when the process ends for any reason. No signal handler is installed, since those belong to the caller's
program.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

_PREFIX = "rayocr-read-"
_MAX_ATTEMPTS = 100  # to remove a folder: a file that is written between two steps of an attempt makes it fail

_swept: set[str] = set()  # locations whose temporary folders this process has swept


@contextlib.contextmanager
def read_folder() -> Iterator[Path]:
    """Yields a private folder that exists within the `with` block. Removes the folders of dead processes of this user first, once
    per process."""
    _remove_leftovers(tempfile.gettempdir())
    folder, lock = _locked_folder()
    try:
        yield folder
    finally:
        remove(folder)
        os.close(lock)


def remove(folder: Path) -> None:
    """Removes the folder, even while another process or thread still writes to it."""
    for _ in range(_MAX_ATTEMPTS):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return


def exit_and_remove(folder: Path) -> NoReturn:
    """Ends this process with exit code 130. Threads of this process could make the folder again until then, so a fork, which has
    none of them, removes it afterwards."""
    ending = os.getpid()
    if os.fork() != 0:
        os._exit(130)
    while os.getppid() == ending:
        time.sleep(0.01)
    remove(folder)
    os._exit(0)


def _locked_folder() -> tuple[Path, int]:
    """Creates and locks a folder. Tries again when another process removes the new folder as a leftover before it is locked."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        with contextlib.suppress(FileNotFoundError):
            lock = _opened(folder)
            try:
                mine = _is_locked(lock)
            except OSError:  # on a file system without locks, no process removes the folder as a leftover either
                mine = True
            if mine and folder.exists():
                return folder, lock
            os.close(lock)


def _remove_leftovers(place: str) -> None:
    if place in _swept:
        return
    _swept.add(place)
    with contextlib.suppress(OSError), os.scandir(place) as entries:
        for entry in entries:
            if entry.name.startswith(_PREFIX):
                _remove_if_left(Path(entry.path))


def _remove_if_left(folder: Path) -> None:
    with contextlib.suppress(OSError):  # a symbolic link, a file, or removed by another process
        lock = _opened(folder)
        try:
            if os.fstat(lock).st_uid == os.geteuid() and _is_locked(lock):
                remove(folder)
        finally:
            os.close(lock)


def _opened(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)


def _is_locked(descriptor: int) -> bool:
    """Locks the folder; returns False if another process has locked it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
