"""Checks the client with a third-party server: llmock serves, injects faults and reports client errors.

Mostly waits: about five refusals, each of which pauses the run for a second and slows it down.
"""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from benchmarks.ports import free_port
from tests.e2e.support import PATIENCE_S, Cli, make_pdf, manifests, wait_until

PAGES = 100


def _llmock(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from llmock.cli import app; app()", *arguments]


@pytest.fixture
def llmock() -> Iterator[str]:
    if importlib.util.find_spec("llmock") is None:
        if os.environ.get("CI"):
            pytest.fail("llmock is not installed; it is one of the development dependencies")
        pytest.skip("llmock is not installed: make setup")
    port = free_port()
    faults = ("--rpm", "1800", "--error-rate", "503=0.1", "--error-rate", "429=0.05")
    server = subprocess.Popen(
        _llmock("serve", "--port", str(port), *faults), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _listens(port) or server.poll() is not None, "llmock answers")
        assert server.poll() is None
        yield url
    finally:
        server.terminate()
        server.wait(60)


def _listens(port: int) -> bool:
    """Sends no request: llmock would report a request with a fault that the test does not retry."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.slow
def test_a_hundred_pages_are_read_despite_faults_and_a_quota_without_client_errors(cli: Cli, llmock: str) -> None:
    make_pdf(cli.folder / "in" / "a.pdf", PAGES)
    options = ("source=in", "dest=out", "engine=gemini", "engine.chain=[gemini]", "limits.rpm=1800", "engine.probe=false")
    run = cli.start(*options, GEMINI_API_KEY="k", GOOGLE_GEMINI_BASE_URL=f"{llmock}/gemini")
    out, _ = run.communicate(timeout=2 * PATIENCE_S)
    assert run.returncode == 0, out
    (manifest,) = manifests(cli.folder / "out")
    assert (manifest["outcome"], manifest["engines"]) == ("complete", {"gemini": PAGES})
    report = subprocess.run(
        _llmock("report", "--strict", "--url", llmock), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    print(report.stdout)
    assert report.returncode == 0, report.stdout + report.stderr
