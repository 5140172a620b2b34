"""The aiohttp sessions of the engines that ask a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.request import getproxies

if TYPE_CHECKING:
    import aiohttp


def new_session(**options: Any) -> aiohttp.ClientSession:
    """Inside a running event loop, which it is then for. `options`: further ones of aiohttp.ClientSession."""
    import aiohttp

    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),  # the limiter says how many are in flight
        # Told to trust the environment, aiohttp asks it for proxies before each request, on a thread: 0.4 ms of CPU a page.
        trust_env=bool(getproxies()),
        cookie_jar=aiohttp.DummyCookieJar(),
        **options,
    )
