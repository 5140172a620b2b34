"""Serializes PDFium calls from several threads of one process, since PDFium is not thread-safe.

Worker processes have one thread that uses PDFium and do not need this module. A run in one process (`cluster=inprocess`) has
several threads, which compute in parallel and take turns with PDFium.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Any, cast

_lock = threading.RLock()  # reentrant: PDFium calls back, and callbacks may close an object
_state = threading.local()  # the error of this thread's last load; PDFium keeps one error for all threads
_done = False


def serialize_pdfium() -> None:
    """Wraps every PDFium function in a lock. Costs half a microsecond per call. Idempotent."""
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
