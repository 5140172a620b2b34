"""The one thread of a worker that touches PDFium, which is not thread-safe, with limits that PDFium cannot escape.

A waiting worker makes four short calls a page, hundreds of times a second. So a call costs no lock, no executor and no watchdog
of its own: results go back to the event loop together, and the watchdog is set again once a second, not for every call. It ends
the process (`rayocr.pdf.guard`), which the driver sees as its death.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from rayocr.pdf.guard import arm, disarm

T = TypeVar("T")

_TOGETHER_S = 0.002  # results are held back at most so long for others to go along
_REARM_S = 1.0  # the watchdog is as old as this at most when a call begins

_Job = tuple["asyncio.Future[Any] | None", Callable[..., Any], tuple[Any, ...]]


class PdfThread:
    """`timeout_s`: a call that takes longer (by up to a second more) ends the process with exit code 1 and a traceback on
    standard error, and so does one that takes more than `memory_bytes` besides what the process had. Calls run one after the
    other, in the order in which they were made."""

    def __init__(self, *, timeout_s: float, memory_bytes: int) -> None:
        self._timeout_s = timeout_s
        self._memory_bytes = memory_bytes
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._armed_at: float | None = None

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """The function's result, or what it raised."""
        loop = self._started()
        future: asyncio.Future[T] = loop.create_future()
        self._jobs.put((future, function, arguments))
        return await future

    def post(self, function: Callable[..., object], *arguments: Any) -> None:
        """Call the function when its turn comes; nobody waits for it, and what it raises is lost."""
        self._started()
        self._jobs.put((None, function, arguments))

    def _started(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            threading.Thread(target=self._work, name="pdf", daemon=True).start()
        return self._loop

    # -- on the thread ------------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        assert self._loop is not None
        while True:
            job = self._next()
            started = self._guard()
            results = [_call(job)]
            while time.monotonic() - started < _TOGETHER_S:
                try:
                    job = self._jobs.get_nowait()
                except Empty:
                    break
                results.append(_call(job))
            with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
                self._loop.call_soon_threadsafe(_deliver, results)

    def _next(self) -> _Job:
        try:
            return self._jobs.get(timeout=_REARM_S if self._armed_at is not None else None)
        except Empty:
            disarm()
            self._armed_at = None
            return self._jobs.get()

    def _guard(self) -> float:
        now = time.monotonic()
        if self._armed_at is None or now - self._armed_at > _REARM_S:
            arm(seconds=self._timeout_s + _REARM_S, memory_bytes=self._memory_bytes)
            self._armed_at = now
        return now


_Result = tuple["asyncio.Future[Any] | None", Any, "BaseException | None"]


def _call(job: _Job) -> _Result:
    future, function, arguments = job
    try:
        return future, function(*arguments), None
    except BaseException as error:  # handed to whoever waits for it
        return future, None, error


def _deliver(results: list[_Result]) -> None:
    for future, value, error in results:
        if future is None or future.done():
            continue
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)
