"""A run whose state lies where two writers cannot be told apart claims it, and others share it by leases."""

from __future__ import annotations

import uuid
from pathlib import Path
from types import SimpleNamespace

import pytest

from rayocr.config import LocksConfig, RayocrConfig, Secrets
from rayocr.driver.run import Run
from rayocr.driver.terminal import ConsoleTerminal
from rayocr.errors import LockError
from rayocr.locks.claim import CLAIMS_PREFIX, ClaimedLocks
from rayocr.locks.file import FileLocks
from rayocr.storage.memory import MemoryStorage


class WithoutPreconditions(MemoryStorage):
    has_atomic_create = False


def run_on(state: MemoryStorage) -> Run:
    config = RayocrConfig(locks=LocksConfig(ttl_s=60))
    plan = SimpleNamespace(state=state)
    return Run(config, plan, Secrets(), ConsoleTerminal("none"))  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def leases_of_the_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def test_without_redis_a_second_run_on_drive_is_refused_until_the_first_has_ended() -> None:
    name = uuid.uuid4().hex
    first, second = run_on(WithoutPreconditions(name)), run_on(WithoutPreconditions(name))
    locks = first._locks()
    assert isinstance(locks, ClaimedLocks)
    with pytest.raises(LockError, match="one at a time"):
        second._locks()
    locks.close()
    second._locks().close()
    assert list(MemoryStorage(name).list(CLAIMS_PREFIX)) == []


def test_where_storage_keeps_preconditions_nothing_is_claimed() -> None:
    name = uuid.uuid4().hex
    first, second = run_on(MemoryStorage(name)), run_on(MemoryStorage(name))
    for run in (first, second):
        assert isinstance(run._locks(), FileLocks)
    assert list(MemoryStorage(name).list(CLAIMS_PREFIX)) == []
