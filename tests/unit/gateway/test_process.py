"""The HTTP API in its own process: its data, its commands to the run, and that the run works without it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from rayocr.config import AccessConfig, GatewayConfig, LimitsConfig
from rayocr.errors import ObjectNotFound
from rayocr.gateway import process as process_module
from rayocr.gateway.channel import Setup
from rayocr.gateway.process import GatewayProcess
from rayocr.gateway.run_api import Commands
from rayocr.ledger.manifest import manifest_name
from rayocr.messages import DocumentOutcome
from rayocr.outputs.report.pages import Drawing
from rayocr.storage.local.storage import LocalStorage
from tests.e2e.support import wait_until
from tests.unit.gateway.run_apis import PARTIAL, manifest

TOKEN = "token-of-this-run"


class Api:
    def __init__(self, folder: Path) -> None:
        source = LocalStorage(folder / "in", create=True)
        dest = LocalStorage(folder / "out", create=True)
        dest.write(manifest_name(PARTIAL), manifest(PARTIAL, "b\udcff.pdf", DocumentOutcome.PARTIAL, source.uri).to_json())
        self.asked: list[tuple[str, object]] = []
        self.wrong: dict[str, str] = {}
        self.called = threading.Event()
        setup = Setup(
            gateway=GatewayConfig(port=0),
            token=TOKEN,
            source=(source.uri, AccessConfig()),
            dest=(dest.uri, AccessConfig()),
            state=(dest.uri, AccessConfig()),
            config={"mode": "run"},
            logs=str(folder),
            drawing=Drawing(dpi=80, limits=LimitsConfig()),
        )
        commands = Commands(
            pause=lambda: self.note("pause", None),
            resume=lambda: self.note("resume", None),
            drain=lambda: self.note("drain", None),
            cancel=lambda document_id: self.note("cancel", document_id),
            retry=lambda content: self.note("retry", content.name),
            add=self.add,
            notice=self.add,
        )
        self.process = GatewayProcess(setup, commands, lambda: self.wrong)
        self.port = int(self.process.start().rpartition(":")[2])
        self.process.push({"at": time.time(), "pages_done": 0, "totals": {"cost_usd": 0.0}})

    def note(self, what: str, argument: object) -> None:
        self.asked.append((what, argument))

    def add(self, name: str) -> str:
        if name != "new.pdf":
            raise ObjectNotFound(name)
        self.note("add", name)
        return "c" * 32

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, json.loads(data)

    @property
    def pid(self) -> int:
        assert self.process._process is not None
        return self.process._process.pid


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("api")
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    os.environ["GEMINI_API_KEY"] = "not-for-the-api"
    yield folder
    del os.environ["GEMINI_API_KEY"]
    if before is None:
        del os.environ["XDG_RUNTIME_DIR"]
    else:
        os.environ["XDG_RUNTIME_DIR"] = before


@pytest.fixture(scope="module")
def api(folder: Path) -> Iterator[Api]:
    api = Api(folder)
    yield api
    api.process.close()


def test_what_is_asked_for_reaches_the_run_and_comes_back(api: Api) -> None:
    for path in ("/pause", "/resume", "/drain", f"/documents/{PARTIAL}/retry", f"/documents/{'c' * 32}/cancel"):
        assert api.ask("POST", path)[0] == 202, path
    assert api.ask("POST", "/process-file", {"name": "new.pdf"}) == (202, {"accepted": True, "document_id": "c" * 32})
    assert api.ask("POST", "/process-file", {"name": "missing.pdf"})[0] == 404
    assert [what for what, _ in api.asked] == ["pause", "resume", "drain", "retry", "cancel", "add"]
    assert api.asked[3] == ("retry", "b\udcff.pdf")


def test_snapshots_and_readiness_are_the_runs(api: Api) -> None:
    api.process.push({"at": time.time(), "pages_done": 7, "totals": {"cost_usd": 0.5}})
    wait_until(lambda: api.ask("GET", "/status")[1].get("pages_done") == 7, "the snapshot arrives")
    assert api.ask("GET", "/ready") == (200, {"status": "ready"})
    api.wrong = {"locks": "away"}
    assert api.ask("GET", "/ready") == (503, {"detail": {"locks": "away"}})
    api.wrong = {}


def test_names_that_are_not_text_are_listed(api: Api) -> None:
    status, listed = api.ask("GET", "/documents")
    assert (status, [d["name"] for d in listed["documents"]]) == (200, ["b\udcff.pdf"])


def test_the_token_is_for_this_user_alone_and_no_key_is_passed_on(api: Api, folder: Path) -> None:
    file = folder / "rayocr" / f"gateway-{api.port}.token"
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == (TOKEN, 0o600)
    child = psutil.Process(api.pid)
    assert "GEMINI_API_KEY" not in child.environ()
    assert TOKEN not in " ".join(child.cmdline())


def test_a_process_that_died_is_replaced_on_the_same_port(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "_RESTART_S", 0.0)
    api.process.push({"at": time.time(), "pages_done": 7, "totals": {"cost_usd": 0.5}})
    before = api.pid
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: api.pid != before, "another process is started")
    assert api.ask("GET", "/status")[1]["pages_done"] == 7  # the client connects, and then waits in the socket's queue


def test_it_ends_with_the_run(folder: Path) -> None:
    api = Api(folder / "second")
    child = psutil.Process(api.pid)
    assert api.ask("GET", "/health")[0] == 200
    api.process.close()
    assert not child.is_running()
    assert not list(folder.glob(f"rayocr/gateway-{api.port}.token"))
