"""Runs blocking calls without blocking the event loop, each in a separate thread. The loop's default executor has only a few
threads, which the caller's program needs for other calls, such as resolving names. The end of the loop and of the process waits
for that executor's threads, but not for these."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def in_thread(work: Callable[[], T], *, on_cancel: Callable[[], None] | None = None) -> T:
    """Returns the result of `work`. When the task is cancelled, the thread continues and its result is discarded. With
    `on_cancel`, which makes `work` end soon, the task waits for that end."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def finish(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as raised:  # passed to the task
            error = RuntimeError("The work raised StopIteration.") if isinstance(raised, StopIteration) else raised
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(finish, result, error)

    threading.Thread(target=contextvars.copy_context().run, args=(run,), name="rayocr", daemon=True).start()
    if on_cancel is None:
        return await future
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        on_cancel()
        await asyncio.wait([future])
        future.exception()  # retrieved, so that the loop does not report it
        raise
