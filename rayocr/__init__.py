"""rayocr reads folders and buckets of PDFs and writes clean text, at the full speed of your OCR quota.

`rayocr.read` reads one document, `rayocr.run` a whole source, `rayocr.open_results` opens what runs wrote. Names are imported
when they are first used, so `import rayocr` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from rayocr.api import FinishedDocument as FinishedDocument
    from rayocr.api import ReadDocument as ReadDocument
    from rayocr.api import ReadPage as ReadPage
    from rayocr.api import Results as Results
    from rayocr.api import RunHandle as RunHandle
    from rayocr.api import RunProgress as RunProgress
    from rayocr.api import RunResult as RunResult
    from rayocr.api import aread as aread
    from rayocr.api import arun as arun
    from rayocr.api import copy_samples as copy_samples
    from rayocr.api import open_results as open_results
    from rayocr.api import read as read
    from rayocr.api import run as run
    from rayocr.api import start as start

_API = frozenset(
    {"FinishedDocument", "ReadDocument", "ReadPage", "Results", "RunHandle", "RunProgress", "RunResult"}
    | {"aread", "arun", "copy_samples", "open_results", "read", "run", "start"}
)


def __getattr__(name: str) -> Any:
    if name in _API:
        return getattr(import_module("rayocr.api"), name)
    raise AttributeError(f"module 'rayocr' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_API})
