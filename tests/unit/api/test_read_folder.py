"""The temporary folder of a read disappears, however its processes end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rayocr.api import read_folder as module
from rayocr.api.read_folder import read_folder, remove


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder, which no process has swept."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(module, "_swept", set())
    return tmp_path


@pytest.fixture
def other(place: Path) -> Iterator[Path]:
    """The folder of another process, which is alive."""
    code = "from rayocr.api.read_folder import read_folder\nwith read_folder() as folder: print(folder, flush=True); input()"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | {"TMPDIR": str(place)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    yield Path(process.stdout.readline().strip())
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_it_is_private_and_is_removed_at_the_end(place: Path) -> None:
    with read_folder() as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "out").mkdir()
    assert list(place.iterdir()) == []


def test_the_folder_of_a_dead_process_is_removed_at_the_next_use(place: Path) -> None:
    left = place / "rayocr-read-left"
    (left / "out").mkdir(parents=True)
    (left / "out" / "a.jsonl").write_text("{}")
    with read_folder() as folder:
        assert list(place.iterdir()) == [folder]


def test_the_folder_of_a_living_process_stays(other: Path) -> None:
    with read_folder():
        assert other.is_dir()


def test_the_folder_of_this_process_stays_while_another_read_begins(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with read_folder() as first:
        monkeypatch.setattr(module, "_swept", set())
        with read_folder() as second:
            assert sorted(place.iterdir()) == sorted([first, second])


def test_links_files_and_folders_of_others_stay(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = place / "target"
    (target / "inside").mkdir(parents=True)
    (place / "rayocr-read-link").symlink_to(target)
    (place / "rayocr-read-file").write_text("")
    (place / "rayocr-other").mkdir()
    (place / "rayocr-read-theirs").mkdir()
    monkeypatch.setattr("os.geteuid", lambda: os.getuid() + 1)
    module._remove_leftovers(str(place))
    monkeypatch.undo()
    assert (place / "rayocr-read-theirs").is_dir()
    monkeypatch.setattr(module, "_swept", set())
    module._remove_leftovers(str(place))
    assert {path.name for path in place.iterdir()} == {"target", "rayocr-read-link", "rayocr-read-file", "rayocr-other"}
    assert (target / "inside").is_dir()


def test_a_folder_that_is_taken_for_a_leftover_before_it_is_locked_is_replaced(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process may find it between its creation and its lock."""
    opened, stolen = module._opened, list[Path]()

    def open_late(folder: Path) -> int:
        descriptor = opened(folder)
        if not stolen:
            stolen.append(folder)
            module.remove(folder)
        return descriptor

    monkeypatch.setattr(module, "_opened", open_late)
    with read_folder() as folder:
        assert folder.is_dir()
        assert folder not in stolen


def test_a_file_system_without_locks_is_usable(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(descriptor: int, operation: int) -> None:
        raise OSError(37, "No locks available")

    (place / "rayocr-read-left").mkdir()
    monkeypatch.setattr("fcntl.flock", no_locks)
    with read_folder() as folder:
        assert folder.is_dir()
    assert [path.name for path in place.iterdir()] == ["rayocr-read-left"]


def test_a_folder_is_removed_although_a_thread_writes_to_it_during_several_attempts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, attempts = tmp_path / "rayocr-read-x", []
    folder.mkdir()

    def interrupted(path: Path, *, ignore_errors: bool) -> None:
        attempts.append(path)
        if len(attempts) > 5:
            path.rmdir()

    monkeypatch.setattr("rayocr.api.read_folder.shutil.rmtree", interrupted)
    remove(folder)
    assert not folder.exists()
    assert len(attempts) == 6
