"""aiohttp servers on a loopback port, in the test's event loop; and pages without a PDF."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)  # do not wait for a handler that stalls
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def answering(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """A server that passes every request to `handler`."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return await handler(request)

    app = web.Application(client_max_size=64 << 20)
    app.router.add_route("*", "/{path:.*}", answer)
    async with serving(app) as url:
        yield url


async def stall(_: web.Request) -> web.Response:
    """A handler that does not answer."""
    await asyncio.sleep(3600)
    raise AssertionError


async def cut(request: web.Request) -> web.Response:
    """A handler that closes the connection."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@dataclass(eq=False)
class FakePage:
    """Returns the same bytes as PDF and as image, and records the calls."""

    data: bytes = b"%PDF-1.7 a page"
    document_id: str = "d"
    page_number: int = 1
    asked: list[str] = field(default_factory=list)
    give_up_s: float | None = None
    size_pt: tuple[float, float] = (595.0, 842.0)
    sent_pages: int | None = None
    batch_keys: list[str] = field(default_factory=list)

    async def as_document(self, *, dpi: int = 200, max_bytes: int | None = None) -> bytes:
        self.asked.append("pdf")
        return self.data

    @property
    def tried(self) -> int:
        return 0

    def let_go(self) -> None:
        self.asked.append("let go")

    async def content_hash(self) -> str:
        return self.data.hex()

    async def as_image(self, *, dpi: int, format: str) -> bytes:
        self.asked.append(f"{format}@{dpi}")
        return self.data
