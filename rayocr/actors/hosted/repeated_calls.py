"""Calls that Ray repeats, because the connection broke before the reply arrived, get the first reply again.

Ray executes a call of an actor with retries a second time when it cannot know whether the first reply arrived. For calls that
take something (slots, documents, log lines) the second execution would take twice: what the first one took is then missing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar, cast

import ray

T = TypeVar("T")


def this_call() -> str:
    """The same in every execution of a call."""
    return ray.get_runtime_context().get_task_id() or ""


class Replies:
    """The last reply to each caller. A caller must have only one call in progress; `call` identifies the current one."""

    def __init__(self, call: Callable[[], str] = this_call) -> None:
        self._call = call
        self._last: dict[Hashable, tuple[str, Any]] = {}

    async def once(self, caller: Hashable, execute: Callable[[], Awaitable[T]]) -> T:
        """The result of `execute`, or of the call's first execution, which may still be in progress."""

        async def first() -> T:
            return await execute()

        return await self.once_sync(caller, lambda: asyncio.ensure_future(first()))

    def once_sync(self, caller: Hashable, execute: Callable[[], T]) -> T:
        """The same for a call that does not wait."""
        call = self._call()
        last = self._last.get(caller)
        if last is None or last[0] != call:
            last = self._last[caller] = (call, execute())
        return cast(T, last[1])
