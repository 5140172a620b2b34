"""Decides which Ray cluster to attach to, and explains failures to attach."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rayocr.errors import ClusterUnavailable, RayocrError
from rayocr.masking import masked

_ANSWER_S = 10.0  # timeout for the port of a configured cluster
_FOUND_ANSWER_S = 3.0  # timeout for the port of a discovered cluster
_LISTENS = "0A"  # state of a listening socket in /proc/net/tcp
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Found:
    address: str
    why: str


def find_address(cluster: str) -> Found | None:
    """Returns the cluster to attach to; None: start a local Ray."""
    if cluster == "local":
        return None
    if cluster != "auto":
        return Found(cluster, "cluster=")
    if address := os.environ.get("RAY_ADDRESS"):
        return None if address == "local" else Found(address, "RAY_ADDRESS")
    address = _started_here()
    return Found(address, "started with ray start on this machine") if address else None


def knock(address: str) -> None:
    """Connects to the port. Raises OSError immediately if nothing listens."""
    if place := _host_and_port(address):
        socket.create_connection(place, timeout=_ANSWER_S).close()


def explained(error: Exception, address: str | None, *, logs: str = "") -> RayocrError:
    """Returns the error with the next step as a hint."""
    first = masked(str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__).rstrip(".")
    if address is None:
        return ClusterUnavailable(f"Cannot start Ray on this machine: {first}.", hint=f"Ray's logs are in {logs}.")
    if isinstance(error, ConnectionRefusedError):
        first = "nothing listens there"
    elif isinstance(error, TimeoutError):
        first = "no answer"
    elif isinstance(error, socket.gaierror):
        first = "the host name cannot be resolved"
    hint = "Start the cluster, correct cluster= or RAY_ADDRESS, or set cluster=local to start Ray on this machine."
    if type(error).__name__ == "AuthenticationError":
        hint = "The cluster requires a token: set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH."
    return ClusterUnavailable(f"Cannot connect to the Ray cluster at {address}: {first}.", hint=hint)


def _started_here() -> str | None:
    """Returns the address that this user's `ray start` wrote, if the cluster answers. Does not trust another user's file or
    process, since a process at the address receives API keys."""
    for folder in _ray_folders():
        file = folder / "ray" / "ray_current_cluster"
        with contextlib.suppress(OSError, ValueError):
            found = file.lstat()
            if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
                continue
            address = file.read_text(encoding="ascii").strip()
            if len(address) < 300 and _is_ours(address):
                return address
    return None


def _ray_folders() -> Iterator[Path]:
    seen = set()
    for name in (os.environ.get("RAY_TMPDIR"), os.environ.get("TMPDIR"), "/tmp"):  # noqa: S108 - where Ray puts it
        if name and name not in seen:
            seen.add(name)
            yield Path(name)


def _is_ours(address: str) -> bool:
    place = _host_and_port(address)
    if place is None:
        return False
    with contextlib.suppress(OSError):
        with socket.create_connection(place, timeout=_FOUND_ANSWER_S) as connection:
            local = connection.getsockname()[0] == connection.getpeername()[0] or place[0] in _LOOPBACK
        owners = _owners_of_port(place[1])
        return not local or not owners or owners == {os.geteuid()}
    return False


def _owners_of_port(port: int) -> set[int]:
    """Returns the user ids of this machine's processes that listen on the port; empty if the system does not provide them."""
    owners = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENS and int(fields[1].rpartition(":")[2], 16) == port:
                    owners.add(int(fields[7]))
    return owners


def _host_and_port(address: str) -> tuple[str, int] | None:
    host, separator, port = address.removeprefix("ray://").rpartition(":")
    if not separator or not port.isdecimal() or not 0 < int(port) < 65_536:
        return None
    return host.strip("[]"), int(port)
