"""Runs all calls to PDFium, which is not thread-safe, on one thread under the limits of `rayocr.pdf.guard`. A waiting worker
makes four short calls per page, hundreds of times a second. Calls are therefore cheap: they need no lock or executor, results
return to the event loop in batches, and the guard is renewed once a second instead of for every call.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from rayocr.pdf.guard import bounded

T = TypeVar("T")

_TOGETHER_S = 0.002  # results are held for up to this many seconds, to deliver several together
_GUARD_S = 1.0  # maximum age of the guard when a call begins, in seconds

_Job = tuple["asyncio.Future[Any] | None", Callable[..., Any], tuple[Any, ...]]


class _Guard:
    """The limits of one thread, which stay open over consecutive calls. Only that thread uses it."""

    def __init__(self) -> None:
        self._open = contextlib.ExitStack()
        self._since: float | None = None

    def renew(self, *, timeout_s: float, memory_bytes: int) -> None:
        now = time.monotonic()
        if self._since is None or now - self._since > _GUARD_S:
            self._open.close()
            self._open.enter_context(bounded(seconds=timeout_s + _GUARD_S, memory_bytes=memory_bytes))
            self._since = now

    def rest(self) -> None:
        self._open.close()
        self._since = None


class PdfThread:
    """Runs calls to PDFium on one thread. A call that takes longer than `timeout_s` (by up to one second more), or uses more than
    `memory_bytes`, ends the process with exit code 1 and a traceback on standard error. Calls run one at a time, in the order in
    which they were made."""

    def __init__(self, *, timeout_s: float, memory_bytes: int) -> None:
        self._timeout_s = timeout_s
        self._memory_bytes = memory_bytes
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()  # None ends the thread
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._guard = _Guard()
        self._guarded = False

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Runs the function and returns its result, or raises its error."""
        loop = self._started()
        future: asyncio.Future[T] = loop.create_future()
        self._jobs.put((future, function, arguments))
        return await future

    def post(self, function: Callable[..., object], *arguments: Any) -> None:
        """Schedules the function. Its result is not awaited, and its exceptions are lost."""
        self._started()
        self._jobs.put((None, function, arguments))

    def _started(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._thread = threading.Thread(target=self._work, name="pdf", daemon=True)
            self._thread.start()
        return self._loop

    def close(self, *, timeout_s: float | None = None) -> None:
        """Ends the thread after the calls that were made, and waits for it up to this long. Idempotent."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join(timeout_s)
            self._thread = None

    # -- on the thread ------------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        assert self._loop is not None
        while (job := self._next()) is not None:
            started = time.monotonic()
            results = [_call(job, before=self._set_guard)]
            while time.monotonic() - started < _TOGETHER_S and not self._jobs.empty():
                following = self._jobs.get()
                if following is None:
                    self._jobs.put(None)
                    break
                results.append(_call(following))
            with contextlib.suppress(RuntimeError):  # the loop was closed, so no caller waits
                self._loop.call_soon_threadsafe(_deliver, results)
        self._guard.rest()

    def _next(self) -> _Job | None:
        try:
            return self._jobs.get(timeout=_GUARD_S if self._guarded else None)
        except Empty:
            self._guard.rest()
            self._guarded = False
            return self._jobs.get()

    def _set_guard(self) -> None:
        self._guard.renew(timeout_s=self._timeout_s, memory_bytes=self._memory_bytes)
        self._guarded = True


_Result = tuple["asyncio.Future[Any] | None", Any, "BaseException | None"]


def _call(job: _Job, before: Callable[[], None] | None = None) -> _Result:
    future, function, arguments = job
    try:
        if before is not None:
            before()
        return future, function(*arguments), None
    except BaseException as error:  # passed to the waiting caller
        return future, None, error


def _deliver(results: list[_Result]) -> None:
    for future, value, error in results:
        if future is None or future.done():
            continue
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)
