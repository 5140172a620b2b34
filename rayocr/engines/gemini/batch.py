"""Uses Gemini's Batch API, which returns the same answers at half the price, within a day instead of seconds.

`GeminiBatchEngine` runs in the workers. The chain treats it like any other waiting engine: it sends one request per page and
waits until the batch queue (`rayocr/actors/batch_queue/actor.py`) has the answer. `GeminiJobs` runs in the batch queue and calls
the server: it uploads files, starts and polls jobs, and downloads results. `GeminiJobs` supports the Developer API;
`rayocr.engines.gemini.vertex_batch` supports Vertex AI, which reads batches from Cloud Storage.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from rayocr.config import GeminiConfig, Secrets
from rayocr.engines.answers.off_loop import off_loop
from rayocr.engines.base import BatchQueuePort, OfferedPage
from rayocr.engines.gemini.engine import GeminiEngine, answer_chars, mime_type, new_client, read_response
from rayocr.engines.gemini.errors import has_reason, is_googles, translate, translate_code
from rayocr.engines.gemini.request import prompt_for
from rayocr.errors import BatchGone, EngineOverloaded, MalformedAnswer, UnknownModel
from rayocr.messages import PageText
from rayocr.untrusted_json import parse_value

KEY_LABEL = "rayocr_key"  # only letters, digits and _, as Google's labels require
# The SDK's `done` does not include PARTIALLY_SUCCEEDED.
ENDED = ("SUCCEEDED", "PARTIALLY_SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED")
TIMEOUT_MS = 600_000  # long enough to upload half a gigabyte over a slow connection


class GeminiBatchEngine(GeminiEngine):
    """Uses no limiter slots: requests-per-minute limits do not apply to batches, and the batch queue sends few requests."""

    batched: ClassVar[bool] = True
    tier = "batch"

    def __init__(self, config: GeminiConfig, *, prompt: str, secrets: Secrets, batch_queue: BatchQueuePort) -> None:
        super().__init__(config, prompt=prompt, secrets=secrets)
        self._batch_queue = batch_queue
        self._settings_hash = hashlib.sha256(repr((config, prompt)).encode()).hexdigest()

    async def recognize_async(self, page: OfferedPage, model: str) -> PageText:
        from google.genai import types

        data = await self._page_bytes(page)
        # A page has the same key in every run, so that its answer can be found after a crash. `tried` gives a retry after a
        # refusal a separate key.
        identity = (self._settings_hash, await page.content_hash(), model, str(page.tried))
        key = hashlib.sha256("\n".join(identity).encode()).hexdigest()[:40]
        request = request_body(self._config, self._settings[model], data, prompt_for(data, self._prompt))
        line = json.dumps({"key": key, "request": with_label(request, key) if self._config.vertexai else request})
        page.let_go()
        page.batch_keys.append(key)
        answer = parse_value(await self._batch_queue.read(key, model, line.encode()))
        if "response" not in answer:
            raise _failure(answer)
        try:
            response = types.GenerateContentResponse.model_validate(answer["response"])
            return await off_loop(answer_chars(response), read_response, response, model)
        except (ValueError, AttributeError, TypeError, LookupError) as error:
            raise MalformedAnswer("A line of the batch's results could not be understood.", finish="NOT_JSON") from error


def request_body(config: GeminiConfig, settings: dict[str, Any], data: bytes, prompt: str) -> dict[str, Any]:
    """Returns a GenerateContentRequest in REST form: the SDK does not convert its own types in JSONL lines."""
    inline = {"mimeType": mime_type(config, data), "data": base64.b64encode(data).decode()}
    return {"contents": [{"role": "user", "parts": [{"inlineData": inline}, {"text": prompt}]}]} | settings


def with_label(request: dict[str, Any], key: str) -> dict[str, Any]:
    """Adds the key to the request's labels, since Vertex AI does not return a key but repeats the request."""
    return request | {"labels": {KEY_LABEL: key}}


def _failure(answer: dict[str, Any]) -> Exception:
    """Returns the error of a line that has no response."""
    error = answer.get("error") or answer.get("status") or {}
    code = error.get("code") if isinstance(error, dict) else None
    message = str(error.get("message") or "no reason given")[:300] if isinstance(error, dict) else "no reason given"
    return translate_code(code if isinstance(code, int) else 0, message)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStatus:
    """The status of a job. `results` is the name of the file with the answers. Expired jobs can have one, and it can appear after
    the job has ended. `inline` has the answers themselves, by key."""

    ended: bool
    state: str
    results: str | None
    words: str = ""  # reason of the failure
    inline: dict[str, bytes] | None = None


