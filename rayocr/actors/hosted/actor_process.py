"""Contains the common code of actor processes: they send their logs to the run, and some keep its keys. Each process imports only
its own actor. Secrets are never constructor arguments, since Ray stores those in its control store and, with fault tolerance, on
Redis' disk. Secrets, and settings whose addresses may contain one, arrive in a call after creation (`configure`, `keep_keys`).
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import astuple
from typing import Any

import ray

from rayocr.config import Secrets
from rayocr.masking import hide, hide_environment
from rayocr.messages import WorkerInfo
from rayocr.observe.relay import RelayHandler, Telemetry, relay_logs
from rayocr.storage.counted import storage_calls

_TRIM_EVERY_S = 30.0
# Parameters of mallopt(3): M_MMAP_THRESHOLD, M_TRIM_THRESHOLD and M_TOP_PAD in glibc, with values in bytes. Arrays of a page are
# smaller than the first one.
_KEPT_MEMORY = ((-3, 32 << 20), (-1, 256 << 20), (-2, 64 << 20))


def return_free_memory(*, every_s: float = _TRIM_EVERY_S) -> threading.Thread | None:
    """Periodically returns free memory that malloc keeps to the system. Ray's threads scatter small objects over malloc's arenas,
    so that a process would grow by about 20 MB within some thousand calls, two thirds of it free. Returns None where the C
    library cannot do it (macOS, musl)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is None:
        return None

    def repeat() -> None:
        while True:
            time.sleep(every_s)
            trim(0)

    thread = threading.Thread(target=repeat, name="memory", daemon=True)
    thread.start()
    return thread


def keep_freed_memory() -> None:
    """Lets malloc keep the memory that a page frees for the next page. Otherwise, malloc returns some large arrays to the
    system, and a worker of a local engine may spend 2 % of its CPU time on page faults (5,000 a second instead of 600). Does
    nothing where the C library has no mallopt (macOS, musl)."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter, value in _KEPT_MEMORY:
            mallopt(parameter, value)


def relaying(worker: str, run_id: str, send: Callable[[Telemetry], Any]) -> RelayHandler:
    """Sends this process's logs and counts to the run, without the secrets of its environment."""
    hide_environment()
    return_free_memory()
    return relay_logs(send, run_id=run_id, worker=worker, host=socket.gethostname(), counts=storage_calls)


def to_ledger(ledger: Any) -> Callable[[Telemetry], Any]:
    """Posts to the mailbox in the ledger's process."""
    return lambda telemetry: ledger.relay.remote(telemetry)


def to_ledger_of(run_id: str) -> Callable[[Telemetry], Any]:
    """Posts to the same mailbox, which it finds by name: an actor that Ray restarts may have an outdated handle of the ledger."""
    send: Callable[[Telemetry], Any] | None = None

    def find_and_send(telemetry: Telemetry) -> None:
        nonlocal send
        send = send or to_ledger(ray.get_actor(f"ledger:{run_id}"))
        send(telemetry)

    return find_and_send


class Keys:
    """Keeps the keys of an actor that Ray restarts. The driver's call of `keep` never ends, so Ray repeats it for each new
    process."""

    def __init__(self) -> None:
        self._given = asyncio.Event()
        self.secrets = Secrets()

    async def keep(self, secrets: Secrets) -> None:
        hide(astuple(secrets))
        self.secrets = secrets
        self._given.set()
        await asyncio.Event().wait()

    async def given(self) -> None:
        await self._given.wait()


def this_worker() -> WorkerInfo:
    return WorkerInfo(host=socket.gethostname(), pid=os.getpid(), node_id=this_node_id())


def this_node_id() -> str:
    return str(ray.get_runtime_context().get_node_id())
