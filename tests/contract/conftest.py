"""Servers for the tests of the ports. Closes the clients of Cloud Storage that a test makes: garbage collection in another test
would warn of their open sockets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rayocr.storage.gcs.storage import GcsStorage
from tests.servers.drive import DriveServer
from tests.servers.oauth import TokenServer


@pytest.fixture(autouse=True)
def clients_are_closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    made: list[GcsStorage] = []
    construct = GcsStorage.__init__

    def remember(storage: GcsStorage, *arguments: Any, **options: Any) -> None:
        construct(storage, *arguments, **options)
        made.append(storage)

    monkeypatch.setattr(GcsStorage, "__init__", remember)
    yield
    for storage in made:
        storage._client.close()


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
