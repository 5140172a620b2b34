"""Enforces time and memory limits for PDFium. Python cannot interrupt it, so exceeding a limit ends the process.

A Python thread checks while a block is open, since ctypes releases the interpreter while PDFium works. A content stream of 2 MB
can inflate to gigabytes, so the less memory is left, the more often the thread checks. A kernel limit would make PDFium return
an empty page, which is worse than a failure. If the thread cannot run because something holds the interpreter, faulthandler's
watchdog in C ends the process later. The driver detects the dead process, counts it against the document, and starts a new one.
Each thread can have one limit at a time. Memory is measured per process, so the limits of several threads add up.
"""

from __future__ import annotations

import faulthandler
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

# Shortest and longest time between two checks. A check wakes the thread, which takes 0.15 ms of CPU beside a busy thread.
_CHECK_S = 0.03, 0.25
_GROWTH_BYTES_S = 3_300_000_000  # memory that PDFium takes in a second, at most; 100 MB in the shortest time
_LATER_S = 2.0  # the watchdog waits longer than the thread, because it cannot report the reason
# Shares of the time limit of a block that a single call of PDFium may take, in CPU time. `rendering.draw_into` cancels a drawing
# that exceeds the first share; a map of 500,000 lines with 12 million pixels takes 14 s. The process ends after the second share
# if PDFium cannot cancel the call: it loads a page or its text, or draws an object that takes too long.
_DRAWING_SHARE, _CALL_SHARE = 1 / 4, 1 / 3
_UNGUARDED_S = 45.0  # limit for a drawing outside such a block
_STATM = Path("/proc/self/statm")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(slots=True)
class _Limit:
    """The limits of the block that one thread runs."""

    seconds: float
    memory_bytes: int
    ends_at: float  # instant on the monotonic clock
    had_bytes: int | None  # private memory at the start of the block
    call: tuple[int, float] | None = None  # the clock of the thread's CPU time, and the instant at which the current call ends


class _Limits:
    def __init__(self) -> None:
        self.open: dict[int, _Limit] = {}  # limits by thread
        self.any_open = threading.Event()
        self.lock = threading.Lock()
        self.before_end: Callable[[str], None] = lambda why: None
        self.watcher: int | None = None  # the process whose thread checks; a fork does not copy threads

    def changed(self) -> None:
        """Sets the watchdog to the earliest deadline of all blocks, and lets the thread rest if there is none. Call it with the
        lock held."""
        if not self.open:
            self.any_open.clear()
            faulthandler.cancel_dump_traceback_later()
            return
        self.any_open.set()
        left_s = min(limit.ends_at for limit in self.open.values()) - time.monotonic()
        faulthandler.dump_traceback_later(max(0.0, left_s) + _LATER_S, exit=True, file=sys.__stderr__ or 2)


_limits = _Limits()
_thread_clock: Callable[[int], int] | None = getattr(time, "pthread_getcpuclockid", None)


def report_before_exit(tell: Callable[[str], None]) -> None:
    """Registers a callback that gets the reason, on another thread, before a block ends the process. The call is not
    guaranteed."""
    _limits.before_end = tell


@contextmanager
def bounded(*, seconds: float, memory_bytes: int) -> Iterator[None]:
    """Ends the process with exit code 1, after a traceback on standard error, when the block exceeds the time or the additional
    memory. Memory is not checked on systems without /proc (macOS)."""
    thread = threading.get_ident()
    if thread in _limits.open:
        raise RuntimeError("bounded() does not nest: the inner block would replace the limits of the outer one.")
    _start_watching()
    limit = _Limit(seconds, memory_bytes, time.monotonic() + seconds, _private_bytes())
    try:
        with _limits.lock:
            _limits.open[thread] = limit
            _limits.changed()
        yield
    finally:
        with _limits.lock:
            _limits.open.pop(thread, None)
            _limits.changed()


