"""Relays the logs and counts of workers to the run: from a handler in each process, through one mailbox, to the driver's files.

Ray's own logs (files on every node, printed by the driver) are plain lines without their origin. Here a worker formats and masks
its lines, sends them in batches without waiting, and the driver takes them from the mailbox every second. Both ends have limits:
if the driver does not take lines, the oldest are dropped and counted.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rayocr.observe.logs import PAGE_FAILED, JsonFormatter, action_of, attach

_EVERY_S = 2.0
_ON_ITS_WAY_S = 0.5  # Ray sends on a separate thread
_IN_WORKER = 5_000  # lines
_IN_MAILBOX = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """The report of one process since the last one. `storage_calls`: by operation and outcome. `lost`: number of dropped lines.
    `ends`: by document_id, why a process that had the document ended itself. `failures`: the fields of the lines about failed
    pages, masked."""

    lines: tuple[str, ...] = ()
    storage_calls: Mapping[tuple[str, str], int] = field(default_factory=dict)
    lost: int = 0
    ends: Mapping[str, str] = field(default_factory=dict)
    failures: tuple[Mapping[str, Any], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lines or self.storage_calls or self.lost or self.ends)


class Mailbox:
    """The mailbox, in the Ledger's process, which all workers can reach."""

    def __init__(self, *, room: int = _IN_MAILBOX) -> None:
        self._lines: deque[str] = deque()
        self._room = room
        self._calls: Counter[tuple[str, str]] = Counter()
        self._lost = 0
        self._ends: dict[str, str] = {}
        self._failures: list[Mapping[str, Any]] = []
        self._lock = threading.Lock()

    def put(self, telemetry: Telemetry) -> None:
        """Adds telemetry. Thread-safe."""
        with self._lock:
            self._lines.extend(telemetry.lines)
            self._calls.update(telemetry.storage_calls)
            self._lost += telemetry.lost
            self._ends.update(telemetry.ends)
            self._failures.extend(telemetry.failures)
            while len(self._lines) > self._room:
                self._lines.popleft()
                self._lost += 1
            del self._failures[: -self._room]

    def take(self) -> Telemetry:
        """Returns and removes everything."""
        with self._lock:
            taken = Telemetry(
                lines=tuple(self._lines),
                storage_calls=dict(self._calls),
                lost=self._lost,
                ends=dict(self._ends),
                failures=tuple(self._failures),
            )
            self._lines.clear()
            self._failures.clear()
            self._calls.clear()
            self._ends.clear()
            self._lost = 0
        return taken


class RelayHandler(logging.Handler):
    """The worker's end of the relay. `send` posts a batch and returns immediately. If it raises, the batch is kept and the error
    ignored."""

    def __init__(
        self,
        send: Callable[[Telemetry], Any],
        *,
        counts: Callable[[], Mapping[tuple[str, str], int]],
        room: int = _IN_WORKER,
    ) -> None:
        super().__init__()
        self._send = send
        self._counts = counts  # counts of storage calls since the process began
        self._lines: deque[str] = deque()
        self._failures: deque[Mapping[str, Any]] = deque(maxlen=room)
        self._room = room
        self._lost = 0
        self._reported: Counter[tuple[str, str]] = Counter()
        self._sending = threading.Lock()
        self._over = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))
        if action_of(record) == PAGE_FAILED and isinstance(self.formatter, JsonFormatter):
            self._failures.append(self.formatter.fields(record))
        while len(self._lines) > self._room:
            self._lines.popleft()
            self._lost += 1

    def post(self) -> None:
        """Sends the pending lines. Thread-safe; also called after each piece of work, since the worker may be killed
        afterwards."""
        with self._sending:
            now = Counter(self._counts())
            fresh = {key: count - self._reported[key] for key, count in now.items() if count > self._reported[key]}
            lines = [self._lines.popleft() for _ in range(len(self._lines))]
            failures = [self._failures.popleft() for _ in range(len(self._failures))]
            telemetry = Telemetry(lines=tuple(lines), storage_calls=fresh, lost=self._lost, failures=tuple(failures))
            if not telemetry:
                return
            try:
                self._send(telemetry)
            except Exception:  # the mailbox's process is restarting, and a log must not end a worker
                self._lines.extendleft(reversed(lines))
                self._failures.extendleft(reversed(failures))
                return
            self._reported, self._lost = now, 0

    def report_exit(self, document_ids: Iterable[str], why: str) -> None:
        """Reports the documents of this process before it ends itself. Thread-safe; waits until the report should be sent."""
        self.post()
        self._send(Telemetry(ends=dict.fromkeys(document_ids, why)))
        time.sleep(_ON_ITS_WAY_S)

    def start(self) -> None:
        threading.Thread(target=self._post_forever, name="log relay", daemon=True).start()

    def close(self) -> None:
        self._over.set()
        super().close()

    def _post_forever(self) -> None:
        while not self._over.wait(_EVERY_S):
            self.post()


def relay_logs(
    send: Callable[[Telemetry], Any],
    *,
    run_id: str,
    worker: str,
    host: str,
    counts: Callable[[], Mapping[tuple[str, str], int]],
) -> RelayHandler:
    """Relays this process's logs from now on."""
    handler = RelayHandler(send, counts=counts)
    handler.setFormatter(JsonFormatter(run_id, {"worker": worker, "host": host}))
    attach(handler)
    handler.start()
    return handler
