"""The Files API and the Batch API of the simulator: resumable uploads, jobs that take their time, results in another order.

A job's requests are answered one by one as if they had been sent by themselves, so that pages are counted in the same place and
scripted refusals apply. Faults: jobs that expire half done, lines with an error, an answer to `create` that is lost.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

_ORIGIN = "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch"


@dataclass
class BatchSettings:
    """`job_s`: from creation to the end. `expire_share`, `error_share`: of a job's lines, those never answered or answered with
    an error; with any of the first the job ends as EXPIRED. `lose_creates`: so many jobs are made and not told of."""

    job_s: float = 0.2
    expire_share: float = 0.0
    error_share: float = 0.0
    lose_creates: int = 0
    end_now: int = 0  # 1: every job is over, whatever its time
    partially: int = 0  # 1: jobs with failed lines end as PARTIALLY_SUCCEEDED, which the SDK does not count as ended


@dataclass
class _Job:
    name: str
    display_name: str
    model: str
    lines: list[dict[str, Any]]
    ends_at: float
    state: str = "BATCH_STATE_PENDING"
    results: str | None = None


class Batches:
    """`answer(model, request body)` gives a GenerateContentResponse; `refused(request)` an error response or None."""

    def __init__(
        self,
        answer: Callable[[str, dict[str, Any]], dict[str, object]],
        refused: Callable[[web.Request, str], web.Response | None],
    ) -> None:
        self.settings = BatchSettings()
        self.created: list[str] = []  # display names
        self._answer = answer
        self._refused = refused
        self._files: dict[str, bytearray] = {}
        self._names: dict[str, str] = {}  # display names of files
        self._jobs: dict[str, _Job] = {}
        self._numbers = itertools.count(1)
        self._random = random.Random(0)

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/upload/v1beta/files", self.start_upload)
        app.router.add_post("/upload/sessions/{file}", self.upload)
        app.router.add_get("/v1beta/files/{file}:download", self.download)
        app.router.add_get("/v1beta/batches", self.list)
        app.router.add_get("/v1beta/batches/{batch}", self.get)

    async def start_upload(self, request: web.Request) -> web.Response:
        if (refusal := self._refused(request, "gemini-")) is not None:
            return refusal
        name = f"f{next(self._numbers)}"
        self._files[name] = bytearray()
        self._names[name] = (await request.json())["file"].get("displayName", "")
        return web.json_response({}, headers={"X-Goog-Upload-URL": f"http://{request.host}/upload/sessions/{name}"})

    async def upload(self, request: web.Request) -> web.Response:
        name = request.match_info["file"]
        assert int(request.headers["X-Goog-Upload-Offset"]) == len(self._files[name]), "chunks come in order"
        self._files[name] += await request.read()
        if "finalize" not in request.headers["X-Goog-Upload-Command"]:
            return web.json_response({}, headers={"X-Goog-Upload-Status": "active"})
        file = {"name": f"files/{name}", "displayName": self._names[name], "sizeBytes": str(len(self._files[name]))}
        return web.json_response({"file": file}, headers={"X-Goog-Upload-Status": "final"})

    async def create(self, request: web.Request, model: str) -> web.StreamResponse:
        batch = (await request.json())["batch"]
        file = batch["inputConfig"]["fileName"].removeprefix("files/")
        lines = [json.loads(line) for line in self._files[file].splitlines()]
        if len({line["key"] for line in lines}) < len(lines):
            return web.json_response({"error": {"code": 400, "message": "Keys twice.", "status": "INVALID_ARGUMENT"}}, status=400)
        job = _Job(
            name=f"batches/b{next(self._numbers)}",
            display_name=batch["displayName"],
            model=model,
            lines=lines,
            ends_at=asyncio.get_running_loop().time() + self.settings.job_s,
        )
        self._jobs[job.name] = job
        self.created.append(job.display_name)
        if self.settings.lose_creates > 0:
            self.settings.lose_creates -= 1
            return web.json_response({"error": {"code": 503, "message": "Lost.", "status": "UNAVAILABLE"}}, status=503)
        return web.json_response(self._as_operation(job))

    async def get(self, request: web.Request) -> web.Response:
        job = self._jobs.get(f"batches/{request.match_info['batch']}")
        if job is None:
            return web.json_response({"error": {"code": 404, "message": "No batch.", "status": "NOT_FOUND"}}, status=404)
        return web.json_response(self._as_operation(job))

    async def list(self, request: web.Request) -> web.Response:
        return web.json_response({"operations": [self._as_operation(job) for job in reversed(self._jobs.values())]})

    async def download(self, request: web.Request) -> web.Response:
        return web.Response(body=bytes(self._files[request.match_info["file"]]))

    def _as_operation(self, job: _Job) -> dict[str, Any]:
        over = self.settings.end_now or asyncio.get_running_loop().time() >= job.ends_at
        if job.results is None and over:
            self._finish(job)
        metadata = {"@type": _ORIGIN, "displayName": job.display_name, "state": job.state, "model": f"models/{job.model}"}
        if job.results is not None:
            metadata["output"] = {"responsesFile": job.results}  # type: ignore[assignment]
        return {"name": job.name, "metadata": metadata, "done": job.results is not None}

    def _finish(self, job: _Job) -> None:
        results, failed, missing = [], 0, 0
        for line in job.lines:
            lot = self._random.random()
            if lot < self.settings.expire_share:
                missing += 1
            elif lot < self.settings.expire_share + self.settings.error_share:
                failed += 1
                results.append({"key": line["key"], "error": {"code": 13, "message": "Internal error."}})
            else:
                results.append({"key": line["key"], "response": self._answer(job.model, line["request"])})
        self._random.shuffle(results)
        file = f"f{next(self._numbers)}"
        self._files[file] = bytearray("\n".join(json.dumps(row) for row in results).encode())
        job.results = f"files/{file}"
        partial = "BATCH_STATE_PARTIALLY_SUCCEEDED" if failed and self.settings.partially else "BATCH_STATE_SUCCEEDED"
        job.state = "BATCH_STATE_EXPIRED" if missing else partial
