"""Behavior specific to file leases: leases of dead processes are free at once, and damage never loses a lease."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rayocr.config import LocksConfig
from rayocr.errors import LocksUnavailable
from rayocr.locks.factory import open_locks
from rayocr.locks.file import FileLocks
from rayocr.process import ProcessIdentity, current_process

HOLD = """
import sys, time
from rayocr.locks.file import FileLocks
print(FileLocks(sys.argv[1], owner="first", ttl_s=3600).acquire("doc").fencing_token, flush=True)
time.sleep(600)
"""


def test_a_lease_of_a_killed_process_is_free_at_once_and_its_token_is_topped(tmp_path: Path) -> None:
    locks = FileLocks(tmp_path, owner="second", ttl_s=3600)
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        token = int(holder.stdout.readline())
        assert locks.acquire("doc") is None
        assert locks.holders(["doc"])["doc"].pid == holder.pid
        holder.kill()
        holder.wait()
    lease = locks.acquire("doc")
    assert lease is not None
    assert lease.fencing_token > token
    locks.close()


def lease_file(folder: Path) -> Path:
    (path,) = folder.glob("*.json")
    return path


def edited(folder: Path, **changes: object) -> None:
    path = lease_file(folder)
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_process_id_that_was_given_out_again_does_not_keep_a_lease_alive(tmp_path: Path) -> None:
    locks = FileLocks(tmp_path, owner="a")
    locks.acquire("doc")
    edited(tmp_path, started="1")
    assert locks.acquire("doc") is not None
    locks.close()


def test_a_process_of_another_host_is_never_taken_for_dead(tmp_path: Path) -> None:
    locks = FileLocks(tmp_path, owner="a")
    locks.acquire("doc")
    edited(tmp_path, host="elsewhere", pid=2**22 - 1)
    assert locks.acquire("doc") is None
    locks.close()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff\xfe", b'{"key": "doc"}'])
def test_a_damaged_lease_file_is_not_a_lease(tmp_path: Path, content: bytes) -> None:
    locks = FileLocks(tmp_path, owner="a")
    first = locks.acquire("doc")
    lease_file(tmp_path).write_bytes(content)
    second = locks.acquire("doc")
    assert first is not None
    assert second is not None
    assert locks.renew([first, second]) == [first]
    locks.close()


@pytest.mark.parametrize("content", [b"", b"not a number", b"-5"])
def test_tokens_grow_even_when_the_counter_is_lost(tmp_path: Path, content: bytes) -> None:
    now = 1_800_000_000.0
    locks = FileLocks(tmp_path, owner="a", wall_clock=lambda: now)
    first = locks.acquire("one")
    (tmp_path / "fence").write_bytes(content)
    now += 1
    second = locks.acquire("two")
    assert first is not None
    assert second is not None
    assert second.fencing_token > first.fencing_token
    locks.close()


def test_tokens_grow_when_the_clock_is_set_back(tmp_path: Path) -> None:
    now = 1_800_000_000.0
    locks = FileLocks(tmp_path, owner="a", wall_clock=lambda: now)
    first = locks.acquire("one")
    now -= 100_000
    second = locks.acquire("two")
    assert first is not None
    assert second is not None
    assert second.fencing_token == first.fencing_token + 1
    locks.close()


@pytest.mark.parametrize("jump_s", [100_000, -100_000])
def test_a_jump_of_the_time_of_day_neither_expires_nor_prolongs_leases_on_the_same_machine(tmp_path: Path, jump_s: int) -> None:
    wall, monotonic = 1_800_000_000.0, 50.0
    mine = FileLocks(tmp_path, owner="a", ttl_s=60, clock=lambda: monotonic, wall_clock=lambda: wall)
    other = FileLocks(tmp_path, owner="b", ttl_s=60, clock=lambda: monotonic, wall_clock=lambda: wall)
    lease = mine.acquire("doc")
    assert lease is not None
    wall += jump_s
    assert other.acquire("doc") is None
    assert mine.renew([lease]) == []
    monotonic += 61
    taken = other.acquire("doc")
    assert taken is not None
    assert taken.fencing_token > lease.fencing_token
    assert mine.renew([lease]) == [lease]
    for locks in (mine, other):
        locks.close()


@pytest.mark.parametrize("after_s", [59, 61])
def test_a_lease_of_another_machine_expires_by_the_time_of_day(tmp_path: Path, after_s: int) -> None:
    wall = 1_800_000_000.0
    locks = FileLocks(tmp_path, owner="a", ttl_s=60, clock=lambda: 50.0, wall_clock=lambda: wall)
    locks.acquire("doc")
    edited(tmp_path, host="elsewhere", pid=2**22 - 1)
    wall += after_s
    assert (locks.acquire("doc") is not None) is (after_s > 60)
    locks.close()


def test_released_keys_leave_no_files_behind(tmp_path: Path) -> None:
    locks = FileLocks(tmp_path, owner="a")
    for i in range(100):
        lease = locks.acquire(f"doc {i}")
        assert lease is not None
        locks.release(lease)
    assert [path.name for path in tmp_path.iterdir()] == ["fence"]
    locks.close()


def test_a_folder_that_cannot_be_made_is_locks_unavailable_and_says_where(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LocksUnavailable, match="file/locks") as caught:
        FileLocks(tmp_path / "file" / "locks", owner="a").holders(())  # as every run does before it starts
    assert caught.value.hint is not None


def test_a_read_only_caller_makes_nothing_and_sees_who_is_at_work(tmp_path: Path) -> None:
    looking = FileLocks(tmp_path / "leases", owner="status")
    assert looking.holders() == {}
    assert not (tmp_path / "leases").exists()
    working = FileLocks(tmp_path / "leases", owner="a")
    working.acquire("doc")
    assert looking.holders()["doc"].owner == "a"
    for locks in (looking, working):
        locks.close()


def test_a_forked_child_does_not_share_its_parents_flock(tmp_path: Path) -> None:
    code = """
