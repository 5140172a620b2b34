"""The dashboard of a local Ray starts when it is opened."""

from __future__ import annotations

import http.server
import threading
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from rayocr.driver.cluster.local_ray.dashboard import LazyDashboard


class _Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.path.encode() * 100_000
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def served() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    threading.Thread(target=server.serve_forever, args=(0.01,)).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_the_first_connection_starts_the_dashboard_and_all_reach_it(served: str) -> None:
    starts = []

    def start() -> str:
        starts.append(threading.current_thread())
        return served

    address = LazyDashboard(start).listen()
    assert starts == []
    assert address != served
    for path in ("/a", "/b"):
        with urllib.request.urlopen(f"http://{address}{path}") as answer:
            assert answer.read() == path.encode() * 100_000
    assert len(starts) == 1


def test_a_dashboard_that_does_not_start_closes_the_connection_and_is_tried_again(served: str) -> None:
    failures = [Exception("no port")]

    def start() -> str:
        if failures:
            raise failures.pop()
        return served

    address = LazyDashboard(start).listen()
    with pytest.raises(OSError, match=r"closed connection|reset"):
        urllib.request.urlopen(f"http://{address}/")
    with urllib.request.urlopen(f"http://{address}/") as answer:
        assert answer.status == 200
