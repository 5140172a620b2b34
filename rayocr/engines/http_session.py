"""The aiohttp sessions of the engines that ask a server: bounded answers, no cookies, no cap on connections."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies

from rayocr.errors import MalformedAnswer

if TYPE_CHECKING:
    import aiohttp

MAX_ANSWER_BYTES = 64 << 20  # of one answer, inflated: a page of text is a few KB


def new_session(**options: Any) -> aiohttp.ClientSession:
    """Belongs to the running event loop. `options`: further ones of aiohttp.ClientSession. Reading the body of an answer raises
    MalformedAnswer beyond MAX_ANSWER_BYTES, which count as they come out of a compressed body."""
    import aiohttp

    return aiohttp.ClientSession(
        response_class=_bounded_response(),
        connector=aiohttp.TCPConnector(limit=0),  # the limiter says how many are in flight
        # Told to trust the environment, aiohttp asks it for proxies before each request, on a thread: 0.4 ms of CPU a page.
        trust_env=bool(getproxies()),
        cookie_jar=aiohttp.DummyCookieJar(),
        **options,
    )


@functools.cache
def _bounded_response() -> type[aiohttp.ClientResponse]:
    import aiohttp

    class BoundedResponse(aiohttp.ClientResponse):
        async def read(self) -> bytes:
            if self._body is None:
                try:
                    self._body = await self._bounded_body()
                except BaseException:
                    self.close()
                    raise
            return await super().read()

        async def _bounded_body(self) -> bytes:
            body = bytearray()
            async for part in self.content.iter_any():  # aiohttp inflates a little ahead of what it hands over
                body += part
                if len(body) > MAX_ANSWER_BYTES:
                    raise MalformedAnswer(f"The answer has more than {MAX_ANSWER_BYTES:,} bytes.", finish="TOO_LARGE")
            return bytes(body)

    return BoundedResponse
