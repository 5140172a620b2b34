"""The BatchQueue actor gathers pages into batch jobs, submits and watches the jobs, and returns each page's answer.

| event | result |
|---|---|
| a key is requested twice, by two workers or after a restart | one request; both get the same answer |
| killed before the intent is written | nothing was sent; the pages are requested again |
| killed between intent and submission | the job is looked up by display name; if not found, the pages are requested again |
| killed while the job runs, for hours | the next run adopts the job when one of its pages is requested |
| the job expires, fails, or ends without some keys | existing results are used; the other pages raise BatchIncomplete (paid) |
| the queue is full (429, `batch.max_jobs`, `batch.enqueued_tokens`) | jobs wait in a queue; nothing is uploaded twice |
| the uploaded file no longer exists when the job is created | it is uploaded again, at most four times |
| the job or its results no longer exist | the intent is deleted; its pages raise BatchIncomplete |
| the server does not answer for `limits.patience_s` | ModelUnavailable ends the run; a later run adopts the jobs |
| a job makes no progress for `batch.patience_h` | ModelUnavailable ends the run; a later run adopts the job |

Only the intents are durable. Requests that wait for submission are on local disk, not in memory.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from rayocr.actors.batch_queue.intents import delete_intent, read_intents
from rayocr.actors.batch_queue.job import BatchServer, Job, progress_of
from rayocr.actors.batch_queue.job_runner import JobRunner
from rayocr.config import BatchConfig
from rayocr.errors import BatchIncomplete, BatchWithdrawn, EngineOverloaded
from rayocr.retry import RetryPolicy
from rayocr.storage.base import Storage

# Number of jobs for a limit on enqueued tokens; fewer, if a job would have fewer pages than _SMALL_JOB.
_JOBS_IN_QUEUE, _SMALL_JOB = 24, 100


class BatchQueue:
    """Gathers pages into batch jobs and returns their answers. `clock` is Unix time in seconds, since intents are compared across
    runs. `patience_s`: `limits.patience_s`."""

    def __init__(
        self,
        server: BatchServer,
        state: Storage,
        *,
        run_id: str,
        config: BatchConfig,
        policy: RetryPolicy,
        patience_s: float | None = 900.0,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._server = server
        self._state = state
        self._run_id = run_id
        self._config = config
        self._clock = clock
        self._by_key: dict[str, Job] = {}
        self._open: dict[str, Job] = {}  # jobs by model
        self._jobs: dict[str, Job] = {}
        self._runner = JobRunner(
            server,
            state,
            jobs=self._jobs.values,
            config=config,
            policy=policy,
            patience_s=patience_s,
            clock=clock,
            sleep=sleep,
        )
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="rayocr-batch-")
        self._number = 0
        self._load()

    async def read(self, key: str, model: str, line: bytes) -> bytes:
        """Waits until the job has ended, and returns the results' line for this key. Raises BatchIncomplete when the job ended
        without the key (if it is called again, the page goes into another job), ModelUnavailable after `batch.patience_h`, and
        the server's error about the whole job."""
        job = self._by_key.get(key)
        if job is None:
            job = self._add(key, model, line)
        elif job.task is None and job.closed:  # the job was submitted by an earlier run
            job.task = asyncio.create_task(self._runner.run(job))
        await job.ended.wait()
        answer = job.answers.get(key)
        if answer is not None:
            job.handed_out.add(key)
            if _is_error(answer) and self._by_key.get(key) is job:  # a further call puts the page into another job
                del self._by_key[key]
            return answer
        self._by_key.pop(key, None)
        if job.error is not None:
            raise job.error
        if job.name is None:
            raise EngineOverloaded(f"The batch {job.display_name} was never submitted.")
        if job.withdrawn or job.state == "CANCELLED":
            raise BatchWithdrawn(f"The batch {job.display_name} was cancelled before it answered the page.")
        reason = f": {job.words}" if job.words else ""
        raise BatchIncomplete(f"The batch {job.display_name} ended without the page ({job.state}{reason}).")

    async def withdraw(self) -> int:
        """Cancels all jobs that have not ended, since another lane has to read their pages. Answers that exist by then are used.
        For all other pages, `read` raises BatchWithdrawn. Returns the number of jobs."""
        jobs = [job for job in self._jobs.values() if job.task is not None or not job.closed]
        jobs = [job for job in jobs if not (job.ended.is_set() or job.withdrawn)]
        for job in jobs:
            job.withdrawn = True
            self._submit_soon(job)
        await asyncio.gather(*(self._runner.cancel(job) for job in jobs))
        return len(jobs)

    async def recorded(self, keys: Sequence[str]) -> None:
        """Notes that the ledger has the pages of these answers. Deletes a job whose answers are all recorded, at the server
        too."""
        for key in keys:
            if (job := self._by_key.get(key)) is not None:
                job.recorded.add(key)
                if job.ended.is_set() and job.recorded >= job.answers.keys() and not job.deleted:
                    job.deleted = True
                    await self._delete(job)

    async def _delete(self, job: Job) -> None:
        await asyncio.to_thread(delete_intent, self._state, job.display_name)
        await self._server.delete(files=job.server_files, job=job.name)

    async def close(self, *, finished: bool) -> None:
        """Closes the queue. `finished`: every page of the run is in the ledger, so the intents of jobs whose results were all
        used can be deleted."""
        for timer in self._timers.values():
            timer.cancel()
        tasks = [job.task for job in self._jobs.values() if job.task is not None and not job.task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if finished:
            for job in self._jobs.values():
                if job.ended.is_set() and job.handed_out >= job.answers.keys() and not job.deleted:
                    await self._delete(job)
        self._folder.cleanup()

    # -- gathering ----------------------------------------------------------------------------------------------------------

    def _add(self, key: str, model: str, line: bytes) -> Job:
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
        """Returns the maximum number of pages of one job. A job larger than the whole queue would never be accepted, and only
        jobs that are small compared with the queue can fill it."""
        tokens = self._config.enqueued_tokens
        if not tokens:
            return self._config.max_pages
        whole = max(1, int(tokens / self._runner.tokens_per_page))
        return min(self._config.max_pages, max(min(whole, _SMALL_JOB), whole // _JOBS_IN_QUEUE))

    def _new_job(self, model: str) -> Job:
        while True:
            self._number += 1
            display_name = f"rayocr-{self._run_id}-{self._number:04d}"
            if display_name not in self._jobs:
                break  # otherwise the file was written before this actor was restarted
        job = Job(display_name, model, created_at=self._clock(), since=self._clock())
        job.file = (Path(self._folder.name) / f"{display_name}.jsonl").open("wb")
        self._jobs[display_name] = job
        return job

    def _start_timer(self, job: Job) -> None:
        """Submits a job when no page has arrived for a while, because the window is full or there are no more pages."""
        if (timer := self._timers.pop(job.display_name, None)) is not None:
            timer.cancel()
        loop = asyncio.get_running_loop()
        self._timers[job.display_name] = loop.call_later(self._config.linger_s, self._submit_soon, job)

    def _submit_soon(self, job: Job) -> None:
        if job.closed:
            return
        job.closed = True
        if (timer := self._timers.pop(job.display_name, None)) is not None:
            timer.cancel()
        if self._open.get(job.model) is job:
            del self._open[job.model]
        job.task = asyncio.get_running_loop().create_task(self._runner.run(job))

    async def progress(self) -> tuple[str, ...]:
        return progress_of(self._jobs.values(), self._clock())

    def _load(self) -> None:
        """Loads jobs of earlier runs. The server is queried only when one of their pages is requested."""
        for intent in read_intents(self._state):
            if self._clock() - intent.created_at > self._config.keep_days * 86_400:
                delete_intent(self._state, intent.display_name)
                continue
            job = Job(intent.display_name, intent.model, set(intent.keys), intent.created_at, intent.name, closed=True)
            self._jobs[intent.display_name] = job
            self._by_key.update(dict.fromkeys(intent.keys, job))


def _is_error(line: bytes) -> bool:
    """Returns whether the results' line has an error in place of a response."""
    return b'"error"' in line and b'"response"' not in line
