from __future__ import annotations

import gzip
import socket
import ssl
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web
from aiohttp.client_reqrep import ConnectionKey

from rayocr.engines.gemini.errors import translate as translate_gemini
from rayocr.engines.http_session import connection_words, new_session
from rayocr.engines.openai.errors import translate as translate_openai
from rayocr.errors import EngineConnectionLost, MalformedAnswer

KEY = ConnectionKey("localhost", 443, True, True, None, None, None)
_LIMIT_BYTES = 8 << 20  # instead of 64 MiB, so that a test need not inflate 400 MB
Handler = Callable[[web.Request], Awaitable[web.Response]]


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


async def served_by(app_answer: str) -> tuple[web.AppRunner, int]:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=f"{app_answer} {request.raw_path}", headers={"Set-Cookie": "a=b"})

    return await served(answer)


async def served(answer: Handler) -> tuple[web.AppRunner, int]:
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return runner, runner.addresses[0][1]


async def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, port = await served_by("proxy")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
    async with new_session() as session, session.get("http://example.invalid/x") as response:
        assert await response.text() == "proxy http://example.invalid/x"
    await proxy.cleanup()


async def test_without_one_the_environment_is_not_asked_for_each_request(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: object) -> None:
        pytest.fail("the proxy was looked up in the environment")

    monkeypatch.setattr(aiohttp.client, "get_env_proxy_for_url", asked)
    server, port = await served_by("server")
    async with new_session() as session:
        for _ in range(2):
            async with session.get(f"http://127.0.0.1:{port}/x") as response:
                assert await response.text() == "server /x"
                assert not response.request_info.headers.get("Cookie")
    await server.cleanup()


@pytest.mark.parametrize("size", [_LIMIT_BYTES + 1, 6 * _LIMIT_BYTES], ids=["just too large", "a bomb"])
@pytest.mark.parametrize(("encoding", "wbits"), [("gzip", 31), ("deflate", 15), ("deflate", -15)])
async def test_an_answer_that_inflates_beyond_the_limit_is_malformed(
    size: int, encoding: str, wbits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rayocr.engines.http_session.MAX_ANSWER_BYTES", _LIMIT_BYTES)
    compressor = zlib.compressobj(9, wbits=wbits)
    block = bytes(1 << 20)
    parts = [compressor.compress(block) for _ in range(size >> 20)]
    body = b"".join(parts) + compressor.compress(block[: size % (1 << 20)]) + compressor.flush()

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, headers={"Content-Encoding": encoding})

    runner, port = await served(answer)
    tracemalloc.start()
    try:
        async with new_session() as session, session.get(f"http://127.0.0.1:{port}/") as response:
            with pytest.raises(MalformedAnswer, match="more than"):
                await response.text()
        assert tracemalloc.get_traced_memory()[1] < 5 * _LIMIT_BYTES
    finally:
        tracemalloc.stop()
        await runner.cleanup()


async def test_an_answer_within_the_limit_is_read() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(b"x" * 100_000), headers={"Content-Encoding": "gzip"})

    runner, port = await served(answer)
    async with new_session() as session, session.get(f"http://127.0.0.1:{port}/") as response:
        assert await response.text() == await response.text() == "x" * 100_000
    await runner.cleanup()


@pytest.mark.parametrize("tls", ["ssl:default", "ssl:<ssl.SSLContext object at 0x7f00>", "ssl:True"])
def test_a_message_does_not_show_the_tls_settings(tls: str) -> None:
    error = OSError(f"Cannot connect to host h:8000 {tls} [Connect call failed]")
    assert connection_words(error) == "Cannot connect to host h:8000 [Connect call failed]"


@pytest.mark.parametrize(
    ("error", "sent"),
    [
        (aiohttp.ServerDisconnectedError(), True),
        (aiohttp.ClientPayloadError("cut"), True),
        (ConnectionResetError("reset"), True),
        (socket.gaierror(-3, "Temporary failure in name resolution"), False),
        (aiohttp.ClientConnectorDNSError(KEY, OSError(-2, "Name or service not known")), False),
        (aiohttp.ClientConnectorCertificateError(KEY, ssl.SSLCertVerificationError(1, "self-signed certificate")), False),
    ],
)
def test_a_server_may_bill_only_a_request_that_reached_it(error: Exception, sent: bool) -> None:
    for translate in (translate_gemini, translate_openai):
        lost = translate(error)
        assert isinstance(lost, EngineConnectionLost)
        assert lost.in_flight is sent
