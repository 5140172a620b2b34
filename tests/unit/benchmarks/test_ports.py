"""Ports for servers that tests start in several processes at a time."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import ports

PROJECT = Path(__file__).parents[3]
RESERVES_ONE = """
from benchmarks import ports
ports._BELOW_CLIENTS, ports._is_free = [1], lambda port: True
print(ports.free_port(), flush=True)
input()
"""


@pytest.fixture(autouse=True)
def own_reservations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    file = ports._reservations.__wrapped__()
    monkeypatch.setattr(ports, "_reservations", lambda: file)
    yield
    os.close(file)


def test_no_two_calls_return_the_same_port_not_even_in_two_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_is_free", lambda port: True)
    monkeypatch.setattr(ports, "_given", {2})
    monkeypatch.setattr(ports, "_BELOW_CLIENTS", [1, 2] * 25 + [3])
    command, environment = [sys.executable, "-c", RESERVES_ONE], os.environ | {"TMPDIR": str(tmp_path)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=PROJECT, env=environment, text=True, **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout.readline() == "1\n"
        assert ports.free_port() == 3
        process.communicate("\n")
    monkeypatch.setattr(ports, "_BELOW_CLIENTS", [1])
    assert ports.free_port() == 1, "the process that reserved it has ended"


def test_a_port_that_is_in_use_is_not_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as used:
        used.bind(("127.0.0.1", 0))
        monkeypatch.setattr(ports, "_BELOW_CLIENTS", [used.getsockname()[1]] * 25 + [*ports._BELOW_CLIENTS[:100]])
        assert ports.free_port() in range(20_000, 20_100)
