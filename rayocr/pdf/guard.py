"""Limits of time and memory for PDFium: it cannot be interrupted from Python, so a call that exceeds them ends the process.

A Python thread checks every few hundredths of a second (ctypes releases the interpreter while PDFium works): a content stream of
2 MB can inflate to gigabytes, and a limit of the kernel's would only make PDFium see an empty page, which is worse than none.
Where that thread cannot run, since something holds the interpreter, faulthandler's watchdog in C ends the process later.
The driver sees a dead process, counts it against the document, and starts another. Each thread can have one limit at a time;
memory is the process's, so the limits of several threads add up.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_LOOK_EVERY_S = 0.03  # a look costs 15 µs; PDFium fills less than 100 MB in the time
_LATER_S = 2.0  # the watchdog after the thread: it can say nothing to anybody
_STATM = Path("/proc/self/statm")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(slots=True)
class _Limit:
    """Of the block that one thread is in."""

    seconds: float
    memory_bytes: int
    ends_at: float  # by the monotonic clock
    had_bytes: int | None  # private memory at its beginning


class _Limits:
    def __init__(self) -> None:
        self.open: dict[int, _Limit] = {}  # by thread
        self.lock = threading.Lock()
        self.before_end: Callable[[str], None] = lambda why: None
        self.watcher: int | None = None  # the process whose thread checks: a fork takes no threads along

    def set_watchdog(self) -> None:
        """For the block that ends first. Under the lock."""
        if not self.open:
            faulthandler.cancel_dump_traceback_later()
            return
        left_s = min(limit.ends_at for limit in self.open.values()) - time.monotonic()
        faulthandler.dump_traceback_later(max(0.0, left_s) + _LATER_S, exit=True, file=sys.__stderr__ or 2)


_limits = _Limits()


def tell_before_end(tell: Callable[[str], None]) -> None:
    """Call this with the reason, on another thread, before a block ends the process. Whether it is called is not certain."""
    _limits.before_end = tell


@contextmanager
def bounded(*, seconds: float, memory_bytes: int) -> Iterator[None]:
    """End the process with exit code 1, after a traceback on standard error, when the block takes longer, or more memory than
    the process had before. Memory is not watched where there is no /proc (macOS)."""
    thread = threading.get_ident()
    if thread in _limits.open:
        raise RuntimeError("bounded() does not nest: the inner block would replace the limits of the outer one.")
    _start_watching()
    limit = _Limit(seconds, memory_bytes, time.monotonic() + seconds, _private_bytes())
    try:
        with _limits.lock:
            _limits.open[thread] = limit
            _limits.set_watchdog()
        yield
    finally:
        with _limits.lock:
            _limits.open.pop(thread, None)
            _limits.set_watchdog()


def _start_watching() -> None:
    if _limits.watcher != os.getpid():
        _limits.watcher = os.getpid()
        _limits.open.clear()
        threading.Thread(target=_watch, name="pdf-memory", daemon=True).start()


def _watch() -> None:
    while True:
        time.sleep(_LOOK_EVERY_S)
        if why := _exceeded():
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
    had = [limit.had_bytes for limit in limits if limit.had_bytes is not None]
    has = _private_bytes() if had else None
    if has is not None and has > min(had) + sum(limit.memory_bytes for limit in limits):
        return "more memory than limits.page_memory allows"
    return ""


def _private_bytes() -> int | None:
    """Resident and not shared, so without the object store's pages; None where it cannot be known."""
    try:
        fields = _STATM.read_bytes().split()
    except OSError:
        return None
    return (int(fields[1]) - int(fields[2])) * _PAGE_BYTES
