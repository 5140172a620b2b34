"""Identifies a process on a machine: temporary files and file leases carry it, so that those of dead processes are recognized.

A process id alone is not enough (ids are used again after a while, and containers that share a folder have their own), so an
identity is host, process id and start time. Owns nothing; called by storage and locks.
"""

from __future__ import annotations

import functools
import hashlib
import os
import socket
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessIdentity:
    """`started` is the start time in clock ticks since boot, or "" where it cannot be known (no /proc)."""

    host: str
    pid: int
    started: str

    def is_dead(self) -> bool:
        """True only when that is certain: on this host, and gone or replaced by another process."""
        if self.host != host_identity() or self == current_process():
            return False
        state, started = _state_and_start(self.pid)
        if state is None:
            return not _exists(self.pid)
        return state in "ZX" or bool(self.started and started != self.started)


def current_process() -> ProcessIdentity:
    return _identity(os.getpid())


@functools.cache
def host_identity() -> str:
    """This machine since it was booted, or this container: `name-8 hex`.

    Hosts may share a name (localhost), so the boot id and the pid namespace belong to it. When in doubt two identities differ:
    then nobody is taken for dead, and a time limit decides.
    """
    name = socket.gethostname()
    parts = [name]
    try:
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    except OSError:
        pass  # no /proc (macOS): the name alone
    readable = "".join(c if c.isalnum() else "_" for c in name)[:40]
    return f"{readable}-{hashlib.sha256(' '.join(parts).encode('utf-8', 'replace')).hexdigest()[:8]}"


@functools.lru_cache(maxsize=4)  # by pid: a forked child must not take its parent's identity
def _identity(pid: int) -> ProcessIdentity:
    return ProcessIdentity(host=host_identity(), pid=pid, started=_state_and_start(pid)[1])


def _state_and_start(pid: int) -> tuple[str | None, str]:
    """Fields 3 and 22 of /proc/<pid>/stat; (None, "") when there is no such file."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None, ""
    fields = text.rpartition(")")[2].split()  # the command name before it may hold blanks and brackets
    return (fields[0], fields[19]) if len(fields) > 19 else (None, "")


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # it exists and belongs to another user
    return True
