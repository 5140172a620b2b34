"""mode=dismiss stops the reports of failures that cannot or need not be repaired."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rayocr.api.finished import count_documents
from rayocr.cli import main
from rayocr.ledger.manifest import DEAD_LETTERS_PREFIX, DISMISSED_PREFIX, manifest_name
from rayocr.messages import DocumentOutcome
from rayocr.storage.base import Entry
from rayocr.storage.factory import open_storage
from rayocr.view.index import ResultsIndex
from rayocr.view.search import Filters


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two files were rejected; b.pdf was deleted afterwards."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    for name in ("a.pdf", "b.pdf"):
        (tmp_path / "in" / name).write_text("not a PDF")
    assert main(["in", "out", "cluster=inprocess", "engine=textlayer", "gateway.enabled=false", "-q"]) == 1
    (tmp_path / "in" / "b.pdf").unlink()
    return tmp_path / "out"


def entries(out: Path, prefix: str) -> list[Entry]:
    return list(open_storage(str(out)).list(prefix))


def test_failures_of_deleted_files_are_dismissed_and_count_no_more(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["dismiss", "out"]) == 0
    said = capsys.readouterr().out
    assert "b.pdf: NotAPdf" in said
    assert "1 failure is dismissed." in said
    assert main(["status", "out"]) == 1
    said = capsys.readouterr().out
    assert "2 documents are finished: 0 complete, 1 with failures, 1 with dismissed failures." in said
    assert "rejected: b.pdf" not in said
    assert main(["dismiss", "out"]) == 0
    assert "Nothing to dismiss: all failed documents are still at the source." in capsys.readouterr().out


def test_every_count_of_documents_treats_dismissed_failures_alike(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["dismiss", "out"])
    capsys.readouterr()
    main(["status", "out", "--json"])
    status = json.loads(capsys.readouterr().out)
    assert (status["failed"], status["dismissed"], status["dismissed_documents"]) == (1, 1, ["b.pdf"])
    main(["report", "out", "--json"])
    report = json.loads(capsys.readouterr().out)
    assert (report["documents"], report["dismissed"]) == ({"rejected": 1}, 1)
    html = (out / "report.html").read_text()
    assert "1 with failures, 1 with dismissed failures" in html
    assert html.count("failure dismissed") == 1
    state = open_storage(str(out))
    counted = count_documents(state)
    assert counted.documents == {"complete": 0, "partial": 0, "rejected": 1}
    assert (counted.failures, counted.dismissed) == ({"NotAPdf": 1}, 1)
    index = ResultsIndex(out.parent / "index.sqlite", state, state)
    index.update()
    assert index.counts()["outcomes"] == {"rejected": 1, "dismissed": 1}
    assert [row["name"] for row in index.documents(Filters(outcome="dismissed"))[0]] == ["b.pdf"]
    assert [row["name"] for row in index.documents(Filters(outcome="rejected"))[0]] == ["a.pdf"]
    index.close()


def test_chosen_failures_are_dismissed_wherever_their_files_are(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dismiss", "out", "document=nothing.pdf"]) == 0
    assert "no failed document matches" in capsys.readouterr().out
    assert main(["dismiss", "out", "retry.reason=NotAPdf", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["dismissed"] == ["a.pdf", "b.pdf"]
    assert main(["status", "out"]) == 0
    assert main(["in", "out", "cluster=inprocess", "engine=textlayer"]) == 0, "later runs do not report it"
    assert entries(out, DEAD_LETTERS_PREFIX) == []
    assert len(entries(out, DISMISSED_PREFIX)) == 2


def test_a_dismissed_document_that_fails_again_is_a_failure_again(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["dismiss", "out", "document=a.pdf"])
    options = ["cluster=inprocess", "engine=textlayer", "gateway.enabled=false", "overwrite=true", "-q"]
    assert main(["in", "out", *options]) == 1
    capsys.readouterr()
    assert main(["status", "out", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["finished"], found["failed"], found["dismissed"]) == (2, 2, 0)


def test_a_source_that_is_missing_as_a_whole_dismisses_nothing(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (out.parent / "in").iterdir():
        path.unlink()
    (out.parent / "in").rmdir()
    assert main(["dismiss", "out"]) == 2
    said = capsys.readouterr().err
    assert "does not exist" in said
    assert "rayocr dismiss out document='*'" in said
    assert len(entries(out, DEAD_LETTERS_PREFIX)) == 2
    assert DocumentOutcome.REJECTED in open_storage(str(out)).read(_manifest(out)).decode()


def _manifest(out: Path) -> str:
    return manifest_name(Path(entries(out, DEAD_LETTERS_PREFIX)[0].name).stem)
