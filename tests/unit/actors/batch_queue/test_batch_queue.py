"""The batch queue: one job for many pages, one answer for every page, and no page paid for twice after a crash."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from rayocr.actors.batch_queue.actor import BatchQueue
from rayocr.actors.batch_queue.intents import BATCHES_PREFIX, read_intents
from rayocr.config import BatchConfig
from rayocr.driver.cluster.base import QueuePort
from rayocr.engines.base import BatchQueuePort
from rayocr.engines.gemini.batch import JobStatus
from rayocr.errors import (
    BatchGone,
    BatchIncomplete,
    BatchWithdrawn,
    CredentialsError,
    EngineOverloaded,
    EngineRateLimited,
    EngineRejected,
    ModelUnavailable,
    QuotaDenied,
)
from rayocr.retry import RetryPolicy
from rayocr.storage.memory import MemoryStorage
from tests.unit.virtual_time import pass_time, until


class Server:
    """Jobs in memory; answers a line with its key."""

    def __init__(self) -> None:
        self.jobs: dict[str, list[str]] = {}  # keys, by display name
        self.state = "SUCCEEDED"
        self.running = asyncio.Event()
        self.missing: set[str] = set()
        self.failing: set[str] = set()
        self.submit_errors: list[tuple[Exception, bool]] = []  # (error, whether the job was still created)
        self.poll_errors: list[Exception] = []
        self.downloads = self.uploads = 0
        self.files: dict[str, list[str]] = {}
        self.deleted: list[str] = []
        self.late = 0  # polls of an ended job before its file has a name
        self.inline = False
        self.gone = False  # the results
        self.cancelled: list[str] = []
        self.unprocessed: set[str] = set()  # keys without an answer in a cancelled job

    async def upload(self, display_name: str, path: Path) -> str:
        self.uploads += 1
        self.files[f"files/{display_name}"] = [json.loads(line)["key"] for line in path.read_bytes().splitlines()]
        return f"files/{display_name}"

    async def create(self, display_name: str, model: str, file: str) -> str:
        if self.submit_errors:
            error, made = self.submit_errors.pop(0)
            if made:
                self.jobs[display_name] = self.files[file]
            raise error
        self.jobs[display_name] = self.files[file]
        return f"batches/{display_name}"

    async def cancel(self, job: str) -> None:
        self.cancelled.append(job)
        self.state = "CANCELLED"
        self.missing |= self.unprocessed
        self.running.set()

    async def delete(self, *, files: Iterable[str], job: str | None) -> None:
        self.deleted += [*files, *([job] if job else [])]

    async def find(self, display_name: str) -> str | None:
        return f"batches/{display_name}" if display_name in self.jobs else None

    async def status(self, name: str) -> JobStatus:
        if self.poll_errors:
            raise self.poll_errors.pop(0)
        ended = self.running.is_set()
        if ended and self.late:
            self.late -= 1
            return JobStatus(ended=True, state=self.state, results=None)
        if ended and self.inline:
            return JobStatus(ended=True, state=self.state, results=None, inline=await self.results(name))
        return JobStatus(ended=ended, state=self.state, results=name if ended else None)

    async def results(self, file_name: str) -> dict[str, bytes]:
        self.downloads += 1
        if self.gone:
            raise BatchGone("Gemini no longer has the file.")
        keys = self.jobs[file_name.removeprefix("batches/")]
        answers = {key: b"answer to " + key.encode() for key in reversed(keys) if key not in self.missing}
        return answers | {key: b'{"key": "%s", "error": {"code": 13}}' % key.encode() for key in keys if key in self.failing}


class QueuesOfRuns:
    """QueuesOfRuns of successive runs over one state and one server."""

    def __init__(self) -> None:
        self.server = Server()
        self.state = MemoryStorage(uuid.uuid4().hex)
        self.now = 1000.0
        self.runs = 0
        self.patience_s: float | None = 900.0

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(min(delay_s, 0.01))
        self.now += delay_s

    @asynccontextmanager
    async def queue(self, *, finished: bool = False, **config: Any) -> AsyncIterator[BatchQueue]:
        self.runs += 1

        queue = BatchQueue(
            self.server,
            self.state,
            run_id=f"run{self.runs}",
            config=BatchConfig(**{"linger_s": 0.01, "poll_interval_s": 0.01} | config),
            policy=RetryPolicy(max_attempts=4),
            patience_s=self.patience_s,
            clock=lambda: self.now,
            sleep=self.sleep,
        )
        try:
            yield queue
        finally:
            await queue.close(finished=finished)

    def intents(self) -> list[str]:
        return [entry.name for entry in self.state.list(BATCHES_PREFIX)]


@pytest.fixture
async def queues() -> QueuesOfRuns:
    return QueuesOfRuns()


def line(key: str) -> bytes:
    return json.dumps({"key": key, "request": {}}).encode()


def reads(queue: BatchQueue, *keys: str, model: str = "m") -> list[asyncio.Task[bytes]]:
    return [asyncio.create_task(queue.read(key, model, line(key))) for key in keys]


async def test_pages_that_come_together_are_one_job_and_each_gets_its_own_answer(queues: QueuesOfRuns) -> None:
    queues.server.running.set()
    async with queues.queue() as queue:
        answers = await asyncio.gather(*reads(queue, "a", "b", "c"))
    assert answers == [b"answer to a", b"answer to b", b"answer to c"]
    assert len(queues.server.jobs) == 1


async def test_a_key_that_two_workers_ask_for_is_one_request(queues: QueuesOfRuns) -> None:
    queues.server.running.set()
    async with queues.queue() as queue:
        assert await asyncio.gather(*reads(queue, "a", "a")) == [b"answer to a"] * 2
        assert await queue.read("a", "m", line("a")) == b"answer to a"
    assert list(queues.server.jobs.values()) == [["a"]]


async def test_a_job_is_closed_when_it_is_full(queues: QueuesOfRuns) -> None:
    queues.server.running.set()
    async with queues.queue(max_pages=2, linger_s=0.05) as queue:
        await asyncio.gather(*reads(queue, *"abcde"))
    assert sorted(map(len, queues.server.jobs.values())) == [1, 2, 2]
    async with queues.queue(max_bytes=2 * len(line("f")) + 2) as queue:
        await asyncio.gather(*reads(queue, *"fgh"))
    assert sorted(map(len, queues.server.jobs.values())) == [1, 1, 2, 2, 2]


async def test_models_have_jobs_of_their_own(queues: QueuesOfRuns) -> None:
    queues.server.running.set()
    async with queues.queue() as queue:
        await asyncio.gather(*reads(queue, "a", model="m1"), *reads(queue, "b", model="m2"))
    assert len(queues.server.jobs) == 2


async def test_the_intent_is_durable_before_the_job_is_submitted(queues: QueuesOfRuns) -> None:
    seen: list[list[str]] = []
    upload = queues.server.upload

    async def find(display_name: str, path: Path) -> str:
        seen.append(queues.intents())
        return await upload(display_name, path)

    queues.server.upload = find  # type: ignore[method-assign]
    queues.server.running.set()
    async with queues.queue() as queue:
        await asyncio.gather(*reads(queue, "a"))
    assert seen == [[f"{BATCHES_PREFIX}rayocr-run1-0001.json"]]


async def test_a_job_in_progress_at_a_crash_is_adopted_and_not_made_again(queues: QueuesOfRuns) -> None:
    async with queues.queue() as queue:
        waiting = reads(queue, "a", "b")
        await until(lambda: any(intent.name for intent in read_intents(queues.state)))
        for task in waiting:
            task.cancel()
    queues.server.running.set()
    async with queues.queue() as queue:
        assert await asyncio.gather(*reads(queue, "b", "a")) == [b"answer to b", b"answer to a"]
    assert len(queues.server.jobs) == 1


async def test_a_crash_between_submission_and_its_answer_is_healed_by_the_display_name(queues: QueuesOfRuns) -> None:
    queues.server.submit_errors = [(asyncio.CancelledError(), True)]  # the process ends there
    async with queues.queue() as queue:
        (waiting,) = reads(queue, "a")
        await until(lambda: queues.server.jobs)
        waiting.cancel()
    assert [intent.name for intent in read_intents(queues.state)] == [None]
    queues.server.running.set()
    async with queues.queue() as queue:
        assert await queue.read("a", "m", line("a")) == b"answer to a"
    assert len(queues.server.jobs) == 1


async def test_an_intent_whose_job_was_never_made_gives_its_pages_back(queues: QueuesOfRuns) -> None:
    queues.server.submit_errors = [(asyncio.CancelledError(), False)]
    async with queues.queue() as queue:
        (waiting,) = reads(queue, "a")
        await until(lambda: not queues.server.submit_errors)
        waiting.cancel()
    queues.server.running.set()
    async with queues.queue() as queue:
        with pytest.raises(EngineOverloaded):
            await queue.read("a", "m", line("a"))
        assert await queue.read("a", "m", line("a")) == b"answer to a"


async def test_a_lost_answer_to_a_submission_does_not_make_the_job_twice(queues: QueuesOfRuns) -> None:
    queues.server.submit_errors = [(EngineOverloaded("503"), True)]
    queues.server.running.set()
    async with queues.queue() as queue:
        assert await queue.read("a", "m", line("a")) == b"answer to a"
    assert len(queues.server.jobs) == 1


async def test_a_submission_that_failed_is_tried_again(queues: QueuesOfRuns) -> None:
    queues.server.submit_errors = [(EngineOverloaded("503"), False)]
    queues.server.running.set()
    async with queues.queue() as queue:
        assert await queue.read("a", "m", line("a")) == b"answer to a"


async def test_a_job_that_expires_half_done_hands_out_what_it_has_and_the_rest_goes_into_another(queues: QueuesOfRuns) -> None:
    queues.server.state, queues.server.missing = "EXPIRED", {"b"}
    queues.server.running.set()
    async with queues.queue() as queue:
        got = await asyncio.gather(*reads(queue, "a", "b"), return_exceptions=True)
        assert got[0] == b"answer to a"
        assert isinstance(got[1], BatchIncomplete)
        queues.server.missing = set()
        assert await queue.read("b", "m", line("b")) == b"answer to b"
    assert sorted(queues.server.jobs.values()) == [["a", "b"], ["b"]]


async def test_a_page_whose_line_is_an_error_goes_into_another_job_and_answers_are_kept(queues: QueuesOfRuns) -> None:
    queues.server.running.set()
    queues.server.failing = {"a"}
    async with queues.queue() as queue:
        first = await asyncio.gather(*reads(queue, "a", "b"))
        assert b"error" in first[0]
        queues.server.failing = set()
        assert await asyncio.gather(*reads(queue, "a", "b")) == [b"answer to a", b"answer to b"]
    assert sorted(map(sorted, queues.server.jobs.values())) == [["a"], ["a", "b"]]


async def test_a_wrong_key_is_reported_to_every_page_at_once(queues: QueuesOfRuns) -> None:
    queues.server.submit_errors = [(CredentialsError("no"), False)]
    async with queues.queue() as queue:
        got = await asyncio.gather(*reads(queue, "a", "b"), return_exceptions=True)
    assert [type(error) for error in got] == [CredentialsError] * 2


async def test_intents_go_when_the_run_is_finished_and_stay_when_it_is_not(queues: QueuesOfRuns) -> None:
    queues.server.running.set()
    async with queues.queue() as queue:
        await asyncio.gather(*reads(queue, "a"))
    assert len(queues.intents()) == 1
    async with queues.queue(finished=True) as queue:
        await asyncio.gather(*reads(queue, "a", "b"))
    assert queues.intents() == []


async def test_old_intents_are_forgotten(queues: QueuesOfRuns) -> None:
    queues.server.running.set()
    async with queues.queue() as queue:
        await asyncio.gather(*reads(queue, "a"))
    queues.now += 4 * 86_400
    async with queues.queue() as queue:
        assert queues.intents() == []
        await asyncio.gather(*reads(queue, "a"))
    assert len(queues.server.jobs) == 2


async def test_damaged_intents_are_skipped(queues: QueuesOfRuns) -> None:
    for number, data in enumerate((b"", b"[]", b"{}", b'{"schema_version": 99}', b'{"schema_version": 1, "keys": 5}')):
        queues.state.write(f"{BATCHES_PREFIX}{number}.json", data)
    queues.server.running.set()
    async with queues.queue() as queue:
        assert await asyncio.gather(*reads(queue, "a")) == [b"answer to a"]


@pytest.mark.parametrize("how", ["inline", "late"])
async def test_answers_come_inside_the_job_or_in_a_file_that_is_named_later(queues: QueuesOfRuns, how: str) -> None:
    queues.server.running.set()
    queues.server.inline, queues.server.late = how == "inline", 3 * (how == "late")
    async with queues.queue() as queue:
        assert await asyncio.gather(*reads(queue, "a", "b")) == [b"answer to a", b"answer to b"]


async def test_a_full_queue_holds_all_jobs_and_nothing_is_uploaded_twice(queues: QueuesOfRuns) -> None:
    queues.server.running.set()
    queues.server.submit_errors = [(EngineRateLimited("429: enqueued tokens"), False)] * 40
    async with queues.queue(max_pages=2) as queue:
        asked = reads(queue, "a", "b", "c", "d")
        await until(lambda: len(queues.server.submit_errors) < 20)
        assert any("waiting for the queue" in line for line in await queue.progress())
        assert len(await asyncio.gather(*asked)) == 4
    assert queues.server.uploads == len(queues.server.jobs) == 2


async def test_no_more_jobs_and_tokens_are_enqueued_than_allowed(queues: QueuesOfRuns) -> None:
    async with queues.queue(max_pages=10, enqueued_tokens=4000, expected_input_tokens=1000) as queue:
        asked = reads(queue, *(f"k{number}" for number in range(12)))
        await until(lambda: len(queues.server.jobs) == 1)
        await pass_time(60)
        most = len(queues.server.jobs)
        queues.server.running.set()
        await asyncio.gather(*asked)
    assert most == 1
    assert [len(keys) for keys in queues.server.jobs.values()] == [4, 4, 4]


async def test_an_upload_that_is_gone_is_made_once_more(queues: QueuesOfRuns) -> None:
    queues.server.running.set()
    queues.server.submit_errors = [(BatchGone("403"), False)]
    async with queues.queue() as queue:
        assert await asyncio.gather(*reads(queue, "a")) == [b"answer to a"]
    assert queues.server.uploads == 2


async def test_results_that_are_gone_are_a_paid_attempt_and_the_intent_is_dropped(queues: QueuesOfRuns) -> None:
    queues.server.running.set()
    queues.server.gone = True
    async with queues.queue() as queue:
        with pytest.raises(BatchIncomplete):
            await reads(queue, "a")[0]
        assert queues.intents() == []


async def test_a_job_without_progress_ends_the_run_and_the_next_run_adopts_it(queues: QueuesOfRuns) -> None:
    async with queues.queue(patience_h=2.0) as queue:
        asked = reads(queue, "a")[0]
        await until(lambda: queues.server.jobs)
        queues.now += 2.1 * 3600
        with pytest.raises(ModelUnavailable, match=r"1 pages is \w+ after 2\.1 h"):
            await asked
    queues.server.running.set()
    async with queues.queue() as queue:
        assert await reads(queue, "a")[0] == b"answer to a"
    assert len(queues.server.jobs) == 1


async def test_files_and_jobs_are_deleted_once_every_page_is_in_the_ledger(queues: QueuesOfRuns) -> None:
    queues.server.running.set()
    async with queues.queue(finished=True) as queue:
        await asyncio.gather(*reads(queue, "a"))
    (name,) = queues.server.jobs
    assert set(queues.server.deleted) == {f"files/{name}", f"batches/{name}"}


async def test_progress_is_a_line_for_each_state(queues: QueuesOfRuns) -> None:
    queues.server.state = "RUNNING"
    async with queues.queue(max_pages=2) as queue:
        asked = reads(queue, "a", "b", "c", "d")
        while len(await queue.progress()) != 1 or "4 pages, RUNNING" not in (await queue.progress())[0]:
            await pass_time(0.01)
        queues.now += 3 * 3600
        assert await queue.progress() == ("2 batch jobs, 4 pages, RUNNING for 3.0 h",)
        for task in asked:
            task.cancel()


async def test_a_withdrawn_job_is_cancelled_and_pages_that_it_has_not_answered_come_back_unpaid(
    queues: QueuesOfRuns,
) -> None:
    queues.server.unprocessed = {"b"}
    async with queues.queue() as queue:
        asked = reads(queue, "a", "b")
        await until(lambda: any(intent.name for intent in read_intents(queues.state)))
        assert await queue.withdraw() == 1
        assert await asked[0] == b"answer to a"
        with pytest.raises(BatchWithdrawn):
            await asked[1]
        assert await queue.withdraw() == 0
    assert len(queues.server.cancelled) == 1


async def test_pages_that_are_still_gathered_or_wait_for_the_queue_are_withdrawn_without_a_job(queues: QueuesOfRuns) -> None:
    async with queues.queue(max_jobs=1, max_pages=1, linger_s=60) as queue:
        asked = reads(queue, "a", "b", "c")
        await until(lambda: len(queues.server.jobs) == 1)
        queues.server.unprocessed = {"a", "b", "c"}
        assert await queue.withdraw() == 3
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [BatchWithdrawn] * 3
    assert len(queues.server.jobs) == 1


async def test_files_and_job_are_deleted_as_soon_as_the_ledger_has_the_pages(queues: QueuesOfRuns) -> None:
    queues.server.running.set()
    async with queues.queue() as queue:
        await asyncio.gather(*reads(queue, "a", "b"))
        await queue.recorded(["a"])
        assert not queues.server.deleted
        await queue.recorded(["b", "unknown"])
        assert sorted(queues.server.deleted) == [
            "batches/rayocr-run1-0001",
            "batches/rayocr-run1-0001",
            "files/rayocr-run1-0001",
        ]
        assert not queues.intents()
        await queue.recorded(["b"])
    assert len(queues.server.deleted) == 3


@pytest.mark.parametrize("port", [BatchQueuePort, QueuePort])
def test_the_hosted_queue_has_every_method_that_workers_and_driver_call(port: type) -> None:
    from rayocr.actors.hosted.batch_queue import BatchQueueActor

    methods = {name for name in vars(port) if not name.startswith("_")}
    assert methods <= set(dir(BatchQueueActor))


async def test_a_job_is_polled_through_an_outage_longer_than_any_retry_and_is_not_made_again(queues: QueuesOfRuns) -> None:
    queues.patience_s = None
    queues.server.poll_errors = [EngineOverloaded("503")] * 30
    queues.server.running.set()
    async with queues.queue() as queue:
        assert await queue.read("a", "m", line("a")) == b"answer to a"
    assert len(queues.server.jobs) == 1


async def test_a_batch_server_that_stays_away_ends_the_run_and_the_next_picks_up_the_job(queues: QueuesOfRuns) -> None:
    queues.server.poll_errors = [EngineOverloaded("503: the model is overloaded")] * 1000
    queues.server.running.set()
    async with queues.queue() as queue:
        with pytest.raises(ModelUnavailable, match=r"have failed for .* overloaded"):
            await queue.read("a", "m", line("a"))
    queues.server.poll_errors = []
    async with queues.queue() as queue:
        assert await queue.read("a", "m", line("a")) == b"answer to a"
    assert len(queues.server.jobs) == 1


@pytest.mark.parametrize("made_at", [0, 7])
async def test_a_job_that_is_made_during_many_failed_submissions_is_found(queues: QueuesOfRuns, made_at: int) -> None:
    queues.patience_s = None
    queues.server.submit_errors = [(EngineOverloaded("503"), attempt == made_at) for attempt in range(8)]
    queues.server.running.set()
    async with queues.queue() as queue:
        assert await queue.read("a", "m", line("a")) == b"answer to a"
    assert len(queues.server.jobs) == 1


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (EngineRejected("the model takes no batches"), ModelUnavailable),
        (EngineRejected("Cloud Storage refused the files", hint="Share the bucket."), ModelUnavailable),
        (EngineRateLimited("limit: 0", denied=True), QuotaDenied),
    ],
)
async def test_a_job_that_the_server_refuses_ends_the_run_and_is_no_pages_fault(
    queues: QueuesOfRuns, error: Exception, expected: type[Exception]
) -> None:
    queues.server.submit_errors = [(error, False)]
    async with queues.queue() as queue:
        with pytest.raises(expected, match=str(error)) as caught:
            await queue.read("a", "m", line("a"))
    assert getattr(error, "hint", None) in (None, caught.value.hint)  # type: ignore[attr-defined]
