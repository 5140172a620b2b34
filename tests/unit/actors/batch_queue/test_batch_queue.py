"""The desk: one job for many pages, every page its own answer, and nothing paid for twice over crashes."""

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
from rayocr.engines.gemini.batch import JobStatus
from rayocr.errors import BatchGone, BatchIncomplete, CredentialsError, EngineOverloaded, EngineRateLimited, ModelUnavailable
from rayocr.retry import RetryPolicy
from rayocr.storage.memory import MemoryStorage


class Server:
    """Jobs in memory; answers a line with its key."""

    def __init__(self) -> None:
        self.jobs: dict[str, list[str]] = {}  # keys, by display name
        self.state = "SUCCEEDED"
        self.running = asyncio.Event()
        self.missing: set[str] = set()
        self.submit_errors: list[tuple[Exception, bool]] = []  # (error, whether the job was made all the same)
        self.downloads = self.uploads = 0
        self.files: dict[str, list[str]] = {}
        self.deleted: list[str] = []
        self.late = 0  # looks at a job that has ended, before its file has a name
        self.inline = False
        self.gone = False  # the results

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

    async def delete(self, *, files: Iterable[str], job: str | None) -> None:
        self.deleted += [*files, *([job] if job else [])]

    async def find(self, display_name: str) -> str | None:
        return f"batches/{display_name}" if display_name in self.jobs else None

    async def status(self, name: str) -> JobStatus:
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
        return {key: b"answer to " + key.encode() for key in reversed(keys) if key not in self.missing}


class Desks:
    """Desks of successive runs over one state and one server."""

    def __init__(self) -> None:
        self.server = Server()
        self.state = MemoryStorage(uuid.uuid4().hex)
        self.now = 1000.0
        self.runs = 0

    @asynccontextmanager
    async def desk(self, *, finished: bool = False, **config: Any) -> AsyncIterator[BatchQueue]:
        self.runs += 1

        async def nap(_: float) -> None:
            await asyncio.sleep(0.001)

        desk = BatchQueue(
            self.server,
            self.state,
            run_id=f"run{self.runs}",
            config=BatchConfig(**{"linger_s": 0.01, "poll_interval_s": 0.01} | config),
            policy=RetryPolicy(max_attempts=4),
            clock=lambda: self.now,
            sleep=nap,
        )
        try:
            yield desk
        finally:
            await desk.close(finished=finished)

    def intents(self) -> list[str]:
        return [entry.name for entry in self.state.list(BATCHES_PREFIX)]


@pytest.fixture
async def desks() -> Desks:
    return Desks()


def line(key: str) -> bytes:
    return json.dumps({"key": key, "request": {}}).encode()


def reads(desk: BatchQueue, *keys: str, model: str = "m") -> list[asyncio.Task[bytes]]:
    return [asyncio.create_task(desk.read(key, model, line(key))) for key in keys]


async def until(condition: Any) -> None:
    while not condition():
        await asyncio.sleep(0.002)


async def test_pages_that_come_together_are_one_job_and_each_gets_its_own_answer(desks: Desks) -> None:
    desks.server.running.set()
    async with desks.desk() as desk:
        answers = await asyncio.gather(*reads(desk, "a", "b", "c"))
    assert answers == [b"answer to a", b"answer to b", b"answer to c"]
    assert len(desks.server.jobs) == 1


async def test_a_key_that_two_workers_ask_for_is_one_request(desks: Desks) -> None:
    desks.server.running.set()
    async with desks.desk() as desk:
        assert await asyncio.gather(*reads(desk, "a", "a")) == [b"answer to a"] * 2
        assert await desk.read("a", "m", line("a")) == b"answer to a"
    assert list(desks.server.jobs.values()) == [["a"]]


async def test_a_job_is_closed_when_it_is_full(desks: Desks) -> None:
    desks.server.running.set()
    async with desks.desk(max_pages=2, linger_s=0.05) as desk:
        await asyncio.gather(*reads(desk, *"abcde"))
    assert sorted(map(len, desks.server.jobs.values())) == [1, 2, 2]
    async with desks.desk(max_bytes=2 * len(line("f")) + 2) as desk:
        await asyncio.gather(*reads(desk, *"fgh"))
    assert sorted(map(len, desks.server.jobs.values())) == [1, 1, 2, 2, 2]


async def test_models_have_jobs_of_their_own(desks: Desks) -> None:
    desks.server.running.set()
    async with desks.desk() as desk:
        await asyncio.gather(*reads(desk, "a", model="m1"), *reads(desk, "b", model="m2"))
    assert len(desks.server.jobs) == 2


