"""Sends batches to Vertex AI, which reads requests from files in Cloud Storage and writes answers to files.

| step | Cloud Storage, below `batch.gcs` |
|---|---|
| upload | writes `<job>/input.jsonl` |
| create | the job reads that file, and writes below `<job>/output/` |
| results | reads every `*.jsonl` below `<job>/output/` |
| delete | deletes both |

Vertex AI repeats the request in each line of an answer and has no field for a key. The key is a label of the request
(`rayocr_key`), and is read from the repeated request. Answers are read in pieces, because they repeat the pages and are large.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from rayocr.config import GeminiConfig, Secrets
from rayocr.engines.gemini.batch import (
    ENDED,
    KEY_LABEL,
    TIMEOUT_MS,
    JobStatus,
    by_key,
    failure_words,
    find_job,
    gone_or,
    job_and_state,
)
from rayocr.engines.gemini.engine import new_client
from rayocr.errors import BatchGone, EngineOverloaded, EngineRejected, ObjectNotFound, StorageError, StorageUnavailable
from rayocr.storage.base import Storage
from rayocr.untrusted_json import parse_value

_PIECE_BYTES = 16 << 20
_CODE = re.compile(r'"code"\s*:\s*(\d{1,9})')


class VertexJobs:
    """The server side of batches on Vertex AI. `storage` is the place `batch.gcs`. Every method raises only rayocr.errors."""

    def __init__(self, config: GeminiConfig, secrets: Secrets, storage: Storage) -> None:
        self._client = new_client(config, secrets, TIMEOUT_MS)
        self._storage = storage

    async def upload(self, display_name: str, path: Path) -> str:
        """Returns the URI of the file."""
        name = f"{display_name}/input.jsonl"
        with path.open("rb") as file:
            await _storage_call(self._storage.write, name, file)
        return f"{self._storage.uri}/{name}"

    async def create(self, display_name: str, model: str, file: str) -> str:
        """Returns the job's name. Not idempotent: after an error, the caller must call `find` first."""
        from google.genai import types

        config = types.CreateBatchJobConfig(display_name=display_name, dest=f"{self._storage.uri}/{display_name}/output/")
        try:
            job = await self._client.aio.batches.create(model=model, src=file, config=config)
        except Exception as error:
            raise gone_or(error, f"the file {file}") from error
        if not job.name:
            raise EngineOverloaded("Vertex AI accepted the batch but returned no name for it.")
        return job.name

    async def find(self, display_name: str) -> str | None:
        """Returns the name of the job with this display name, if there is one."""
        return await find_job(self._client, display_name, filter=f'display_name="{display_name}"')

    async def status(self, name: str) -> JobStatus:
        """Returns the job's status. `results` is the folder of the answers. Raises BatchGone if the job no longer exists."""
        job, state = await job_and_state(self._client, name)
        folder = (job.output_info and job.output_info.gcs_output_directory) or (job.dest and job.dest.gcs_uri)
        ended = state in ENDED
        return JobStatus(ended=ended, state=state, results=folder if ended else None, words=failure_words(job))

    async def results(self, file_name: str) -> dict[str, bytes]:
        """Returns the lines by key, without the repeated requests; empty if the job ended before it wrote anything."""
        prefix = file_name.removeprefix(self._storage.uri).strip("/") + "/"
        return await _storage_call(self._read, prefix)

    async def cancel(self, job: str) -> None:
        try:
            await self._client.aio.batches.cancel(name=job)
        except Exception as error:
            raise gone_or(error, f"the job {job}", codes=(404,)) from error

    async def delete(self, *, files: Iterable[str], job: str | None) -> None:
        """Deletes the job's files below `batch.gcs`, and the job. Never raises."""
        for file in files:
            with suppress(Exception):
                await asyncio.to_thread(self._delete_below, file.removeprefix(self._storage.uri).strip("/"))
        if job is not None:
            with suppress(Exception):
                await self._client.aio.batches.delete(name=job)

    def _read(self, prefix: str) -> dict[str, bytes]:
        found: list[tuple[str, bytes]] = []
        for entry in list(self._storage.list(prefix)):
            if entry.name.endswith(".jsonl"):
                found += _keyed(self._lines(entry.name))
        return by_key(found)

    def _lines(self, name: str) -> Iterator[bytes]:
        start, rest = 0, b""
        while piece := self._storage.read(name, start=start, length=_PIECE_BYTES):
            start += len(piece)
            *whole, rest = (rest + piece).split(b"\n")
            yield from whole
            if len(piece) < _PIECE_BYTES:
                break
        yield rest

    def _delete_below(self, name: str) -> None:
        if name.endswith(".jsonl"):
            self._storage.delete(name)
            return
        for entry in list(self._storage.list(f"{name}/")):
            self._storage.delete(entry.name)


def _keyed(lines: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """Converts answers to the lines of the Developer API, which have a key and either a response or an error."""
    for line in lines:
        try:
            row = parse_value(line)
            key = row["request"]["labels"][KEY_LABEL]
        except (ValueError, KeyError, TypeError):
            continue  # an empty or truncated line; its page is requested again
        if not isinstance(key, str):
            continue
        if row.get("response"):
            kept: dict[str, Any] = {"key": key, "response": row["response"]}
        else:
            words = str(row.get("status") or "no reason given")
            code = _CODE.search(words)
            kept = {"key": key, "error": {"code": int(code.group(1)) if code else 0, "message": words[:300]}}
        yield key, json.dumps(kept).encode()


async def _storage_call(function: Any, *arguments: Any) -> Any:
    """Calls storage on a thread. Converts its errors to those of a server, since the batch queue decides on retries."""
    try:
        return await asyncio.to_thread(function, *arguments)
    except ObjectNotFound as error:
        raise BatchGone(f"Cloud Storage no longer has the batch's files: {error}") from error
    except StorageUnavailable as error:
        raise EngineOverloaded(f"Cloud Storage is unavailable: {error}") from error
    except StorageError as error:
        raise EngineRejected(f"Cloud Storage refused the batch's files: {error}", hint=error.hint) from error
