from __future__ import annotations

import asyncio
import threading

import pytest

from rayocr.driver.scheduling.leases import Leases
from rayocr.errors import CredentialsError, Draining, LocksUnavailable, OutsideError
from rayocr.locks.base import Lease
from rayocr.locks.memory import LeaseTable, MemoryLocks
from tests.unit.virtual_time import pass_time, until


class Fixture:
    def __init__(self, *, ttl_s: float = 60.0) -> None:
        self.table = LeaseTable()
        self.now = 0.0
        self.draining = asyncio.Event()
        self.lost: list[str] = []
        self.away: list[bool] = []
        self.leases = Leases(
            MemoryLocks(self.table, owner="us", ttl_s=ttl_s, clock=lambda: self.now),
            ttl_s=ttl_s,
            draining=self.draining,
            on_availability=self.away.append,
        )

    def other(self) -> MemoryLocks:
        return MemoryLocks(self.table, owner="them", clock=lambda: self.now)


async def test_a_lease_that_another_run_holds_is_refused() -> None:
    f = Fixture()
    f.other().acquire("d")
    assert await f.leases.acquire("d") is None


async def test_no_lease_is_acquired_while_the_locks_are_unavailable_and_waiting_callers_continue_afterwards() -> None:
    f = Fixture()
    f.table.available = False
    waiting = [asyncio.create_task(f.leases.acquire(f"d{number}")) for number in range(3)]
    await until(lambda: f.away)
    await pass_time(60)
    assert not any(task.done() for task in waiting)
    f.table.available = True
    leases = await asyncio.gather(*waiting)
    assert all(lease is not None and f.leases.holds(lease) for lease in leases)
    assert f.away == [True, False]


async def test_leases_are_renewed_as_soon_as_the_locks_are_back() -> None:
    """If a run waited for its next regular renewal, it would lose leases that are still valid after an outage of half their time
    limit.
    """
    f = Fixture(ttl_s=60.0)
    assert await f.leases.acquire("d") is not None
    f.table.available = False
    waiting = asyncio.create_task(f.leases.acquire("e"))
    await until(lambda: f.away)
    f.now = 59.0
    f.table.available = True
    await waiting
    f.now = 61.0
    assert f.other().acquire("d") is None
    assert f.lost == []


async def test_an_unexpected_error_of_the_client_neither_ends_the_probing_nor_the_renewals(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    f = Fixture(ttl_s=0.06)
    asked: list[str] = []

    def fails(*_: object) -> None:
        asked.append("")
        raise AttributeError("'NoneType' object has no attribute 'recv'")

    f.table.available = False
    waiting = asyncio.create_task(f.leases.acquire("d"))
    await until(lambda: f.away)
    f.table.available = True
    with monkeypatch.context() as patched:
        patched.setattr(MemoryLocks, "check", fails)
        await until(lambda: len(asked) > 1)
    assert await waiting is not None
    f.leases.start(f.lost.append)
    with monkeypatch.context() as patched:
        patched.setattr(MemoryLocks, "renew", fails)
        asked.clear()
        await until(lambda: len(asked) > 1)
    f.now = 1.0
    f.other().acquire("d")
    await until(lambda: f.lost)
    await f.leases.close()


async def test_draining_ends_the_wait_for_locks_that_are_unavailable() -> None:
    f = Fixture()
    f.table.available = False
    waiting = asyncio.create_task(f.leases.acquire("d"))
    await until(lambda: f.away)
    f.draining.set()
    with pytest.raises(Draining):
        await waiting


async def test_a_lease_that_went_to_another_run_is_reported_and_no_longer_held() -> None:
    f = Fixture(ttl_s=0.06)
    lease = await f.leases.acquire("d")
    assert lease is not None
    f.now = 1.0
    f.other().acquire("d")
    f.leases.start(f.lost.append)
    await until(lambda: f.lost)
    assert f.lost == ["d"]
    assert not f.leases.holds(lease)
    await f.leases.close()


async def test_locks_that_become_unavailable_during_a_renewal_lose_no_lease_by_themselves() -> None:
    f = Fixture(ttl_s=0.06)
    lease = await f.leases.acquire("d")
    assert lease is not None
    f.table.available = False
    f.leases.start(f.lost.append)
    await until(lambda: f.away)
    assert f.leases.holds(lease)
    f.table.available = True
    await f.leases.close()


async def test_locks_that_come_back_and_refuse_access_end_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    f = Fixture(ttl_s=0.06)
    assert await f.leases.acquire("d") is not None
    f.leases.start(f.lost.append)
    f.table.available = False
    waiting = asyncio.create_task(f.leases.acquire("e"))
    await until(lambda: f.away)

    def refuse(*_: object) -> None:
        raise CredentialsError("The lock service refuses us.")

    with monkeypatch.context() as patched:
        for call in ("acquire", "holders", "renew"):
            patched.setattr(MemoryLocks, call, refuse)
        with pytest.raises(CredentialsError):
            await waiting
    f.table.available = True
    f.now = 1.0
    f.other().acquire("d")
    await until(lambda: f.lost)  # renewed again as soon as renewal works
    await f.leases.close()


async def test_while_the_locks_are_unavailable_no_lease_is_released_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    f = Fixture()
    lease = await f.leases.acquire("d")
    assert lease is not None
    f.table.available = False
    waiting = asyncio.create_task(f.leases.acquire("e"))
    await until(lambda: f.away)
    asked: list[object] = []
    monkeypatch.setattr(MemoryLocks, "release", lambda self, lease: asked.append(lease))
    await f.leases.release(lease)
    assert (asked, f.leases.holds(lease)) == ([], False)
    f.draining.set()
    with pytest.raises(Draining):
        await waiting


async def test_locks_that_answer_and_take_no_writes_do_not_count_as_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Like a replica after a failover: answers reads but rejects every lease."""
    f = Fixture()
    tried = 0

    def refused(*_: object) -> None:
        nonlocal tried
        tried += 1
        raise LocksUnavailable("READONLY You can't write against a read only replica.")

    with monkeypatch.context() as patched:
        patched.setattr(MemoryLocks, "acquire", refused)
        waiting = asyncio.create_task(f.leases.acquire("d"))
        await until(lambda: tried > 5)
        assert f.away == [True]
    assert await waiting is not None
    assert f.away == [True, False]


async def test_locks_that_stay_unavailable_end_the_run_with_their_own_words() -> None:
    f = Fixture()
    now = [0.0]
    f.leases._patience_s, f.leases._clock = 900.0, lambda: now[0]
    f.table.available = False
    waiting = asyncio.create_task(f.leases.acquire("d"))
    await until(lambda: f.away)
    now[0] = 899.0
    await pass_time(60)
    assert not waiting.done()
    now[0] = 901.0
    with pytest.raises(OutsideError, match=r"901 s \(locks\.patience_s\): The lock table is switched off"):
        await waiting
    await f.leases.close()


async def test_a_lease_that_comes_after_its_caller_was_cancelled_is_released_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    f = Fixture()
    asked, answer = threading.Event(), threading.Event()
    acquire = MemoryLocks.acquire

    def slow(locks: MemoryLocks, key: str) -> Lease | None:
        asked.set()
        answer.wait()
        return acquire(locks, key)

    monkeypatch.setattr(MemoryLocks, "acquire", slow)
    task = asyncio.create_task(f.leases.acquire("d"))
    await asyncio.to_thread(asked.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    closing = asyncio.create_task(f.leases.close())
    answer.set()
    await closing
    assert f.other().acquire("d") is not None
