"""The faults that other tests use."""

from __future__ import annotations

import uuid

import pytest

from rayocr.errors import StorageUnavailable
from rayocr.storage.memory import MemoryStorage


def test_a_fault_before_a_write_leaves_nothing_and_one_after_it_leaves_the_object() -> None:
    failing = ""

    def faults(operation: str, name: str) -> None:
        if operation == failing:
            raise StorageUnavailable(f"{operation} {name}")

    storage = MemoryStorage(uuid.uuid4().hex, faults=faults)
    failing = "write"
    with pytest.raises(StorageUnavailable, match="write a"):
        storage.write("a", b"x")
    assert list(storage.list()) == []
    failing = "written"
    with pytest.raises(StorageUnavailable, match="written a"):
        storage.write("a", b"x")
    assert storage.read("a") == b"x"
    for failing in ("list", "stat", "read", "delete", "deleted"):
        with pytest.raises(StorageUnavailable):
            {
                "list": lambda: list(storage.list()),
                "stat": lambda: storage.stat("a"),
                "read": lambda: storage.read("a"),
            }.get(failing, lambda: storage.delete("a"))()
    failing = ""
    assert list(storage.list()) == []


def test_storages_of_one_name_share_their_objects_until_cleared() -> None:
    name = uuid.uuid4().hex
    MemoryStorage(name).write("a", b"x")
    assert MemoryStorage(name).read("a") == b"x"
    MemoryStorage(name).clear()
    assert list(MemoryStorage(name).list()) == []
