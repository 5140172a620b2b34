"""An event loop whose clock jumps: a test of minutes takes milliseconds, independent of the machine's speed.

While a thread works for the loop, time does not advance; otherwise it jumps to the next timer. The async tests of
tests/unit/actors and tests/unit/driver run on it (see their conftest.py); code under test that takes a clock gets the loop's
`time`.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from rayocr.actors.page_worker.pdf_thread import PdfThread

T = TypeVar("T")

_LIMIT_S = 3600.0  # virtual seconds
_PATIENCE = 50  # selects of one millisecond without an event, after which a thread must be waiting for a sleeping coroutine


class _Selector(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        for _ in range(_PATIENCE):
            found = super().select(0.001 if self._loop.working and timeout != 0 else 0)
            if found or timeout == 0 or not self._loop.working:
                break
        if not found and timeout is None:
            return super().select(None)
        if not found and timeout:
            self._loop.now += timeout
        return found


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.working = 0  # threads that work for this loop
        super().__init__(_Selector(self))

    def time(self) -> float:
        return self.now

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        future = super().run_in_executor(executor, func, *args)
        self._count(future)
        return future

    def _count(self, future: asyncio.Future[Any]) -> None:
        self.working += 1
        future.add_done_callback(lambda _: setattr(self, "working", self.working - 1))


async def pass_time(seconds: float) -> None:
    """Lets virtual time pass: whatever is due by then happens, and threads finish what they do for the loop."""
    assert isinstance(asyncio.get_running_loop(), VirtualLoop), "this test runs in real time"
    await asyncio.sleep(seconds)


async def until(condition: Callable[[], object]) -> None:
    """Lets virtual time pass until the condition holds."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop), "this test runs in real time"
    deadline = loop.now + _LIMIT_S
    while not condition():
        assert loop.now < deadline, f"not within {_LIMIT_S:.0f} virtual seconds"
        await asyncio.sleep(0.01)


def run_virtually(work: Coroutine[Any, Any, T]) -> T:
    """Returns the result of `work`, which may use workers; their threads count as working."""
    original = PdfThread.run

    async def counted(self: PdfThread, function: Any, *arguments: Any) -> Any:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.working += 1
        try:
            return await original(self, function, *arguments)
        finally:
            loop.working -= 1

    PdfThread.run = counted  # type: ignore[method-assign, assignment]
    try:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            return runner.run(work)
    finally:
        PdfThread.run = original  # type: ignore[method-assign]
