"""Implements the Python API: `rayocr.read`, `rayocr.run`, `rayocr.start`, `rayocr.open_results` and `rayocr.copy_samples`. Every
call that reads a PDF uses a child process, so that a hostile PDF or a crash of PDFium cannot end the caller. Calls block. You can
call them from threads and inside a running event loop. `aread` and `arun` are the async versions.
"""

from rayocr.api.document import ReadDocument, ReadPage
from rayocr.api.process import RunProgress
from rayocr.api.reading import aread, read
from rayocr.api.result_pages import Comparison, ResultDocument, ResultPage
from rayocr.api.results import Results, open_results
from rayocr.api.running import FinishedDocument, RunHandle, RunResult, arun, run, start
from rayocr.api.samples import copy_samples

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
    "open_results",
    "read",
    "run",
    "start",
]
