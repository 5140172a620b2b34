"""Identifies a process on a machine. Temporary files and file leases contain the identity, so that those of dead processes can be
detected.

A process id alone is not enough (ids are reused, and containers that share a folder have separate ids), so an identity consists
of host, process id and start time. The module has no state; storage and locks use it.
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
    """The identity of a process. `started` is the start time in clock ticks since boot, or "" if unknown (no /proc)."""

    host: str
    pid: int
    started: str

    def is_dead(self) -> bool:
        """Returns True only if the process is certainly dead: it was on this host, and it has ended or its id belongs to another
        process."""
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
    """Identifies this machine since its last boot, or this container: `name-8 hex`.

    Hosts may share a name (localhost), so the boot id and the pid namespace are included. If in doubt, two identities differ; no
    process is then considered dead, and a time limit decides.
    """
    name = socket.gethostname()
    parts = [name]
    try:
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    except OSError:
        pass  # no /proc (macOS): uses only the name
    readable = "".join(c if c.isalnum() else "_" for c in name)[:40]
    return f"{readable}-{hashlib.sha256(' '.join(parts).encode('utf-8', 'replace')).hexdigest()[:8]}"


@functools.lru_cache(maxsize=4)  # one entry per pid, since a forked child must not use its parent's identity
def _identity(pid: int) -> ProcessIdentity:
    return ProcessIdentity(host=host_identity(), pid=pid, started=_state_and_start(pid)[1])


def _state_and_start(pid: int) -> tuple[str | None, str]:
    """Returns fields 3 and 22 of /proc/<pid>/stat; (None, "") if there is no such file."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None, ""
    fields = text.rpartition(")")[2].split()  # the preceding command name may contain spaces and brackets
    return (fields[0], fields[19]) if len(fields) > 19 else (None, "")


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):  # a damaged record can hold any number
        return False
    except OSError:
        return True  # the process exists and belongs to another user
    return True
