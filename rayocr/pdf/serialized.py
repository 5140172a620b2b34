"""PDFium for several threads of one process: it is not thread-safe, so one thread at a time may be inside it.

Worker processes have one thread that uses PDFium and need none of this. A run in one process (`cluster=inprocess`) has several,
which compute side by side and take turns with PDFium.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Any, cast

_lock = threading.RLock()  # reentrant: PDFium calls back, and what it calls may close an object
_state = threading.local()  # `error`: of this thread's last load, which another thread's load would overwrite in PDFium
_done = False


def serialize_pdfium() -> None:
    """Put a lock around every function of PDFium, from now on. Costs half a microsecond a call. Idempotent."""
    global _done
    with _lock:
        if _done:
            return
        _done = True
        import pypdfium2.raw as raw

        function_type: type = ctypes.__dict__["_CFuncPtr"]
        last_error = raw.FPDF_GetLastError
        for name in dir(raw):
            function: Any = getattr(raw, name)
            if isinstance(function, function_type) and name.startswith(("FPDF", "FORM", "FSDK")):
                setattr(raw, name, _locked(cast(Any, function), last_error if "Load" in name else None))
        raw.FPDF_GetLastError = lambda: getattr(_state, "error", 0)


def _locked(function: Callable[..., Any], last_error: Callable[[], int] | None) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        with _lock:
            result = function(*arguments)
            if last_error is not None:
                _state.error = last_error()
            return result

    return call
