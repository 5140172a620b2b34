"""A time limit for PDFium: it cannot be interrupted from Python, so a call that hangs ends the process.

faulthandler's watchdog is a C thread; it fires although PDFium holds on to the thread that called it. The driver sees a dead
process, counts it against the document, and goes on with another. Not reentrant: there is one watchdog a process, so the calls
must come from one thread, as PDFium demands anyway, and must not be nested.
"""

from __future__ import annotations

import faulthandler
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_armed = False


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """End the process with exit code 1, after a traceback on standard error, when the block takes longer."""
    global _armed
    if _armed:
        raise RuntimeError("deadline() does not nest: the inner block would disarm the outer one.")
    _armed = True
    faulthandler.dump_traceback_later(seconds, exit=True, file=sys.__stderr__ or 2)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        _armed = False
