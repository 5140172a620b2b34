"""`python -m benchmarks.gemini_simulator`: serves until it is stopped; prints its address as one JSON line.

Control endpoints in addition to the API: `GET /counts` returns requests by page text, `GET /pace` the numbers of accepted and
refused requests, `GET /bill` the charges. `POST /settings` changes latency and failures at run time, `POST /script` starts a
script of outages (see outages.py).
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from dataclasses import asdict, fields
from decimal import Decimal

from aiohttp import web
from aiohttp.typedefs import Handler

from benchmarks.gemini_simulator.batches import Batches
from benchmarks.gemini_simulator.billing import Bill
from benchmarks.gemini_simulator.damage import abort, damaged
from benchmarks.gemini_simulator.input_tokens import input_tokens as counted_tokens
from benchmarks.gemini_simulator.outages import WORDS, Outage, Script
from benchmarks.gemini_simulator.page_texts import invented, lot_of, page_text
from benchmarks.gemini_simulator.quotas import Quotas, Violation
from benchmarks.gemini_simulator.settings import Settings

_SHED = "The request was shed. Flex capacity is exhausted, please retry later."
_INPUT_TOKENS = 600  # of every request, unless `counted_tokens` is set: a PDF page and a short prompt


class Simulator:
    def __init__(self, settings: Settings, *, seed: int = 0) -> None:
        self.settings = settings
        self.requests: Counter[str] = Counter()  # requests by the text of the sent page
        self.answered: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.calls: Counter[str] = Counter()  # all requests by method and path
        self.models: Counter[str] = Counter()
        self.in_flight = 0
        self.most_in_flight = 0
        self.bill = Bill()
        self.script = Script()
        self.outages: Counter[str] = Counter()  # requests that an outage affected, by kind
        self._quotas = Quotas()
        self._random = random.Random(seed)
        self._in_progress: dict[int, web.Request] = {}
        self._watching: asyncio.Task[None] | None = None
        self._latest: dict[str, object] | None = None  # the latest answer
        self._began = time.monotonic()
        self.batches = Batches(self._answer_batched, self._refused, clock=self.now)

    def now(self) -> float:
        """Simulated seconds since the start."""
        return (time.monotonic() - self._began) * self.settings.speed

    async def _pass(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.settings.speed)

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
        app.router.add_get("/bill", self.show_bill)
        app.router.add_post("/settings", self.change)
        app.router.add_post("/script", self.change_script)
        return app

    async def show_bill(self, _: web.Request) -> web.Response:
        return web.json_response(self.bill.as_dict())

    async def change_script(self, request: web.Request) -> web.Response:
        """Starts a script of outages. An empty list ends the current outage."""
        try:
            self.script.load(await request.text())
        except (ValueError, TypeError) as error:
            return web.json_response({"error": str(error)}, status=400)
        if self.script.any:
            self._watching = asyncio.create_task(self._watch_for_cuts())
        return web.json_response({})

    async def _watch_for_cuts(self) -> None:
        """Ends requests in flight when the network is cut, which the script alone does not do."""
        while self.script.any:
            if self._outage() == "cut":
                for request in list(self._in_progress.values()):
                    abort(request)
            await asyncio.sleep(0.02)

    async def counts(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "requests": dict(self.requests),
                "answered": dict(self.answered),
                "statuses": {str(status): count for status, count in self.statuses.items()},
                "calls": dict(self.calls),
                "models": dict(self.models),
                "outages": dict(self.outages),
                "batches": self.batches.created,
                "batch_uploaded_bytes": self.batches.uploaded_bytes,
                "batch_refused_creates": self.batches.refused_creates,
                "batch_files": self.batches.files,
                "batches_cancelled": self.batches.cancelled,
                "in_flight": self.in_flight,
                "most_in_flight": self.most_in_flight,
                "most_in_a_minute": self._quotas.most_in_a_minute,
                "cpu_s": time.process_time(),
            }
        )

    async def pace(self, _: web.Request) -> web.Response:
        """Returns a few numbers, for clients that poll every second during millions of pages."""
        return web.json_response(
            {
                "at": self.now(),
                "usd": float(self.bill.usd),
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
        if request.path.startswith(("/upload/v1", "/v1beta/batches", "/v1beta/files")):
            event = self.script.now(self.now(), answered=self.statuses[200])
            if event is not None and event.affects_batches and event.path in request.path and self.script.strikes(event):
                return await self._fail(request, event, "")
        return await handler(request)

    def _outage(self) -> str | None:
        event = self.script.now(self.now(), answered=self.statuses[200])
        return event.what if event is not None else None

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
        return self._billed(model, "batch", text, self._input_tokens(model, body))

    async def generate(self, request: web.Request) -> web.StreamResponse:
        model = request.match_info["call"].partition(":")[0]
        outage = self._outage_of(request, model)
        if outage is not None and not outage.billed:
            return await self._fail(request, outage, model)
        if (refusal := self._refused(request, model)) is not None:
            return refusal
        if request.match_info["call"].endswith(":batchGenerateContent"):
            return await self.batches.create(request, model)
        self.models[model] += 1
        body = await request.json()
        text = page_text(body)
        tier = str(body.get("serviceTier", "standard")).lower()
        if "project" in request.match_info:
            if "serviceTier" in body:
                return self._error(400, f"Invalid value at 'service_tier', \"{tier}\"", "INVALID_ARGUMENT")
            tier = request.headers.get("X-Vertex-AI-LLM-Shared-Request-Type", "standard")
        if tier == "priority" and self._random.random() < self.settings.priority_downgraded_share:
            tier = "standard"
        tokens = self._input_tokens(model, body)
        if (refusal := self._not_admitted(text, tokens)) is not None:
            return refusal
        if (failure := await self._delayed(request, model, tier, tokens)) is not None:
            return failure
        self.answered[text] += 1
        self.statuses[200] += 1
        answer = self._billed(model, tier, text, tokens)
        earlier, self._latest = self._latest, answer
        if outage is not None and outage.what == "other_page" and earlier is not None:
            answer = answer | {"candidates": earlier["candidates"]}
        if outage is None or outage.what == "other_page":
            return web.json_response(answer, headers={"x-gemini-service-tier": tier})
        self.outages[outage.what] += 1
        return await damaged(request, outage, answer, wait=self._pass)

    def _outage_of(self, request: web.Request, model: str) -> Outage | None:
        """Applies the script's changes of settings, and returns the outage that strikes this request."""
        answered = self.statuses[200]
        for name, value in self.script.new_settings(self.now(), answered=answered).items():
            setattr(self.settings, name, value)
        outage = self.script.now(self.now(), answered=answered)
        if outage is None or not (outage.concerns(model) and outage.path in request.path and self.script.strikes(outage)):
            return None
        return outage

    def _not_admitted(self, text: str, tokens: int) -> web.Response | None:
        """Counts the request, and returns the error for one that fails at random or exceeds a limit."""
        settings = self.settings
        self.requests[text] += 1
        if settings.error_share and self._random.random() < settings.error_share:
            return self._error(settings.error_status, "Simulated failure.", "UNAVAILABLE")
        if lot_of(text, salt="poison") < settings.poison_share:
            return self._error(500, WORDS["500"], "INTERNAL")
        if (violation := self._admit(tokens)) is not None:
            return self._quota_error(violation)
        limit_usd = settings.usd_per_10min
        if limit_usd and self.bill.in_window(self.now()) >= Decimal(str(limit_usd)):
            self.outages["spend_rate"] += 1
            return self._error(429, WORDS["spend_rate"], "RESOURCE_EXHAUSTED")
        return None

    async def _delayed(self, request: web.Request, model: str, tier: str, tokens: int) -> web.Response | None:
        """Waits as long as the model takes. Returns the response to a request that is shed or cut meanwhile."""
        settings = self.settings
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        self._in_progress[id(request)] = request
        try:
            if tier == "flex" and self._random.random() < settings.flex_shed_share:
                await self._pass(settings.flex_latency_s * self._random.random())
                if settings.flex_shed_billed:
                    self.bill.charge(self.now(), model=model, tier="flex", input_tokens=tokens, output_tokens=0)
                self.outages["shed"] += 1
                usage = {"promptTokenCount": tokens} if settings.flex_shed_billed else None
                return self._error(503, _SHED, "UNAVAILABLE", usage=usage)
            least_s, jitter_s = settings.latency_s, settings.latency_jitter_s
            if tier == "flex":
                least_s, jitter_s = settings.flex_latency_s, settings.flex_latency_jitter_s
            delay_s = least_s + self._random.random() * jitter_s
            if delay_s:
                await self._pass(delay_s)
            if self._outage() == "cut":
                abort(request)
                return web.Response(status=499)  # cut before the answer was created: not billed
        finally:
            self.in_flight -= 1
            self._in_progress.pop(id(request), None)
        return None

    async def _fail(self, request: web.Request, event: Outage, model: str) -> web.StreamResponse:
        outage = event.what
        self.outages[outage] += 1
        if outage == "reply":
            self.statuses[event.status] += 1
            text = event.body if isinstance(event.body, str) else json.dumps(event.body)
            kind = "application/json" if text.startswith(("{", "[")) else "text/html"
            return web.Response(text=text, status=event.status, headers=event.headers, content_type=kind)
        if outage == "cut":
            abort(request)
            return web.Response(status=499)
        if outage == "hang":
            while self._outage() == "hang":
                await asyncio.sleep(0.05)
            abort(request)
            return web.Response(status=499)
        if outage == "html":
            return web.Response(text="<html><body>Sign in to the network</body></html>", content_type="text/html")
        if outage in ("503", "500"):
            return self._error(int(outage), WORDS[outage], "UNAVAILABLE" if outage == "503" else "INTERNAL")
        if outage == "limit_0":
            violation = {"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "quotaDimensions": {"model": model}}
            details: list[dict[str, object]] = [
                {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]},
                {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "38s"},
            ]
            return self._error(429, WORDS["limit_0"].format(model=model), "RESOURCE_EXHAUSTED", details=details)
        return self._error(402 if outage == "credits" else 429, WORDS[outage], "RESOURCE_EXHAUSTED")

    def _input_tokens(self, model: str, body: dict[str, object]) -> int:
        return counted_tokens(model, body, noise=self.settings.token_noise) if self.settings.counted_tokens else _INPUT_TOKENS

    def _admit(self, tokens: int) -> Violation | None:
        settings = self.settings
        return self._quotas.admit(
            self.now(),
            tokens=tokens,
            in_flight=self.in_flight,
            rpm=settings.rpm,
            tpm=settings.tpm,
            rpd=settings.rpd,
            max_in_flight=settings.max_in_flight,
        )

    def _billed(self, model: str, tier: str, text: str, input_tokens: int = _INPUT_TOKENS) -> dict[str, object]:
        """Returns the answer, and bills it."""
        finish, said = self._script(text)
        if self.settings.fenced:
            said = f"Here is the transcription of the page:\n\n```markdown\n{said}\n```"
        if self.settings.blanks:
            said = said.replace("\n", "\n" + " " * self.settings.blanks, 1) + " " * self.settings.blanks
        parts = [{"text": said}] if finish in ("STOP", "MAX_TOKENS") else []
        tokens, thoughts = max(1, len(said) // 4), self.settings.thought_tokens
        usage = {
            "promptTokenCount": input_tokens,
            "candidatesTokenCount": tokens,
            "totalTokenCount": input_tokens + tokens + thoughts,
        }
        if thoughts:
            usage["thoughtsTokenCount"] = thoughts
        if cached := self.settings.cached_tokens:
            usage["cachedContentTokenCount"] = cached
        self.bill.charge(
            self.now(),
            model=model,
            tier=tier,
            input_tokens=input_tokens,
            output_tokens=tokens + thoughts,
            cached_tokens=cached,
            page=text,
        )
        return {
            "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": finish, "index": 0}],
            "usageMetadata": usage,
            "modelVersion": "simulated-1",
        }

    def _script(self, text: str) -> tuple[str, str]:
        """Chooses the page's result. The page determines it, so that repeated requests have the same result."""
        settings = self.settings
        lot = lot_of(text)
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
            {
                "@type": "type.googleapis.com/google.rpc.RetryInfo",
                "retryDelay": f"{violation.retry_after_s / self.settings.speed:g}s",
            },
        ]
        return self._error(429, "You exceeded your current quota.", "RESOURCE_EXHAUSTED", details=details)

    def _error(
        self,
        status: int,
        message: str,
        name: str,
        reason: str | None = None,
        details: list[dict[str, object]] | None = None,
        usage: dict[str, int] | None = None,
    ) -> web.Response:
        self.statuses[status] += 1
        details = list(details or [])
        if reason:
            details.append({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason})
        body: dict[str, object] = {"error": {"code": status, "message": message, "status": name, "details": details}}
        if usage is not None:
            body["usageMetadata"] = usage
        return web.json_response(body, status=status)


async def serve(settings: Settings, *, host: str = "127.0.0.1", port: int = 0) -> None:
    runner = web.AppRunner(Simulator(settings).app(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    server = site._server
    assert isinstance(server, asyncio.Server)
    print(json.dumps({"url": f"http://{host}:{server.sockets[0].getsockname()[1]}"}), flush=True)
    await asyncio.Event().wait()
