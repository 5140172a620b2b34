from __future__ import annotations

import inspect
import uuid

import pytest

from rayocr.errors import ObjectNotFound
from rayocr.storage.base import Changes, Storage
from rayocr.storage.counted import CountedStorage, storage_calls
from rayocr.storage.memory import MemoryStorage


class Peculiar(MemoryStorage):
    """An adapter whose answers differ from the port's defaults."""

    has_atomic_create = False

    def changes_since(self, token: str | None) -> Changes | None:
        return Changes(names=("a",), token=f"after {token}")

    def path_to(self, other: Storage) -> str | None:
        return "below" if isinstance(other, Peculiar) else None

    def sweep_temp(self) -> str:
        return "swept"


def peculiar() -> CountedStorage:
    return CountedStorage(Peculiar(uuid.uuid4().hex))


def test_everything_of_the_port_is_the_storages_own() -> None:
    """Otherwise, the port's defaults would answer these calls."""
    port = {name for name, _ in inspect.getmembers(Storage) if not name.startswith("_")}
    made_in_init = {"has_atomic_create"}
    assert port - set(vars(CountedStorage)) <= made_in_init
    storage = peculiar()
    assert storage.has_atomic_create is False
    assert storage.changes_since("t") == Changes(names=("a",), token="after t")
    assert storage.path_to(peculiar()) == "below"
    assert storage.path_to(MemoryStorage(uuid.uuid4().hex)) is None
    assert storage.sweep_temp() == "swept"
    assert getattr(CountedStorage(MemoryStorage(uuid.uuid4().hex)), "sweep_temp", None) is None


def test_calls_are_counted_by_what_came_of_them() -> None:
    storage, before = CountedStorage(MemoryStorage(uuid.uuid4().hex)), storage_calls()

    def fresh(operation: str, outcome: str) -> int:
        return storage_calls().get((operation, outcome), 0) - before.get((operation, outcome), 0)

    storage.write("a", b"1")
    assert storage.read("a") == b"1"
    with pytest.raises(ObjectNotFound):
        storage.read("b")
    assert [entry.name for entry in storage.list()] == ["a"]
    storage.stat("a")
    storage.delete("a")
    assert [fresh(op, "ok") for op in ("write", "read", "list", "stat", "delete")] == [1, 1, 1, 1, 1]
    assert fresh("read", "ObjectNotFound") == 1
