"""Lets a local Ray end with its driver, however the driver ends: SIGKILL, a closed terminal, no memory.

On Linux, Ray's servers end with the driver, but its agents can outlive it by a minute and a hanging worker forever, and its
folder stays. On macOS, Ray ends only the driver's process group, to which workers do not belong. A small process therefore waits
for the end of the driver, and ends and removes what remains (guard_process.py).
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

FOLDER_VARIABLE = "RAYOCR_RAY_FOLDER"
_END_S = 10.0

_guard: subprocess.Popen[bytes] | None = None


def start(folder: Path) -> None:
    """Starts the guard of the Ray in `folder`, and marks the environment of Ray's processes. A Ray without a guard also works."""
    global _guard
    if _guard is None:
        os.environ[FOLDER_VARIABLE] = os.path.join(folder, "")
        with contextlib.suppress(OSError):
            _guard = _start([folder], subprocess.PIPE)


def dismiss() -> None:
    """Ends the guard after Ray has ended. Idempotent."""
    guard = _forget()
    if guard is not None:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            guard.communicate(b".", _END_S)


def release() -> None:
    """Lets the guard end what remains of Ray, as it does when this process ends. Does not wait for it. Idempotent."""
    guard = _forget()
    if guard is not None and guard.stdin is not None:
        guard.stdin.close()


def _forget() -> subprocess.Popen[bytes] | None:
    global _guard
    guard, _guard = _guard, None
    os.environ.pop(FOLDER_VARIABLE, None)
    return guard


def end_remains(folders: Iterable[Path]) -> None:
    """Ends the Rays of dead drivers whose guards were killed too, and removes their folders. Blocks for a fraction of a second,
    or for a few seconds if such processes exist."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        _start(folders, subprocess.DEVNULL).wait(_END_S)


def _start(folders: Iterable[Path], stdin: int) -> subprocess.Popen[bytes]:
    """Starts the process in its own session, so that no signal of the terminal reaches it. It does not import site packages."""
    environment = {name: value for name, value in os.environ.items() if name != FOLDER_VARIABLE}
    program = Path(__file__).with_name("guard_process.py")
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(program), _folder_of_psutil(), *map(str, folders)],
        stdin=stdin,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=environment,
        start_new_session=True,
    )


def _folder_of_psutil() -> str:
    """Returns the folder that contains psutil, which Ray brings along. Does not import Ray."""
    for name, inside in (("psutil", ""), ("ray", "thirdparty_files")):
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            parent = Path(spec.origin).parent
            return str(parent / inside if inside else parent.parent)
    return ""
