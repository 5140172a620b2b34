"""Servers for the tests of the ports. Closes the clients of Cloud Storage and Drive that a test makes, and the connections that
google-auth does not return to them when it cannot renew a token: garbage collection in another test would warn of their open
sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from rayocr.storage.drive.http import SessionHttp
from rayocr.storage.gcs.storage import GcsStorage
from tests.open_sockets import close_sockets_opened_by
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
    close_sockets_opened_by("urllib3/connection.py")


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
