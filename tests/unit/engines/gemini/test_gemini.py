"""The gemini engine with the real SDK, against servers on loopback."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web

from rayocr.composition import compose
from rayocr.config import GeminiConfig
from rayocr.engines.gemini.batch import by_key
from rayocr.engines.gemini.request import thinking_config
from tests.unit.engines.gemini.recorded_server import MODEL, STOP, Recorded, ask, service_account
from tests.unit.engines.servers import FakePage, answering

# The SDK's own: it subclasses aiohttp's session.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")


async def test_an_answer_is_all_its_text_parts_with_tokens_and_model_version() -> None:
    server = Recorded()
    async with answering(server) as url:
        answer = await ask(url)
    assert (answer.text, answer.finish, answer.model) == ("# A page", "STOP", "gemini-3.1-flash-lite-001")
    assert (answer.input_tokens, answer.output_tokens, answer.cached_tokens) == (600, 42, 100)
    assert server.keys == ["a-key-of-the-test"]


async def test_thoughts_are_not_text() -> None:
    parts = [{"text": "Let me think.", "thought": True}, {"text": "The page."}]
    body = STOP | {"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]}
    async with answering(Recorded(body)) as url:
        assert (await ask(url)).text == "The page."


async def test_the_request_asks_for_the_least_thinking_and_switches_the_filters_off() -> None:
    server = Recorded()
    async with answering(server) as url:
        await ask(url, media_resolution="high")
    ((path, body),) = server.requests
    assert path == f"/v1beta/models/{MODEL}:generateContent"
    generation = body["generationConfig"]
    assert list(generation["thinkingConfig"].values()) == ["MINIMAL"]  # as thinkingLevel or thinking_level: both are valid
    assert generation["mediaResolution"] == "MEDIA_RESOLUTION_HIGH"
    assert (generation["temperature"], generation["maxOutputTokens"]) == (0.0, 16384)
    assert {setting["threshold"] for setting in body["safetySettings"]} == {"OFF"}
    assert [part.get("text") for part in body["contents"][0]["parts"]] == [None, "Read it."]


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gemini-3.1-flash-lite", "MINIMAL"),
        ("gemini-3.5-flash-lite", "MINIMAL"),
        ("gemini-3.8-flash", "LOW"),  # MINIMAL is a 400
        ("gemini-3.1-pro", "LOW"),
        ("gemini-2.5-flash", 0),
        ("gemini-2.5-pro", 128),
        ("gemma-3", None),
    ],
)
def test_thinking_is_the_least_that_the_model_takes(model: str, expected: str | int | None) -> None:
    config = thinking_config("auto", model)
    if expected is None:
        assert config is None
    else:
        assert (config.thinking_level.name if isinstance(expected, str) else config.thinking_budget) == expected


async def test_a_picture_over_the_limit_of_a_request_is_rendered_at_a_lower_resolution() -> None:
    class HugePage(FakePage):
        async def as_image(self, *, dpi: int, format: str) -> bytes:
            self.asked.append(f"{format}@{dpi}")
            return bytes(dpi * 5_000)

    page, server = HugePage(), Recorded()
    async with answering(server) as url:
        await ask(url, page, page_format="png", dpi=200, max_request_mb=1.0)
    assert page.asked == ["png@200", "png@133", "png@88"]


@pytest.mark.parametrize("page_format", ["pdf", "jpeg", "webp", "png"])
async def test_the_page_goes_out_in_the_format_that_was_chosen(page_format: str) -> None:
    server, page = Recorded(), FakePage()
    async with answering(server) as url:
        await ask(url, page, page_format=page_format, dpi=150)
    inline = server.requests[0][1]["contents"][0]["parts"][0]["inlineData"]
    assert (inline.get("mimeType") or inline["mime_type"]) == (
        "application/pdf" if page_format == "pdf" else f"image/{page_format}"
    )
    assert page.asked == ["pdf" if page_format == "pdf" else f"{page_format}@150"]


def test_the_ladder_is_models_or_else_the_model() -> None:
    assert GeminiConfig(model="a").ladder == ("a",)
    assert GeminiConfig(model="a", models=["b", "c", "b"]).ladder == ("b", "c")


async def test_a_refusal_in_words_is_a_refusal() -> None:
    parts = [{"text": "I'm sorry, but I can't assist with that."}]
    async with answering(Recorded({"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]})) as url:
        assert (await ask(url)).finish == "refusal"


@pytest.mark.parametrize("count", [-5, 2**62])
async def test_what_a_server_says_about_its_answer_is_bounded(count: int) -> None:
    usage = {"promptTokenCount": count, "candidatesTokenCount": count, "thoughtsTokenCount": count}
    async with answering(Recorded(STOP | {"usageMetadata": usage, "modelVersion": "m\ud800" + "m" * 1_000_000})) as url:
        answer = await ask(url)
    assert 0 <= answer.input_tokens <= 100_000_000 and 0 <= answer.output_tokens <= 200_000_000
    assert (answer.model.isprintable(), len(answer.model) <= 100) == (True, True)


@pytest.mark.parametrize(("tier", "sent"), [("standard", None), ("flex", "flex"), ("auto", "flex"), ("priority", "priority")])
async def test_a_request_names_its_service_tier_and_the_answer_is_billed_as_that(tier: str, sent: str | None) -> None:
    server = Recorded()
    async with answering(server) as url:
        answer = await ask(url, tier=tier)
    assert server.requests[0][1].get("serviceTier") == sent
    assert answer.price_class == (sent or "standard")


def test_the_tier_does_not_change_the_fingerprint() -> None:
    assert compose(["engine=gemini", "engine.gemini.tier=flex"], {}).fingerprint() == compose(["engine=gemini"], {}).fingerprint()


async def test_vertex_ai_is_asked_with_googles_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str | None]] = []

    async def google(request: web.Request) -> web.Response:
        if request.path == "/token":
            return web.json_response({"access_token": "a-token", "expires_in": 3600, "token_type": "Bearer"})
        asked.append((request.path, request.headers.get("Authorization")))
        return web.json_response(STOP)

    async with answering(google) as url:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(service_account(tmp_path, f"{url}/token")))
        answer = await ask(url, vertexai=True, project="p", location="europe-west4")
    assert answer.text == "# A page"
    path = f"/v1beta1/projects/p/locations/europe-west4/publishers/google/models/{MODEL}:generateContent"
    assert asked == [(path, "Bearer a-token")]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_lines_with_one_key_the_response_wins_over_the_error(order: tuple[int, int]) -> None:
    lines = (("a", b'{"key": "a", "response": {}}'), ("a", b'{"key": "a", "error": {"code": 13}}'))
    assert by_key([lines[index] for index in order]) == {"a": lines[0][1]}
