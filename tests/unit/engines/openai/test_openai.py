"""The openai engine against servers on loopback that behave like vLLM, OpenAI and proxies."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from aiohttp import web

from rayocr.config import OpenAIConfig, Secrets
from rayocr.engines.answers.checks import check_answer
from rayocr.engines.openai.engine import OpenAIEngine
from rayocr.errors import (
    CredentialsError,
    EngineConnectionLost,
    EngineOverloaded,
    EngineRateLimited,
    EngineRejected,
    EngineTimeout,
    EngineUnavailable,
    MalformedAnswer,
    RayocrError,
    Refused,
    Truncated,
    UnknownModel,
)
from rayocr.messages import PageText
from tests.unit.engines.servers import FakePage, answering, cut, stall

STOP: dict[str, Any] = {
    "id": "c-1",
    "object": "chat.completion",
    "model": "allenai/olmOCR-2-7B",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "# A page"}}],
    "usage": {"prompt_tokens": 1500, "completion_tokens": 40, "prompt_tokens_details": {"cached_tokens": 8}},
}


class Server:
    def __init__(
        self, body: Any = STOP, status: int = 200, headers: dict[str, str] | None = None, models: tuple[str, ...] = ("the-model",)
    ) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.keys: list[str | None] = []
        self._body, self._status, self._headers, self._models = body, status, headers, models

    async def __call__(self, request: web.Request) -> web.Response:
        self.paths.append(request.path)
        self.keys.append(request.headers.get("Authorization"))
        if request.method == "GET":
            return web.json_response({"object": "list", "data": [{"id": name, "object": "model"} for name in self._models]})
        self.bodies.append(await request.json())
        if isinstance(self._body, str):
            return web.Response(text=self._body, status=self._status, headers=self._headers, content_type="text/html")
        return web.json_response(self._body, status=self._status, headers=self._headers)


async def ask(url: str, page: FakePage | None = None, *, key: str | None = None, **settings: Any) -> PageText:
    config = OpenAIConfig(**{"base_url": f"{url}/v1", "model": "the-model"} | settings)
    engine = OpenAIEngine(config, prompt="Read it.", secrets=Secrets(openai_api_key=key))
    engine.open()
    try:
        return await engine.recognize_async(page or FakePage(), engine.model)
    finally:
        await engine.aclose()


async def failure(server: Server, **settings: Any) -> RayocrError:
    async with answering(server) as url:
        with pytest.raises(RayocrError) as caught:
            await ask(url, **settings)
    return caught.value


async def test_an_answer_comes_with_its_tokens_and_the_servers_model() -> None:
    async with answering(Server()) as url:
        answer = await ask(url, input_usd_per_million=1.0)
    assert (answer.text, answer.finish, answer.model) == ("# A page", "stop", "allenai/olmOCR-2-7B")
    assert (answer.input_tokens, answer.output_tokens, answer.cached_tokens) == (1500, 40, 8)
    assert answer.cost_usd == pytest.approx(0.0015)


async def test_the_page_goes_out_as_a_data_url_with_the_prompt_and_the_extra_body() -> None:
    server, page = Server(), FakePage(data=b"an image")
    async with answering(server) as url:
        await ask(url, page, image_format="jpeg", dpi=180, max_tokens=99, extra_body={"repetition_penalty": 1.05})
    (body,) = server.bodies
    image, text = body["messages"][0]["content"]
    assert image["image_url"]["url"] == "data:image/jpeg;base64," + base64.b64encode(b"an image").decode()
    assert text == {"type": "text", "text": "Read it."}
    assert (body["model"], body["max_tokens"], body["temperature"], body["repetition_penalty"]) == ("the-model", 99, 0.0, 1.05)
    assert page.asked == ["jpeg@180"]


async def test_a_key_is_sent_where_there_is_one_and_not_needed() -> None:
    server = Server()
    async with answering(server) as url:
        await ask(url)
        await ask(url, key="k")
    assert server.keys == [None, "Bearer k"]


async def test_the_only_model_of_a_server_need_not_be_named() -> None:
    server = Server(models=("only-one",))
    async with answering(server) as url:
        await ask(url, model="")
    assert server.bodies[0]["model"] == "only-one"


async def test_of_several_models_one_has_to_be_named() -> None:
    error = await failure(Server(models=("a", "b")), model="")
    assert isinstance(error, UnknownModel)
    assert "a, b" in str(error.hint)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"finish_reason": "length", "message": {"content": "half a"}}, Truncated),
        ({"finish_reason": "content_filter", "message": {"content": None}}, Refused),
        ({"finish_reason": "stop", "message": {"content": None, "refusal": "No."}}, Refused),
        ({"finish_reason": "stop", "message": {"content": "I'm sorry, but I can't assist with that."}}, Refused),
        ({"finish_reason": None, "message": {"content": "text"}}, MalformedAnswer),
    ],
)
async def test_an_answer_that_is_not_whole_does_not_pass(choice: dict[str, Any], expected: type[RayocrError]) -> None:
    async with answering(Server(STOP | {"choices": [choice]})) as url:
        answer = await ask(url)
    assert answer.input_tokens == 1500, "it is paid for"
    with pytest.raises(expected):
        check_answer(answer, ink_coverage=lambda: 1.0)


async def test_text_in_parts_is_joined() -> None:
    parts = [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}]
    async with answering(Server(STOP | {"choices": [{"finish_reason": "stop", "message": {"content": parts}}]})) as url:
        assert (await ask(url)).text == "one two"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, {"error": {"message": "Incorrect API key", "code": "invalid_api_key"}}, CredentialsError),
        (403, {"error": "Forbidden"}, CredentialsError),
        (404, {"error": {"message": "The model `x` does not exist.", "type": "NotFoundError", "code": 404}}, UnknownModel),
        (404, {"detail": "Not Found"}, EngineRejected),
        (400, {"error": {"message": "maximum context length is 4096", "type": "BadRequestError"}}, EngineRejected),
        (429, {"error": {"message": "Rate limit", "type": "requests"}}, EngineRateLimited),
        (429, {"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}, EngineRateLimited),
        (408, {}, EngineTimeout),
        (500, {"error": {"message": "engine died"}}, EngineOverloaded),
        (502, "<html>Bad gateway</html>", EngineOverloaded),
        (200, "<html>Sign in</html>", EngineConnectionLost),
        (200, {"choices": "none"}, MalformedAnswer),
        (200, [], MalformedAnswer),
    ],
)
async def test_a_status_has_its_class(status: int, body: Any, expected: type[RayocrError]) -> None:
    error = await failure(Server(body, status))
    assert type(error) is expected
    assert "\n" not in str(error)


@pytest.mark.parametrize(("name", "value", "seconds"), [("Retry-After", "7", 7.0), ("retry-after-ms", "250", 0.25)])
async def test_a_429_carries_the_servers_delay(name: str, value: str, seconds: float) -> None:
    error = await failure(Server({"error": {}}, 429, {name: value}))
    assert isinstance(error, EngineRateLimited)
    assert error.retry_after_s == seconds


async def test_a_server_that_stalls_is_a_time_out() -> None:
    async with answering(stall) as url:
        with pytest.raises(EngineTimeout):
            await ask(url, request_timeout_s=0.2)


async def test_a_connection_that_is_cut_is_a_connection_lost() -> None:
    async with answering(cut) as url:
        with pytest.raises(EngineConnectionLost):
            await ask(url)


async def test_the_probe_finds_a_model_that_is_not_served() -> None:
    async with answering(Server(models=("a", "b"))) as url:
        engine = OpenAIEngine(OpenAIConfig(base_url=f"{url}/v1", model="c"), prompt="", secrets=Secrets())
        with pytest.raises(UnknownModel, match="'c'"):
            await engine.probe(engine.model)


def test_a_key_is_never_shown() -> None:
    assert "sesame" not in repr(Secrets(openai_api_key="sesame", gemini_api_key="sesame"))
    assert "sesame" not in json.dumps(str(OpenAIEngine(OpenAIConfig(), prompt="", secrets=Secrets(openai_api_key="sesame"))))


@pytest.mark.parametrize("count", [-5, 10**400, 1.5, True, "7"])
async def test_what_a_server_says_about_its_answer_is_bounded(count: object) -> None:
    """A negative count would lower the bill, and a model's name is kept with every page."""
    usage = {"prompt_tokens": count, "completion_tokens": count, "prompt_tokens_details": {"cached_tokens": count}}
    choice = {"finish_reason": "stop" + "p" * 1_000_000, "message": {"content": "# A page"}}
    async with answering(
        Server(STOP | {"usage": usage, "model": "m\ud800\x1b[2J" + "m" * 1_000_000, "choices": [choice]})
    ) as url:
        answer = await ask(url, input_usd_per_million=1.0, output_usd_per_million=1.0)
    assert 0 <= answer.input_tokens <= 100_000_000 and 0 <= answer.output_tokens <= 100_000_000
    assert answer.cost_usd >= 0
    assert (len(answer.finish), answer.model[:5], answer.model.isprintable()) == (100, "m[2Jm", True)
    assert len(answer.model) <= 100


async def test_a_redirect_is_not_followed() -> None:
    """The page would go to a server that no one chose."""
    other = Server()
    async with answering(other) as elsewhere:
        raised = await failure(Server({}, 307, {"Location": f"{elsewhere}/v1/chat/completions"}))
    assert (type(raised), other.bodies) == (EngineUnavailable, [])
    assert "engine.openai.base_url" in str(raised.hint)
