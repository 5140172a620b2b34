"""`--json`: one object on standard output, with the same fields whatever happens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rayocr.api.samples import copy_samples
from rayocr.cli import main
from rayocr.driver.monitor.run_record import note_started
from rayocr.observe.json_fields import DISMISS, ERROR, ESTIMATE, REPORT, RUN, STATUS
from rayocr.storage.factory import open_storage

IN_PROCESS = ("cluster=inprocess", "gateway.enabled=false", "engine=textlayer")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY", "STORAGE_BACKEND", "RAY_ADDRESS", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    copy_samples("samples")
    for folder, files in {"bad": ("bad.pdf",), "good": ("letter.pdf",)}.items():
        Path(folder).mkdir()
        for file in files:
            Path(folder, file).write_bytes(Path("samples/letter.pdf").read_bytes() if folder == "good" else b"no PDF")
    return tmp_path


def printed(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    code = main([*words, "--json"])
    found: dict[str, Any] = json.loads(capfd.readouterr().out)
    return code, found


def test_every_run_prints_the_same_fields_and_the_failures_behind_its_exit_code(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Also a run that finds nothing to do, and a retry without anything to retry."""
    runs = (("bad", "out"), 0), (("bad", "out"), 1), (("retry", "out"), 1), (("retry", "out", "retry.rejected=true"), 0)
    for words, earlier in runs:
        code, found = printed(capfd, *words, *IN_PROCESS)
        assert (code, found["exit_code"], found["error"]) == (1, 1, None), words
        assert found.keys() == RUN.keys(), words
        assert [failure["reason"] for failure in found["failures"]] == ["NotAPdf"], words
        assert (found["failed_documents"], found["failed_earlier"]) == (1, earlier), words
    code, found = printed(capfd, "good", "out2", *IN_PROCESS)
    assert (code, found["exit_code"], found["failures"], found["retry_with"]) == (0, 0, [], [])
    assert found.keys() == RUN.keys()


def test_the_other_commands_print_the_fields_of_their_tables(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    Path("begun").mkdir()
    note_started(open_storage("begun"), "20261127T080000Z-aaaaaa", source="in")
    assert printed(capfd, "status", "begun")[1].keys() == STATUS.keys()
    printed(capfd, "bad", "out", *IN_PROCESS)
    printed(capfd, "good", "out", *IN_PROCESS)
    status = printed(capfd, "status", "out")[1]
    assert status.keys() == STATUS.keys()
    assert (status["complete"], status["failed"], status["cost_usd"]) == (1, 1, 0)
    for source in ("good", "samples"):
        for engine in ("engine=textlayer", "engine=gemini"):
            assert printed(capfd, "estimate", source, "out", engine)[1].keys() == ESTIMATE.keys()
    assert printed(capfd, "report", "out")[1].keys() == REPORT.keys()
    assert printed(capfd, "dismiss", "out")[1].keys() == DISMISS.keys()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("nowhere", "out"), 2),
        (("status", "nowhere"), 2),
        (("good", "out", "engine=gemini"), 3),
        (("good", "out", "enigne=x"), 2),
    ],
)
def test_an_error_is_an_object_too(here: Path, capfd: pytest.CaptureFixture[str], words: tuple[str, ...], code: int) -> None:
    found = printed(capfd, *words)
    assert found[0] == found[1]["exit_code"] == code
    assert found[1].keys() == {"schema_version", *ERROR}
    assert found[1]["error"]
