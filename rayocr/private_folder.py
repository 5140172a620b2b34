"""Provides a private folder for leases, tokens and Ray's temporary files, which other users cannot read or create in advance. The
folder is `$XDG_RUNTIME_DIR/rayocr`, otherwise `~/.cache/rayocr`, otherwise `rayocr-<uid>` in the temporary folder. Its mode is
0700. A symbolic link or another user's folder in its place is rejected.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from rayocr.errors import UsageError


def private_folder(*parts: str) -> Path:
    """Returns the folder or a subfolder, and creates it if it is missing. Raises UsageError if no location is usable."""
    folder = _root()
    for part in parts:
        folder = folder / part
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def private_temp_folder(*parts: str) -> Path:
    """Does the same as `private_folder`, but in the temporary folder, for large files. Raises UsageError."""
    folder = Path(tempfile.gettempdir()) / f"rayocr-{os.getuid()}"
    try:
        _own(folder)
        for part in parts:
            folder = folder / part
            folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"Cannot use {folder}: {error.strerror or error}.", hint="Set TMPDIR to a folder of your own."
        ) from error
    return folder


def _root() -> Path:
    problems: list[str] = []
    for base, name in _candidates():
        try:
            base.mkdir(parents=True, exist_ok=True, mode=0o700)
            return _own(base / name)
        except OSError as error:
            problems.append(f"{base / name}: {error.strerror or error}")
    tried = "; ".join(problems)
    raise UsageError(f"No folder is usable for private files ({tried}).", hint="Set XDG_RUNTIME_DIR to a folder of your own.")


def private_opener(path: str, flags: int) -> int:
    """Opens a file that only this user can read if it is new: `open(…, opener=private_opener)`."""
    return os.open(path, flags, 0o600)


def make_private(folder: Path) -> None:
    """Creates the folder for this user only. An existing folder of this user is closed to others. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(OSError):  # this is a file system without modes, or a writable folder of another user
        if stat.S_IMODE(folder.stat().st_mode) & 0o077:
            folder.chmod(0o700)


def _candidates() -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = []
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and Path(runtime).is_absolute() and Path(runtime).is_dir():
        found.append((Path(runtime), "rayocr"))
    with contextlib.suppress(RuntimeError):  # HOME is not set, and no user has this id
        home = Path.home()
        if home != Path("/") and home.is_dir():
            found.append((home / ".cache", "rayocr"))
    return [*found, (Path(tempfile.gettempdir()), f"rayocr-{os.getuid()}")]


def _own(folder: Path) -> Path:
    """Returns the folder after checking that it belongs to this user. Raises OSError."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        pass
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise PermissionError(0, "is a symbolic link or a file")
    if found.st_uid != os.geteuid():
        raise PermissionError(0, "belongs to another user")
    if stat.S_IMODE(found.st_mode) & 0o077:
        folder.chmod(0o700)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(0, "cannot be written")
    return folder
