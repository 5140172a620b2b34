"""The head watch: it waits as long as Ray does, and stops the run before Ray ends the process."""

from __future__ import annotations

import threading

import pytest

from rayocr.driver.cluster.head_watch import HeadWatch
from rayocr.errors import ClusterUnavailable


class Head:
    """A head that is away between two moments of a fake clock. A question takes no time."""

    def __init__(self, away: tuple[float, float]) -> None:
        self.now = 0.0
        self.away = away
        self.until = 2_000.0
        self.said: list[str] = []
        self.failures: list[tuple[float, ClusterUnavailable]] = []
        self.ended = threading.Event()

    def watch(self, ends_after_s: float) -> HeadWatch:
        return HeadWatch(
            "10.0.0.1:6379",
            fail=lambda error: self.failures.append((self.now, error)),
            warn=self.said.append,
            say=self.said.append,
            ends_after_s=ends_after_s,
            ask=self._ask,
            end=lambda error: self.ended.set(),
            clock=lambda: self.now,
            sleep=self._sleep,
        )

    def _ask(self, address: str) -> None:
        assert address == "10.0.0.1:6379"
        if self.away[0] <= self.now < self.away[1]:
            raise ConnectionRefusedError

    async def _sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.now > self.until:
            raise _TheEnd


class _TheEnd(Exception):
    pass


async def test_a_head_that_comes_back_in_time_ends_nothing() -> None:
    head = Head(away=(100, 500))
    with pytest.raises(_TheEnd):
        await head.watch(600).run()
    assert not head.failures
    assert head.said == [
        "Ray's head at 10.0.0.1:6379 does not answer. Workers continue; the run waits for at most 10 minutes.",
        "Ray's head is available again.",
    ]


async def test_a_short_outage_is_not_mentioned() -> None:
    head = Head(away=(100, 105))
    with pytest.raises(_TheEnd):
        await head.watch(600).run()
    assert not head.said


@pytest.mark.parametrize(("ends_after_s", "earliest", "latest"), [(600, 530, 545), (60, 35, 45)])
async def test_a_head_that_never_returns_stops_the_run_before_ray_ends_the_process(
    ends_after_s: float, earliest: float, latest: float
) -> None:
    head = Head(away=(100, 1e9))
    watch = head.watch(ends_after_s)
    await watch.run()
    ((at, error),) = head.failures
    assert earliest <= at - 100 <= latest
    assert error.exit_code == 3
    assert "resumes" in str(error.hint)
    assert watch._timer is not None
    watch._timer.cancel()
    assert watch._timer.interval < ends_after_s - latest + 20


async def test_a_run_that_cannot_drain_without_its_head_is_ended() -> None:
    head = Head(away=(0, 1e9))
    await head.watch(0.3).run()
    assert await _soon(head.ended)


async def _soon(event: threading.Event) -> bool:
    return event.wait(60)
