"""rayocr reads folders and buckets of PDFs and writes clean text, at the full speed of your OCR quota.

`rayocr.read` reads one document, `rayocr.run` reads a whole source, `rayocr.open_results` opens the outputs of runs. Names are
imported on first use, so `import rayocr` is fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

__all__ = [
    "Comparison",
    "FinishedDocument",
    "ReadDocument",
    "ReadPage",
    "ResultDocument",
    "ResultPage",
    "Results",
    "RunHandle",
    "RunProgress",
    "RunResult",
    "aread",
    "arun",
    "copy_samples",
    "errors",
    "open_results",
    "read",
    "run",
    "start",
]

if TYPE_CHECKING:
    from rayocr import errors
    from rayocr.api import (
        Comparison,
        FinishedDocument,
        ReadDocument,
        ReadPage,
        ResultDocument,
        ResultPage,
        Results,
        RunHandle,
        RunProgress,
        RunResult,
        aread,
        arun,
        copy_samples,
        open_results,
        read,
        run,
        start,
    )
else:  # a type checker would accept every name of a module with __getattr__

    def __getattr__(name):
        import sys
        from importlib import import_module

        if name == "errors":
            return import_module("rayocr.errors")
        if name in __all__:
            return getattr(import_module("rayocr.api"), name)
        raise AttributeError(f"module 'rayocr' has no attribute {name!r}", name=name, obj=sys.modules[__name__])

    def __dir__():
        return sorted({*globals(), *__all__})
