"""The Files API and the Batch API of the simulator: resumable uploads, jobs that take time, results in another order.

A job's requests are answered like single requests, so that pages are counted in the same place and scripted refusals apply.
Faults: jobs that expire half done, lines with an error, a lost answer to `create`, a full queue (enqueued tokens, concurrent
jobs), results inline or in a file that is named later, deleted files.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

_TOKENS_A_LINE = 600
_ORIGIN = "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch"


@dataclass
class BatchSettings:
    """`job_s`: seconds from creation to the end of a job. `expire_share`, `error_share`: the shares of a job's lines that are
    never answered or answered with an error; a job with unanswered lines ends as EXPIRED. `lose_creates`: the number of jobs
    that are created without a response."""

    job_s: float = 0.2
    expire_share: float = 0.0
    expire_jobs: int = 0  # number of jobs that expire; 0: all, if there is an `expire_share`
    expire_billed: int = 0  # 1: lines that are never answered are billed
    error_share: float = 0.0
    lose_creates: int = 0
    end_now: int = 0  # 1: every job has ended, regardless of its time
    inline: int = 0  # 1: results come inside the job instead of in a file
    late_file_s: float = 0.0  # time after the job's end during which the name of the results file is missing
    enqueued_tokens: float = 0.0  # limit on the tokens of jobs that have not ended; a job above it gets a 429; 0: no limit
    max_jobs: int = 0  # jobs that have not ended; 0: no limit
    results_gone: int = 0  # number of downloads for which the file is gone
    uploads_gone: int = 0  # number of jobs whose uploaded file is gone
    vanish_jobs: int = 0  # number of jobs that another user deletes while they run
    cancel_jobs: int = 0  # number of jobs that another user cancels halfway
    doubled: int = 0  # 1: results contain every line twice, and a line with a key of another user
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
    rows: list[dict[str, Any]] | None = None
    ended_at: float = 0.0

    @property
    def tokens(self) -> int:
        return _TOKENS_A_LINE * len(self.lines)


class Batches:
    """`answer(model, request body)` returns a GenerateContentResponse, `refused(request)` an error response or None, and `clock`
    simulated seconds."""

    def __init__(
        self,
        answer: Callable[[str, dict[str, Any]], dict[str, object]],
        refused: Callable[[web.Request, str], web.Response | None],
        *,
        clock: Callable[[], float],
    ) -> None:
        self._clock = clock
        self.uploaded_bytes = 0
        self.refused_creates = 0
        self.cancelled = 0
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
        app.router.add_delete("/v1beta/files/{file}", self.delete_file)
        app.router.add_delete("/v1beta/batches/{batch}", self.delete_batch)
        app.router.add_post("/v1beta/batches/{batch}:cancel", self.cancel)
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
        data = await request.read()
        self.uploaded_bytes += len(data)
        self._files[name] += data
        if "finalize" not in request.headers["X-Goog-Upload-Command"]:
            return web.json_response({}, headers={"X-Goog-Upload-Status": "active"})
        file = {"name": f"files/{name}", "displayName": self._names[name], "sizeBytes": str(len(self._files[name]))}
        return web.json_response({"file": file}, headers={"X-Goog-Upload-Status": "final"})

    async def create(self, request: web.Request, model: str) -> web.StreamResponse:
        batch = (await request.json())["batch"]
        file = batch["inputConfig"]["fileName"].removeprefix("files/")
        if self.settings.uploads_gone > 0:
            self.settings.uploads_gone -= 1
            self._files.pop(file, None)
        if file not in self._files:
            return _gone(file)
        lines = [json.loads(line) for line in self._files[file].splitlines()]
        if len({line["key"] for line in lines}) < len(lines):
            return web.json_response({"error": {"code": 400, "message": "Keys twice.", "status": "INVALID_ARGUMENT"}}, status=400)
        if self._is_full(len(lines)):
            self.refused_creates += 1
            error = {"code": 429, "message": "Your batch enqueued tokens quota is exceeded.", "status": "RESOURCE_EXHAUSTED"}
            return web.json_response({"error": error}, status=429)
        job = _Job(
            name=f"batches/b{next(self._numbers)}",
            display_name=batch["displayName"],
            model=model,
            lines=lines,
            ends_at=self._clock() + self.settings.job_s,
        )
        self._jobs[job.name] = job
        self.created.append(job.display_name)
        if self.settings.lose_creates > 0:
            self.settings.lose_creates -= 1
            return web.json_response({"error": {"code": 503, "message": "Lost.", "status": "UNAVAILABLE"}}, status=503)
        return web.json_response(self._as_operation(job))

    async def get(self, request: web.Request) -> web.Response:
        job = self._jobs.get(f"batches/{request.match_info['batch']}")
        if job is not None and self.settings.vanish_jobs > 0:
            self.settings.vanish_jobs -= 1
            job = self._jobs.pop(job.name) and None
        if job is None:
            return web.json_response({"error": {"code": 404, "message": "No batch.", "status": "NOT_FOUND"}}, status=404)
        if self.settings.cancel_jobs > 0 and not self._is_over(job) and self._passed(job) > 0.5:
            self.settings.cancel_jobs -= 1
            self._cancel(job)
        return web.json_response(self._as_operation(job))

    async def list(self, request: web.Request) -> web.Response:
        return web.json_response({"operations": [self._as_operation(job) for job in reversed(self._jobs.values())]})

    async def cancel(self, request: web.Request) -> web.Response:
        """Cancels a job. Answers and bills only the requests that were processed by now."""
        job = self._jobs.get(f"batches/{request.match_info['batch']}")
        if job is None:
            return web.json_response({"error": {"code": 404, "message": "No batch.", "status": "NOT_FOUND"}}, status=404)
        if job.rows is None and not self._is_over(job):
            self._cancel(job)
        return web.json_response({})

    def _cancel(self, job: _Job) -> None:
        job.lines = job.lines[: int(len(job.lines) * self._passed(job))]
        self._finish(job)
        job.state = "BATCH_STATE_CANCELLED"
        self.cancelled += 1

    def _passed(self, job: _Job) -> float:
        """Returns the share of the job's time that has passed."""
        return 1 - (job.ends_at - self._clock()) / max(self.settings.job_s, 1e-9)

    async def download(self, request: web.Request) -> web.Response:
        name = request.match_info["file"]
        if self.settings.results_gone > 0:
            self.settings.results_gone -= 1
            self._files.pop(name, None)
        if name not in self._files:
            return _gone(name)
        return web.Response(body=bytes(self._files[name]))

    async def delete_file(self, request: web.Request) -> web.Response:
        name = request.match_info["file"]
        return _gone(name) if self._files.pop(name, None) is None else web.json_response({})

    async def delete_batch(self, request: web.Request) -> web.Response:
        self._jobs.pop(f"batches/{request.match_info['batch']}", None)
        return web.json_response({})

    @property
    def files(self) -> int:
        return len(self._files)

    def _is_full(self, lines: int) -> bool:
        running = [job for job in self._jobs.values() if not self._is_over(job)]
        limits, enqueued = self.settings, sum(job.tokens for job in running) + _TOKENS_A_LINE * lines
        too_many = limits.max_jobs and len(running) >= limits.max_jobs
        return bool(too_many or (limits.enqueued_tokens and enqueued > limits.enqueued_tokens))

    def _is_over(self, job: _Job) -> bool:
        return bool(self.settings.end_now) or self._clock() >= job.ends_at

    def _as_operation(self, job: _Job) -> dict[str, Any]:
        if job.rows is None and self._is_over(job):
            self._finish(job)
        metadata = {"@type": _ORIGIN, "displayName": job.display_name, "state": job.state, "model": f"models/{job.model}"}
        if job.rows is not None and self.settings.inline:
            rows = [{"metadata": {"key": row["key"]}} | {k: v for k, v in row.items() if k != "key"} for row in job.rows]
            metadata["output"] = {"inlinedResponses": {"inlinedResponses": rows}}  # type: ignore[assignment]
        elif job.results is not None and self._clock() >= job.ended_at + self.settings.late_file_s:
            metadata["output"] = {"responsesFile": job.results}  # type: ignore[assignment]
        return {"name": job.name, "metadata": metadata, "done": job.rows is not None}

    def _finish(self, job: _Job) -> None:
        results, failed, missing = [], 0, 0
        expire_share = self.settings.expire_share
        if self.settings.expire_jobs:
            self.settings.expire_jobs -= 1
            self.settings.expire_share *= bool(self.settings.expire_jobs)
        for line in job.lines:
            lot = self._random.random()
            if lot < expire_share:
                missing += 1
                if self.settings.expire_billed:
                    self._answer(job.model, line["request"])
            elif lot < expire_share + self.settings.error_share:
                failed += 1
                results.append({"key": line["key"], "error": {"code": 13, "message": "Internal error."}})
            else:
                results.append({"key": line["key"], "response": self._answer(job.model, line["request"])})
        if self.settings.doubled:
            results += [*results, *({**results[0], "key": "of another user"} for _ in results[:1])]
        self._random.shuffle(results)
        job.rows, job.ended_at = results, self._clock()
        file = f"f{next(self._numbers)}"
        self._files[file] = bytearray("\n".join(json.dumps(row) for row in results).encode())
        job.results = f"files/{file}"
        partial = "BATCH_STATE_PARTIALLY_SUCCEEDED" if failed and self.settings.partially else "BATCH_STATE_SUCCEEDED"
        job.state = "BATCH_STATE_EXPIRED" if missing else partial


def _gone(file: str) -> web.Response:
    """Returns Google's answer for a file that is deleted or belongs to another user."""
    message = f"You do not have permission to access the File {file} or it may not exist."
    return web.json_response({"error": {"code": 403, "message": message, "status": "PERMISSION_DENIED"}}, status=403)
