"""The command line, in one process or on a real Ray that lives as long as the test session."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.ports import free_port
from tests.e2e.prefork import Prefork
from tests.e2e.support import PROJECT, Cli, CliHere, Cluster, SimulatedGemini, ray_head


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """Ray writes its token here, not into the user's home. The path is short because socket paths are limited."""
    folder = Path(tempfile.mkdtemp(prefix="ro", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def environment(home: Path) -> dict[str, str]:
    dropped = ("GEMINI", "GOOGLE", "RAY_", "REDIS", "SUPABASE", "MAX_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return kept | {
        "HOME": str(home),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_USE_UVLOOP": "0",  # installed as a development dependency only
        "RAY_TMPDIR": str(home / "t"),
        "COLUMNS": "160",
        "PYTHONPATH": str(PROJECT),
    }


@pytest.fixture(scope="session")
def heads_home(home: Path) -> dict[str, str]:
    """A Ray started with cluster=local leaves a token in the home folder, and a head that finds it requires it from all
    clients."""
    (home / "h").mkdir()
    return {"HOME": str(home / "h")}


@pytest.fixture(scope="session")
def cluster(environment: dict[str, str], ray_commands: Prefork, home: Path, heads_home: dict[str, str]) -> Iterator[Cluster]:
    port = free_port()
    options = [f"--port={port}", "--include-dashboard=false", f"--temp-dir={home / 't'}"]
    with ray_head(options, environment | heads_home, home / "head.log", ray_commands.start) as pid:
        yield Cluster(f"127.0.0.1:{port}", pid)


@pytest.fixture
def cli(environment: dict[str, str], prefork: Prefork, tmp_path: Path) -> Cli:
    """Runs without Ray: the actors' own classes in one process."""
    return Cli(environment, tmp_path, "inprocess", prefork=prefork)


@pytest.fixture
def ray_cli(environment: dict[str, str], prefork: Prefork, cluster: Cluster, tmp_path: Path) -> Cli:
    """Runs on Ray, for what only real processes can show. One Ray for the session."""
    return Cli(environment, tmp_path, cluster.address, prefork=prefork)


@pytest.fixture
def cli_without_ray(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[CliHere]:
    """For commands that must end before they need a cluster: nothing listens at the address. `run` calls `main` in this
    process.
    """
    for name in os.environ.keys() - environment.keys():
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield CliHere(environment, tmp_path, "127.0.0.1:1", monkeypatch, capfd)
    for number, handler in handlers.items():
        signal.signal(number, handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests on the session's Ray run in one test process, so that there is one Ray."""
    for item in items:
        if {"cluster", "ray_cli"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.xdist_group("ray"))


@pytest.fixture
def gemini(prefork: Prefork, environment: dict[str, str]) -> Iterator[SimulatedGemini]:
    simulated = SimulatedGemini(prefork, environment, latency_s=0.1)
    yield simulated
    simulated.close()
