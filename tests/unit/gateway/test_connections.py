"""Half-open, slow and many connections: the API still responds and stays within its limits."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rayocr.config import GatewayConfig
from rayocr.gateway.connections import BoundedProtocol
from rayocr.gateway.server import GatewayServer
from tests.e2e.support import wait_until
from tests.unit.gateway.run_apis import an_api

PATIENCE_S = 120


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(BoundedProtocol, "max_connections", 8)
    server = GatewayServer(an_api(tmp_path)[0], GatewayConfig(port=0), token="t")
    yield int(server.start().rpartition(":")[2])
    server.close()


def connected(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
    connection.settimeout(PATIENCE_S)
    return connection


def health(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    connection.request("GET", "/health")
    status = connection.getresponse().status
    connection.close()
    return status


def is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def test_a_client_that_opens_idle_connections_loses_only_its_own(port: int) -> None:
    silent = [connected(port) for _ in range(50)]
    for _ in range(20):
        assert health(port) == 200
    assert all(is_closed(connection) for connection in silent[:40])
    assert health(port) == 200
    for connection in silent:
        connection.close()


SLOW: dict[str, bytes] = {
    "nothing": b"",
    "half a request line": b"GET /hea",
    "headers without an end": b"POST /process-file HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: 1\r\n",
    "half a body": b"POST /process-file HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer t\r\nContent-Length: 100\r\n\r\n{",
}


@pytest.mark.parametrize("sent", SLOW.values(), ids=SLOW)
def test_a_request_that_does_not_arrive_in_time_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(BoundedProtocol, "request_s", 0.1)
    server = GatewayServer(an_api(tmp_path)[0], GatewayConfig(port=0), token="t")
    port = int(server.start().rpartition(":")[2])
    connection = connected(port)
    connection.sendall(sent)
    assert is_closed(connection)
    connection.close()
    server.close()


def test_questions_of_readiness_do_not_keep_every_connection_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anyone may ask, and a service that does not answer makes each question wait."""
    monkeypatch.setattr(BoundedProtocol, "max_connections", 8)
    monkeypatch.setattr("rayocr.gateway.app._CHECKS", 4)
    asked, answered = threading.Semaphore(0), threading.Event()

    def readiness() -> dict[str, str]:
        asked.release()
        answered.wait(PATIENCE_S)
        return {}

    api, _ = an_api(tmp_path)
    api.readiness = readiness
    server = GatewayServer(api, GatewayConfig(port=0), token="t")
    port = int(server.start().rpartition(":")[2])
    waiting = [connected(port) for _ in range(12)]
    for connection in waiting:
        connection.sendall(b"GET /ready HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert all(asked.acquire(timeout=PATIENCE_S) for _ in range(4))
    assert health(port) == 200
    answered.set()
    for connection in waiting:
        connection.close()
    server.close()


def test_a_stream_of_events_does_not_count_as_a_slow_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedProtocol, "request_s", 0.1)
    server = GatewayServer(an_api(tmp_path)[0], GatewayConfig(port=0), token="t")
    port = int(server.start().rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    connection.request("GET", "/events", headers={"Authorization": "Bearer t"})
    answer = connection.getresponse()
    events = [answer.readline() for _ in range(5)]  # a second apart
    assert [event[:5] for event in events[::2]] == [b"data:"] * 3
    connection.close()
    server.close()


def test_malformed_requests_are_not_logged(port: int, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        connection = connected(port)
        connection.sendall(b"\x16\x03\x01 no HTTP\r\n\r\n")
        wait_until(_reads(connection), "the server answers")
        connection.close()
    assert not caplog.records


def _reads(connection: socket.socket) -> Callable[[], bool]:
    return lambda: connection.recv(1000) is not None
