"""Starts the dashboard of a local Ray when a person opens it. Its eleven processes take 300 MB, seconds of CPU time at their
start and a fifth of the CPU time of an idle Ray, and most runs are not watched.

Until then, a thread listens on the dashboard's address. It forwards the connections to the dashboard, so the printed address
stays valid. Ray's control store keeps what the dashboard shows, so a dashboard that starts late shows the whole run.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Callable
from typing import Any

log = logging.getLogger(__name__)

_HOST = "127.0.0.1"
_PORT = 8265  # Ray's default
_PORTS = 50
_CHUNK_BYTES = 1 << 16


_start_server: Callable[..., None] | None = None


def defer() -> None:
    """Keeps `ray.init` from starting the dashboard."""
    global _start_server
    from ray._private.node import Node

    if _start_server is None:
        _start_server = Node.start_api_server
        Node.start_api_server = _not_yet


def _not_yet(node: Any, **_: object) -> None:
    node._webui_url = ""


def start() -> str:
    """Starts the dashboard, blocks until it listens, and returns its address (HOST:PORT). Call it on a thread that ends with the
    process, since Linux ends the children of a thread that ends. Raises what Ray raises, also a bare Exception."""
    from ray._private import ray_constants, worker
    from ray.experimental import internal_kv

    assert _start_server is not None
    # Ray waits for this entry.
    internal_kv._internal_kv_del(ray_constants.DASHBOARD_ADDRESS, namespace=ray_constants.KV_NAMESPACE_DASHBOARD)
    node = worker._global_node
    _start_server(node, include_dashboard=True, raise_on_failure=True)
    return str(node.webui_url)


def announce(address: str) -> None:
    """Tells Ray's agents the address (HOST:PORT), which they look for once a second otherwise."""
    from ray._private import ray_constants
    from ray.experimental import internal_kv

    internal_kv._internal_kv_put(
        ray_constants.DASHBOARD_ADDRESS, address, overwrite=True, namespace=ray_constants.KV_NAMESPACE_DASHBOARD
    )


class LazyDashboard:
    """Listens on the dashboard's address. At the first connection it calls `start`, which blocks until the dashboard listens and
    returns the dashboard's own address (HOST:PORT). If `start` fails, the next connection tries again."""

    def __init__(self, start: Callable[[], str]) -> None:
        self._start = start
        self._starting: asyncio.Task[str] | None = None

    def listen(self) -> str:
        """Starts to listen, until the process ends, and returns the address (HOST:PORT). Raises OSError."""
        listening = _free_socket()
        threading.Thread(target=lambda: asyncio.run(self._serve(listening)), name="ray-dashboard", daemon=True).start()
        host, port = listening.getsockname()
        return f"{host}:{port}"

    async def _serve(self, listening: socket.socket) -> None:
        server = await asyncio.start_server(self._connected, sock=listening)
        await server.serve_forever()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            if self._starting is None:
                self._starting = asyncio.create_task(asyncio.to_thread(self._start))
            try:
                host, _, port = (await self._starting).rpartition(":")
                from_dashboard, to_dashboard = await asyncio.open_connection(host, int(port))
            except Exception as error:  # Ray also raises bare exceptions
                self._starting = None
                log.warning("Ray's dashboard did not start: %s", error)
                return
            with contextlib.closing(to_dashboard):
                await asyncio.gather(_forward(reader, to_dashboard), _forward(from_dashboard, writer))


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(_CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:  # one side has closed the connection
        writer.close()


def _free_socket() -> socket.socket:
    """Returns a socket at the first free port from the dashboard's default, or at any port."""
    for port in (*range(_PORT, _PORT + _PORTS), 0):
        try:
            return socket.create_server((_HOST, port))
        except OSError:
            if port == 0:
                raise
    raise AssertionError  # unreachable
