"""The BatchDesk actor: gathers pages into batch jobs, submits and watches the jobs, and returns each page's answer.

| event | result |
|---|---|
| a key is requested twice, by two workers or after a restart | one request; both get the same answer |
| killed before the intent is written | nothing was sent; the pages are requested again |
| killed between intent and submission | the job is looked up by display name; if not found, the pages are requested again |
| killed while the job runs, for hours | the next run adopts the job when one of its pages is requested |
| the job expires, fails, or ends without some keys | existing results are used; the other pages raise BatchIncomplete (paid) |
| the queue is full (429, `batch.max_jobs`, `batch.enqueued_tokens`) | jobs wait in a queue; nothing is uploaded twice |
| the uploaded file no longer exists when the job is created | it is uploaded once more |
| the job or its results no longer exist | the intent is deleted; its pages raise BatchIncomplete |
| a job makes no progress for `batch.patience_h` | ModelUnavailable ends the run; the job stays and is adopted later |

Only the intents are durable. Requests that wait for submission are on local disk, not in memory.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol, TypeVar

from rayocr.actors.batch_queue.intents import Intent, delete_intent, read_intents, write_intent
from rayocr.config import BatchConfig
from rayocr.errors import (
    BatchGone,
    BatchIncomplete,
    EngineError,
    EngineOverloaded,
    EngineRateLimited,
    EngineRejected,
    ModelUnavailable,
    RayocrError,
)
from rayocr.observe.logs import log_event
from rayocr.retry import RetryPolicy, decide
from rayocr.storage.base import Storage

if TYPE_CHECKING:
    from rayocr.engines.gemini.batch import JobStatus

log = logging.getLogger(__name__)

T = TypeVar("T")

_WITH_RESULTS = ("SUCCEEDED", "PARTIALLY_SUCCEEDED")
_LATE_RESULTS_S = 900.0  # how long to wait for the results of a job that succeeded


class Jobs(Protocol):
    """The server, as `rayocr.engines.gemini.batch.GeminiJobs` knows it."""

    async def upload(self, display_name: str, path: Path) -> str: ...

    async def create(self, display_name: str, model: str, file: str) -> str: ...

    async def find(self, display_name: str) -> str | None: ...

    async def status(self, name: str) -> JobStatus: ...

    async def results(self, file_name: str) -> dict[str, bytes]: ...

    async def delete(self, *, files: Iterable[str], job: str | None) -> None: ...


@dataclass(slots=True, eq=False)
class _Job:
    """One job, from its first page to its answers. A job of an earlier run is `closed` from the start and has no file."""

    display_name: str
    model: str
    keys: set[str] = field(default_factory=set)
    created_at: float = 0.0
    name: str | None = None
    file: IO[bytes] | None = None
    size_bytes: int = 0
    closed: bool = False  # accepts no more pages
    task: asyncio.Task[None] | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    state: str = "gathering"
    since: float = 0.0  # when the current state began
    server_files: list[str] = field(default_factory=list)
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
        self._creating = asyncio.Lock()  # jobs are created one at a time: a full queue delays all of them
        self._load()

    @property
    def adopted_pages(self) -> int:
        """How many of the jobs were submitted by earlier runs."""
        return len(self._by_key)

    async def read(self, key: str, model: str, line: bytes) -> bytes:
        """The results' line for this key; waits until the job has ended. Raises BatchIncomplete when the job ended without the
        key (if asked again, the page goes into another job), ModelUnavailable after `batch.patience_h`, and the server's error
        about the whole job."""
        job = self._by_key.get(key)
        if job is None:
            job = self._add(key, model, line)
        elif job.task is None and job.closed:  # submitted by an earlier run
            job.task = asyncio.create_task(self._watch(job))
        await job.ended.wait()
        answer = job.answers.get(key)
        if answer is not None:
            job.handed_out.add(key)
            if _is_error(answer) and self._by_key.get(key) is job:  # if asked again, the page goes into another job
                del self._by_key[key]
            return answer
        self._by_key.pop(key, None)
        if job.error is not None:
            raise job.error
        if job.name is None:
            raise EngineOverloaded(f"The batch {job.display_name} was never submitted.")
        raise BatchIncomplete(f"The batch {job.display_name} ended without the page ({job.state}).")

    async def close(self, *, finished: bool) -> None:
        """`finished`: every page of the run is in the ledger, so the intents of jobs whose results were all used can be
        deleted."""
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
                    await self._server.delete(files=job.server_files, job=job.name)
        self._folder.cleanup()

    # -- gathering ----------------------------------------------------------------------------------------------------------

    def _add(self, key: str, model: str, line: bytes) -> _Job:
        job = self._open.get(model)
        if job is not None and (job.size_bytes + len(line) > self._config.max_bytes or len(job.keys) >= self._most_pages()):
            self._submit_soon(job)
            job = None
        if job is None:
            job = self._open[model] = self._new_job(model)
        assert job.file is not None
        job.file.write(line + b"\n")
        job.size_bytes += len(line) + 1
        job.keys.add(key)
        self._by_key[key] = job
        if len(job.keys) >= self._most_pages():
            self._submit_soon(job)
        else:
            self._start_timer(job)
        return job

    def _most_pages(self) -> int:
        """The limit for one job: a job larger than the whole queue would never be accepted."""
        tokens = self._config.enqueued_tokens
        fitting = max(1, int(tokens / self._config.expected_input_tokens)) if tokens else self._config.max_pages
        return min(self._config.max_pages, fitting)

    def _new_job(self, model: str) -> _Job:
        while True:
            self._number += 1
            display_name = f"rayocr-{self._run_id}-{self._number:04d}"
            if display_name not in self._jobs:
                break  # otherwise the file is from before this actor was restarted
        job = _Job(display_name, model, created_at=self._clock(), since=self._clock())
        job.file = (Path(self._folder.name) / f"{display_name}.jsonl").open("wb")
        self._jobs[display_name] = job
        return job

    def _start_timer(self, job: _Job) -> None:
        """Submits a job when no page has arrived for a while: then the window is full, or there are no more pages."""
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
        """From submission, or adoption, to the answers. Any failure is passed to the pages that wait."""
        try:
            if job.file is not None:
                await self._submit(job)
            elif job.name is None:
                job.name = await self._retried(lambda: self._server.find(job.display_name))
            if job.name is None:
                self._note(job, "never submitted")
                await asyncio.to_thread(delete_intent, self._state, job.display_name)
            else:
                await self._await_results(job, job.name)
        except RayocrError as error:
            job.error = error
        except Exception as error:  # passed to the pages that wait for the job; otherwise they would wait forever
            log.exception("A bug in rayocr ended a batch job.", extra={"rayocr_fields": {"action": "batch_failed"}})
            job.error = EngineRejected(f"The batch ended because of a bug in rayocr: {type(error).__name__}: {error}")
        log_event(
            log,
            "batch_ended",
            "The batch job ended.",
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
        async with self._creating:
            job.name = await self._create(job, path)
        await asyncio.to_thread(path.unlink, missing_ok=True)
        job.file = None
        self._note(job, "PENDING")
        await asyncio.to_thread(write_intent, self._state, self._intent(job))
        log_event(log, "batch_submitted", "Submitted a batch job.", batch=job.display_name, job=job.name, pages=len(job.keys))

    async def _create(self, job: _Job, path: Path) -> str:
        """The server's name of the job. Waits while the queue is full."""
        file = None
        attempt = uploads = 0
        while True:
            await self._until_room(job)
            attempt += 1
            try:
                if file is None:
                    self._note(job, "uploading")
                    uploads += 1
                    file = await self._retried(partial(self._server.upload, job.display_name, path))
                    job.server_files.append(file)
                return await self._server.create(job.display_name, job.model, file)
            except BatchGone:
                if uploads > 1:
                    raise
                file = None
            except EngineRateLimited as error:
                if error.denied:
                    raise
                self._note(job, "waiting for the queue")
                self._check_patience(job)
                await self._sleep(max(self._config.poll_interval_s, error.retry_after_s or 0.0))
            except EngineError as error:
                decision = decide(error, attempt, policy=self._policy)
                if decision is None:
                    raise
                await self._sleep(decision.delay_s)
                # The response may have been lost although the job was created: do not create, and pay for, the job twice.
                if (name := await self._retried(partial(self._server.find, job.display_name))) is not None:
                    return name

    async def _until_room(self, job: _Job) -> None:
        """Limits jobs by our own count, so that the server does not have to refuse."""
        while True:
            running = [other for other in self._jobs.values() if other.name is not None and not other.ended.is_set()]
            tokens = sum(len(other.keys) for other in (*running, job)) * self._config.expected_input_tokens
            full = self._config.enqueued_tokens is not None and running and tokens > self._config.enqueued_tokens
            if not full and len(running) < self._config.max_jobs:
                return
            self._note(job, "waiting for the queue")
            self._check_patience(job)
            await self._sleep(self._config.poll_interval_s)

    async def _await_results(self, job: _Job, name: str) -> None:
        try:
            status = await self._until_ended(job, name)
            if status.inline is not None:
                found = status.inline
            elif status.results is not None:
                job.server_files.append(status.results)
                found = await self._retried(partial(self._server.results, status.results))
            else:
                found = {}
        except BatchGone as error:
            log_event(log, "batch_gone", "The batch job or its results no longer exist.", level=logging.WARNING, error=str(error))
            await asyncio.to_thread(delete_intent, self._state, job.display_name)
            return
        job.answers = {key: line for key, line in found.items() if key in job.keys}

    async def _until_ended(self, job: _Job, name: str) -> JobStatus:
        """Fetches the job together with its results, which can arrive shortly after the job ends."""
        ended_at: float | None = None
        while True:
            status = await self._retried(partial(self._server.status, name))
            self._note(job, status.state)
            if status.ended:
                ended_at = self._clock() if ended_at is None else ended_at
                told = status.results is not None or status.inline is not None
                if told or status.state not in _WITH_RESULTS or self._clock() > ended_at + _LATE_RESULTS_S:
                    return status
            else:
                self._check_patience(job)
            await self._sleep(self._config.poll_interval_s)

    def _check_patience(self, job: _Job) -> None:
        waited_h = (self._clock() - job.created_at) / 3600
        if self._config.patience_h is not None and waited_h > self._config.patience_h:
            raise ModelUnavailable(
                f"The batch {job.display_name} with {len(job.keys):,} pages is {job.state} after {waited_h:.1f} h.",
                hint="Start the same command again to resume: the job stays, and its answers are picked up. batch.patience_h="
                " sets how long a run waits.",
            )

    def _note(self, job: _Job, state: str) -> None:
        if state != job.state:
            job.state, job.since = state, self._clock()

    async def progress(self) -> tuple[str, ...]:
        """One line for each state that jobs are in, for display."""
        by_state: defaultdict[str, list[_Job]] = defaultdict(list)
        for job in self._jobs.values():
            if not job.ended.is_set() and (job.task is not None or not job.closed):
                by_state[job.state].append(job)
        now = self._clock()
        return tuple(
            f"{len(jobs):,} batch {'job' if len(jobs) == 1 else 'jobs'}, {sum(len(job.keys) for job in jobs):,} pages, {state}"
            f" for {_duration(now - min(job.since for job in jobs))}"
            for state, jobs in sorted(by_state.items())
        )

    async def _retried(self, call: Callable[[], Awaitable[T]]) -> T:
        attempt = 0
        while True:
            attempt += 1
            try:
                return await call()
            except BatchGone:
                raise
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
        """Jobs of earlier runs: queried only when one of their pages is requested."""
        for intent in read_intents(self._state):
            if self._clock() - intent.created_at > self._config.keep_days * 86_400:
                delete_intent(self._state, intent.display_name)
                continue
            job = _Job(intent.display_name, intent.model, set(intent.keys), intent.created_at, intent.name, closed=True)
            self._jobs[intent.display_name] = job
            self._by_key.update(dict.fromkeys(intent.keys, job))


def _is_error(line: bytes) -> bool:
    """Whether the results' line has an error in place of a response."""
    return b'"error"' in line and b'"response"' not in line


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
