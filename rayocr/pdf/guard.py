"""Limits of time and memory for PDFium: it cannot be interrupted from Python, so a call that goes over them ends the process.

For time, faulthandler's watchdog is a C thread; it fires although PDFium holds on to the thread that called it. For memory, a
Python thread looks every few hundredths of a second (ctypes lets go of the interpreter while PDFium works): a content stream of
2 MB can inflate to gigabytes, and a limit of the kernel's would only make PDFium see an empty page, which is worse than none.
The driver sees a dead process, counts it against the document, and goes on with another. Not reentrant: there is one watchdog a
process, so the calls must come from one thread, as PDFium demands anyway, and must not be nested.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_LOOK_EVERY_S = 0.03  # a look costs 15 µs; PDFium fills less than 100 MB in the time
_STATM = Path("/proc/self/statm")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(slots=True)
class _Watch:
    armed: bool = False
    most_bytes: int | None = None  # of private memory, while armed
    looker: int | None = None  # the process whose thread looks: a fork takes no threads along


_watch = _Watch()


@contextmanager
def bounded(*, seconds: float, memory_bytes: int) -> Iterator[None]:
    """End the process with exit code 1, after a traceback on standard error, when the block takes longer, or more memory than
    it had before. Memory is not watched where there is no /proc (macOS)."""
    if _watch.armed:
        raise RuntimeError("bounded() does not nest: the inner block would disarm the outer one.")
    _watch.armed = True
    faulthandler.dump_traceback_later(seconds, exit=True, file=sys.__stderr__ or 2)
    try:
        if (had := _private_bytes()) is not None:
            _start_looking()
            _watch.most_bytes = had + memory_bytes
        yield
    finally:
        _watch.most_bytes = None
        faulthandler.cancel_dump_traceback_later()
        _watch.armed = False


def _start_looking() -> None:
    if _watch.looker != os.getpid():
        _watch.looker = os.getpid()
        threading.Thread(target=_look, name="pdf-memory", daemon=True).start()


def _look() -> None:
    while True:
        time.sleep(_LOOK_EVERY_S)
        most, has = _watch.most_bytes, _private_bytes()
        if most is not None and has is not None and has > most:
            faulthandler.dump_traceback(file=sys.__stderr__ or 2)
            os.write(2, b"A PDF took more memory than limits.page_memory allows; its process ends.\n")
            os._exit(1)


def _private_bytes() -> int | None:
    """Resident and not shared, so without the object store's pages; None where it cannot be known."""
    try:
        fields = _STATM.read_bytes().split()
    except OSError:
        return None
    return (int(fields[1]) - int(fields[2])) * _PAGE_BYTES
