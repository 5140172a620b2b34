"""A token endpoint: issues numbered tokens for a signed assertion or a refresh token, and rejects requests on demand."""

from __future__ import annotations

import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GRANTS = ("urn:ietf:params:oauth:grant-type:jwt-bearer", "refresh_token", "authorization_code")


class TokenServer:
    """`answer`: None, or a status and an error code for every request from now on."""

    def __init__(self) -> None:
        self.issued: list[str] = []
        self.grants: list[dict[str, str]] = []  # the received requests
        self.answer: tuple[int, str] | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/token"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def issue(self, grant: dict[str, str]) -> tuple[int, dict[str, object]]:
        self.grants.append(grant)
        if self.answer is not None:
            return self.answer[0], {"error": self.answer[1], "error_description": "scripted"}
        if grant.get("grant_type") not in GRANTS:
            return 400, {"error": "unsupported_grant_type"}
        self.issued.append(f"token-{len(self.issued) + 1}")
        return 200, {"access_token": self.issued[-1], "expires_in": 3600, "token_type": "Bearer", "refresh_token": "refresh"}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(server: TokenServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            status, content = server.issue(dict(urllib.parse.parse_qsl(body)))
            data = json.dumps(content).encode()
            self.send_response_only(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Connection", "close")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    return Handler
