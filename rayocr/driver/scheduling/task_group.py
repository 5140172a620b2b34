"""Waits for several tasks of a document and leaves none running."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any

from rayocr.errors import Draining, OutsideError


async def all_of(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Runs all tasks. The first error cancels the others. If it ends the run, the others finish first."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    except (Draining, OutsideError):
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


async def settled(tasks: set[asyncio.Task[None]], *, at_most: int) -> set[asyncio.Task[None]]:
    """Waits until at most this number of tasks are running. Raises the first error of the ended tasks."""
    while True:
        done = {task for task in tasks if task.done()}
        for task in done:
            task.result()
        tasks = tasks - done
        if len(tasks) <= at_most:
            return tasks
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
