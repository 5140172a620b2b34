"""Creates the HTTP session of the clients of Cloud Storage and Drive: one connection pool for all threads, without retries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from google.auth.transport.requests import AuthorizedSession

_CONNECTIONS = 64  # number of connections that are kept open; with the default of 10, 64 threads would reconnect at every call


def authorized_session(credentials: Any) -> AuthorizedSession:
    """Creates a session that sends `credentials` and renews them after status 401."""
    from google.auth.transport.requests import AuthorizedSession
    from requests.adapters import HTTPAdapter

    session = AuthorizedSession(credentials)
    session.hooks["response"].append(_read_refused)
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(pool_connections=4, pool_maxsize=_CONNECTIONS))
    return session


def _read_refused(response: Any, **_: Any) -> None:
    """Reads a refused answer, which returns its connection to the pool: google-auth drops the answer and repeats the request."""
    if response.status_code == 401:
        response.content  # noqa: B018 - reads it
