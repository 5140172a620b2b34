"""The content of a job's command line, and how mode=submit follows a job on a cluster whose head restarts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from rayocr.config import RayocrConfig
from rayocr.driver.commands.submit import _Following, entrypoint
from rayocr.errors import ClusterUnavailable, UsageError


def test_the_command_of_a_job_holds_what_was_given_but_for_submitting() -> None:
    command = entrypoint(
        RayocrConfig(), ["mode=submit", "source=gs://b/a b", "cluster=http://h:8265", "submit.cpus=1", "limit=3"]
    )
    assert command == "exec python -m rayocr 'source=gs://b/a b' limit=3 mode=run cluster=auto progress=plain"


@pytest.mark.parametrize(
    "argument",
    [
        "engine.openai.base_url=https://somebody:hunter22@h/v1",
        "engine.gemini.base_url=https://h/v1?key=abcdefgh",
        "engine.openai.extra_body={api_key: sk-Abcdefghijklmnopqrstuvwxyz01}",
    ],
)
def test_a_command_line_that_everybody_can_read_carries_no_secret(argument: str) -> None:
    with pytest.raises(UsageError, match="carries a key or a password") as refused:
        entrypoint(RayocrConfig(), [argument])
    assert argument.partition("=")[2] not in str(refused.value)


class Details:
    def __init__(self, status: str, code: int | None = None, message: str = "") -> None:
        self.status, self.driver_exit_code, self.message = status, code, message


class FakeClient:
    """`answers`: the results of get_job_info in order; the last one repeats, and exceptions are raised."""

    def __init__(self, *answers: Any, known: bool = True, log: str = "") -> None:
        self.answers = list(answers)
        self.known = known
        self.log = log

    def get_job_info(self, job_id: str) -> Any:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def list_jobs(self) -> list[Any]:
        if isinstance(self.answers[0], OSError):
            raise ConnectionError
        return [SimpleNamespace(submission_id="j")] if self.known else []

    async def tail_job_logs(self, job_id: str) -> AsyncIterator[str]:
        yield self.log


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


async def followed(client: FakeClient, clock: Clock, patience_s: float = 60.0) -> int:
    following = _Following(client, "j", "http://h:8265", patience_s=patience_s, clock=clock, sleep=clock.sleep)  # type: ignore[arg-type]
    return await following.follow()


async def test_an_unavailable_head_is_waited_for_and_then_given_up(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with pytest.raises(ClusterUnavailable, match=r"head of the cluster at http://h:8265 has not answered for 60 s") as gone:
        await followed(FakeClient(ConnectionError("refused")), clock)
    assert gone.value.exit_code == 3
    assert "submit.job_id=j" in str(gone.value.hint)
    assert 60 <= clock.now < 70
    assert capsys.readouterr().err.count("the head of the cluster does not answer") == 1


async def test_a_head_that_comes_back_in_time_is_followed_on(capsys: pytest.CaptureFixture[str]) -> None:
    away: list[Any] = [ConnectionError("refused")] * 5
    assert await followed(FakeClient(Details("RUNNING"), *away, Details("SUCCEEDED", 0)), Clock()) == 0
    assert "answers again" in capsys.readouterr().err


async def test_a_head_that_forgot_the_job_is_not_waited_for() -> None:
    clock = Clock()
    with pytest.raises(ClusterUnavailable, match="no longer has j: its head was replaced"):
        await followed(FakeClient(RuntimeError("404"), known=False), clock)
    assert clock.now == 0


async def test_the_log_of_a_killed_job_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    message = "Job entrypoint command failed with exit code -9, last available logs (truncated to 20,000 chars):\nread page 7\n"
    with pytest.raises(ClusterUnavailable, match=r"(?m)^j was killed by signal 9\.$") as killed:
        await followed(FakeClient(Details("RUNNING"), Details("FAILED", -9, message), log="read page 7\n"), Clock())
    assert (capsys.readouterr().out + str(killed.value)).count("read page 7") == 1


async def test_a_job_that_never_ran_is_reported_without_its_log() -> None:
    message = "The runtime environment failed, last available logs (truncated to 20,000 chars):\nread page 7\n"
    with pytest.raises(ClusterUnavailable, match=r"did not run to its end: The runtime environment failed$"):
        await followed(FakeClient(Details("FAILED", None, message)), Clock())


@pytest.mark.parametrize("code", [0, 1, 2, 3, 130])
async def test_the_exit_code_is_the_drivers(code: int) -> None:
    assert await followed(FakeClient(Details("SUCCEEDED" if not code else "FAILED", code)), Clock()) == code
