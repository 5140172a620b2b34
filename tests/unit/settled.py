"""Runs an event loop until it has no more work, without waiting for time to pass."""

from __future__ import annotations

import asyncio

_TURNS = 100  # more than any chain of wake-ups in these tests


async def settled() -> None:
    """Call it before asserting that something did not happen."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)
