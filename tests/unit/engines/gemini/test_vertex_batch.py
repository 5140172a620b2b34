"""Batches on Vertex AI with the real SDK: jobs on a loopback server, their files in a storage in memory."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from rayocr.actors.batch_queue.actor import BatchQueue
from rayocr.config import BatchConfig, GeminiConfig, Secrets
from rayocr.driver.plan import _check_batch
from rayocr.engines.gemini.batch import GeminiBatchEngine, with_label
from rayocr.engines.gemini.vertex_batch import VertexJobs
from rayocr.errors import BatchGone, EngineRejected, UsageError
from rayocr.retry import RetryPolicy
from rayocr.storage.memory import MemoryStorage
from tests.unit.engines.gemini.recorded_server import MODEL, STOP, service_account
from tests.unit.engines.servers import FakePage, serving

pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")

JOBS = "/v1beta1/projects/p/locations/global/batchPredictionJobs"


class Bucket(MemoryStorage):
    """A storage whose URI the SDK accepts."""

    @property
    def uri(self) -> str:
        return "gs://bucket/staging"


class Vertex:
    """Answers every request of a job in reverse order, in two files, with the request repeated as Vertex AI does."""

    def __init__(self, storage: Bucket) -> None:
        self.storage = storage
        self.jobs: dict[str, dict[str, Any]] = {}
        self.statuses: dict[str, str] = {}  # by key: the error of a line
        self.deleted: list[str] = []
        self.cancelled: list[str] = []
        self.state = "JOB_STATE_SUCCEEDED"

    def app(self) -> web.Application:
        app = web.Application(client_max_size=64 << 20)
        app.router.add_post("/token", self.token)
        app.router.add_post(JOBS, self.create)
        app.router.add_get(JOBS, self.list)
        app.router.add_get(JOBS + "/{job}", self.get)
        app.router.add_post(JOBS + "/{job}:cancel", self.cancel)
        app.router.add_delete(JOBS + "/{job}", self.delete)
        return app

    async def token(self, _: web.Request) -> web.Response:
        return web.json_response({"access_token": "a-token", "expires_in": 3600, "token_type": "Bearer"})

    async def create(self, request: web.Request) -> web.Response:
        body = await request.json()
        assert request.headers["Authorization"] == "Bearer a-token"
        assert body["model"] == f"publishers/google/models/{MODEL}"
        assert body["inputConfig"]["instancesFormat"] == body["outputConfig"]["predictionsFormat"] == "jsonl"
        name = f"projects/p/locations/global/batchPredictionJobs/{len(self.jobs) + 1}"
        self.jobs[name] = body | {"name": name, "state": "JOB_STATE_PENDING"}
        return web.json_response(self.jobs[name])

    async def list(self, _: web.Request) -> web.Response:
        return web.json_response({"batchPredictionJobs": list(self.jobs.values())})

    async def get(self, request: web.Request) -> web.Response:
        name = f"projects/p/locations/global/batchPredictionJobs/{request.match_info['job']}"
        if name not in self.jobs:
            return web.json_response({"error": {"code": 404, "message": "No job.", "status": "NOT_FOUND"}}, status=404)
        job = self.jobs[name]
        if job["state"] == "JOB_STATE_PENDING":
            self._finish(job)
        return web.json_response(job)

    async def cancel(self, request: web.Request) -> web.Response:
        self.cancelled.append(request.match_info["job"])
        return web.json_response({})

    async def delete(self, request: web.Request) -> web.Response:
        self.deleted.append(request.match_info["job"])
        return web.json_response({})

    def _finish(self, job: dict[str, Any]) -> None:
        (source,) = job["inputConfig"]["gcsSource"]["uris"]
        prefix = job["outputConfig"]["gcsDestination"]["outputUriPrefix"].removeprefix("gs://bucket/staging/")
        rows = []
        for line in reversed(self.storage.read(source.removeprefix("gs://bucket/staging/")).splitlines()):
            request = json.loads(line)["request"]
            status = self.statuses.get(request["labels"]["rayocr_key"], "")
            rows.append({"status": status, "processed_time": "t", "request": request, "response": {} if status else STOP})
        folder = f"{prefix}prediction-model-2026"
        for number, part in enumerate((rows[::2], rows[1::2])):
            lines = b"".join(json.dumps(row).encode() + b"\n" for row in part)
            self.storage.write(f"{folder}/predictions_{number}.jsonl", lines)
        self.storage.write(f"{folder}/notes.txt", b"no answers")
        job |= {"state": self.state, "outputInfo": {"gcsOutputDirectory": f"gs://bucket/staging/{folder}"}}


@asynccontextmanager
async def _vertex(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Vertex, VertexJobs]]:
    storage = Bucket(uuid.uuid4().hex)
    vertex = Vertex(storage)
    async with serving(vertex.app()) as url:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(service_account(tmp_path, f"{url}/token")))
        jobs = VertexJobs(GeminiConfig(base_url=url, vertexai=True, project="p"), Secrets(), storage)
        yield vertex, jobs


def _line(key: str) -> bytes:
    return json.dumps({"key": key, "request": with_label({"contents": []}, key)}).encode()


async def test_pages_find_their_answers_by_the_label_of_the_repeated_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _vertex(tmp_path, monkeypatch) as (vertex, jobs):
        queue = BatchQueue(
            jobs,
            MemoryStorage(uuid.uuid4().hex),
            run_id="r",
            config=BatchConfig(linger_s=0.01, poll_interval_s=0.01),
            policy=RetryPolicy(max_attempts=2, base_s=0.01),
        )
        config = GeminiConfig(vertexai=True, project="p", base_url="http://127.0.0.1:9")
        engine = GeminiBatchEngine(config, prompt="Read it.", secrets=Secrets(), batch_queue=queue)
        engine.open()
        page = FakePage()
        answer = await engine.recognize_async(page, MODEL)
        assert (answer.text, answer.input_tokens) == ("# A page", 600)
        assert not [entry.name for entry in vertex.storage.list() if "notes" in entry.name and "output" not in entry.name]
        await queue.recorded(page.batch_keys)
        await queue.close(finished=True)
        left = [entry.name for entry in vertex.storage.list()]
        assert not [name for name in left if name.endswith(".jsonl")]
        assert vertex.deleted == ["1"]


async def test_answers_come_from_all_files_and_failed_lines_are_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rayocr.engines.gemini.vertex_batch._PIECE_BYTES", 100)  # lines span several reads
    async with _vertex(tmp_path, monkeypatch) as (vertex, jobs):
        vertex.statuses = {"b": 'Bad Request: {"error": {"code": 400, "message": "too large"}}', "c": "Internal"}
        (tmp_path / "input").write_bytes(b"\n".join(map(_line, "abc")))
        name = await jobs.create("rayocr-x", MODEL, await jobs.upload("rayocr-x", tmp_path / "input"))
        assert await jobs.find("rayocr-x") == name
        assert await jobs.find("rayocr-y") is None
        status = await jobs.status(name)
        assert (status.ended, status.state) == (True, "SUCCEEDED")
        assert status.results is not None
        rows = {key: json.loads(line) for key, line in (await jobs.results(status.results)).items()}
        assert rows["a"] == {"key": "a", "response": STOP}
        assert (rows["b"]["error"]["code"], rows["c"]["error"]["code"]) == (400, 0)
        await jobs.cancel(name)
        assert vertex.cancelled == ["1"]


async def test_a_job_that_is_gone_and_files_that_cannot_be_written_are_errors_of_rayocr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _vertex(tmp_path, monkeypatch) as (vertex, jobs):
        with pytest.raises(BatchGone):
            await jobs.status("projects/p/locations/global/batchPredictionJobs/99")
        assert await jobs.results("gs://bucket/staging/rayocr-x/output") == {}

        def denied(*_: Any, **__: Any) -> None:
            from rayocr.errors import StorageDenied

            raise StorageDenied("no permission")

        monkeypatch.setattr(vertex.storage, "write", denied)
        (tmp_path / "input").write_bytes(_line("a"))
        with pytest.raises(EngineRejected, match="no permission"):
            await jobs.upload("rayocr-x", tmp_path / "input")


def test_a_batch_on_vertex_ai_needs_a_place_in_cloud_storage() -> None:
    from rayocr.composition import compose
    from rayocr.engines.registry import parse_chain

    options = ["engine=gemini", "engine.batch=true", "engine.gemini.vertexai=true"]
    config = compose(options, {})
    with pytest.raises(UsageError, match=r"batch\.gcs"):
        _check_batch(config, parse_chain(config.engine.chain))
    config = compose([*options, "batch.gcs=gs://bucket/staging"], {})
    _check_batch(config, parse_chain(config.engine.chain))
    with pytest.raises(UsageError, match="gs://BUCKET"):
        compose([*options, "batch.gcs=bucket"], {})
