"""The guard of a local Ray ends what its driver left behind, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rayocr.driver.cluster.local_ray import guard, guard_process

_WAIT = "import sys; print(flush=True); sys.stdin.read()"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "rayocr-1-x"
    folder.mkdir()
    return folder


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[..., int]]:
    """Starts a process that waits. It ends after the test."""
    processes = []

    def start(code: str = "", **options: object) -> int:
        settings = {"stdout": subprocess.PIPE, "stdin": subprocess.PIPE, "env": {}} | options
        process = subprocess.Popen([sys.executable, "-I", "-S", "-c", code + _WAIT], **settings)  # type: ignore[call-overload]
        processes.append(process)
        if process.stdout is not None:
            process.stdout.read(1)  # it runs
        return int(process.pid)

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_the_processes_of_a_ray_are_those_with_its_mark_or_its_files(folder: Path, start: Callable[..., int]) -> None:
    log, other = folder / "worker.out", folder.parent / "rayocr-1-xx"
    log.write_text("")
    marked = start(env={guard.FOLDER_VARIABLE: f"{folder}/"})
    with log.open("a") as output:
        redirected = start(stderr=output)
    logging = start(f"log = open({str(log)!r}, 'a'); ")
    strangers = [start(), start(f"log = open({str(log)!r}); "), start(env={guard.FOLDER_VARIABLE: f"{other}/"})]
    found = {process.pid for process in guard_process.processes_of((str(folder),))}
    assert found == {marked, redirected, logging}
    assert not found & {*strangers, os.getpid()}


def test_what_remains_is_ended_and_its_folder_removed(
    folder: Path, start: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    import psutil

    monkeypatch.setattr(guard_process, "_ALONE_S", 0.0)
    monkeypatch.setattr(guard_process, "_POLL_S", 0.01)
    monkeypatch.setattr("os.read", lambda *_: b"")
    remains, stranger = start(env={guard.FOLDER_VARIABLE: f"{folder}/"}), start()
    guard_process.main("", str(folder))
    assert not folder.exists()
    assert psutil.Process(remains).status() == psutil.STATUS_ZOMBIE
    assert psutil.Process(stranger).status() != psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("handles", [True, False], ids=["process handles", "macOS"])
def test_a_process_that_received_the_id_of_an_ended_one_is_not_ended(
    handles: bool, start: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    import psutil

    pid = start()
    earlier = psutil.Process(pid)
    earlier._ident = (pid, 0.0)  # as if it had started earlier
    with monkeypatch.context() as patched:
        if not handles:
            patched.delattr("os.pidfd_open", raising=False)
        guard_process.end(earlier)
        assert psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        guard_process.end(psutil.Process(pid))
    psutil.Process(pid).wait()


def test_a_dismissed_guard_ends_at_once_and_removes_nothing(folder: Path) -> None:
    guard.start(folder)
    process = guard._guard
    assert process is not None
    assert process.poll() is None
    guard.dismiss()
    assert process.returncode == 0
    assert folder.exists()
    assert guard.FOLDER_VARIABLE not in os.environ


def test_the_guard_removes_the_folder_when_its_pipe_closes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(guard.FOLDER_VARIABLE, "")  # so that monkeypatch restores it
    monkeypatch.delenv(guard.FOLDER_VARIABLE)
    guard.start(folder)
    process = guard._guard
    guard._guard = None
    assert process is not None
    assert process.stdin is not None
    assert os.getsid(process.pid) != os.getsid(0)  # no signal of the terminal reaches it
    process.stdin.close()
    assert process.wait() == 0
    assert not folder.exists()
