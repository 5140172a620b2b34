"""Ends what remains of local Rays whose drivers have ended: `python guard_process.py PSUTIL_FOLDER FOLDER…`.

A driver starts this process with a pipe as standard input. The driver's end of the pipe closes when the driver ends, for any
reason. Until then this process only waits, so it imports as little as possible. A byte in the pipe means that the driver has
ended its Ray itself. A process belongs to a Ray if its environment names the Ray's folder, if its output goes to a file in that
folder, or if it has a file there open for writing. The name of a folder is unique, so no other process qualifies.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from typing import Any

_ALONE_S = 3.0  # Ray's processes usually end by themselves within this time, and then also remove their semaphores
_AT_MOST_S = 60.0
_POLL_S = 0.2


def main(psutil_folder: str, *folders: str) -> None:
    if os.read(0, 1):
        return
    sys.path.append(psutil_folder)
    started = time.monotonic()
    none_found = 0
    while none_found < 2 and time.monotonic() - started < _AT_MOST_S:
        remaining = processes_of(folders)
        none_found = 0 if remaining else none_found + 1
        if time.monotonic() - started >= _ALONE_S:
            for process in remaining:
                end(process)
        time.sleep(_POLL_S)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def processes_of(folders: tuple[str, ...]) -> list[Any]:
    """Returns the processes of the Rays with these folders, except this one."""
    import psutil

    inside = tuple(os.path.join(folder, "") for folder in folders)
    return [process for process in psutil.process_iter() if process.pid != os.getpid() and _belongs(process, inside)]


def _belongs(process: Any, inside: tuple[str, ...]) -> bool:
    import psutil

    try:
        if process.uids().effective != os.geteuid() or process.status() == psutil.STATUS_ZOMBIE:
            return False
        environment = process.environ()
        if environment.get("RAYOCR_RAY_FOLDER", "").startswith(inside):
            return True
        # A process that has changed its title has no environment.
        return any(
            file.path.startswith(inside) and (file.fd in (1, 2) or getattr(file, "mode", "r") != "r")
            for file in process.open_files()
        )
    except (psutil.Error, OSError):  # the process has ended
        return False


def end(process: Any) -> None:
    """Ends the process, and no other process that has received its id meanwhile."""
    import psutil

    try:
        if not hasattr(os, "pidfd_open"):
            process.kill()  # compares start times
            return
        handle = os.pidfd_open(process.pid)
        try:
            if process.is_running():  # the handle is not that of a later process
                signal.pidfd_send_signal(handle, signal.SIGKILL)
        finally:
            os.close(handle)
    except (psutil.Error, OSError):
        pass


if __name__ == "__main__":
    main(*sys.argv[1:])
