"""Returns the first reply again when Ray repeats a call because the connection broke before the reply arrived.

Ray executes a call with retries a second time when it cannot determine whether the first reply arrived. A call that takes slots,
documents or log lines would then take them twice, and those of the first execution would be lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar, cast

import ray

T = TypeVar("T")


def this_call() -> str:
    """Returns the identity of the call in progress. The identity stays the same when Ray executes the call again."""
    return ray.get_runtime_context().get_task_id() or ""


class Replies:
    """Keeps the last reply to each caller. A caller must have only one call in progress; `call` identifies it."""

    def __init__(self, call: Callable[[], str] = this_call) -> None:
        self._call = call
        self._last: dict[Hashable, tuple[str, Any]] = {}

    async def once(self, caller: Hashable, execute: Callable[[], Awaitable[T]]) -> T:
        """Returns the result of `execute`, or of the call's first execution, which may still be in progress."""

        async def first() -> T:
            return await execute()

        return await self.once_sync(caller, lambda: asyncio.ensure_future(first()))

    def once_sync(self, caller: Hashable, execute: Callable[[], T]) -> T:
        """Works like `once`, for an `execute` that is not a coroutine."""
        call = self._call()
        last = self._last.get(caller)
        if last is None or last[0] != call:
            last = self._last[caller] = (call, execute())
        return cast(T, last[1])
