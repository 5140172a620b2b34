from __future__ import annotations

import fcntl
import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rayocr.composition import compose
from rayocr.driver.cluster import connect as cluster
from rayocr.driver.cluster.connect import connect
from rayocr.errors import ClusterUnavailable, Interrupted
from rayocr.private_folder import private_folder


class _Starts:
    """Replaces ray.init, which fails as scripted before it starts a Ray."""

    dashboard_url = "127.0.0.1:8265"

    def __init__(self) -> None:
        self.failures: list[Exception] = []
        self.count = 0
        self.address_info = {"address": "127.0.0.1:6379"}

    def __call__(self, **_: Any) -> Any:
        self.count += 1
        if self.failures:
            raise self.failures.pop(0)
        return self


@pytest.fixture
def starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _Starts:
    monkeypatch.chdir(tmp_path)
    import ray
    from ray._private import worker

    found = _Starts()
    monkeypatch.setattr(cluster.local_ray, "prepare", lambda: None)
    monkeypatch.setattr(cluster.local_ray, "use_token", lambda: None)
    monkeypatch.setattr(cluster.local_ray, "temp_dir", lambda: "/tmp/x")
    monkeypatch.setattr(cluster.settings, "apply", lambda: None)
    monkeypatch.setattr(cluster, "quiet_ray", lambda: None)  # both would stay in the environment of later tests
    monkeypatch.setattr(worker, "print_to_stdstream", worker.print_to_stdstream)  # restore what connect() replaces
    monkeypatch.setattr(ray, "init", found)
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 2.0})
    return found


def test_a_ray_that_does_not_come_up_in_time_is_started_once_more(starts: _Starts) -> None:
    starts.failures = [Exception("The current node timed out during startup.")]
    assert connect(compose(["cluster=local"], {})).cpus == 2
    assert starts.count == 2


@pytest.mark.parametrize(
    "failures", [[Exception("timed out"), Exception("timed out")], [OSError("no space")], [AssertionError("a port is taken")]]
)
def test_a_ray_that_cannot_be_started_is_reported_in_a_sentence(starts: _Starts, failures: list[Exception]) -> None:
    starts.failures = failures
    with pytest.raises(ClusterUnavailable, match="on this machine"):
        connect(compose(["cluster=local"], {}))


class _Hangs(_Starts):
    def __init__(self) -> None:
        super().__init__()
        self.begun, self.end = threading.Event(), threading.Event()

    def __call__(self, **_: Any) -> Any:
        self.begun.set()
        self.end.wait()
        return self


@pytest.fixture
def hangs(starts: _Starts, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Hangs]:
    import ray

    found = _Hangs()
    monkeypatch.setattr(ray, "init", found)
    yield found
    found.end.set()


def test_a_ray_that_never_answers_is_given_up(hangs: _Hangs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_START_S", 0.2)
    with pytest.raises(ClusterUnavailable, match="did not answer within"):
        connect(compose(["cluster=local"], {}))


def test_the_deadline_of_a_start_begins_when_other_runs_have_started_theirs(
    starts: _Starts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(cluster, "_POLL_S", 0.01)
    monkeypatch.setattr(cluster, "_START_S", 2.0)
    other = os.open(private_folder() / "ray-start.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(other, fcntl.LOCK_EX)
    asked = 0

    def waits() -> bool:
        nonlocal asked
        asked += 1
        if asked == 300:
            fcntl.flock(other, fcntl.LOCK_UN)
        return asked < 300

    monkeypatch.setattr(cluster.local_ray, "waits_for_its_turn", waits)
    try:
        assert connect(compose(["cluster=local"], {})).cpus == 2
    finally:
        os.close(other)
    assert asked >= 300


def test_an_interrupt_ends_connecting_at_once(hangs: _Hangs) -> None:
    cancelled = threading.Event()
    threading.Thread(target=lambda: (hangs.begun.wait(), cancelled.set())).start()
    with pytest.raises(Interrupted):
        connect(compose(["cluster=local"], {}), cancelled)


def test_native_output_while_connecting_goes_into_a_file(
    starts: _Starts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    import ray

    def init(**_: Any) -> Any:
        os.write(2, b"[2026-11-26 20:00:00,000 E 1 1] gcs_client.cc: raw\n")
        return starts

    monkeypatch.setattr(ray, "init", init)
    connect(compose(["cluster=local", f"logs.dir={tmp_path}"], {}))
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"
    assert "raw" in (tmp_path / "ray-driver.log").read_text()


def test_a_log_handler_that_ray_makes_while_it_connects_writes_to_the_terminal_afterwards(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ray_log = logging.getLogger("ray")
    with cluster._native_output_to(tmp_path / "logs" / "ray-driver.log"):
        handler = logging.StreamHandler()
        ray_log.addHandler(handler)
    try:
        ray_log.warning("the disk is full")
    finally:
        ray_log.removeHandler(handler)
    assert capfd.readouterr().err == "the disk is full\n"
