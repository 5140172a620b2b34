"""Protects the HTTP API: checks the bearer token, and limits the size of bodies and the rate of requests."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_OPEN = frozenset({"/", "/health", "/ready", "/openapi.json", "/favicon.ico"})  # these paths reveal nothing about the run
_MAX_BODY_BYTES = 64 << 10
_PER_S, _BURST = 50.0, 200.0
# The page shows document names only as text. If one became markup by mistake, this policy would prevent it from running.
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self';"
    b" form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"content-security-policy", _POLICY),
]


class Guard:
    """ASGI middleware. In tests, `token` may be None, which accepts requests without a token."""

    def __init__(
        self,
        app: Any,
        *,
        token: str | None,
        open_paths: frozenset[str] = frozenset(),
        max_body_bytes: int = _MAX_BODY_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._token = token
        self._open = _OPEN | open_paths
        self._max_body_bytes = max_body_bytes
        # The limits are separate, so that clients without the token cannot lock out its owner.
        self._with_token, self._without_token = _Rate(clock), _Rate(clock)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await _answer(send, *refusal)
            return

        async def with_headers(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS]
            await send(message)

        await self._app(scope, receive, with_headers)

    def _refusal(self, scope: dict[str, Any]) -> tuple[int, str] | None:
        headers = dict(scope["headers"])
        path = scope["path"]
        has_token = self._token is not None and _carries(headers, self._token)
        rate = self._with_token if has_token else self._without_token
        if path != "/health" and not rate.allows():  # heavy traffic must not make a run appear dead
            return 429, "Too many requests."
        is_open = path in self._open or path.startswith("/static/")
        if not is_open and headers.get(b"sec-fetch-site", b"none") not in (b"none", b"same-origin"):
            return 403, "Requests from other pages are refused."
        if self._token is not None and not is_open and not has_token:
            return 401, "A bearer token is required."
        if self._token is None and not _is_local(headers.get(b"host", b"")):
            return 403, "Without a token only requests to this machine's own names are allowed."
        if scope["method"] != "GET" and _is_foreign(headers):
            return 403, "Requests from other pages are refused."
        length = headers.get(b"content-length", b"0")
        if headers.get(b"transfer-encoding") or not length.isdigit() or len(length) > 9 or int(length) > self._max_body_bytes:
            return 413, "The body is too large."
        return None


class _Rate:
    """A token bucket of requests."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._left, self._at = _BURST, clock()

    def allows(self) -> bool:
        now = self._clock()
        self._left, self._at = min(_BURST, self._left + (now - self._at) * _PER_S), now
        if self._left < 1:
            return False
        self._left -= 1
        return True


def _carries(headers: dict[bytes, bytes], token: str) -> bool:
    given = headers.get(b"authorization", b"").decode("latin-1")
    return secrets.compare_digest(given.encode(), f"Bearer {token}".encode())


def _is_local(host: bytes) -> bool:
    """Returns whether the Host header is local. A web page can resolve its own name to this machine (DNS rebinding), but the Host
    header still contains that name.
    """
    name = host.rsplit(b":", 1)[0] if not host.endswith(b"]") else host
    return name in (b"localhost", b"127.0.0.1", b"[::1]")


def _is_foreign(headers: dict[bytes, bytes]) -> bool:
    """Returns whether a page of another origin, open in the same browser, sent the request."""
    if b"sec-fetch-site" in headers:  # the host was checked already; behind a proxy it may differ from the page's
        return False
    origin, host = headers.get(b"origin"), headers.get(b"host", b"")
    return origin is not None and origin.split(b"://", 1)[-1] != host


async def _answer(send: Send, status: int, detail: str) -> None:
    body = f'{{"detail": "{detail}"}}'.encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers + _HEADERS})
    await send({"type": "http.response.body", "body": body})
