"""Standard streams that are closed or full."""

from __future__ import annotations

import errno
import io
import sys
from pathlib import Path

import pytest

from rayocr.api.samples import copy_samples
from rayocr.cli import main
from rayocr.cli.exit_code import exit_code_of
from rayocr.driver.monitor.terminal import ConsoleTerminal
from rayocr.errors import StorageUnavailable

RUN = ["in", "out", "cluster=inprocess", "gateway.enabled=false", "engine=textlayer", "include=[letter.pdf]", "report.at_end=0"]


class Full(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    copy_samples("in")


def test_commands_work_with_closed_standard_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """`>&-` and some service managers close them; Python then has None."""
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    assert main(RUN) == 0
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    assert main(["status", "nowhere"]) == 2


@pytest.mark.parametrize("words", [["--help"], [*RUN, "--json"]])
def test_a_result_that_standard_output_cannot_store_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], words: list[str]
) -> None:
    monkeypatch.setattr(sys, "stdout", Full())
    assert main(words) == 3
    assert capfd.readouterr().err.splitlines()[-2:] == [
        "rayocr: Cannot write to standard output: No space left on device.",
        "  Free some space or redirect it.",
    ]


def test_an_output_that_standard_output_cannot_store_is_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    def full() -> int:
        raise OSError(errno.EFBIG, "File too large")

    assert exit_code_of(full, as_json=False) == 3
    assert "Cannot write to standard output: File too large." in capfd.readouterr().err


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_terminal_without_some_characters_gets_all_lines(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out, encoding=encoding, write_through=True))
    assert main(["--version"]) == 0  # sets up the streams
    terminal = ConsoleTerminal("plain")
    terminal.say("Writing the report …")
    terminal.say("α · \udcff")
    terminal.say("1 complete")
    lines = out.getvalue().decode(encoding).splitlines()[1:]
    narrow = ["Writing the report ...", f"\\u03b1 {'·' if encoding == 'latin-1' else '-'} \\udcff", "1 complete"]
    assert lines == (["Writing the report …", "α · \\udcff", "1 complete"] if encoding == "utf-8" else narrow)


def test_an_unavailable_storage_names_the_next_step(capfd: pytest.CaptureFixture[str]) -> None:
    def unavailable() -> int:
        raise StorageUnavailable("gs://b: Google Cloud Storage cannot list it (temporary error: 502).")

    assert exit_code_of(unavailable, as_json=False) == 3
    assert capfd.readouterr().err.endswith("\n  Start the same command again when the storage is available.\n")
