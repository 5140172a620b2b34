"""The child process of the API: a document that crashes it does not end the run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from rayocr.api import process
from rayocr.api.process import ChildRun
from rayocr.errors import InternalError

# Ends after its first event, unless it uses Ray.
_CHILD = """
import json, os, sys
overrides = json.loads(sys.stdin.readline())["overrides"]
print(json.dumps({"event": EVENT}), flush=True)
if "cluster=local" not in overrides:
    os._exit(1)
print(json.dumps({"event": "end", "exit_code": 0}), flush=True)
"""

IN_PROCESS = ["cluster=inprocess", "source=in"]


@pytest.fixture(params=["started"])
def first_event(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    start = subprocess.Popen

    def popen(command: list[str], **options: Any) -> Any:
        return start([sys.executable, "-c", _CHILD.replace("EVENT", repr(request.param))], **options)

    monkeypatch.setattr(process.subprocess, "Popen", popen)
    yield request.param


@pytest.mark.usefixtures("first_event")
def test_a_run_whose_process_crashes_resumes_with_ray() -> None:
    child = ChildRun(IN_PROCESS)
    try:
        assert [event["event"] for event in child.events()] == ["started", "warning", "started", "end"]
    finally:
        child.close()


@pytest.mark.usefixtures("first_event")
@pytest.mark.parametrize("overrides", [["cluster=10.0.0.1:6379"], [*IN_PROCESS, "cluster=auto"], ["source=in"]])
def test_a_run_with_ray_does_not_start_again(overrides: list[str]) -> None:
    child = ChildRun(overrides)
    try:
        with pytest.raises(InternalError, match="ended with code 1"):
            list(child.events())
    finally:
        child.close()


@pytest.mark.parametrize("first_event", ["message"], indirect=True)
def test_a_process_that_ends_before_its_run_starts_is_an_error(first_event: str) -> None:
    child = ChildRun(IN_PROCESS)
    try:
        with pytest.raises(InternalError):
            list(child.events())
    finally:
        child.close()


@pytest.mark.usefixtures("first_event")
def test_a_cancelled_run_does_not_start_again() -> None:
    child = ChildRun(IN_PROCESS)
    try:
        assert child.next_event() == {"event": "started"}
        child.cancel()
        with pytest.raises(InternalError):
            child.next_event()
    finally:
        child.close()
