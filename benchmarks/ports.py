"""Free ports for servers that tests and benchmarks start."""

from __future__ import annotations

import fcntl
import functools
import os
import random
import socket
import tempfile
from pathlib import Path

_BELOW_CLIENTS = range(20_000, 32_000)  # Linux gives outgoing connections ports from 32,768 on, also while a server starts
_given: set[int] = set()


def free_port() -> int:
    """Returns a port that no other call on this machine returns while this process lives. Otherwise, two processes could get the
    same port before either of their servers listens."""
    while True:
        port = random.SystemRandom().choice(_BELOW_CLIENTS)
        if port not in _given and _reserve(port) and _is_free(port):
            _given.add(port)
            return port


def _reserve(port: int) -> bool:
    try:
        fcntl.lockf(_reservations(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


@functools.cache
def _reservations() -> int:
    """Returns a file with a byte for each port, locked by the process that reserved it. The locks end with the process."""
    path = Path(tempfile.gettempdir()) / f"rayocr-ports-{os.getuid()}"
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
