"""An exclusive destination: the error in a second run, and when the claim of a dead run expires."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from rayocr.errors import LockError, OutsideError, StorageUnavailable
from rayocr.locks.destination import DESTINATION_LOCKS_PREFIX, DestinationLock, DestinationLocks
from rayocr.locks.memory import MemoryLocks
from rayocr.process import current_process
from rayocr.retry import RetryPolicy
from rayocr.storage.memory import MemoryStorage


class World:
    def __init__(self) -> None:
        self.now = 1000.0
        self.away = False
        self.name = uuid.uuid4().hex

    def storage(self) -> MemoryStorage:
        return MemoryStorage(self.name, clock=lambda: self.now, faults=self._fault)

    def claim(self, run_id: str) -> DestinationLock:
        policy = RetryPolicy(max_attempts=1)
        return DestinationLock(
            self.storage(), run_id=run_id, owner=f"{run_id}@host:1", ttl_s=60, policy=policy, clock=lambda: self.now
        )

    def _fault(self, operation: str, name: str) -> None:
        if self.away:
            raise StorageUnavailable("away")


@pytest.fixture
def world() -> World:
    return World()


def elsewhere(world: World, run_id: str) -> None:
    """Makes the claim look like that of a process on another machine."""
    name = f"{DESTINATION_LOCKS_PREFIX}{run_id}.json"
    told = json.loads(world.storage().read(name))
    world.storage().write(name, json.dumps(told | {"host": "another machine", "pid": 1}).encode())


def test_a_second_run_is_refused_with_a_sentence_and_leaves_nothing_behind(world: World) -> None:
    world.claim("first").acquire()
    world.now += 20
    with pytest.raises(LockError, match="Another run is at work") as raised:
        world.claim("second").acquire()
    assert "first@host:1, last renewed 20 s ago" in str(raised.value)
    assert "locks=redis" in str(raised.value.hint)
    assert raised.value.exit_code == 3
    assert [entry.name for entry in world.storage().list(DESTINATION_LOCKS_PREFIX)] == [f"{DESTINATION_LOCKS_PREFIX}first.json"]


def test_a_run_that_ended_is_forgotten(world: World) -> None:
    first = world.claim("first")
    first.acquire()
    first.release()
    first.release()
    world.claim("second").acquire()
    assert [entry.name for entry in world.storage().list(DESTINATION_LOCKS_PREFIX)] == [f"{DESTINATION_LOCKS_PREFIX}second.json"]


def test_a_run_on_another_machine_that_was_killed_is_forgotten_after_the_limit(world: World) -> None:
    world.claim("first").acquire()
    elsewhere(world, "first")
    world.now += 59
    with pytest.raises(LockError):
        world.claim("second").acquire()
    world.now += 2
    world.claim("second").acquire()
    assert [entry.name for entry in world.storage().list(DESTINATION_LOCKS_PREFIX)] == [f"{DESTINATION_LOCKS_PREFIX}second.json"]


def test_a_run_that_renews_is_not_forgotten(world: World) -> None:
    first = world.claim("first")
    first.acquire()
    elsewhere_entry = world.now
    for _ in range(10):
        world.now += 20
        first.renew()
    assert world.now - elsewhere_entry == 200
    assert not first.lost
    with pytest.raises(LockError, match="last renewed 0 s ago"):
        world.claim("second").acquire()


def test_a_dead_process_of_this_machine_is_forgotten_at_once(world: World) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from rayocr.process import current_process as p; print(p().pid, p().started)"],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    pid, started = done.stdout.split(maxsplit=1)
    told = {"owner": "first", "since": 1.0, "host": current_process().host, "pid": int(pid), "started": started.strip()}
    world.storage().write(f"{DESTINATION_LOCKS_PREFIX}first.json", json.dumps(told).encode())
    world.claim("second").acquire()
    assert f"{DESTINATION_LOCKS_PREFIX}second.json" in [entry.name for entry in world.storage().list(DESTINATION_LOCKS_PREFIX)]


def test_a_claim_that_cannot_be_read_counts_for_as_long_as_any(world: World) -> None:
    world.storage().write(f"{DESTINATION_LOCKS_PREFIX}first.json", b"{half")
    with pytest.raises(LockError):
        world.claim("second").acquire()
    world.now += 61
    world.claim("second").acquire()


def test_a_run_that_was_taken_for_dead_finds_out_and_takes_nothing_new(world: World) -> None:
    first = world.claim("first")
    first.acquire()
    locks = DestinationLocks(MemoryLocks(owner="first", ttl_s=60), first)
    lease = locks.acquire("a document")
    assert lease is not None
    assert locks.renew([lease]) == []
    elsewhere(world, "first")
    world.now += 61
    world.claim("second").acquire()
    first.renew()
    assert first.lost
    assert locks.renew([lease]) == [lease]
    with pytest.raises(OutsideError, match="Lost the lock on the destination"):
        locks.acquire("another")
    locks.close()
    assert [entry.name for entry in world.storage().list(DESTINATION_LOCKS_PREFIX)] == [f"{DESTINATION_LOCKS_PREFIX}second.json"]


def test_two_that_did_not_see_each_other_find_out_and_the_later_one_stops(world: World) -> None:
    first, second = world.claim("z first"), world.claim("a second")
    first.acquire()
    world.now += 1
    name = f"{DESTINATION_LOCKS_PREFIX}z first.json"
    hidden = world.storage().read(name)
    world.storage().delete(name)
    second.acquire()
    world.storage().write(name, hidden)
    first.renew()
    first.renew()
    second.renew()
    assert (first.lost, second.lost) == (False, True)
    second.release()
    assert [entry.name for entry in world.storage().list(DESTINATION_LOCKS_PREFIX)] == [name]


def test_storage_that_is_unavailable_for_a_while_is_waited_for_and_not_longer_than_the_limit(world: World) -> None:
    first = world.claim("first")
    first.acquire()
    world.away = True
    world.now += 40
    first.renew()
    assert not first.lost
    world.away = False
    first.renew()
    world.away = True
    world.now += 61
    first.renew()
    assert first.lost


def test_a_renewal_whose_answer_was_lost_is_a_renewal(world: World) -> None:
    first = world.claim("first")
    first.acquire()
    world.storage().write(f"{DESTINATION_LOCKS_PREFIX}first.json", b"by the try whose answer was lost")
    first.renew()
    first.renew()
    assert not first.lost
