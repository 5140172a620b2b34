"""Servers for the tests of the ports. Closes the clients of Cloud Storage and Drive that a test makes: garbage collection during
another test would warn of their open sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from rayocr.storage.drive.http import SessionHttp
from rayocr.storage.gcs.storage import GcsStorage
from tests.servers.drive import DriveServer
from tests.servers.oauth import TokenServer


@pytest.fixture(autouse=True)
def clients_are_closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with ExitStack() as made:

        def remember(made_in: type[Any], close: Callable[[Any], Callable[[], None]]) -> None:
            construct = made_in.__init__

            def init(client: Any, *arguments: Any, **options: Any) -> None:
                construct(client, *arguments, **options)
                made.callback(close(client))

            monkeypatch.setattr(made_in, "__init__", init)

        remember(GcsStorage, lambda storage: storage._client.close)
        remember(SessionHttp, lambda http: http.close)
        yield


@pytest.fixture(autouse=True)
def no_request_leaves_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stops the thread of google-auth that asks iamcredentials.googleapis.com for the regions of a service account."""
    monkeypatch.setattr(
        "google.auth.credentials.CredentialsWithRegionalAccessBoundary._maybe_start_regional_access_boundary_refresh",
        lambda *_: None,
    )


@pytest.fixture(scope="module")
def drive_server() -> Iterator[DriveServer]:
    server = DriveServer()
    yield server
    server.close()


@pytest.fixture
def tokens() -> Iterator[TokenServer]:
    server = TokenServer()
    yield server
    server.close()
