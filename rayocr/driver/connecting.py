"""Connects a run to Ray while its servers are probed, so that a signal or a wrong key ends it while Ray is still starting."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from rayocr.config import RayocrConfig
from rayocr.driver.cluster.addresses import find_address
from rayocr.driver.cluster.connect import Connection, connect, disconnect
from rayocr.driver.monitor.terminal import ConsoleTerminal
from rayocr.driver.signals import Shutdown


@asynccontextmanager
async def connected(
    config: RayocrConfig, shutdown: Shutdown, probing: asyncio.Task[None], terminal: ConsoleTerminal
) -> AsyncIterator[Connection]:
    """Yields the connection, and disconnects at the end. See `_connect` for errors."""
    starting = config.cluster in ("auto", "local") and find_address(config.cluster) is None
    async with terminal.waiting("Starting Ray …" if starting else "Connecting to Ray …"):
        connection = await _connect(config, shutdown, probing)
    try:
        yield connection
    finally:
        await asyncio.to_thread(disconnect)


async def _connect(config: RayocrConfig, shutdown: Shutdown, probing: asyncio.Task[None]) -> Connection:
    """Connects to Ray. Raises Interrupted as soon as a signal arrives, and the error of `probing` as soon as it fails, since Ray
    itself would continue for minutes."""
    cancelled = threading.Event()
    connecting = asyncio.create_task(asyncio.to_thread(connect, config, cancelled))
    stop = asyncio.create_task(shutdown.requested.wait())
    try:
        waiting: set[asyncio.Task[Any]] = {connecting, stop, probing}
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if done == {probing} and probing.exception() is None:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if not connecting.done():
            cancelled.set()
            if not stop.done():
                await asyncio.wait([connecting])
                connecting.exception()  # retrieves the error
                await probing  # raises
        return await connecting
    finally:
        stop.cancel()
