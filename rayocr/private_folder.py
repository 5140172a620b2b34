"""A folder of this user on this machine, which no other user can read or prepare: leases, tokens, Ray's temporary files.

`$XDG_RUNTIME_DIR/rayocr`, else `~/.cache/rayocr`, else `rayocr-<uid>` in the temporary folder. Its mode is 0700; a symbolic link
or another user's folder in its place is refused.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from rayocr.errors import UsageError


def private_folder(*parts: str) -> Path:
    """The folder, or one below it; created where it is missing. Raises UsageError when there is no place for it."""
    folder = _root()
    for part in parts:
        folder = folder / part
        folder.mkdir(mode=0o700, exist_ok=True)
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
    raise UsageError(f"There is no folder for private files ({tried}). Set XDG_RUNTIME_DIR to a folder of your own.")


def private_opener(path: str, flags: int) -> int:
    """For `open(…, opener=private_opener)`: a new file is for this user alone."""
    return os.open(path, flags, 0o600)


def make_private(folder: Path) -> None:
    """Create the folder, for this user alone; one that is there and ours is closed to others. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(OSError):  # a file system without modes, or another user's folder that we may write to
        if stat.S_IMODE(folder.stat().st_mode) & 0o077:
            folder.chmod(0o700)


def _candidates() -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = []
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and Path(runtime).is_absolute() and Path(runtime).is_dir():
        found.append((Path(runtime), "rayocr"))
    with contextlib.suppress(RuntimeError):  # no HOME, and no user of this number
        home = Path.home()
        if home != Path("/") and home.is_dir():
            found.append((home / ".cache", "rayocr"))
    return [*found, (Path(tempfile.gettempdir()), f"rayocr-{os.getuid()}")]


def _own(folder: Path) -> Path:
    """The folder, once it is certain that it is ours. Raises OSError."""
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
