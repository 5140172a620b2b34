"""Transfers messages between the run and the process of its HTTP API over a socket, in frames: 4 bytes of length, then the
message. Messages to the API are pickled, since they come from the run. Messages to the run are JSON of limited size, since
clients can reach the API.
"""

from __future__ import annotations

import pickle
import socket
import struct
import threading
from dataclasses import dataclass
from typing import Any

from rayocr.config import AccessConfig, GatewayConfig
from rayocr.outputs.report.pages import Drawing

MAX_QUESTION_BYTES = 32 << 20  # a command that retries a document contains its whole manifest
_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """The initial message to the API's process."""

    gateway: GatewayConfig
    token: str
    source: tuple[str, AccessConfig]  # a URI and its access configuration
    dest: tuple[str, AccessConfig]
    state: tuple[str, AccessConfig]
    config: dict[str, Any]  # configuration in the form of `/config`
    logs: str
    drawing: Drawing


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    snapshot: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to a question, with its number: a value or an error of rayocr."""

    number: int
    value: Any = None
    error: Exception | None = None


class Channel:
    """One end of the socket. Sending is thread-safe; one thread receives. Raises OSError if the other end is closed."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._sending = threading.Lock()

    def send(self, data: bytes) -> None:
        with self._sending:
            self._end.sendall(_LENGTH.pack(len(data)) + data)

    def send_object(self, message: Any) -> None:
        self.send(pickle.dumps(message))

    def receive(self, *, max_bytes: int | None = None) -> bytes:
        """Returns the next message. Raises ConnectionError at the end of the stream, and for a message that is too long."""
        (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size))
        if max_bytes is not None and length > max_bytes:
            raise ConnectionError(f"a message of {length:,} bytes")
        return self._exactly(length)

    def receive_object(self) -> Any:
        return pickle.loads(self.receive())  # noqa: S301 - from the run that started this process

    def close(self) -> None:
        try:
            self._end.shutdown(socket.SHUT_RDWR)  # wakes the thread that receives
        except OSError:
            pass
        self._end.close()

    def _exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            part = self._end.recv(min(size - len(data), 1 << 20))
            if not part:
                raise ConnectionError("the other end is closed")
            data += part
        return bytes(data)
