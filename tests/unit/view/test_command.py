"""`rayocr view` on places that hold no results: one line instead of an empty page."""

from __future__ import annotations

import logging
import os
import socket
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn

from rayocr.cli import main
from rayocr.errors import StorageDenied
from rayocr.storage.local.storage import LocalStorage
from rayocr.view import index
from rayocr.view.command import reading_options, serve
from rayocr.view.reread import Rereader
from tests.e2e.support import wait_until


def test_a_folder_without_results_opens_no_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["view", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert said.err.startswith(f"rayocr: {tmp_path} holds no results of rayocr.")
    assert "http://" not in said.out
    assert list(tmp_path.iterdir()) == []


def test_results_that_may_not_be_read_open_no_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(self: LocalStorage) -> None:
        raise StorageDenied("No permission to read it.")

    monkeypatch.setattr(LocalStorage, "check_readable", denied)
    assert main(["view", str(tmp_path)]) == 3
    assert capsys.readouterr().err == "rayocr: No permission to read it.\n"


def test_without_a_home_folder_the_index_lies_in_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    found = index.cache_path("file:///out")
    assert found.parent == tmp_path / "tmp" / f"rayocr-{os.getuid()}" / "view"
    assert found.parent.stat().st_mode & 0o077 == 0


def test_options_of_engines_apply_to_pages_that_are_read_again() -> None:
    given = ["mode=view", "dest=out", "engine.openai.base_url=http://127.0.0.1:9/v1", "engine.chain=[gemini]", "gateway.port=0"]
    asked: list[object] = []
    reviewer: Any = SimpleNamespace(read_again=lambda *_, overrides, reading, **options: asked.extend([overrides, options]))
    manifest: Any = None
    Rereader(reviewer, reading_options(given)).read(manifest, 1, engine="openai")
    assert asked == [["engine.openai.base_url=http://127.0.0.1:9/v1"], {"engine": "openai"}]


def test_malformed_requests_do_not_fill_the_terminal(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """As in the API of a run: every local user can reach the port."""
    servers: list[uvicorn.Server] = []
    original = uvicorn.Server.__init__
    monkeypatch.setattr(uvicorn.Server, "__init__", lambda self, config: (original(self, config), servers.append(self))[0])
    logging.getLogger("uvicorn.error").setLevel(logging.NOTSET)
    listening = socket.create_server(("127.0.0.1", 0))
    results: Any = SimpleNamespace()
    options = {"token": "t", "title": "out"}
    thread = threading.Thread(target=serve, args=(results, listening), kwargs=options)
    thread.start()
    try:
        with socket.create_connection(listening.getsockname(), 120) as connection:
            connection.sendall(b"\x16\x03\x01 no HTTP\r\n\r\n")
            assert connection.recv(12) == b"HTTP/1.1 400"
    finally:
        wait_until(lambda: bool(servers), "the server was made")
        servers[0].should_exit = True
        thread.join(120)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
