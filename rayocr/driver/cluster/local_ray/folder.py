"""Prepares a local Ray: a private folder, a separate token, and its turn among starting runs. Ray's folder contains its sockets,
logs, code and spilled objects. By default it is /tmp/ray, which all users share. Ray makes its folder writable for every user, so
rayocr puts it inside a folder that only this user can enter.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rayocr.driver.cluster.local_ray import guard
from rayocr.errors import ClusterUnavailable, UsageError
from rayocr.private_folder import private_folder
from rayocr.process import ProcessIdentity, current_process, host_identity

_PREFIX = "rayocr-"
# A socket's path may have 107 bytes, and Ray appends /session_2026-11-26_20-25-55_123456_1234567/sockets/plasma_store.
_INSIDE = "r"
_MAX_FOLDER_BYTES = 107 - 67 - len(f"/{_INSIDE}")
_MIN_FREE_BYTES = 256 << 20

_folder: Path | None = None
_waiting = False


def prepare() -> None:
    """Sets Ray's folder and its token. Call it before Ray is imported. Raises ClusterUnavailable with the cause."""
    global _folder
    if _folder is not None:
        return
    _sweep()
    _folder = _new_folder()
    free = shutil.disk_usage(_folder).free
    if free < _MIN_FREE_BYTES:
        folder, _folder = _folder, None
        shutil.rmtree(folder, ignore_errors=True)
        raise ClusterUnavailable(
            f"Cannot start Ray: {folder.parent} has only {free >> 20} MiB of free space.",
            hint="Free some space there, or set TMPDIR to a folder on another disk.",
        )
    if not os.environ.keys() & {"RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"}:
        token = _folder / "token"
        with open(os.open(token, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ["RAY_AUTH_TOKEN_PATH"] = str(token)


def use_token() -> None:
    """Sets the token even if Ray was imported, and its settings read, before `prepare`."""
    if os.environ.get("RAY_AUTH_MODE") == "token":
        with contextlib.suppress(ImportError, AttributeError):  # this is not a public API
            from ray import _raylet

            raylet: Any = _raylet
            raylet.Config.initialize("")
            raylet.AuthenticationTokenLoader.instance().reset_cache()


def temp_dir() -> str:
    """Returns the folder for Ray, which creates it."""
    assert _folder is not None
    return str(_folder / _INSIDE)


def keep() -> None:
    """Lets a guard end Ray and remove the folder when this process ends without `clean_up`."""
    if _folder is not None:
        guard.start(_folder)


def clean_up() -> None:
    """Removes the folder, after Ray has ended. Idempotent. If a process of Ray still writes to the folder, the guard ends it and
    removes the folder; the file `owner` remains until then, so that otherwise the next start does."""
    global _folder
    if _folder is None:
        return
    if os.environ.get("RAY_AUTH_TOKEN_PATH") == str(_folder / "token"):
        del os.environ["RAY_AUTH_TOKEN_PATH"], os.environ["RAY_AUTH_MODE"]
    shutil.rmtree(_folder / _INSIDE, ignore_errors=True)
    if (_folder / _INSIDE).exists():
        guard.release()
    else:
        shutil.rmtree(_folder, ignore_errors=True)
        guard.dismiss()
    _folder = None


@contextlib.contextmanager
def turn() -> Iterator[None]:
    """Lets only one run of this user start its Ray at a time, since ten at once would compete for ports and exceed Ray's own
    deadline. `waits_for_its_turn` is called while others have not finished."""
    global _waiting
    try:
        fd = os.open(private_folder() / "ray-start.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except (OSError, UsageError):
        yield
        return
    try:
        _waiting = True
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
        finally:
            _waiting = False
        yield
    finally:
        os.close(fd)


def waits_for_its_turn() -> bool:
    return _waiting


def _new_folder() -> Path:
    me = current_process()
    problems = []
    for base in dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp")):  # noqa: S108 - mkdtemp creates a private folder
        try:
            folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{me.pid}-", dir=base))
        except OSError as error:
            problems.append(f"{base}: {error.strerror}")
            continue
        if len(os.fsencode(folder)) <= _MAX_FOLDER_BYTES:
            (folder / "owner").write_text(f"{me.host} {me.pid} {me.started}")
            return folder
        folder.rmdir()
        problems.append(f"{base}: the path is too long for Ray's sockets ({_MAX_FOLDER_BYTES - 24} bytes at most)")
    raise ClusterUnavailable(
        f"Cannot start Ray: no usable folder for its files ({'; '.join(problems)}).", hint="Set TMPDIR to a short path."
    )


def _sweep() -> None:
    """Ends the Rays that killed runs of this user left behind, and removes their folders."""
    folders = list(_folders_of_dead_runs())
    if folders:
        guard.end_remains(folders)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _folders_of_dead_runs() -> Iterator[Path]:
    for base in {tempfile.gettempdir(), "/tmp", "/var/tmp"}:  # noqa: S108
        with contextlib.suppress(OSError):
            for folder in Path(base).glob(f"{_PREFIX}*-*"):
                with contextlib.suppress(OSError, ValueError):
                    if folder.lstat().st_uid != os.geteuid():
                        continue
                    host, pid, *started = (folder / "owner").read_text().split(" ")
                    if host == host_identity() and ProcessIdentity(host=host, pid=int(pid), started="".join(started)).is_dead():
                        yield folder
