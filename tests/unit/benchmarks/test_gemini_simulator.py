"""Tests the simulator itself, since the fault scripts and billing checks depend on it."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import aiohttp
import pypdfium2
import pytest
from aiohttp.test_utils import TestClient, TestServer

from benchmarks.bare_gemini import small_page
from benchmarks.gemini_simulator.input_tokens import input_tokens
from benchmarks.gemini_simulator.server import Simulator
from benchmarks.gemini_simulator.settings import Settings

MODEL = "gemini-3.1-flash-lite"
PATH = f"/v1beta/models/{MODEL}:generateContent"
KEY = {"x-goog-api-key": "simulated-key"}


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    yield Simulator(Settings(speed=1000))


@pytest.fixture
async def client(simulator: Simulator) -> AsyncIterator[Any]:
    async with TestClient(TestServer(simulator.app())) as client:
        yield client


def body(**more: Any) -> dict[str, Any]:
    data = base64.b64encode(small_page()).decode()
    return {"contents": [{"parts": [{"inlineData": {"mimeType": "application/pdf", "data": data}}]}]} | more


async def ask(client: Any, **more: Any) -> tuple[int, dict[str, Any]]:
    async with client.post(PATH, json=body(**more), headers=KEY) as answer:
        return answer.status, await answer.json()


async def test_the_bill_is_the_usage_times_the_price(client: Any, simulator: Simulator) -> None:
    simulator.settings.thought_tokens = 100
    _, answer = await ask(client)
    usage = answer["usageMetadata"]
    output = usage["candidatesTokenCount"] + usage["thoughtsTokenCount"]
    expected = (usage["promptTokenCount"] * Decimal("0.25") + output * Decimal("1.5")) / 1_000_000
    assert simulator.bill.usd == expected


async def test_flex_costs_half_and_can_be_shed(client: Any, simulator: Simulator) -> None:
    simulator.settings.flex_latency_s = simulator.settings.flex_latency_jitter_s = 0
    await ask(client)
    standard = simulator.bill.usd
    await ask(client, serviceTier="flex")
    assert simulator.bill.usd == standard * Decimal("1.5")
    simulator.settings.flex_shed_share = 1.0
    status, _ = await ask(client, serviceTier="flex")
    assert status == 503
    assert simulator.bill.usd == standard * Decimal("1.5")
    simulator.settings.flex_shed_billed = 1
    await ask(client, serviceTier="flex")
    assert simulator.bill.usd > standard * Decimal("1.5")


@pytest.mark.parametrize(
    ("what", "status"), [("503", 503), ("500", 500), ("credits", 402), ("credits_429", 429), ("limit_0", 429)]
)
async def test_a_scripted_outage_begins_after_some_answers_and_ends(client: Any, what: str, status: int) -> None:
    script = [{"what": what, "at_request": 1}]
    await client.post("/script", json=script)
    assert (await ask(client))[0] == 200
    assert (await ask(client))[0] == status
    await client.post("/script", json=[])
    assert (await ask(client))[0] == 200


async def test_a_cut_ends_requests_in_progress_and_bills_none_of_them(client: Any, simulator: Simulator) -> None:
    simulator.settings.speed = 1
    simulator.settings.latency_s = 3600
    asking = asyncio.create_task(ask(client))
    while not simulator.in_flight:
        await asyncio.sleep(0)
    await client.post("/script", json=[{"what": "cut"}])
    with pytest.raises(aiohttp.ClientError):
        await asking
    assert simulator.bill.usd == 0


async def test_the_spend_window_refuses_and_frees_again(client: Any, simulator: Simulator) -> None:
    simulator.settings.speed = 1e-9  # no simulated time passes
    simulator.settings.usd_per_10min = 1e-6
    assert (await ask(client))[0] == 200
    status, answer = await ask(client)
    assert status == 429
    assert "spend-based" in answer["error"]["message"]
    simulator.settings.speed = 1e9
    assert (await ask(client))[0] == 200


@pytest.mark.parametrize(
    ("event", "candidates", "billed"),
    [
        ({"what": "no_candidate"}, None, True),
        ({"what": "blocked", "finish": "SAFETY"}, None, True),
        ({"what": "finish", "finish": "OTHER"}, "OTHER", True),
        ({"what": "reply", "status": 200, "body": {}}, None, False),
    ],
)
async def test_an_event_can_replace_an_answer(
    client: Any, simulator: Simulator, event: dict[str, Any], candidates: str | None, billed: bool
) -> None:
    simulator.script.load(json.dumps([event]))
    status, answer = await ask(client)
    assert status == 200
    assert [candidate["finishReason"] for candidate in answer.get("candidates", ())] == ([candidates] if candidates else [])
    assert (simulator.bill.usd > 0) is billed


async def test_an_event_can_change_the_quota_midway(client: Any, simulator: Simulator) -> None:
    simulator.script.load(json.dumps([{"what": "settings", "settings": {"rpm": 1}, "at_request": 1}]))
    simulator.settings.speed = 1
    assert [(await ask(client))[0] for _ in range(2)] == [200, 429]


async def create_batch(client: Any, keys: str) -> tuple[int, dict[str, Any]]:
    """Uploads one request per key and creates a job."""
    started = await client.post("/upload/v1beta/files", json={"file": {"displayName": keys}}, headers=KEY)
    lines = "\n".join(json.dumps({"key": key, "request": body()}) for key in keys)
    session = started.headers["X-Goog-Upload-URL"].partition("/upload/sessions/")[2]
    command = {"X-Goog-Upload-Offset": "0", "X-Goog-Upload-Command": "upload, finalize"}
    uploaded = await client.post(f"/upload/sessions/{session}", data=lines, headers=command)
    batch = {"displayName": keys, "inputConfig": {"fileName": (await uploaded.json())["file"]["name"]}}
    path = f"/v1beta/models/{MODEL}:batchGenerateContent"
    async with client.post(path, json={"batch": batch}, headers=KEY) as answer:
        return answer.status, await answer.json()


async def test_the_queue_of_batches_refuses_what_exceeds_its_tokens_or_its_jobs(client: Any, simulator: Simulator) -> None:
    settings = simulator.batches.settings
    settings.job_s, settings.enqueued_tokens = 1e6, 2000.0  # a line counts as 600
    assert (await create_batch(client, "abc"))[0] == 200
    assert (await create_batch(client, "d"))[0] == 429
    settings.enqueued_tokens, settings.max_jobs = 0.0, 1
    assert (await create_batch(client, "d"))[0] == 429
    settings.end_now = 1
    assert (await create_batch(client, "d"))[0] == 200
    assert simulator.batches.refused_creates == 2


async def test_a_job_answers_in_another_order_with_a_file_that_is_named_later_and_costs_half(
    client: Any, simulator: Simulator
) -> None:
    settings = simulator.batches.settings
    settings.end_now, settings.late_file_s, settings.error_share, settings.partially = 1, 1e6, 0.3, 1
    keys = "abcdefghijklmnopqrst"
    _, job = await create_batch(client, keys)
    path = f"/v1beta/{job['name']}"
    first = await (await client.get(path, headers=KEY)).json()
    assert (first["done"], first["metadata"]["state"]) == (True, "BATCH_STATE_PARTIALLY_SUCCEEDED")
    assert "output" not in first["metadata"]
    settings.late_file_s = 0.0
    named = await (await client.get(path, headers=KEY)).json()
    data = await (await client.get(f"/v1beta/{named['metadata']['output']['responsesFile']}:download", headers=KEY)).text()
    rows = [json.loads(line) for line in data.splitlines()]
    assert sorted(row["key"] for row in rows) == list(keys)
    assert [row["key"] for row in rows] != list(keys)
    answered = [row for row in rows if "response" in row]
    assert 0 < len(answered) < len(rows)
    usage = [row["response"]["usageMetadata"] for row in answered]
    cost = sum(use["promptTokenCount"] * Decimal("0.25") + use["candidatesTokenCount"] * Decimal("1.5") for use in usage)
    assert simulator.bill.usd == cost / 2 / 1_000_000


@pytest.mark.parametrize(("share", "tier", "factor"), [(0.0, "priority", "1.8"), (1.0, "standard", "1")])
async def test_priority_costs_more_unless_it_is_answered_in_standard(
    client: Any, simulator: Simulator, share: float, tier: str, factor: str
) -> None:
    await ask(client)
    standard, simulator.settings.priority_downgraded_share = simulator.bill.usd, share
    async with client.post(PATH, json=body(serviceTier="priority"), headers=KEY) as answer:
        assert answer.headers["x-gemini-service-tier"] == tier
    assert simulator.bill.usd == standard * (1 + Decimal(factor))


async def test_cached_input_costs_a_tenth(client: Any, simulator: Simulator) -> None:
    simulator.settings.cached_tokens = 400
    _, answer = await ask(client)
    usage = answer["usageMetadata"]
    assert usage["cachedContentTokenCount"] == 400
    cost = 200 * Decimal("0.25") + 400 * Decimal("0.025") + usage["candidatesTokenCount"] * Decimal("1.5")
    assert simulator.bill.usd == cost / 1_000_000


async def test_vertex_ai_takes_the_tier_in_a_header_only(client: Any, simulator: Simulator) -> None:
    path = f"/v1beta1/projects/p/locations/global/publishers/google/models/{MODEL}:generateContent"
    async with client.post(path, json=body(serviceTier="flex"), headers=KEY) as answer:
        assert answer.status == 400
    simulator.settings.flex_latency_s = simulator.settings.flex_latency_jitter_s = 0
    async with client.post(path, json=body(), headers=KEY | {"X-Vertex-AI-LLM-Shared-Request-Type": "flex"}) as answer:
        assert answer.headers["x-gemini-service-tier"] == "flex"


def test_counted_tokens_depend_on_the_request_as_google_documents_it() -> None:
    def request(data: bytes, prompt: str, **config: str) -> dict[str, Any]:
        inline = {"inlineData": {"mimeType": "application/pdf", "data": base64.b64encode(data).decode()}}
        return {"contents": [{"parts": [inline, {"text": prompt}]}], "generationConfig": config}

    def pdf(pages: int) -> bytes:
        with pypdfium2.PdfDocument.new() as document:
            for _ in range(pages):
                document.new_page(595, 842)
            data = io.BytesIO()
            document.save(data)
        return data.getvalue()

    model, prompt = "gemini-3.1-flash-lite", "p" * 160
    assert input_tokens(model, request(pdf(1), prompt), noise=0.0) == 600
    assert input_tokens(model, request(pdf(5), prompt), noise=0.0) == 2840
    assert input_tokens(model, request(pdf(1), prompt, mediaResolution="MEDIA_RESOLUTION_HIGH"), noise=0.0) == 1160
    assert input_tokens("gemini-2.5-flash", request(pdf(1), prompt), noise=0.0) == 298
    page = request(pdf(1), prompt)
    noisy = {input_tokens(model, page, noise=0.02) for _ in range(5)}
    assert len(noisy) == 1
    assert 588 <= noisy.pop() <= 612
