"""Limits of time and memory for PDFium: it cannot be interrupted from Python, so a call that goes over them ends the process.

A Python thread looks every few hundredths of a second (ctypes lets go of the interpreter while PDFium works): a content stream of
2 MB can inflate to gigabytes, and a limit of the kernel's would only make PDFium see an empty page, which is worse than none.
Where that thread cannot run, since something holds on to the interpreter, faulthandler's watchdog in C ends the process later.
The driver sees a dead process, counts it against the document, and goes on with another. Not reentrant: there is one watchdog a
process, so the calls must come from one thread, as PDFium demands anyway, and must not be nested.
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
class _Watch:
    armed: bool = False
    seconds: float = 0.0
    ends_at: float | None = None  # by the monotonic clock, while armed
    most_bytes: int | None = None  # of private memory, while armed
    before_end: Callable[[str], None] = lambda why: None
    looker: int | None = None  # the process whose thread looks: a fork takes no threads along


_watch = _Watch()


def tell_before_end(tell: Callable[[str], None]) -> None:
    """Call this with the reason, on another thread, before a block ends the process. Whether it is called is not certain."""
    _watch.before_end = tell


@contextmanager
def bounded(*, seconds: float, memory_bytes: int) -> Iterator[None]:
    """End the process with exit code 1, after a traceback on standard error, when the block takes longer, or more memory than
    it had before. Memory is not watched where there is no /proc (macOS)."""
    if _watch.armed:
        raise RuntimeError("bounded() does not nest: the inner block would disarm the outer one.")
    _watch.armed = True
    faulthandler.dump_traceback_later(seconds + _LATER_S, exit=True, file=sys.__stderr__ or 2)
    try:
        _start_looking()
        had = _private_bytes()
        _watch.most_bytes = None if had is None else had + memory_bytes
        _watch.seconds, _watch.ends_at = seconds, time.monotonic() + seconds
        yield
    finally:
        _watch.most_bytes = _watch.ends_at = None
        faulthandler.cancel_dump_traceback_later()
        _watch.armed = False


def _start_looking() -> None:
    if _watch.looker != os.getpid():
        _watch.looker = os.getpid()
        threading.Thread(target=_look, name="pdf-memory", daemon=True).start()


def _look() -> None:
    while True:
        time.sleep(_LOOK_EVERY_S)
        if why := _exceeded():
            faulthandler.dump_traceback(file=sys.__stderr__ or 2)
            os.write(2, f"A PDF took {why}; its process ends.\n".encode())
            with suppress(Exception):
                _watch.before_end(why)
            os._exit(1)


def _exceeded() -> str:
    ends_at, most, has = _watch.ends_at, _watch.most_bytes, _private_bytes()
    if ends_at is not None and time.monotonic() > ends_at:
        return f"longer than {_watch.seconds:g} s"
    if most is not None and has is not None and has > most:
        return "more memory than limits.page_memory allows"
    return ""


def _private_bytes() -> int | None:
    """Resident and not shared, so without the object store's pages; None where it cannot be known."""
    try:
        fields = _STATM.read_bytes().split()
    except OSError:
        return None
    return (int(fields[1]) - int(fields[2])) * _PAGE_BYTES
