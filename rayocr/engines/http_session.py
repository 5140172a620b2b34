"""Creates the aiohttp sessions of the engines that call a server: answers of limited size, no cookies, no connection limit."""

from __future__ import annotations

import functools
import re
import socket
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies

from rayocr.errors import MalformedAnswer

if TYPE_CHECKING:
    import aiohttp

_TLS = re.compile(r" ssl:(<[^>]*>|\S+)")
MAX_ANSWER_BYTES = 64 << 20  # maximum size of an answer, decompressed; a page of text has a few KB


def new_session(**options: Any) -> aiohttp.ClientSession:
    """Returns a session of the running event loop. `options`: further options of aiohttp.ClientSession. Reading a body raises
    MalformedAnswer beyond MAX_ANSWER_BYTES, counted after decompression."""
    import aiohttp

    return aiohttp.ClientSession(
        response_class=_bounded_response(),
        connector=aiohttp.TCPConnector(limit=0),  # the limiter bounds the requests in flight
        # With trust_env, aiohttp looks up proxies before each request, on a thread: 0.4 ms of CPU per page.
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
            async for part in self.content.iter_any():  # aiohttp decompresses slightly more than it yields
                body += part
                if len(body) > MAX_ANSWER_BYTES:
                    raise MalformedAnswer(f"The answer has more than {MAX_ANSWER_BYTES:,} bytes.", finish="TOO_LARGE")
            return bytes(body)

    return BoundedResponse


def was_sent(error: BaseException) -> bool:
    """Returns whether the server may have received the request, and may bill it, before the connection failed."""
    import aiohttp

    return not isinstance(error, aiohttp.ClientConnectorError | aiohttp.InvalidURL | socket.gaierror)


def connection_words(error: BaseException) -> str:
    """Returns aiohttp's message without its TLS settings: "ssl:default" does not help a user."""
    return _TLS.sub("", str(error))
