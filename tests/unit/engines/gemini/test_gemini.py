"""The gemini engine with the real SDK, against servers on loopback."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from benchmarks.gemini_simulator.outages import WORDS
from rayocr.composition import compose
from rayocr.config import GeminiConfig, Secrets
from rayocr.engines.answers.checks import check_answer
from rayocr.engines.gemini.batch import by_key, gone_or
from rayocr.engines.gemini.engine import GeminiEngine
from rayocr.engines.gemini.errors import translate_code
from rayocr.engines.gemini.request import thinking_config
from rayocr.errors import (
    BatchGone,
    CredentialsError,
    EngineConnectionLost,
    EngineError,
    EngineOverloaded,
    EngineRateLimited,
    EngineRejected,
    EngineShed,
    EngineTimeout,
    MalformedAnswer,
    RayocrError,
    Refused,
    UnknownModel,
    UsageError,
)
from rayocr.messages import PageText
from tests.unit.engines.servers import FakePage, answering, cut, stall

# The SDK's own: it subclasses aiohttp's session.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")

MODEL = "gemini-3.1-flash-lite"
KEY = Secrets(gemini_api_key="a-key-of-the-test")
STOP: dict[str, Any] = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": "# A"}, {"text": " page"}]}, "finishReason": "STOP"}],
    "usageMetadata": {
        "promptTokenCount": 600,
        "candidatesTokenCount": 30,
        "thoughtsTokenCount": 12,
        "cachedContentTokenCount": 100,
        "totalTokenCount": 642,
    },
    "modelVersion": "gemini-3.1-flash-lite-001",
}


async def ask(url: str, page: FakePage | None = None, *, model: str = MODEL, **settings: Any) -> PageText:
    engine = GeminiEngine(GeminiConfig(base_url=url, model=model, **settings), prompt="Read it.", secrets=KEY)
    engine.open()
    try:
        return await engine.recognize_async(page or FakePage(), model)
    finally:
        await engine.aclose()


class Recorded:
    """Answers every request with `body`, and records the requests."""

    def __init__(self, body: Any = STOP, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.keys: list[str | None] = []
        self._body, self._status, self._headers = body, status, headers

    async def __call__(self, request: web.Request) -> web.Response:
        text = await request.text()
        self.requests.append((request.path, json.loads(text) if text else {}))
        self.keys.append(request.headers.get("x-goog-api-key"))
        if isinstance(self._body, str):
            return web.Response(text=self._body, status=self._status, headers=self._headers, content_type="text/html")
        return web.json_response(self._body, status=self._status, headers=self._headers)


async def failure(server: Recorded, **settings: Any) -> RayocrError:
    async with answering(server) as url:
        with pytest.raises(RayocrError) as caught:
            await ask(url, **settings)
    assert len(server.requests) == 1, "the SDK retried by itself"
    return caught.value


def error_body(code: int, status: str, *details: dict[str, Any], message: str = "No.\nA second line.") -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status, "details": list(details)}}


def detail(kind: str, **fields: Any) -> dict[str, Any]:
    return {"@type": f"type.googleapis.com/google.rpc.{kind}", **fields}


# -- requests and responses -----------------------------------------------------------------------------------------------------


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


def test_a_setting_that_does_not_exist_is_answered_with_those_that_do() -> None:
    with pytest.raises(UsageError, match="pdf, jpeg, webp, png"):
        GeminiConfig(page_format="gif")


def test_the_ladder_is_models_or_else_the_model() -> None:
    assert GeminiConfig(model="a").ladder == ("a",)
    assert GeminiConfig(model="a", models=["b", "c", "b"]).ladder == ("b", "c")


@pytest.mark.parametrize(
    "body",
    [
        {"candidates": [{"finishReason": "RECITATION"}]},
        {"candidates": [{"content": {"parts": [{"text": "half"}]}, "finishReason": "SAFETY"}]},
        {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}},
    ],
)
async def test_a_refusal_says_what_it_cost_and_is_refused_by_the_checks(body: dict[str, Any]) -> None:
    async with answering(Recorded(body | {"usageMetadata": {"promptTokenCount": 600}})) as url:
        answer = await ask(url)
    assert answer.input_tokens == 600
    with pytest.raises(Refused):
        check_answer(answer, ink_coverage=lambda: 1.0)


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


async def test_an_answer_without_a_candidate_is_malformed() -> None:
    async with answering(Recorded({"usageMetadata": {"promptTokenCount": 1}})) as url:
        with pytest.raises(MalformedAnswer):
            check_answer(await ask(url), ink_coverage=lambda: 1.0)


# -- service tiers --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tier", "sent"), [("standard", None), ("flex", "flex"), ("auto", "flex"), ("priority", "priority")])
async def test_a_request_names_its_service_tier_and_the_answer_is_billed_as_that(tier: str, sent: str | None) -> None:
    server = Recorded()
    async with answering(server) as url:
        answer = await ask(url, tier=tier)
    assert server.requests[0][1].get("serviceTier") == sent
    assert answer.price_class == (sent or "standard")


async def test_a_page_that_was_shed_in_flex_is_asked_for_in_flex_again_and_then_in_standard() -> None:
    tiers: list[str] = []

    async def flex_is_full(request: web.Request) -> web.Response:
        tiers.append((await request.json()).get("serviceTier", "standard"))
        return web.json_response(error_body(503, "UNAVAILABLE"), status=503) if tiers[-1] == "flex" else web.json_response(STOP)

    async with answering(flex_is_full) as url:
        engine = GeminiEngine(GeminiConfig(base_url=url, tier="auto", flex_tries=2), prompt="Read it.", secrets=KEY)
        engine.open()
        page = FakePage()
        for _ in range(2):
            with pytest.raises(EngineShed) as shed:
                await engine.recognize_async(page, MODEL)
            assert shed.value.elsewhere
        assert (await engine.recognize_async(page, MODEL)).price_class == "standard"
        with pytest.raises(EngineShed):
            await engine.recognize_async(FakePage(), MODEL)  # attempts are counted per page
        await engine.aclose()
    assert tiers == ["flex", "flex", "standard", "flex"]


async def test_a_named_quota_is_not_shedding() -> None:
    violation = {"quotaId": "GenerateRequestsPerMinutePerProjectPerModel"}
    body = error_body(429, "RESOURCE_EXHAUSTED", detail("QuotaFailure", violations=[violation]))
    assert isinstance(await failure(Recorded(body, 429), tier="flex"), EngineRateLimited)
    assert isinstance(await failure(Recorded(error_body(429, "RESOURCE_EXHAUSTED"), 429), tier="flex"), EngineShed)


def test_the_tier_does_not_change_the_fingerprint() -> None:
    assert compose(["engine=gemini", "engine.gemini.tier=flex"], {}).fingerprint() == compose(["engine=gemini"], {}).fingerprint()


# -- failures -------------------------------------------------------------------------------------------------------------------


async def test_a_quota_of_the_minute_carries_the_servers_delay() -> None:
    violation = {"quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"}
    details = (detail("QuotaFailure", violations=[violation]), detail("RetryInfo", retryDelay="34.07s"))
    error = await failure(Recorded(error_body(429, "RESOURCE_EXHAUSTED", *details), 429))
    assert isinstance(error, EngineRateLimited)
    assert (error.retry_after_s, error.per_day, error.quota_id) == (34.07, False, violation["quotaId"])


async def test_a_quota_of_the_day_is_distinguished_from_one_of_the_minute() -> None:
    violations = [{"quotaId": "GenerateRequestsPerMinutePerProject"}, {"quotaId": "GenerateRequestsPerDayPerProjectPerModel"}]
    error = await failure(Recorded(error_body(429, "RESOURCE_EXHAUSTED", detail("QuotaFailure", violations=violations)), 429))
    assert isinstance(error, EngineRateLimited)
    assert (error.per_day, error.quota_id, error.retry_after_s) == (True, violations[1]["quotaId"], None)


async def test_a_429_without_details_carries_the_headers_delay() -> None:
    error = await failure(Recorded(error_body(429, "RESOURCE_EXHAUSTED"), 429, {"Retry-After": "7"}))
    assert isinstance(error, EngineRateLimited)
    assert error.retry_after_s == 7.0


@pytest.mark.parametrize("words", [WORDS["limit_0"], WORDS["credits"], WORDS["spend_cap"]])
async def test_a_project_without_quota_or_credit_is_reported_in_the_servers_words(words: str) -> None:
    details = (
        detail("QuotaFailure", violations=[{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]),
        detail("RetryInfo", retryDelay="38s"),
    )
    body = error_body(429, "RESOURCE_EXHAUSTED", *details)
    body["error"]["message"] = words
    error = await failure(Recorded(body, 429))
    assert isinstance(error, EngineRateLimited)
    assert (error.denied, error.per_day, error.retry_after_s) == (True, False, None)
    assert any(said in str(error) for said in ("limit: 0", "credits are depleted", "monthly spending cap"))


@pytest.mark.parametrize("words", [WORDS["spend_rate"], "limit: 0.5 a second", "Quota exceeded, limit: 15, model: gemini"])
async def test_a_quota_that_frees_itself_is_waited_for(words: str) -> None:
    body = error_body(429, "RESOURCE_EXHAUSTED")
    body["error"]["message"] = words
    error = await failure(Recorded(body, 429))
    assert isinstance(error, EngineRateLimited)
    assert not error.denied


async def test_depleted_credits_are_a_402_and_end_the_run_at_once() -> None:
    error = await failure(Recorded(error_body(402, "RESOURCE_EXHAUSTED", message=WORDS["credits"]), 402))
    assert isinstance(error, EngineRateLimited)
    assert error.denied
    assert "prepayment credits are depleted" in str(error)
    assert translate_code(402, WORDS["credits"]).denied  # type: ignore[attr-defined]
    assert type(await failure(Recorded("<html>Please pay for this network</html>", 402))) is EngineOverloaded


@pytest.mark.parametrize(("code", "status"), [(408, "DEADLINE_EXCEEDED"), (499, "CANCELLED"), (504, "DEADLINE_EXCEEDED")])
async def test_the_server_bills_nothing_when_it_gives_up_by_itself(code: int, status: str) -> None:
    error = await failure(Recorded(error_body(code, status), code))
    assert isinstance(error, EngineTimeout)
    assert error.unbilled
    assert translate_code(code, "gave up").unbilled  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("code", "status", "details", "expected"),
    [
        (400, "INVALID_ARGUMENT", [detail("ErrorInfo", reason="API_KEY_INVALID")], CredentialsError),
        (401, "UNAUTHENTICATED", [], CredentialsError),
        (403, "PERMISSION_DENIED", [detail("ErrorInfo", reason="SERVICE_DISABLED")], CredentialsError),
        (400, "FAILED_PRECONDITION", [], CredentialsError),
        (404, "NOT_FOUND", [], UnknownModel),
        (400, "INVALID_ARGUMENT", [], EngineRejected),
        (413, "INVALID_ARGUMENT", [], EngineRejected),
        (408, "DEADLINE_EXCEEDED", [], EngineTimeout),
        (504, "DEADLINE_EXCEEDED", [], EngineTimeout),
        (500, "INTERNAL", [], EngineOverloaded),
        (503, "UNAVAILABLE", [], EngineOverloaded),
    ],
)
async def test_a_status_has_its_class(code: int, status: str, details: list[dict[str, Any]], expected: type[RayocrError]) -> None:
    error = await failure(Recorded(error_body(code, status, *details), code))
    assert type(error) is expected
    assert "\n" not in str(error)
    assert "a-key-of-the-test" not in repr(error)


@pytest.mark.parametrize(
    ("status", "expected"),
    [(200, EngineConnectionLost), *((status, EngineOverloaded) for status in (401, 403, 404, 413, 502))],
)
async def test_a_proxys_page_of_html_has_its_class(status: int, expected: type[EngineError]) -> None:
    assert type(await failure(Recorded("<html><body>Bad gateway</body></html>", status))) is expected


@pytest.mark.parametrize(
    ("data", "is_possibly_billed"),
    [
        (json.dumps(STOP).encode()[:50], True),
        (json.dumps(STOP).encode()[:50] + b"\xff" + json.dumps(STOP).encode()[50:], True),
        (b"<html>Sign in to the network</html>", False),
        (b"<html>\xff</html>", False),
    ],
)
async def test_an_answer_that_arrived_damaged_may_be_billed_and_a_proxys_page_is_not(
    data: bytes, is_possibly_billed: bool
) -> None:
    async def damaged(_: web.Request) -> web.Response:
        return web.Response(body=data, content_type="application/json")

    async with answering(damaged) as url:
        with pytest.raises(EngineConnectionLost) as caught:
            await ask(url)
    assert caught.value.in_flight is is_possibly_billed


@pytest.mark.parametrize("body", [{"candidates": "none"}, {"candidates": [{"content": {"parts": 7}}]}, [1, 2], 7])
async def test_json_without_an_answer_is_malformed(body: Any) -> None:
    async with answering(Recorded(body)) as url:
        with pytest.raises(MalformedAnswer):  # detected by the engine, or by the checks if the SDK returned an empty response
            check_answer(await ask(url), ink_coverage=lambda: 1.0)


async def test_a_server_that_stalls_is_a_time_out() -> None:
    async with answering(stall) as url:
        with pytest.raises(EngineTimeout):
            await ask(url, request_timeout_s=0.2)


async def test_a_connection_that_is_cut_and_a_server_that_is_not_there_are_connections_lost() -> None:
    async with answering(cut) as url:
        with pytest.raises(EngineConnectionLost):
            await ask(url)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(EngineConnectionLost):
            await ask(f"http://127.0.0.1:{unused.getsockname()[1]}")


def test_without_a_key_the_engine_does_not_open() -> None:
    with pytest.raises(CredentialsError, match="GEMINI_API_KEY"):
        GeminiEngine(GeminiConfig(), prompt="", secrets=Secrets()).open()


# -- Vertex AI ------------------------------------------------------------------------------------------------------------------


async def test_vertex_ai_is_asked_with_googles_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str | None]] = []

    async def google(request: web.Request) -> web.Response:
        if request.path == "/token":
            return web.json_response({"access_token": "a-token", "expires_in": 3600, "token_type": "Bearer"})
        asked.append((request.path, request.headers.get("Authorization")))
        return web.json_response(STOP)

    async with answering(google) as url:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(_service_account(tmp_path, f"{url}/token")))
        answer = await ask(url, vertexai=True, project="p", location="europe-west4")
    assert answer.text == "# A page"
    path = f"/v1beta1/projects/p/locations/europe-west4/publishers/google/models/{MODEL}:generateContent"
    assert asked == [(path, "Bearer a-token")]


def _service_account(folder: Path, token_uri: str) -> Path:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account",
        "client_email": "t@p.iam.gserviceaccount.com",
        "token_uri": token_uri,
        "project_id": "p",
    }
    path = folder / "account.json"
    path.write_text(json.dumps(account | {"private_key": key.decode(), "private_key_id": "1"}))
    return path


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"error": {"code": 404, "status": "NOT_FOUND", "message": "No batch."}}, BatchGone),
        ({"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "It may not exist."}}, BatchGone),
        (
            {
                "error": {
                    "code": 403,
                    "status": "PERMISSION_DENIED",
                    "message": "b",
                    "details": [{"@type": "x.ErrorInfo", "reason": "BILLING_DISABLED"}],
                }
            },
            CredentialsError,
        ),
        ({"message": "<html>Not Found</html>", "status": "Not Found"}, EngineOverloaded),
    ],
)
def test_only_google_can_say_that_a_batch_is_gone(body: dict[str, Any], expected: type[Exception]) -> None:
    from google.genai import errors

    code = body.get("error", {}).get("code", 404)
    assert type(gone_or(errors.ClientError(code, body), "the job b")) is expected


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_lines_with_one_key_the_response_wins_over_the_error(order: tuple[int, int]) -> None:
    lines = (("a", b'{"key": "a", "response": {}}'), ("a", b'{"key": "a", "error": {"code": 13}}'))
    assert by_key([lines[index] for index in order]) == {"a": lines[0][1]}