async def test_the_intent_is_durable_before_the_job_is_submitted(desks: Desks) -> None:
    seen: list[list[str]] = []
    upload = desks.server.upload

    async def look(display_name: str, path: Path) -> str:
        seen.append(desks.intents())
        return await upload(display_name, path)

    desks.server.upload = look  # type: ignore[method-assign]
    desks.server.running.set()
    async with desks.desk() as desk:
        await asyncio.gather(*reads(desk, "a"))
    assert seen == [[f"{BATCHES_PREFIX}rayocr-run1-0001.json"]]


async def test_a_job_that_was_under_way_at_a_crash_is_adopted_and_not_made_again(desks: Desks) -> None:
    async with desks.desk() as desk:
        waiting = reads(desk, "a", "b")
        await until(lambda: any(intent.name for intent in read_intents(desks.state)))
        for task in waiting:
            task.cancel()
    desks.server.running.set()
    async with desks.desk() as desk:
        assert desk.adopted_pages == 2
        assert await asyncio.gather(*reads(desk, "b", "a")) == [b"answer to b", b"answer to a"]
    assert len(desks.server.jobs) == 1


async def test_a_crash_between_submission_and_its_answer_is_healed_by_the_display_name(desks: Desks) -> None:
    desks.server.submit_errors = [(asyncio.CancelledError(), True)]  # the process ends there
    async with desks.desk() as desk:
        (waiting,) = reads(desk, "a")
        await until(lambda: desks.server.jobs)
        waiting.cancel()
    assert [intent.name for intent in read_intents(desks.state)] == [None]
    desks.server.running.set()
    async with desks.desk() as desk:
        assert await desk.read("a", "m", line("a")) == b"answer to a"
    assert len(desks.server.jobs) == 1


async def test_an_intent_whose_job_was_never_made_gives_its_pages_back(desks: Desks) -> None:
    desks.server.submit_errors = [(asyncio.CancelledError(), False)]
    async with desks.desk() as desk:
        (waiting,) = reads(desk, "a")
        await until(lambda: not desks.server.submit_errors)
        waiting.cancel()
    desks.server.running.set()
    async with desks.desk() as desk:
        with pytest.raises(EngineOverloaded):
            await desk.read("a", "m", line("a"))
        assert await desk.read("a", "m", line("a")) == b"answer to a"


async def test_a_lost_answer_to_a_submission_does_not_make_the_job_twice(desks: Desks) -> None:
    desks.server.submit_errors = [(EngineOverloaded("503"), True)]
    desks.server.running.set()
    async with desks.desk() as desk:
        assert await desk.read("a", "m", line("a")) == b"answer to a"
    assert len(desks.server.jobs) == 1


async def test_a_submission_that_failed_is_tried_again(desks: Desks) -> None:
    desks.server.submit_errors = [(EngineOverloaded("503"), False)]
    desks.server.running.set()
    async with desks.desk() as desk:
        assert await desk.read("a", "m", line("a")) == b"answer to a"


async def test_a_job_that_expires_half_done_hands_out_what_it_has_and_the_rest_goes_into_another(desks: Desks) -> None:
    desks.server.state, desks.server.missing = "EXPIRED", {"b"}
    desks.server.running.set()
    async with desks.desk() as desk:
        got = await asyncio.gather(*reads(desk, "a", "b"), return_exceptions=True)
        assert got[0] == b"answer to a"
        assert isinstance(got[1], BatchIncomplete)
        desks.server.missing = set()
        assert await desk.read("b", "m", line("b")) == b"answer to b"
    assert sorted(desks.server.jobs.values()) == [["a", "b"], ["b"]]


async def test_a_wrong_key_is_told_to_every_page_at_once(desks: Desks) -> None:
    desks.server.submit_errors = [(CredentialsError("no"), False)]
    async with desks.desk() as desk:
        got = await asyncio.gather(*reads(desk, "a", "b"), return_exceptions=True)
    assert [type(error) for error in got] == [CredentialsError] * 2


async def test_intents_go_when_the_run_is_finished_and_stay_when_it_is_not(desks: Desks) -> None:
    desks.server.running.set()
    async with desks.desk() as desk:
        await asyncio.gather(*reads(desk, "a"))
    assert len(desks.intents()) == 1
    async with desks.desk(finished=True) as desk:
        await asyncio.gather(*reads(desk, "a", "b"))
    assert desks.intents() == []


