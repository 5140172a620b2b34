"""Free ports for servers that tests and benchmarks start."""

from __future__ import annotations

import random
import socket

_BELOW_CLIENTS = range(20_000, 32_000)  # Linux gives outgoing connections ports from 32,768 on, also while a server starts


def free_port() -> int:
    while True:
        port = random.SystemRandom().choice(_BELOW_CLIENTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
