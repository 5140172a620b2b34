"""A run claims its destination if the storage cannot distinguish two writers; otherwise runs share it with leases."""

from __future__ import annotations

import uuid
from pathlib import Path
from types import SimpleNamespace

import pytest

from rayocr.config import LocksConfig, RayocrConfig, Secrets
from rayocr.driver.scheduling.leases import open_run_locks
from rayocr.errors import LockError
from rayocr.locks.base import Locks
from rayocr.locks.destination import DESTINATION_LOCKS_PREFIX, DestinationLocks
from rayocr.locks.file import FileLocks
from rayocr.storage.memory import MemoryStorage


class WithoutPreconditions(MemoryStorage):
    has_atomic_create = False


def locks_of(state: MemoryStorage, run_id: str) -> Locks:
    config = RayocrConfig(locks=LocksConfig(ttl_s=60))
    plan = SimpleNamespace(state=state)
    return open_run_locks(config, plan, Secrets(), run_id=run_id, owner=f"{run_id}@here:1")[0]  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def leases_of_the_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def test_without_redis_a_second_run_on_drive_is_refused_until_the_first_has_ended() -> None:
    name = uuid.uuid4().hex
    locks = locks_of(WithoutPreconditions(name), "first")
    assert isinstance(locks, DestinationLocks)
    with pytest.raises(LockError, match="one run at a time"):
        locks_of(WithoutPreconditions(name), "second")
    locks.close()
    locks_of(WithoutPreconditions(name), "second").close()
    assert list(MemoryStorage(name).list(DESTINATION_LOCKS_PREFIX)) == []


def test_where_storage_keeps_preconditions_nothing_is_claimed() -> None:
    name = uuid.uuid4().hex
    for run_id in ("first", "second"):
        assert isinstance(locks_of(MemoryStorage(name), run_id), FileLocks)
    assert list(MemoryStorage(name).list(DESTINATION_LOCKS_PREFIX)) == []
