from __future__ import annotations

import pytest

from rayocr.storage.base import Changes
from rayocr.storage.factory import cached_storage
from rayocr.storage.memory import MemoryStorage
from rayocr.storage.paced import Pace, PacedStorage


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_requests_start_an_interval_apart_and_a_rest_is_not_saved_up() -> None:
    time = Time()
    pace = Pace(10, clock=time, sleep=time.sleep)
    starts = []
    for number in range(6):
        if number == 3:
            time.now += 60
        pace.wait()
        starts.append(time.now)
    assert starts == pytest.approx([100.0, 100.1, 100.2, 160.2, 160.3, 160.4])


def test_every_call_of_the_port_but_a_listing_waits_for_its_turn() -> None:
    time = Time()
    storage = PacedStorage(MemoryStorage("paced"), Pace(1, clock=time, sleep=time.sleep))
    storage.write("a", b"bytes", if_absent=True)
    assert storage.read("a", start=1, length=2) == b"yt"
    version = storage.stat("a").version
    assert [entry.name for entry in storage.list()] == ["a"]
    storage.delete("a", if_version=version)
    assert time.now == pytest.approx(103.0)
    assert storage.uri == MemoryStorage("paced").uri


def test_storages_of_one_backend_share_the_pace_of_their_process() -> None:
    one, other, unpaced = cached_storage("memory://a", 5.0), cached_storage("memory://b", 5.0), cached_storage("memory://a")
    assert isinstance(one, PacedStorage)
    assert isinstance(other, PacedStorage)
    assert one._pace is other._pace
    assert not isinstance(unpaced, PacedStorage)


def test_what_a_storage_is_and_keeps_is_seen_through_its_pace() -> None:
    class Scheduler(MemoryStorage):
        has_atomic_create = False

        def changes_since(self, token: str | None) -> Changes:
            return Changes(names=("a",), token=f"{token}+1")

    time = Time()
    storage = PacedStorage(Scheduler("feed"), Pace(1, clock=time, sleep=time.sleep))
    assert storage.has_atomic_create is False
    assert storage.changes_since("1") == Changes(names=("a",), token="1+1")
    assert time.now == 100.0
    assert PacedStorage(MemoryStorage("feed"), Pace(1)).has_atomic_create is True
