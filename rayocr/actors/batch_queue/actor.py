"""The BatchDesk actor: gathers pages into batch jobs, submits and watches them, and hands every page its answer.

| what happens | what follows |
|---|---|
| a key is asked for twice, by two workers or after a restart | one request; both get the same answer |
| killed before the intent is written | nothing was sent; the pages come again |
| killed between intent and submission | the job is looked for by display name; not there: the pages are asked for again |
| killed while the job runs, for hours | the next run adopts the job when one of its pages is asked for |
| the job expires, fails, or ends without some keys | what it has is handed out; the other pages go into another job |

Owns nothing durable but the intents. Requests that wait for submission are on local disk, not in memory.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol, TypeVar

from rayocr.actors.batch_queue.intents import Intent, delete_intent, read_intents, write_intent
from rayocr.config import BatchConfig
from rayocr.errors import EngineError, EngineOverloaded, EngineRejected, RayocrError
from rayocr.observe.logs import log_event
from rayocr.retry import RetryPolicy, decide
from rayocr.storage.base import Storage

if TYPE_CHECKING:
    from rayocr.engines.gemini.batch import JobStatus

log = logging.getLogger(__name__)

T = TypeVar("T")


class Jobs(Protocol):
    """The server, as `rayocr.engines.gemini.batch.GeminiJobs` knows it."""

    async def submit(self, display_name: str, model: str, path: Path) -> str: ...

    async def find(self, display_name: str) -> str | None: ...

    async def status(self, name: str) -> JobStatus: ...

    async def results(self, file_name: str) -> dict[str, bytes]: ...


@dataclass(slots=True, eq=False)
class _Job:
    """From its first page to its answers; of an earlier run, `closed` from the start and without a file."""

    display_name: str
    model: str
    keys: set[str] = field(default_factory=set)
    created_at: float = 0.0
    name: str | None = None
    file: IO[bytes] | None = None
    size_bytes: int = 0
    closed: bool = False  # takes no more pages
    task: asyncio.Task[None] | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    state: str = ""
    answers: dict[str, bytes] = field(default_factory=dict)
    handed_out: set[str] = field(default_factory=set)
    error: RayocrError | None = None


class BatchQueue:
    """`clock` is Unix time in seconds: intents are compared across runs."""

    def __init__(
        self,
        jobs: Jobs,
        state: Storage,
        *,
        run_id: str,
        config: BatchConfig,
        policy: RetryPolicy,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._server = jobs
        self._state = state
        self._run_id = run_id
        self._config = config
        self._policy = policy
        self._clock = clock
        self._sleep = sleep
        self._by_key: dict[str, _Job] = {}
        self._open: dict[str, _Job] = {}  # by model
        self._jobs: dict[str, _Job] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="rayocr-batch-")
        self._number = 0
        self._load()

    @property
    def adopted_pages(self) -> int:
        """Of jobs that earlier runs submitted."""
        return len(self._by_key)

    async def read(self, key: str, model: str, line: bytes) -> bytes:
        """The results' line for this key; waits until the job has ended. Raises EngineOverloaded when it ended without the key
        (asked again, the page goes into another job), and what the server says of the whole job."""
        job = self._by_key.get(key)
        if job is None:
            job = self._add(key, model, line)
        elif job.task is None and job.closed:  # of an earlier run
            job.task = asyncio.create_task(self._watch(job))
        await job.ended.wait()
        answer = job.answers.get(key)
        if answer is not None:
            job.handed_out.add(key)
            return answer
        self._by_key.pop(key, None)
        if job.error is not None:
            raise job.error
        raise EngineOverloaded(f"The batch {job.display_name} ended without the page ({job.state}).")

    async def close(self, *, finished: bool) -> None:
        """`finished`: every page of the run is in the ledger, so that the intents of jobs that gave all they had can go."""
        for timer in self._timers.values():
            timer.cancel()
        tasks = [job.task for job in self._jobs.values() if job.task is not None and not job.task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if finished:
            for job in self._jobs.values():
                if job.ended.is_set() and job.handed_out >= job.answers.keys():
                    await asyncio.to_thread(delete_intent, self._state, job.display_name)
        self._folder.cleanup()

    # -- gathering ----------------------------------------------------------------------------------------------------------

    def _add(self, key: str, model: str, line: bytes) -> _Job:
        job = self._open.get(model)
        if job is not None and job.size_bytes + len(line) > self._config.max_bytes:
            self._submit_soon(job)
            job = None
        if job is None:
            job = self._open[model] = self._new_job(model)
        assert job.file is not None
        job.file.write(line + b"\n")
        job.size_bytes += len(line) + 1
        job.keys.add(key)
        self._by_key[key] = job
        if len(job.keys) >= self._config.max_pages:
            self._submit_soon(job)
        else:
            self._start_timer(job)
        return job

    def _new_job(self, model: str) -> _Job:
        while True:
            self._number += 1
            display_name = f"rayocr-{self._run_id}-{self._number:04d}"
            if display_name not in self._jobs:
                break  # else: made by this actor before it was restarted
        job = _Job(display_name, model, created_at=self._clock())
        job.file = (Path(self._folder.name) / f"{display_name}.jsonl").open("wb")
        self._jobs[display_name] = job
        return job

    def _start_timer(self, job: _Job) -> None:
        """A job leaves when no page has come for a while: then the window is full, or there are no more."""
        if (timer := self._timers.pop(job.display_name, None)) is not None:
            timer.cancel()
        loop = asyncio.get_running_loop()
        self._timers[job.display_name] = loop.call_later(self._config.linger_s, self._submit_soon, job)

    def _submit_soon(self, job: _Job) -> None:
        if job.closed:
            return
        job.closed = True
        if (timer := self._timers.pop(job.display_name, None)) is not None:
            timer.cancel()
        if self._open.get(job.model) is job:
            del self._open[job.model]
        job.task = asyncio.get_running_loop().create_task(self._watch(job))

    # -- jobs ---------------------------------------------------------------------------------------------------------------

    async def _watch(self, job: _Job) -> None:
        """From submission, or adoption, to the answers. Whatever goes wrong is told to the pages that wait."""
        try:
            if job.file is not None:
                await self._submit(job)
            elif job.name is None:
                job.name = await self._retried(lambda: self._server.find(job.display_name))
            if job.name is None:
                job.state = "never submitted"
                await asyncio.to_thread(delete_intent, self._state, job.display_name)
            else:
                await self._await_results(job, job.name)
        except RayocrError as error:
            job.error = error
        except Exception as error:  # told to the pages that wait for the job, or they would wait for ever
            log.exception("A defect of rayocr ended a batch job.", extra={"rayocr_fields": {"action": "batch_failed"}})
            job.error = EngineRejected(f"The batch ended with a defect: {type(error).__name__}: {error}")
        log_event(
            log,
            "batch_ended",
            "A batch job has ended.",
            batch=job.display_name,
            state=job.state,
            pages=len(job.keys),
            answers=len(job.answers),
            error=job.error.reason if job.error else None,
        )
        job.ended.set()

    async def _submit(self, job: _Job) -> None:
        assert job.file is not None
        path = Path(job.file.name)
        job.file.close()
        await asyncio.to_thread(write_intent, self._state, self._intent(job))
        attempt = 0
        while job.name is None:
            attempt += 1
            try:
                job.name = await self._server.submit(job.display_name, job.model, path)
            except EngineError as error:
                decision = decide(error, attempt, policy=self._policy)
                if decision is None:
                    raise
                await self._sleep(decision.delay_s)
                # The answer may have been lost, and not the request: a job that is there must not be made, and paid for, twice.
                job.name = await self._retried(lambda: self._server.find(job.display_name))
        await asyncio.to_thread(path.unlink, missing_ok=True)
        job.file = None
        await asyncio.to_thread(write_intent, self._state, self._intent(job))
        log_event(log, "batch_submitted", "A batch job is submitted.", batch=job.display_name, job=job.name, pages=len(job.keys))

    async def _await_results(self, job: _Job, name: str) -> None:
        while True:
            status = await self._retried(lambda: self._server.status(name))
            job.state = status.state
            if status.ended:
                break
            await self._sleep(self._config.poll_interval_s)
        if status.results is not None:
            file_name = status.results
            found = await self._retried(lambda: self._server.results(file_name))
            job.answers = {key: line for key, line in found.items() if key in job.keys}

    async def _retried(self, call: Callable[[], Awaitable[T]]) -> T:
        attempt = 0
        while True:
            attempt += 1
            try:
                return await call()
            except EngineError as error:
                decision = decide(error, attempt, policy=self._policy)
                if decision is None:
                    raise
            await self._sleep(decision.delay_s)

    def _intent(self, job: _Job) -> Intent:
        return Intent(
            display_name=job.display_name,
            model=job.model,
            keys=tuple(sorted(job.keys)),
            created_at=job.created_at,
            name=job.name,
        )

    def _load(self) -> None:
        """Jobs of earlier runs: asked about only when one of their pages is."""
        for intent in read_intents(self._state):
            if self._clock() - intent.created_at > self._config.keep_days * 86_400:
                delete_intent(self._state, intent.display_name)
                continue
            job = _Job(intent.display_name, intent.model, set(intent.keys), intent.created_at, intent.name, closed=True)
            self._jobs[intent.display_name] = job
            self._by_key.update(dict.fromkeys(intent.keys, job))
