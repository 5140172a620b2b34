"""`python -m benchmarks.gemini_simulator`: serves until it is ended; prints its address as one JSON line.

Control, besides the API: `GET /counts` gives requests by page text, `POST /settings` changes latency and failures at run time.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import random
from collections import Counter
from dataclasses import asdict, dataclass, fields

import pypdfium2
from aiohttp import web


@dataclass
class Settings:
    latency_s: float = 0.0
    latency_jitter_s: float = 0.0  # uniform, on top
    max_in_flight: int = 0  # above it: 429; 0: no limit
    rpm: float = 0.0  # above it: 429; 0: no limit
    finish_reason: str = "STOP"
    error_status: int = 0  # answered instead of a page, for `error_share` of the requests
    error_share: float = 0.0
    key: str = "simulated-key"


class Simulator:
    def __init__(self, settings: Settings, *, seed: int = 0) -> None:
        self.settings = settings
        self.requests: Counter[str] = Counter()  # by page text, as sent
        self.answered: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.in_flight = 0
        self.most_in_flight = 0
        self._window: list[float] = []
        self._random = random.Random(seed)

    def app(self) -> web.Application:
        app = web.Application(client_max_size=64 << 20)
        app.router.add_post("/v1beta/models/{call}", self.generate)
        app.router.add_get("/counts", self.counts)
        app.router.add_post("/settings", self.change)
        return app

    async def counts(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "requests": dict(self.requests),
                "answered": dict(self.answered),
                "statuses": {str(status): count for status, count in self.statuses.items()},
                "in_flight": self.in_flight,
                "most_in_flight": self.most_in_flight,
            }
        )

    async def change(self, request: web.Request) -> web.Response:
        changes = await request.json()
        known = {field.name for field in fields(Settings)}
        if unknown := set(changes) - known:
            return web.json_response({"error": f"unknown settings: {sorted(unknown)}"}, status=400)
        for name, value in changes.items():
            setattr(self.settings, name, value)
        return web.json_response(asdict(self.settings))

    async def generate(self, request: web.Request) -> web.Response:
        settings = self.settings
        if request.headers.get("x-goog-api-key") != settings.key:
            return self._error(400, "API key not valid. Please pass a valid API key.", "INVALID_ARGUMENT", "API_KEY_INVALID")
        body = await request.json()
        text = page_text(body)
        self.requests[text] += 1
        if settings.error_share and self._random.random() < settings.error_share:
            return self._error(settings.error_status, "Simulated failure.", "UNAVAILABLE")
        if self._over_quota():
            return self._quota_error()
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

    def _over_quota(self) -> bool:
        now = asyncio.get_running_loop().time()
        if self.settings.rpm:
            self._window = [t for t in self._window if t > now - 60.0]
            if len(self._window) >= self.settings.rpm:
                return True
            self._window.append(now)
        return bool(self.settings.max_in_flight and self.in_flight >= self.settings.max_in_flight)

    def _answer(self, text: str) -> dict[str, object]:
        finish = self.settings.finish_reason
        parts = [{"text": text}] if finish == "STOP" else []
        tokens = max(1, len(text) // 4)
        return {
            "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": finish, "index": 0}],
            "usageMetadata": {"promptTokenCount": 560 + 40, "candidatesTokenCount": tokens, "totalTokenCount": 600 + tokens},
            "modelVersion": "simulated-1",
        }

    def _quota_error(self) -> web.Response:
        details = [
            {
                "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                "violations": [{"quotaId": "GenerateRequestsPerMinutePerProjectPerModel"}],
            },
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1s"},
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