import os, sys
from rayocr.locks.file import FileLocks
locks = FileLocks(sys.argv[1], owner="a")
locks.acquire("one")
child = os.fork()
if not child:
    with locks._locked():
        os._exit(0 if locks._pid == os.getpid() else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == 0


def test_processes_count_as_dead_only_when_that_is_certain() -> None:
    me = current_process()
    assert not me.is_dead()
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    assert ProcessIdentity(host=me.host, pid=child.pid, started="").is_dead()
    assert not ProcessIdentity(host="elsewhere", pid=child.pid, started="").is_dead()
    assert not ProcessIdentity(host=me.host, pid=os.getppid(), started="").is_dead()


def test_a_lease_is_not_written_through_a_prepared_link(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("theirs")
    locks = FileLocks(tmp_path / "leases", owner="a")
    (tmp_path / "leases").mkdir()
    (tmp_path / "leases" / "fence").symlink_to(victim)
    with pytest.raises(LocksUnavailable):
        locks.acquire("k")
    (tmp_path / "leases" / "fence").unlink()
    lease = locks.acquire("k")
    assert lease is not None
    file = Path(locks._path("k"))
    file.unlink()
    file.symlink_to(victim)
    with pytest.raises(LocksUnavailable):
        locks.renew([lease])
    assert victim.read_text() == "theirs"


def test_leases_of_a_bucket_are_in_a_private_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    locks = open_locks(LocksConfig(), "gs://bucket/p", owner="a")
    assert locks.acquire("k") is not None
    assert (tmp_path / "rayocr").stat().st_mode & 0o077 == 0
    assert all(file.stat().st_mode & 0o077 == 0 for file in tmp_path.rglob("*"))


@pytest.mark.parametrize("content", [b'{"a":' * 60_000, b"\xff", b"{}", b"[]", b'{"key": 1}'])
def test_a_lease_file_that_is_damaged_is_not_a_lease(tmp_path: Path, content: bytes) -> None:
    locks = FileLocks(tmp_path, owner="a")
    Path(locks._path("k")).write_bytes(content)
    assert locks.acquire("k") is not None
