"""docker/bin/rayocr-drain-run, which Kubernetes calls before it stops a head, against a run's API."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest

from rayocr.config import GatewayConfig
from rayocr.gateway.server import GatewayServer
from tests.unit.gateway.run_apis import an_api

BIN = Path(__file__).parents[3] / "docker" / "bin"
pytestmark = pytest.mark.skipif(shutil.which("wget") is None, reason="wget, which the image has, is not installed")


def run(script: str, port: int, **variables: str) -> subprocess.Popen[bytes]:
    environment = os.environ | {"RAYOCR_PORT": str(port), "RAYOCR_API_TOKEN": "the-token", **variables}
    return subprocess.Popen([BIN / script], env=environment)


def test_the_run_is_asked_to_drain_and_its_end_is_waited_for(tmp_path: Path) -> None:
    api, asked = an_api(tmp_path)
    server = GatewayServer(api, GatewayConfig(port=0), token="the-token")
    port = int(server.start().rpartition(":")[2])
    api.push({"at": time.time(), "pages_done": 0, "totals": {"cost_usd": 0.0}})
    hook = run("rayocr-drain-run", port)
    try:
        heard = threading.Event()
        while not asked:
            assert hook.poll() is None or asked, "the hook ended without asking"
            heard.wait(0.02)
        assert asked == [("drain", None)]
        assert hook.poll() is None, "the hook did not wait for the run"
    finally:
        server.close()
    assert hook.wait(60) == 0


def test_the_token_is_in_no_command_line(tmp_path: Path) -> None:
    seen = tmp_path / "arguments"
    wget = tmp_path / "wget"
    wget.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> {seen}\nexit 1\n')
    wget.chmod(0o755)
    assert run("rayocr-drain-run", 1, PATH=f"{tmp_path}:{os.environ['PATH']}").wait(60) == 0
    assert "/drain" in seen.read_text()
    assert "the-token" not in seen.read_text()


def test_where_no_run_is_there_is_nothing_to_wait_for() -> None:
    assert run("rayocr-drain-run", 1).wait(60) == 0


def test_a_wrong_token_does_not_keep_the_container_from_ending(tmp_path: Path) -> None:
    api, asked = an_api(tmp_path)
    server = GatewayServer(api, GatewayConfig(port=0), token="another")
    port = int(server.start().rpartition(":")[2])
    try:
        assert run("rayocr-drain-run", port).wait(60) == 0
    finally:
        server.close()
    assert not asked