def cpu_limit_s() -> float:
    """Returns the CPU time that one drawing on this thread may take, in seconds."""
    limit = _limits.open.get(threading.get_ident())
    return limit.seconds * _DRAWING_SHARE if limit is not None else _UNGUARDED_S


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ends the process, as `bounded` does, if a call that PDFium cannot cancel takes a third of the limit in CPU time. Does
    nothing outside `bounded`, and on systems without clocks of threads (macOS)."""
    thread = threading.get_ident()
    limit = _limits.open.get(thread)
    if limit is None or _thread_clock is None:
        yield
        return
    clock = _thread_clock(thread)
    limit.call = (clock, time.clock_gettime(clock) + limit.seconds * _CALL_SHARE)
    try:
        yield
    finally:
        limit.call = None


class Allowance:
    """Limits the time and memory of work in many steps, such as the outputs of a document. Ends the process, as `bounded` does,
    after the step that exceeds a limit. A single step that takes too long needs `bounded` as well."""

    def __init__(
        self,
        *,
        seconds: float,
        memory_bytes: int,
        clock: Callable[[], float] = time.monotonic,
        memory: Callable[[], int | None] | None = None,
        end: Callable[[str], None] | None = None,
    ) -> None:
        self._seconds = seconds
        self._memory_bytes = memory_bytes
        self._clock = clock
        self._memory = memory or _private_bytes
        self._end = end or _end_process
        self._had_bytes = self._memory()
        self._spent_s = 0.0

    @contextmanager
    def step(self) -> Iterator[None]:
        started = self._clock()
        yield
        self._spent_s += self._clock() - started
        if self._spent_s > self._seconds:
            self._end(f"longer than {self._seconds:,.0f} s in all")
        has = self._memory()
        if has is not None and self._had_bytes is not None and has > self._had_bytes + self._memory_bytes:
            self._end("more memory than limits.page_memory allows")


def quiet_process() -> None:
    """Discards standard error of a child process whose parent reports the crash itself. Otherwise the traceback of `bounded`
    would reach the user's terminal."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _start_watching() -> None:
    if _limits.watcher != os.getpid():
        _limits.watcher = os.getpid()
        _limits.open.clear()
        _limits.any_open = threading.Event()
        threading.Thread(target=_watch, name="pdf-memory", daemon=True).start()


def _watch() -> None:
    while True:
        _limits.any_open.wait()
        if why := _exceeded():
            _end_process(why)
        time.sleep(_wait_s())


def _end_process(why: str) -> None:
    faulthandler.dump_traceback(file=sys.__stderr__ or 2)
    os.write(2, f"A PDF took {why}; its process ends.\n".encode())
    with suppress(Exception):
        _limits.before_end(why)
    os._exit(1)


def _exceeded() -> str:
    limits, now = list(_limits.open.values()), time.monotonic()
    for limit in limits:
        if now > limit.ends_at:
            return f"longer than {limit.seconds:g} s"
        if (call := limit.call) is not None and time.clock_gettime(call[0]) > call[1]:
            return f"more than {limit.seconds * _CALL_SHARE:.3g} s of CPU time for one step"
    if _room_bytes(limits) < 0:
        return "more memory than limits.page_memory allows"
    return ""


def _room_bytes(limits: Sequence[_Limit]) -> float:
    """Returns the memory that the blocks may still take, in bytes; infinity if it is unknown."""
    had = [limit.had_bytes for limit in limits if limit.had_bytes is not None]
    has = _private_bytes() if had else None
    return math.inf if has is None else min(had) + sum(limit.memory_bytes for limit in limits) - has


def _wait_s() -> float:
    """Returns the seconds until the next check: the process cannot exceed its memory by more than 100 MB before it. Without
    blocks, it is the shortest time, because the next block may have less room."""
    shortest, longest = _CHECK_S
    limits = list(_limits.open.values())
    return min(max(_room_bytes(limits) / _GROWTH_BYTES_S, shortest), longest) if limits else shortest


def _private_bytes() -> int | None:
    """Returns the resident memory that is not shared, which excludes the object store's pages; None if unknown."""
    try:
        fields = _STATM.read_bytes().split()
    except OSError:
        return None
    return (int(fields[1]) - int(fields[2])) * _PAGE_BYTES
