"""A strict Pub/Sub server on loopback: one subscription, pulled over REST. It refuses unknown fields and sends unacknowledged
messages again.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

_FIELDS = {
    "pull": {"maxMessages", "returnImmediately"},
    "acknowledge": {"ackIds"},
    "modifyAckDeadline": {"ackIds", "ackDeadlineSeconds"},
}


class _Http(ThreadingHTTPServer):
    daemon_threads = True


class PubSub:
    """`faults`: the statuses of the next calls. `deadline_s`: time after which an unacknowledged message is sent again."""

    name = "projects/p/subscriptions/new-scans"

    def __init__(self, *, deadline_s: float = 2.0, longest_pull_s: float = 1.0) -> None:
        self.acknowledged: list[str] = []  # object names
        self.delivered: list[str] = []
        self.calls: list[str] = []
        self.faults: deque[int] = deque()
        self._deadline_s = deadline_s
        self._longest_pull_s = longest_pull_s
        self._messages: dict[str, tuple[dict[str, object], float]] = {}  # ack id -> message, and when it may be sent again
        self._numbers = count(1)
        self._changed = threading.Condition()
        self._server = _Http(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def publish(self, bucket: str, name: str, *, event: str = "OBJECT_FINALIZE", attributes: bool = True) -> None:
        """Like Cloud Storage; without attributes, like a user's own topic."""
        number = str(next(self._numbers))
        payload = base64.b64encode(json.dumps({"bucket": bucket, "name": name, "kind": "storage#object"}).encode()).decode()
        message: dict[str, object] = {"messageId": number, "data": payload}
        if attributes:
            message["attributes"] = {"bucketId": bucket, "objectId": name, "eventType": event, "payloadFormat": "JSON_API_V1"}
        with self._changed:
            self._messages[f"ack-{number}"] = (message, 0.0)
            self._changed.notify_all()

    def waiting(self) -> int:
        """Unacknowledged messages."""
        with self._changed:
            return len(self._messages)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, subscription: str, verb: str, body: dict[str, object]) -> tuple[int, dict[str, object]]:
        with self._changed:
            self.calls.append(verb)
            if self.faults:
                return self.faults.popleft(), {}
        if subscription != self.name:
            return 404, {}
        if verb not in _FIELDS or set(body) - _FIELDS[verb]:
            return 400, {}
        if verb == "pull":
            return 200, self._pull(int(str(body["maxMessages"])))
        ids = body["ackIds"]
        assert isinstance(ids, list)
        with self._changed:
            for ack_id in ids:
                if verb == "acknowledge":
                    message, _ = self._messages.pop(ack_id, ({}, 0.0))
                    self.acknowledged.append(_object(message))
                elif ack_id in self._messages:
                    later = time.monotonic() + float(str(body["ackDeadlineSeconds"]))
                    self._messages[ack_id] = (self._messages[ack_id][0], later)
        return 200, {}

    def _pull(self, most: int) -> dict[str, object]:
        until = time.monotonic() + self._longest_pull_s
        with self._changed:
            while True:
                now = time.monotonic()
                due = [ack_id for ack_id, (_, at) in self._messages.items() if at <= now][:most]
                if due or now >= until:
                    break
                self._changed.wait(0.05)
            for ack_id in due:
                message = self._messages[ack_id][0]
                self._messages[ack_id] = (message, now + self._deadline_s)
                self.delivered.append(_object(message))
            return {"receivedMessages": [{"ackId": a, "message": self._messages[a][0]} for a in due]} if due else {}


def _object(message: dict[str, object]) -> str:
    return str(json.loads(base64.b64decode(str(message["data"])))["name"]) if message else ""


def _handler(server: PubSub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
            match = re.fullmatch(r"/v1/(projects/[^/]+/subscriptions/[^:/]+):(\w+)(\?alt=json)?", self.path)
            status, answer = server.answer(match[1], match[2], body) if match else (404, {})
            data = json.dumps(answer if status == 200 else {"error": {"code": status, "message": "scripted"}}).encode()
            self.send_response_only(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            self.wfile.flush()

    return Handler
