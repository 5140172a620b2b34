"""What a run says while it waits: for Ray, for the server, for its workers, and for the report."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from pathlib import Path
from typing import Any

import pytest

from rayocr.composition import compose
from rayocr.config import Secrets
from rayocr.driver import connecting
from rayocr.driver import run as module
from rayocr.driver.cluster.connect import Connection
from rayocr.driver.monitor.terminal import ConsoleTerminal
from rayocr.driver.plan import plan
from rayocr.driver.run import Run
from tests.unit.driver.local_world import World

WAITS = ["Waiting for gemini …", "Starting the workers …", "Writing the report …"]


@pytest.mark.parametrize(("address", "first"), [(None, "Starting Ray …"), ("10.0.0.1:6379", "Connecting to Ray …")])
def test_a_run_names_each_wait_before_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str | None, first: str
) -> None:
    world = World(tmp_path, monkeypatch, {"a.pdf": 1})
    said, asked = Said(), threading.Event()
    said.on = {"Waiting for gemini …": asked}
    start_actors = module.start_actors

    async def connected(*_: Any) -> Connection:
        await asyncio.sleep(0)
        said.lines.append("(connected)")
        return Connection(address="", local=True, cpus=2, dashboard_url=None)

    def probed(*_: Any) -> None:
        assert asked.wait(60), "the run does not say that it waits for the server"
        said.lines.append("(probed)")

    async def without_ray(inputs: Any, _: Any, *, faults: Any) -> Any:
        await asyncio.sleep(0)
        said.lines.append("(started)")
        return await start_actors(inputs, None, faults=faults)

    monkeypatch.setattr(connecting, "find_address", lambda _: address)
    monkeypatch.setattr(connecting, "_connect", connected)
    monkeypatch.setattr(module, "probe_servers", probed)
    monkeypatch.setattr(connecting, "disconnect", lambda: None)
    monkeypatch.setattr(module, "start_actors", without_ray)
    config = compose(
        [
            *(
                f"source={tmp_path / 'in'}",
                f"dest={world.out}",
                f"logs.dir={tmp_path / 'logs'}",
                "cluster=auto",
                "progress=plain",
            ),
            *("engine=gemini", "engine.chain=[gemini]", "outputs=[markdown]", "gateway.enabled=false", "doubt.sample=0"),
            "dedup.pages=false",
        ],
        {},
    )
    run = Run(config, plan(config), Secrets(gemini_api_key="k"), said)
    world.server.names = Names()
    assert run.execute() == 0
    run.announcements.summarize(ended=True)  # as the command line does
    expected = [first, "(connected)", WAITS[0], "(probed)", WAITS[1], "(started)", WAITS[2]]
    assert [line for line in said.lines if line in expected] == expected


class Names(dict[str, str]):
    def __missing__(self, document_id: str) -> str:
        return "a.pdf"


class Said(ConsoleTerminal):
    """`on`: events to set when a line is said."""

    def __init__(self) -> None:
        super().__init__("plain")
        self.lines: list[str] = []
        self.on: dict[str, threading.Event] = {}

    def say(self, text: str) -> None:
        self.lines.append(text)
        with contextlib.suppress(KeyError):
            self.on[text].set()