class GeminiJobs:
    """The server side of batches. Every method raises only rayocr.errors."""

    def __init__(self, config: GeminiConfig, secrets: Secrets) -> None:
        self._client = new_client(config, secrets, TIMEOUT_MS)

    async def upload(self, display_name: str, path: Path) -> str:
        """Returns the file's name."""
        from google.genai import types

        try:
            config = types.UploadFileConfig(display_name=display_name, mime_type="application/jsonl")
            file = await self._client.aio.files.upload(file=str(path), config=config)
        except Exception as error:
            raise server_failure(error) from error
        return file.name or ""

    async def create(self, display_name: str, model: str, file: str) -> str:
        """Returns the job's name. Not idempotent: after an error, the caller must call `find` first. Raises BatchGone if the file
        no longer exists, and EngineRateLimited if the queue is full."""
        from google.genai import types

        try:
            config = types.CreateBatchJobConfig(display_name=display_name)
            job = await self._client.aio.batches.create(model=model, src=file, config=config)
        except Exception as error:
            failure = gone_or(error, f"the file {file}")
            if isinstance(failure, BatchGone) and getattr(error, "code", 0) == 404:
                await self._check_model(model)
            raise failure from error
        if not job.name:
            raise EngineOverloaded("Gemini accepted the batch but returned no name for it.")
        return job.name

    async def _check_model(self, model: str) -> None:
        """Raises UnknownModel if the server does not have the model."""
        try:
            await self._client.aio.models.get(model=model)
        except Exception as error:
            if isinstance(failure := translate(error, model=model), UnknownModel):
                raise failure from error

    async def find(self, display_name: str) -> str | None:
        """Returns the name of the job with this display name, if there is one."""
        return await find_job(self._client, display_name)

    async def status(self, name: str) -> JobStatus:
        """Returns the job's status. Raises BatchGone if the job no longer exists."""
        job, state = await job_and_state(self._client, name)
        inline = by_key(_inline_lines(job.dest.inlined_responses or ())) if job.dest else {}
        results = job.dest.file_name if job.dest else None
        return JobStatus(ended=state in ENDED, state=state, results=results, words=failure_words(job), inline=inline or None)

    async def results(self, file_name: str) -> dict[str, bytes]:
        """Returns the lines by key, since their order differs from that of the requests. Raises BatchGone if the file no longer
        exists."""
        try:
            data = await self._client.aio.files.download(file=file_name)
        except Exception as error:
            raise gone_or(error, f"the file {file_name}") from error
        return by_key(_keyed_lines(data))

    async def cancel(self, job: str) -> None:
        """Stops the job. Its answers so far can still be fetched."""
        try:
            await self._client.aio.batches.cancel(name=job)
        except Exception as error:
            raise gone_or(error, f"the job {job}", codes=(404,)) from error

    async def delete(self, *, files: Iterable[str], job: str | None) -> None:
        """Deletes files that Google would otherwise keep for two days. Never raises."""
        for file in files:
            with suppress(Exception):
                await self._client.aio.files.delete(name=file)
        if job is not None:
            with suppress(Exception):
                await self._client.aio.batches.delete(name=job)


def gone_or(error: Exception, what: str, *, codes: tuple[int, ...] = (403, 404)) -> Exception:
    """Converts an error about a job or a file that may be deleted. Google answers 404 for a deleted job, and 403 or 404 for a
    deleted file. A 403 that gives a reason (disabled billing) concerns the project, and an error that is not Google's comes from
    a proxy."""
    from google.genai import errors

    if isinstance(error, errors.APIError) and error.code in codes and is_googles(error) and not has_reason(error):
        return BatchGone(f"Gemini no longer has {what} ({error.code}): {error.message or 'no reason given'}")
    return server_failure(error)


def server_failure(error: Exception) -> Exception:
    """Converts the failure of a call about files and jobs to a rayocr error. A malformed answer may come from a proxy."""
    failure = translate(error)
    if isinstance(failure, MalformedAnswer):
        return EngineOverloaded(f"The answer about a batch could not be understood ({type(error).__name__}).")
    return failure


async def find_job(client: Any, display_name: str, **filters: str) -> str | None:
    """Returns the name of the job with this display name, if there is one."""
    try:
        async for job in await client.aio.batches.list(config={"page_size": 100, **filters}):
            if job.display_name == display_name and job.name:
                return str(job.name)
    except Exception as error:
        raise server_failure(error) from error
    return None


async def job_and_state(client: Any, name: str) -> tuple[Any, str]:
    """Returns the job and its state. Raises BatchGone if the job no longer exists."""
    try:
        job = await client.aio.batches.get(name=name)
    except Exception as error:
        raise gone_or(error, f"the job {name}", codes=(404,)) from error
    return job, job.state.name.rpartition("STATE_")[2] if job.state is not None else "UNSPECIFIED"


def failure_words(job: Any) -> str:
    error = getattr(job, "error", None)
    return str(getattr(error, "message", None) or "")[:300]


def by_key(lines: Iterable[tuple[str, bytes]]) -> dict[str, bytes]:
    """Returns the lines by key. If a key occurs twice, a response takes precedence over an error: both may be billed, but only
    one has the page."""
    found: dict[str, bytes] = {}
    for key, line in lines:
        if key not in found or b'"response"' not in found[key]:
            found[key] = line
    return found


def _inline_lines(responses: Iterable[Any]) -> Iterator[tuple[str, bytes]]:
    """Converts answers inside the job to lines of a results file."""
    for item in responses:
        key = (item.metadata or {}).get("key")
        if not isinstance(key, str):
            continue
        row: dict[str, Any] = {"key": key}
        if item.response is not None:
            row["response"] = item.response.model_dump(mode="json", by_alias=True, exclude_none=True)
        elif item.error is not None:
            row["error"] = item.error.model_dump(mode="json", exclude_none=True)
        yield key, json.dumps(row).encode()


def _keyed_lines(data: bytes) -> Iterator[tuple[str, bytes]]:
    for line in data.splitlines():
        try:
            row = parse_value(line)
        except ValueError:
            continue  # a truncated line; its page is requested again
        if isinstance(row, dict) and isinstance(row.get("key"), str):
            yield row["key"], line
