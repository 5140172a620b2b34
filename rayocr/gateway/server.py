"""Serves the HTTP API with uvicorn on a separate thread, with limited connections."""

from __future__ import annotations

import asyncio
import errno
import socket
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from rayocr.config import GatewayConfig
from rayocr.errors import UsageError
from rayocr.gateway.push import push_verifier
from rayocr.gateway.run_api import RunApi

if TYPE_CHECKING:
    import uvicorn

_TRIED_PORTS = 20  # number of ports to try, from the configured one on, since several runs can share a machine
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_ANY = "0.0.0.0"  # noqa: S104 - what users give, and where a token is asked for
_BACKLOG = 128
_CLOSE_S = 3.0


def check_gateway(config: GatewayConfig, token: str | None) -> None:
    """Raises UsageError if other machines can reach the address and the user has not set a token."""
    if not config.enabled:
        return
    if config.host not in _LOOPBACK and not token:
        raise UsageError(
            f"gateway.host={config.host} can be reached by others.",
            hint="Set RAYOCR_API_TOKEN in the environment, or leave gateway.host= out.",
        )
    if config.push_audience is not None and not config.push_account:
        raise UsageError(
            "gateway.push_audience= needs gateway.push_account=: any Google account can make tokens for an audience.",
            hint="Name the service account of the push subscription.",
        )


def listen(config: GatewayConfig) -> socket.socket:
    """Listens on the first free port. Raises OSError if there is none."""
    last: Any = None
    for candidate in range(config.port, config.port + _TRIED_PORTS) if config.port else [0]:
        listening = socket.socket(socket.AF_INET6 if ":" in config.host else socket.AF_INET)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((config.host, candidate))
            listening.listen(_BACKLOG)
        except OSError as error:
            listening.close()
            last = error
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return listening
    raise last


def address_of(listening: socket.socket, config: GatewayConfig) -> str:
    """Returns the address of the status page, for a browser on this machine if possible."""
    shown = "127.0.0.1" if config.host in (_ANY, *_LOOPBACK) else config.host
    return f"http://{shown}:{listening.getsockname()[1]}"


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


class StatusPage(NamedTuple):
    """The address of a run's status page and the token that it requires."""

    address: str
    token: str


class GatewayServer:
    """Runs uvicorn. `token`: required for every request except `/health`, `/ready` and the empty page; None only in tests."""

    def __init__(self, api: RunApi, config: GatewayConfig, *, token: str | None) -> None:
        self.api = api
        self._config = config
        self._token = token
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._closing = False

    def start(self, listening: socket.socket | None = None) -> str:
        """Starts the server and returns the address of the status page. Raises OSError if no port is free."""
        listening = listening or listen(self._config)
        address = address_of(listening, self._config)
        self._thread = threading.Thread(target=self._serve, args=(listening,), name="gateway", daemon=True)
        self._thread.start()
        return address

    def close(self) -> None:
        """Stops the server. Idempotent."""
        self._closing = True
        if self._server is not None:
            self._server.should_exit = self._server.force_exit = True
        if self._thread is not None:
            self._thread.join(_CLOSE_S)

    def _serve(self, listening: socket.socket) -> None:
        # Imported here, since they take half a second, in parallel with the start of Ray.
        from rayocr.gateway.app import create_app
        from rayocr.gateway.connections import bounded_server

        self._server = bounded_server(create_app(self.api, token=self._token, verify_push=push_verifier(self._config)))
        with listening:
            if not self._closing:
                asyncio.run(self._server.serve(sockets=[listening]))
