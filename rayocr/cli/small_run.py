"""Runs a small local job without Ray, whose start would take longer than the job. The run takes place in a forked child process,
because a run without Ray does not isolate documents. If a document crashes PDFium in the child or exceeds its limits, only the
child ends. The caller then runs the same command with Ray, which resumes and counts the crashes of the document.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from rayocr.actors.discovery.actor import Discovery
from rayocr.config import Mode, RayocrConfig
from rayocr.driver.cluster.addresses import find_address
from rayocr.driver.plan import Plan
from rayocr.driver.retry_selection import discovery_rules
from rayocr.messages import Document

_MOST_DOCUMENTS = 20
_MOST_BYTES = 4 << 20  # bytes of all documents: 10 to 100 scanned pages
_MOST_LISTED = 5000  # number of files of any kind, including finished documents
_PR_SET_PDEATHSIG = 1
_POLL_S = 0.2
_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def is_small(config: RayocrConfig, planned: Plan) -> bool:
    """Returns whether a run with `cluster=auto` will read so few local pages that starting Ray would take longer. Raises
    UsageError and StorageError."""
    if config.mode not in (Mode.run, Mode.retry) or find_address("auto") is not None:
        return False
    if any(link.kind == "wait" for link in planned.links):
        return False
    if any(not storage.uri.startswith("file:") for storage in (planned.source, planned.dest, planned.state)):
        return False
    if not can_fork():
        return False
    if planned.only is None and len(list(islice(planned.source.list(), _MOST_LISTED + 1))) > _MOST_LISTED:
        return False
    documents = _to_read(config, planned)
    return len(documents) <= _MOST_DOCUMENTS and sum(document.size_bytes for document in documents) <= _MOST_BYTES


def _to_read(config: RayocrConfig, planned: Plan) -> tuple[Document, ...]:
    """Returns the documents that the run will read, in case they are few; otherwise the first of them."""
    rules = discovery_rules(config, planned)
    rules = rules if config.limit is not None else replace(rules, order="listing")
    return Discovery(planned.source, planned.state, rules).next_batch(_MOST_DOCUMENTS + 1).documents


def can_fork() -> bool:
    return sys.platform == "linux" and threading.active_count() == 1  # a fork does not copy threads


def run_in_child(run: Callable[[], int]) -> int | None:
    """Forks, calls `run` in the child, and returns its exit code; None if the child crashed. Signals reach the child once,
    including those that a terminal sends to all processes in the foreground, because the child leaves this process's group."""
    sys.stdout.flush()
    sys.stderr.flush()
    ended, ending = os.pipe()
    parent = os.getpid()
    forwarder = _Forwarder()
    with os.fdopen(ended, "rb") as mark, forwarder.listening():
        child = os.fork()
        if child == 0:
            forwarder.stop()
            _be_child(run, parent, ending)
        os.close(ending)
        forwarder.forward_to(child)
        # waitpid would miss a signal that arrives directly before it.
        while not select.select([mark], [], [], _POLL_S)[0]:
            pass
        has_ended = mark.read() == b"."
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if has_ended or code == 130:
        return code
    return 130 if forwarder.signals else None


def _be_child(run: Callable[[], int], parent: int, ending: int) -> None:
    """Runs the child and never returns, so that no code of the parent runs twice."""
    code = 3
    try:
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # the child is in the background of a terminal and writes to it
        os.setpgid(0, 0)
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(130)
        code = run()
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os.write(ending, b".")
    finally:
        os._exit(code)


class _Forwarder:
    """Sends the signals that this process receives to the child, including those that arrive before the child exists."""

    def __init__(self) -> None:
        self.signals: list[int] = []
        self._child: int | None = None
        self._before: dict[int, Any] = {}

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        heard = [number for number in _FORWARDED if signal.getsignal(number) is not signal.SIG_IGN]
        self._before = {number: signal.signal(number, self._forward) for number in heard}
        self._before[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, self._pause)
        try:
            yield
        finally:
            self.stop()

    def stop(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def forward_to(self, child: int) -> None:
        self._child = child
        for number in self.signals:
            self._send(number)

    def _forward(self, number: int, _: object) -> None:
        self.signals.append(number)
        self._send(number)

    def _pause(self, number: int, _: object) -> None:
        """Handles Ctrl-Z: both processes stop and continue together."""
        self._send(signal.SIGSTOP)
        os.kill(os.getpid(), signal.SIGSTOP)
        self._send(signal.SIGCONT)

    def _send(self, number: int) -> None:
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._child, number)
