"""Creates the uvicorn server of the HTTP API and of `rayocr view`, and limits the number of connections and the time until a
request arrives. uvicorn itself waits without limit for the first request of a connection, and accepts connections until file
descriptors run out.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_CONNECTIONS = 256
REQUEST_S = 10.0  # seconds from a connection, or from the end of an answer, to the end of the next request


class BoundedProtocol(H11Protocol):
    """Drops the connection that has waited longest without a complete request if there are too many connections. A client that
    opens idle connections loses only its own connections, and `/health` is still answered."""

    max_connections = MAX_CONNECTIONS
    request_s = REQUEST_S
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait_for_request()
        if len(self.connections) > self.max_connections:
            waiting = [c for c in self.connections if isinstance(c, BoundedProtocol) and c._deadline is not None]
            oldest = min(waiting, key=lambda c: c._deadline.when() if c._deadline else 0.0, default=self)
            oldest._drop()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        super().handle_events()
        if self.cycle is not None and not self.cycle.more_body and not self.cycle.response_complete:
            self._stop_waiting()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing():
            self._wait_for_request()

    def _wait_for_request(self) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(self.request_s, self._drop)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _drop(self) -> None:
        self._stop_waiting()
        self.connections.discard(self)
        self.transport.abort()


def bounded_server(app: Any) -> uvicorn.Server:
    """Creates a server for an ASGI application with limited connections."""
    # Malformed requests are not logged, since clients that reach the port could fill the disk or the terminal with them.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    settings = uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        lifespan="off",
        loop="asyncio",
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(settings)
