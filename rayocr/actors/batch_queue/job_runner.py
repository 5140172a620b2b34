"""Runs batch jobs at the server: submits a job, waits for its end and collects its answers."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rayocr.actors.batch_queue.intents import delete_intent, write_intent
from rayocr.actors.batch_queue.job import BatchServer, Job
from rayocr.config import BatchConfig
from rayocr.errors import (
    BatchGone,
    BatchWithdrawn,
    EngineError,
    EngineRateLimited,
    EngineRejected,
    ModelUnavailable,
    QuotaDenied,
    RayocrError,
)
from rayocr.observe.logs import log_event
from rayocr.retry import RetryPolicy, decide
from rayocr.storage.base import Storage

if TYPE_CHECKING:
    from rayocr.engines.gemini.batch import JobStatus

log = logging.getLogger(__name__)

T = TypeVar("T")

_INPUT_TOKENS = re.compile(rb'"promptTokenCount"\s*:\s*(\d{1,9})')
_WITH_RESULTS = ("SUCCEEDED", "PARTIALLY_SUCCEEDED")
_BATCH_HINT = "Start the same command again to resume, with engine.batch=false if the server accepts no batches."
_MOST_UPLOADS = 5  # number of uploads for one job, since its file may no longer exist when the job is created
_LATE_RESULTS_S = 6 * 3600.0  # maximum wait for the results of a job that succeeded


class JobRunner:
    """Runs the jobs of the batch queue. `jobs` yields all jobs, since running jobs count against the limits of the queue."""

    def __init__(
        self,
        server: BatchServer,
        state: Storage,
        *,
        jobs: Callable[[], Iterable[Job]],
        config: BatchConfig,
        policy: RetryPolicy,
        patience_s: float | None,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._server = server
        self._state = state
        self._jobs = jobs
        self._config = config
        self._policy = policy
        self._patience_s = patience_s  # seconds for which failed calls are repeated; None: without limit
        self._clock = clock
        self._sleep = sleep
        self.tokens_per_page = float(config.expected_input_tokens)  # replaced by the actual use in answers
        self._creating = asyncio.Lock()  # jobs are created one at a time, since a full queue delays all of them

    async def run(self, job: Job) -> None:
        """Runs a job from its submission or adoption to its answers. Passes any failure to the waiting pages."""
        try:
            if job.file is not None:
                await self._submit(job)
            elif job.name is None:
                job.name = await self._retried(lambda: self._server.find(job.display_name))
            if job.name is None:
                job.note("never submitted", self._clock())
                await asyncio.to_thread(delete_intent, self._state, job.display_name)
            else:
                await self._await_results(job, job.name)
        except (EngineRejected, BatchGone) as error:  # the error concerns the whole job
            what = f"The batch {job.display_name} with {len(job.keys):,} pages: {error}"
            job.error = ModelUnavailable(what, hint=error.hint or _BATCH_HINT)
        except RayocrError as error:
            job.error = error
        except Exception as error:  # passed to the pages that wait for the job; otherwise they would wait forever
            log.exception("A bug in rayocr ended a batch job.", extra={"rayocr_fields": {"action": "batch_failed"}})
            job.error = ModelUnavailable(
                f"The batch {job.display_name} ended because of a bug in rayocr: {type(error).__name__}: {error}",
                hint=_BATCH_HINT,
            )
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

    async def cancel(self, job: Job) -> None:
        """Asks the server to end the job early. A job that is not submitted yet notices that it was withdrawn."""
        if job.name is None:
            return
        log_event(log, "batch_cancelled", "Cancelled a batch job.", batch=job.display_name, pages=len(job.keys))
        try:
            await self._retried(partial(self._server.cancel, job.name))
        except EngineError as error:  # the job has ended or no longer exists, which its task detects
            log_event(log, "batch_not_cancelled", "Cannot cancel a batch job.", level=logging.WARNING, error=str(error))

    async def _submit(self, job: Job) -> None:
        assert job.file is not None
        path = Path(job.file.name)
        job.file.close()
        await asyncio.to_thread(write_intent, self._state, job.intent)
        async with self._creating:
            job.name = await self._create(job, path)
        if job.withdrawn:  # withdrawn in the meantime
            await self.cancel(job)
        await asyncio.to_thread(path.unlink, missing_ok=True)
        job.file = None
        job.note("PENDING", self._clock())
        await asyncio.to_thread(write_intent, self._state, job.intent)
        log_event(log, "batch_submitted", "Submitted a batch job.", batch=job.display_name, job=job.name, pages=len(job.keys))

    async def _create(self, job: Job, path: Path) -> str:
        """Creates the job and returns the server's name for it. Waits while the queue is full."""
        file = None
        attempt = uploads = 0
        failing_since: float | None = None
        while True:
            await self._until_room(job)
            if job.withdrawn:
                raise BatchWithdrawn(f"The batch {job.display_name} was not submitted.")
            attempt += 1
            try:
                if file is None:
                    job.note("uploading", self._clock())
                    uploads += 1
                    file = await self._retried(partial(self._server.upload, job.display_name, path))
                    job.server_files.append(file)
                return await self._server.create(job.display_name, job.model, file)
            except BatchGone:
                if uploads >= _MOST_UPLOADS:
                    raise
                file = None
            except EngineRateLimited as error:
                self._check_denied(error)
                job.note("waiting for the queue", self._clock())
                self._check_patience(job)
                await self._sleep(max(self._config.poll_interval_s, error.retry_after_s or 0.0))
            except EngineError as error:
                failing_since = self._clock() if failing_since is None else failing_since
                await self._sleep(self._delay_s(error, attempt, since=failing_since))
                # The response may have been lost although the job was created. The job must not be created and paid for twice.
                if (name := await self._retried(partial(self._server.find, job.display_name))) is not None:
                    return name

    async def _until_room(self, job: Job) -> None:
        """Waits for room according to rayocr's own count of jobs, so that the server does not refuse a job."""
        while True:
            running = [other for other in self._jobs() if other.name is not None and not other.ended.is_set()]
            tokens = sum(len(other.keys) for other in (*running, job)) * self.tokens_per_page
            full = self._config.enqueued_tokens is not None and running and tokens > self._config.enqueued_tokens
            if not full and len(running) < self._config.max_jobs:
                return
            if job.withdrawn:
                return
            job.note("waiting for the queue", self._clock())
            self._check_patience(job)
            await self._sleep(self._config.poll_interval_s)

    async def _await_results(self, job: Job, name: str) -> None:
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
        used = [int(tokens.group(1)) for line in found.values() if (tokens := _INPUT_TOKENS.search(line))]
        if used:
            self.tokens_per_page = sum(used) / len(used)

    async def _until_ended(self, job: Job, name: str) -> JobStatus:
        """Waits for the end of the job and fetches it with its results, which can arrive shortly after the job ends."""
        ended_at: float | None = None
        while True:
            status = await self._retried(partial(self._server.status, name))
            job.note(status.state, self._clock())
            job.words = status.words
            if status.ended:
                ended_at = self._clock() if ended_at is None else ended_at
                has_results = status.results is not None or status.inline is not None
                if has_results or status.state not in _WITH_RESULTS or self._clock() > ended_at + _LATE_RESULTS_S:
                    return status
            else:
                self._check_patience(job)
            await self._sleep(self._config.poll_interval_s)

    def _check_patience(self, job: Job) -> None:
        waited_h = (self._clock() - job.created_at) / 3600
        if self._config.patience_h is not None and waited_h > self._config.patience_h:
            raise ModelUnavailable(
                f"The batch {job.display_name} with {len(job.keys):,} pages is {job.state} after {waited_h:.1f} h.",
                hint="Start the same command again to resume: the new run waits for the same job. batch.patience_h="
                " sets how long a run waits.",
            )

    async def _retried(self, call: Callable[[], Awaitable[T]]) -> T:
        """Retries until the server answers. If a running job were abandoned, its pages would be paid for twice."""
        attempt, since = 0, self._clock()
        while True:
            attempt += 1
            try:
                return await call()
            except BatchGone:
                raise
            except EngineError as error:
                self._check_denied(error)
                delay_s = self._delay_s(error, attempt, since=since)
            await self._sleep(delay_s)

    def _delay_s(self, error: EngineError, attempt: int, *, since: float) -> float:
        """Returns the delay before the next attempt. Raises the error if a retry is pointless, and ModelUnavailable if all
        attempts `since` then have failed for longer than `limits.patience_s`."""
        decision = decide(error, min(attempt, self._policy.max_attempts - 1), policy=self._policy)
        if decision is None:
            raise error
        failed_s = self._clock() - since
        if self._patience_s is not None and failed_s + decision.delay_s > self._patience_s:
            raise ModelUnavailable(
                f"All calls about batches have failed for {failed_s:,.0f} s. The last failure: {error}",
                hint="Start the same command again to resume: the jobs continue, and the new run downloads their answers.",
            )
        return decision.delay_s

    @staticmethod
    def _check_denied(error: EngineError) -> None:
        if isinstance(error, EngineRateLimited) and error.denied:
            raise QuotaDenied(f"The quota for batches is 0. The server says: {error}")