async def test_old_intents_are_forgotten(desks: Desks) -> None:
    desks.server.running.set()
    async with desks.desk() as desk:
        await asyncio.gather(*reads(desk, "a"))
    desks.now += 4 * 86_400
    async with desks.desk() as desk:
        assert desk.adopted_pages == 0
    assert desks.intents() == []


async def test_damaged_intents_are_passed_by(desks: Desks) -> None:
    for number, data in enumerate((b"", b"[]", b"{}", b'{"schema_version": 99}', b'{"schema_version": 1, "keys": 5}')):
        desks.state.write(f"{BATCHES_PREFIX}{number}.json", data)
    async with desks.desk() as desk:
        assert desk.adopted_pages == 0


@pytest.mark.parametrize("how", ["inline", "late"])
async def test_answers_come_inside_the_job_or_in_a_file_that_is_named_later(desks: Desks, how: str) -> None:
    desks.server.running.set()
    desks.server.inline, desks.server.late = how == "inline", 3 * (how == "late")
    async with desks.desk() as desk:
        assert await asyncio.gather(*reads(desk, "a", "b")) == [b"answer to a", b"answer to b"]


async def test_a_full_queue_holds_all_jobs_and_nothing_is_uploaded_twice(desks: Desks) -> None:
    desks.server.running.set()
    desks.server.submit_errors = [(EngineRateLimited("429: enqueued tokens"), False)] * 40
    async with desks.desk(max_pages=2) as desk:
        asked = reads(desk, "a", "b", "c", "d")
        await until(lambda: len(desks.server.submit_errors) < 20)
        assert any("waiting for the queue" in line for line in await desk.progress())
        assert len(await asyncio.gather(*asked)) == 4
    assert desks.server.uploads == len(desks.server.jobs) == 2


async def test_no_more_jobs_and_tokens_are_enqueued_than_allowed(desks: Desks) -> None:
    most = 0
    async with desks.desk(max_pages=10, enqueued_tokens=4000, expected_input_tokens=1000) as desk:
        asked = reads(desk, *(f"k{number}" for number in range(12)))
        await until(lambda: len(desks.server.jobs) == 1)
        for _ in range(20):
            await asyncio.sleep(0.002)
            most = max(most, len(desks.server.jobs))
        desks.server.running.set()
        await asyncio.gather(*asked)
    assert most == 1
    assert [len(keys) for keys in desks.server.jobs.values()] == [4, 4, 4]


async def test_an_upload_that_is_gone_is_made_once_more(desks: Desks) -> None:
    desks.server.running.set()
    desks.server.submit_errors = [(BatchGone("403"), False)]
    async with desks.desk() as desk:
        assert await asyncio.gather(*reads(desk, "a")) == [b"answer to a"]
    assert desks.server.uploads == 2


async def test_results_that_are_gone_are_a_paid_attempt_and_the_intent_is_dropped(desks: Desks) -> None:
    desks.server.running.set()
    desks.server.gone = True
    async with desks.desk() as desk:
        with pytest.raises(BatchIncomplete):
            await reads(desk, "a")[0]
        assert desks.intents() == []


async def test_a_job_that_stands_still_ends_the_run_and_is_picked_up_by_the_next(desks: Desks) -> None:
    async with desks.desk(patience_h=2.0) as desk:
        asked = reads(desk, "a")[0]
        await until(lambda: desks.server.jobs)
        desks.now += 2.1 * 3600
        with pytest.raises(ModelUnavailable, match=r"1 pages is \w+ after 2\.1 h"):
            await asked
    desks.server.running.set()
    async with desks.desk() as desk:
        assert await reads(desk, "a")[0] == b"answer to a"
    assert len(desks.server.jobs) == 1


async def test_files_and_jobs_are_deleted_once_every_page_is_in_the_ledger(desks: Desks) -> None:
    desks.server.running.set()
    async with desks.desk(finished=True) as desk:
        await asyncio.gather(*reads(desk, "a"))
    (name,) = desks.server.jobs
    assert set(desks.server.deleted) == {f"files/{name}", f"batches/{name}"}


async def test_progress_is_a_line_for_each_state(desks: Desks) -> None:
    desks.server.state = "RUNNING"
    async with desks.desk(max_pages=2) as desk:
        asked = reads(desk, "a", "b", "c", "d")
        await until(lambda: len(desks.server.jobs) == 2)
        await asyncio.sleep(0.02)
        desks.now += 3 * 3600
        assert await desk.progress() == ("2 batch jobs, 4 pages, RUNNING for 3.0 h",)
        for task in asked:
            task.cancel()
