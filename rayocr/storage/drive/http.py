"""Provides the transport of Google's client: one connection pool for all threads, without retries.

The client's default, httplib2, is not thread-safe and silently repeats a request whose connection broke. This class has the same
method and uses an authorized session of requests, like the client of Google Cloud Storage.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httplib2

from rayocr.storage.google_session import authorized_session

_CONNECT_S = 10.0


class SessionHttp:
    """Sends the requests of Google's client. `timeout_s`: maximum time between two packets. Raises errors of the packages
    requests and google-auth."""

    def __init__(self, credentials: Any, *, timeout_s: float) -> None:
        self.credentials = credentials
        self._session = authorized_session(credentials)
        self._timeout = (min(_CONNECT_S, timeout_s), timeout_s)

    def request(
        self,
        uri: str,
        method: str = "GET",
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        redirections: int = 5,
        connection_type: Any = None,
    ) -> tuple[httplib2.Response, bytes]:
        sent = {name: value for name, value in (headers or {}).items() if name.lower() != "content-length"}
        if body is None and method in ("POST", "PUT", "PATCH"):
            body = b""
        answer = self._session.request(
            method,
            uri,
            data=body,
            headers=sent,
            timeout=self._timeout,
            allow_redirects=method == "GET",  # here 308 is not a redirect but reports how much of an upload has arrived
        )
        response = httplib2.Response({name.lower(): value for name, value in answer.headers.items()})
        response.status = answer.status_code
        response.reason = answer.reason
        return response, answer.content

    def close(self) -> None:
        self._session.close()
