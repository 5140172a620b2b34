"""The tier that an answer was served in decides its price, and Vertex AI takes the tier in a header."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from rayocr.config import GeminiConfig, Secrets
from rayocr.engines.gemini.engine import GeminiEngine
from rayocr.errors import EngineShed
from rayocr.messages import PageText
from tests.unit.engines.servers import FakePage, answering

# The SDK's own: it subclasses aiohttp's session.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
MODEL = "gemini-3.1-flash-lite"


class Server:
    def __init__(self, headers: dict[str, str] | None = None, **usage: Any) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.tiers: list[str | None] = []
        self._headers, self._usage = headers, {"promptTokenCount": 600, "candidatesTokenCount": 30} | usage

    async def __call__(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.json())
        self.tiers.append(request.headers.get("X-Vertex-AI-LLM-Shared-Request-Type"))
        candidates = [{"content": {"role": "model", "parts": [{"text": "# A page"}]}, "finishReason": "STOP"}]
        return web.json_response({"candidates": candidates, "usageMetadata": self._usage}, headers=self._headers)


async def ask(server: Handler, **settings: Any) -> PageText:
    async with answering(server) as url:
        config = GeminiConfig(base_url=url, model=MODEL, **settings)
        engine = GeminiEngine(config, prompt="Read it.", secrets=Secrets(gemini_api_key="a-key-of-the-test"))
        engine.open()
        try:
            return await engine.recognize_async(FakePage(), MODEL)
        finally:
            await engine.aclose()


@pytest.mark.parametrize(
    ("asked", "header", "billed"),
    [
        ("priority", "standard", "standard"),  # the project has exceeded its limits for priority
        ("priority", "Priority", "priority"),
        ("flex", "flex", "flex"),
        ("flex", "a-new-tier", "flex"),
        ("standard", "", "standard"),
    ],
)
async def test_an_answer_is_billed_in_the_tier_that_the_server_names(asked: str, header: str, billed: str) -> None:
    answer = await ask(Server({"X-Gemini-Service-Tier": header} if header else None), tier=asked)
    assert answer.price_class == billed


@pytest.mark.parametrize(
    ("usage", "charged"), [({"promptTokenCount": 600}, 600), (None, 0), ({}, 0), ({"promptTokenCount": "many"}, 0), ("600", 0)]
)
async def test_a_shed_request_says_what_the_server_charges_for_it(usage: Any, charged: int) -> None:
    async def flex_is_full(request: web.Request) -> web.Response:
        body: dict[str, Any] = {"error": {"code": 503, "message": "Shed.", "status": "UNAVAILABLE"}}
        return web.json_response(body | ({} if usage is None else {"usageMetadata": usage}), status=503)

    with pytest.raises(EngineShed) as caught:
        await ask(flex_is_full, tier="flex")
    assert caught.value.input_tokens == charged


@pytest.mark.parametrize(
    ("tier", "traffic", "billed"),
    [
        ("flex", "ON_DEMAND_FLEX", "flex"),
        ("priority", "ON_DEMAND", "standard"),
        ("priority", "PROVISIONED_THROUGHPUT", "priority"),
        ("standard", "ON_DEMAND", "standard"),
    ],
)
async def test_vertex_ai_takes_the_tier_in_a_header_and_names_the_traffic_type(tier: str, traffic: str, billed: str) -> None:
    server = Server(trafficType=traffic)
    answer = await ask(server, tier=tier, vertexai=True)
    assert server.tiers == [None if tier == "standard" else tier]
    assert "serviceTier" not in server.bodies[0], "Vertex AI rejects it"
    assert answer.price_class == billed
