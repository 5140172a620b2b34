"""`python -m benchmarks.gemini_simulator`: serves until it is ended; prints its address as one JSON line.

Control, besides the API: `GET /counts` gives requests by page text, `GET /pace` how many were let through and refused,
`POST /settings` changes latency and failures at run time.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import random
import time
from collections import Counter
from dataclasses import asdict, dataclass, fields

import pypdfium2
from aiohttp import web
from aiohttp.typedefs import Handler

from benchmarks.gemini_simulator.batches import Batches
from benchmarks.gemini_simulator.quotas import Quotas, Violation

_INVENTED = (
    "the committee approved quarterly revenue from seventeen subsidiaries and recommended further dividends pursuant to clause "
    "whereas shareholders resolved that auditors shall examine ledgers before august hence invoices remain payable within thirty "
    "days following receipt unless otherwise agreed between parties under applicable jurisdiction"
)
_INPUT_TOKENS = 600  # a PDF page and a short prompt


@dataclass
class Settings:
    latency_s: float = 0.0
    latency_jitter_s: float = 0.0  # uniform, on top
    max_in_flight: int = 0  # above it: 429; 0: no limit
    rpm: float = 0.0  # above it in the last 60 s: 429; 0: no limit
    tpm: float = 0.0  # input tokens, likewise
    rpd: float = 0.0  # requests since it started or was set last, likewise
    finish_reason: str = "STOP"
    error_status: int = 0  # answered instead of a page, for `error_share` of the requests
    error_share: float = 0.0
    key: str = "simulated-key"
    forbidden_key: str = "forbidden-key"  # a key that is known, of a project that may not use the API
    recitation_share: float = 0.0  # of requests, at random
    recitation_always_share: float = 0.0  # of pages: those are refused however often they are asked
    loop_share: float = 0.0  # of pages: the answer goes round in circles, and stops by itself
    cut_off_share: float = 0.0  # of pages: half of the answer, and MAX_TOKENS
    invent_share: float = 0.0  # of pages: another text comes back, of the same length and as fluent
    fenced: int = 0  # 1: a code fence and a word of introduction around every answer


class Simulator:
    def __init__(self, settings: Settings, *, seed: int = 0) -> None:
        self.settings = settings
        self.requests: Counter[str] = Counter()  # by page text, as sent
        self.answered: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.calls: Counter[str] = Counter()  # by method and path: whatever was asked
        self.models: Counter[str] = Counter()
        self.in_flight = 0
        self.most_in_flight = 0
        self._quotas = Quotas()
        self._random = random.Random(seed)
        self.batches = Batches(self._answer_batched, self._refused)

    def app(self) -> web.Application:
        app = web.Application(client_max_size=64 << 20, middlewares=[self._counted])
        app.router.add_get("/v1beta/models/{model}", self.model)
        app.router.add_post("/v1beta/models/{call}", self.generate)
        vertex = "/v1beta1/projects/{project}/locations/{location}/publishers/google/models/"
        app.router.add_get("/v1beta1/publishers/google/models/{model}", self.model)
        app.router.add_get(vertex + "{model}", self.model)
        app.router.add_post(vertex + "{call}", self.generate)
        self.batches.add_routes(app)
        app.router.add_post("/batch-settings", self.change_batches)
        app.router.add_get("/counts", self.counts)
        app.router.add_get("/pace", self.pace)
        app.router.add_post("/settings", self.change)
        return app

    async def counts(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "requests": dict(self.requests),
                "answered": dict(self.answered),
                "statuses": {str(status): count for status, count in self.statuses.items()},
                "calls": dict(self.calls),
                "models": dict(self.models),
                "batches": self.batches.created,
                "in_flight": self.in_flight,
                "most_in_flight": self.most_in_flight,
                "most_in_a_minute": self._quotas.most_in_a_minute,
                "cpu_s": time.process_time(),
            }
        )

    async def pace(self, _: web.Request) -> web.Response:
        """A few numbers, for somebody who asks every second during millions of pages."""
        return web.json_response(
            {
                "at": asyncio.get_running_loop().time(),
                "admitted": self._quotas.admitted,
                "refused": self.statuses[429],
                "in_flight": self.in_flight,
                "most_in_a_minute": self._quotas.most_in_a_minute,
                "cpu_s": time.process_time(),
            }
        )

    async def change(self, request: web.Request) -> web.Response:
        changes = await request.json()
        known = {field.name for field in fields(Settings)}
        if unknown := set(changes) - known:
            return web.json_response({"error": f"unknown settings: {sorted(unknown)}"}, status=400)
        for name, value in changes.items():
            setattr(self.settings, name, value)
        if "rpd" in changes:
            self._quotas.today = 0  # a new day
        return web.json_response(asdict(self.settings))

    @web.middleware
    async def _counted(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/v1"):
            self.calls[f"{request.method} {request.path}"] += 1
        return await handler(request)

    async def model(self, request: web.Request) -> web.Response:
        name = request.match_info["model"]
        if (refusal := self._refused(request, name)) is not None:
            return refusal
        return web.json_response({"name": f"models/{name}", "version": "simulated-1", "inputTokenLimit": 1 << 20})

    def _refused(self, request: web.Request, model: str) -> web.Response | None:
        key = request.headers.get("x-goog-api-key") or request.headers.get("Authorization", "").removeprefix("Bearer ")
        if key == self.settings.forbidden_key:
            message = "Generative Language API has not been used in project 1 before or it is disabled."
            return self._error(403, message, "PERMISSION_DENIED", "SERVICE_DISABLED")
        if key != self.settings.key:
            return self._error(400, "API key not valid. Please pass a valid API key.", "INVALID_ARGUMENT", "API_KEY_INVALID")
        if not model.startswith("gemini-"):
            return self._error(404, f"models/{model} is not found for API version v1beta.", "NOT_FOUND")
        return None

    async def change_batches(self, request: web.Request) -> web.Response:
        for name, value in (await request.json()).items():
            assert hasattr(self.batches.settings, name), name
            setattr(self.batches.settings, name, value)
        return web.json_response(asdict(self.batches.settings))

    def _answer_batched(self, model: str, body: dict[str, object]) -> dict[str, object]:
        text = page_text(body)
        self.requests[text] += 1
        self.answered[text] += 1
        self.models[model] += 1
        return self._answer(text)

    async def generate(self, request: web.Request) -> web.StreamResponse:
        settings = self.settings
        model = request.match_info["call"].partition(":")[0]
        if (refusal := self._refused(request, model)) is not None:
            return refusal
        if request.match_info["call"].endswith(":batchGenerateContent"):
            return await self.batches.create(request, model)
        self.models[model] += 1
        body = await request.json()
        text = page_text(body)
        self.requests[text] += 1
        if settings.error_share and self._random.random() < settings.error_share:
            return self._error(settings.error_status, "Simulated failure.", "UNAVAILABLE")
        if (violation := self._admit()) is not None:
            return self._quota_error(violation)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            delay_s = settings.latency_s + self._random.random() * settings.latency_jitter_s
            if delay_s:
                await asyncio.sleep(delay_s)
        finally:
            self.in_flight -= 1
        self.answered[text] += 1
        self.statuses[200] += 1
        return web.json_response(self._answer(text))

    def _admit(self) -> Violation | None:
        settings = self.settings
        return self._quotas.admit(
            asyncio.get_running_loop().time(),
            tokens=_INPUT_TOKENS,
            in_flight=self.in_flight,
            rpm=settings.rpm,
            tpm=settings.tpm,
            rpd=settings.rpd,
            max_in_flight=settings.max_in_flight,
        )

    def _answer(self, text: str) -> dict[str, object]:
        finish, said = self._script(text)
        if self.settings.fenced:
            said = f"Here is the transcription of the page:\n\n```markdown\n{said}\n```"
        parts = [{"text": said}] if finish in ("STOP", "MAX_TOKENS") else []
        tokens = max(1, len(said) // 4)
        return {
            "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": finish, "index": 0}],
            "usageMetadata": {
                "promptTokenCount": _INPUT_TOKENS,
                "candidatesTokenCount": tokens,
                "totalTokenCount": _INPUT_TOKENS + tokens,
            },
            "modelVersion": "simulated-1",
        }

    def _script(self, text: str) -> tuple[str, str]:
        """Which pages come out how is decided by the page, so that it is the same whenever it is asked again."""
        settings = self.settings
        lot = int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 2**32
        shares = (settings.recitation_always_share, settings.loop_share, settings.cut_off_share)
        if lot < shares[0] or self._random.random() < settings.recitation_share:
            return "RECITATION", ""
        if lot < shares[0] + shares[1]:
            return "STOP", text[: len(text) // 2] + " And then the same sentence came again, word for word." * 60
        if lot < sum(shares):
            return "MAX_TOKENS", text[: len(text) // 2]
        if lot < sum(shares) + settings.invent_share:
            return settings.finish_reason, invented(text, lot)
        return settings.finish_reason, text

    def _quota_error(self, violation: Violation) -> web.Response:
        details: list[dict[str, object]] = [
            {
                "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                "violations": [{"quotaId": violation.quota_id}],
            },
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{violation.retry_after_s:g}s"},
        ]
        return self._error(429, "You exceeded your current quota.", "RESOURCE_EXHAUSTED", details=details)

    def _error(
        self, status: int, message: str, name: str, reason: str | None = None, details: list[dict[str, object]] | None = None
    ) -> web.Response:
        self.statuses[status] += 1
        details = list(details or [])
        if reason:
            details.append({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason})
        body = {"error": {"code": status, "message": message, "status": name, "details": details}}
        return web.json_response(body, status=status)


def invented(text: str, lot: float) -> str:
    """As many words as the page has, in sentences that nobody wrote on it. `lot`: 0..1, so that every page gets its own."""
    chosen = random.Random(lot)
    known = _INVENTED.split()
    words = [chosen.choice(known) for _ in range(max(len(text.split()), 20))]
    sentences = (" ".join(words[start : start + 9]).capitalize() + "." for start in range(0, len(words), 9))
    return " ".join(sentences)


def page_text(body: dict[str, object]) -> str:
    """The text of the one page that the request carries; for a page without any, a hash of its bytes."""
    parts = [part for content in body["contents"] for part in content["parts"]]  # type: ignore[attr-defined,index]
    inline = [part["inlineData"] for part in parts if "inlineData" in part]
    assert len(inline) == 1, "one page a request"
    data = base64.b64decode(
        inline[0]["data"] + "==", altchars=b"-_" if "-" in inline[0]["data"] or "_" in inline[0]["data"] else None
    )
    document = pypdfium2.PdfDocument(data)
    try:
        assert len(document) == 1, "one page a request"
        page = document[0]
        text_page = page.get_textpage()
        text = str(text_page.get_text_bounded()).strip()
        text_page.close()
        page.close()
    finally:
        document.close()
    return text or f"page without text {hashlib.sha256(data).hexdigest()[:12]}"


async def serve(settings: Settings, *, port: int = 0) -> None:
    runner = web.AppRunner(Simulator(settings).app(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    server = site._server
    assert isinstance(server, asyncio.Server)
    print(json.dumps({"url": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"}), flush=True)
    await asyncio.Event().wait()
