"""Stands in for ProcessPoolExecutor: a new process that imports rayocr takes a second of CPU.

Each use of processes also has a test with real ones.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from typing import Any


class InThisProcess(Executor):
    """Calls functions at once, in this process. `crashes(*arguments)`: whether a call would end its process."""

    def __init__(self, *_: object, crashes: Callable[..., bool] = lambda *_: False, **__: object) -> None:
        self._crashes = crashes
        self._broken = False

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self._broken = self._broken or self._crashes(*arguments)
        try:
            if self._broken:
                raise BrokenProcessPool
            future.set_result(function(*arguments, **named))
        except Exception as error:  # as of a process: raised where the result is asked for
            future.set_exception(error)
        return future
