"""Errors of Google's API and their classes."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
from aiohttp import web

from benchmarks.gemini_simulator.outages import WORDS
from rayocr.config import GeminiConfig, Secrets
from rayocr.engines.answers.checks import check_answer
from rayocr.engines.gemini.batch import gone_or
from rayocr.engines.gemini.engine import GeminiEngine
from rayocr.engines.gemini.errors import translate_code
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
from tests.unit.engines.gemini.recorded_server import KEY, MODEL, STOP, Recorded, ask
from tests.unit.engines.servers import FakePage, answering, cut, stall

pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")


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


def test_a_setting_that_does_not_exist_is_answered_with_those_that_do() -> None:
    with pytest.raises(UsageError, match="pdf, jpeg, webp, png"):
        GeminiConfig(page_format="gif")


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


async def test_an_unknown_finish_reason_is_told_without_a_warning_of_the_sdk() -> None:
    candidate = STOP["candidates"][0] | {"finishReason": "NEWER_THAN_THIS_VERSION"}
    async with answering(Recorded(STOP | {"candidates": [candidate]})) as url:
        with pytest.raises(RayocrError, match="NEWER_THAN_THIS_VERSION"):
            check_answer(await ask(url), ink_coverage=lambda: 1.0)


async def test_an_answer_without_a_candidate_is_malformed() -> None:
    async with answering(Recorded({"usageMetadata": {"promptTokenCount": 1}})) as url:
        with pytest.raises(MalformedAnswer):
            check_answer(await ask(url), ink_coverage=lambda: 1.0)


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


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_gets_neither_the_page_nor_the_key(status: int) -> None:
    other = Recorded()
    async with answering(other) as elsewhere:
        error = await failure(Recorded({}, status, {"Location": f"{elsewhere}/v1beta/models/{MODEL}:generateContent"}))
    assert type(error) is EngineOverloaded
    assert f"Something other than Gemini redirects to '{elsewhere}" in str(error)
    assert other.requests == []


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
