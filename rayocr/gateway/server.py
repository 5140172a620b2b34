"""The HTTP face's server: uvicorn on a thread of its own. The run goes on whether or not it can start, and without it."""

from __future__ import annotations

import asyncio
import errno
import socket
import threading
from typing import TYPE_CHECKING, Any

from rayocr.config import GatewayConfig
from rayocr.errors import UsageError
from rayocr.gateway.push import push_verifier
from rayocr.gateway.run_api import RunApi

if TYPE_CHECKING:
    import uvicorn

_TRIED_PORTS = 20  # from the configured one on: several runs share a machine
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_ANY = "0.0.0.0"  # noqa: S104 - what users give, and where a token is asked for
_CLOSE_S = 3.0


def check_gateway(config: GatewayConfig, token: str | None) -> None:
    """Raises UsageError: an address that others can reach needs a token."""
    if config.enabled and config.host not in _LOOPBACK and not token:
        raise UsageError(
            f"gateway.host={config.host} can be reached by others: set RAYOCR_API_TOKEN in the environment,"
            " or leave gateway.host= out."
        )


class GatewayServer:
    def __init__(self, face: RunApi, config: GatewayConfig, *, token: str | None) -> None:
        self.face = face
        self._config = config
        self._token = token
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._closing = False

    def start(self) -> str:
        """The page's address. Raises OSError when no port is free."""
        listening = _bound(self._config.host, self._config.port)
        port = listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, args=(listening,), name="gateway", daemon=True)
        self._thread.start()
        shown = "127.0.0.1" if self._config.host in (_ANY, *_LOOPBACK) else self._config.host
        return f"http://{shown}:{port}"

    def close(self) -> None:
        """Idempotent."""
        self._closing = True
        if self._server is not None:
            self._server.should_exit = self._server.force_exit = True
        if self._thread is not None:
            self._thread.join(_CLOSE_S)

    def _serve(self, listening: socket.socket) -> None:
        import uvicorn  # here: half a second of imports, beside the start of Ray

        from rayocr.gateway.app import create_app

        app = create_app(self.face, token=self._token, verify_push=push_verifier(self._config))
        settings = uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="off", loop="asyncio", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(settings)
        with listening:
            if not self._closing:
                asyncio.run(self._server.serve(sockets=[listening]))


def _bound(host: str, port: int) -> socket.socket:
    last: Any = None
    for candidate in range(port, port + _TRIED_PORTS) if port else [0]:
        listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, candidate))
            listening.listen(128)
        except OSError as error:
            listening.close()
            last = error
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return listening
    raise last
