from __future__ import annotations

import asyncio

import pytest

from rayocr.driver.monitor.watches.batch_watch import BatchWatch
from rayocr.errors import ActorFailed


async def test_every_state_is_said_once_a_minute_over_a_restart() -> None:
    answers: list[tuple[str, ...] | Exception] = [
        ("2 batch jobs, 20,000 pages, PENDING for 3.0 h",),
        ActorFailed("restarted"),
        ("1 batch job, 9 pages, PENDING for 3.1 h", "1 batch job, 5 pages, RUNNING for 1 min"),
    ]
    waits: list[float] = []

    class Queue:
        async def progress(self) -> tuple[str, ...]:
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

    async def sleep(delay_s: float) -> None:
        waits.append(delay_s)
        if not answers:
            raise asyncio.CancelledError

    said: list[str] = []
    with pytest.raises(asyncio.CancelledError):
        await BatchWatch(Queue(), say=said.append, sleep=sleep).run()
    assert waits == [60.0] * 4
    assert [line.split(",")[0] for line in said] == ["2 batch jobs", "1 batch job", "1 batch job"]
