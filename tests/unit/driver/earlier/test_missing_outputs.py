"""Outputs that are requested after their documents were finished are made from the record, without reading a page."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from rayocr.composition import compose
from rayocr.config import Secrets
from rayocr.driver.earlier import missing_outputs
from rayocr.driver.monitor.terminal import ConsoleTerminal
from rayocr.driver.plan import plan
from rayocr.driver.run import Run
from rayocr.ledger.manifest import Manifest
from rayocr.messages import DiscoveryBatch, DiscoveryTotals
from tests.unit.pdf import pdfs


def started(folder: Path, *options: str) -> tuple[int, Run]:
    """A run without Ray and without an engine that needs a server."""
    places = [f"source={folder / 'in'}", f"dest={folder / 'out'}", f"logs.dir={folder / 'logs'}"]
    config = compose([*places, "cluster=inprocess", "engine=textlayer", "gateway.enabled=false", "report.at_end=0", *options], {})
    run = Run(config, plan(config), Secrets(), ConsoleTerminal("plain"))
    return run.execute(), run


def manifests(folder: Path) -> dict[str, Manifest]:
    paths = (folder / "out" / ".rayocr" / "documents").glob("*/*.json")
    found = [Manifest.from_json(path.read_bytes(), name=str(path)) for path in paths]
    return {manifest.name: manifest for manifest in found}


def sizes(path: Path) -> list[list[int]]:
    """Of the pages."""
    with pikepdf.open(path) as file:
        return [[round(float(x)) for x in page.mediabox] for page in file.pages]


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    (tmp_path / "in").mkdir()
    for number, name in enumerate(("a", "b"), start=1):
        (tmp_path / "in" / f"{name}.pdf").write_bytes(pdfs.pages_of(("",) * 2, media_box=f"[0 0 {number + 4}00 700]"))
    assert started(tmp_path, "outputs=[markdown]")[0] == 0
    capsys.readouterr()
    return tmp_path


def test_finished_documents_get_a_new_output_without_reading_pages(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = manifests(folder)
    code, run = started(folder, "outputs=[clean_pdf,jsonl]")
    said = capsys.readouterr().out
    assert code == 0
    assert run.progress.pages_done == 0
    assert "2 finished documents got clean_pdf and jsonl; their pages were not read again" in " ".join(said.split())
    assert "Nothing to do" not in said
    assert sizes(folder / "out" / "a.clean.pdf") == sizes(folder / "in" / "a.pdf")
    line = json.loads((folder / "out" / "b.jsonl").read_text())
    assert line["text"].count("Hello, this is a page") == 2
    after = manifests(folder)
    assert {note.name: note.notes for note in after["a.pdf"].outputs} == {"a.md": (), "a.clean.pdf": (), "a.jsonl": ()}
    assert (after["a.pdf"].run_id, after["a.pdf"].engines) == (before["a.pdf"].run_id, before["a.pdf"].engines)
    started(folder, "outputs=[clean_pdf,jsonl]")
    assert "Nothing to do" in capsys.readouterr().out


def test_new_and_finished_documents_have_the_same_outputs_afterwards(folder: Path) -> None:
    (folder / "in" / "c.pdf").write_bytes(pdfs.pages_of())
    code, run = started(folder, "outputs=[markdown,jsonl]")
    assert (code, run.progress.pages_done) == (0, 1)
    assert {path.name for path in (folder / "out").glob("*.jsonl")} == {"a.jsonl", "b.jsonl", "c.jsonl"}


def test_an_output_that_the_record_cannot_give_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "out" / "a.md").write_text("<!-- page 1 -->\nEdited by hand.\n")
    code, _ = started(folder, "outputs=[jsonl]")
    said = " ".join(capsys.readouterr().out.split())
    assert code == 1
    assert "1 finished document got jsonl" in said
    assert "1 finished document still lacks jsonl. The Markdown or JSON Lines of a.pdf was changed" in said
    assert "set overwrite=true" in said
    assert not (folder / "out" / "a.jsonl").exists()


def test_documents_without_recorded_texts_are_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    started(folder, "outputs=[clean_pdf]", "overwrite=true")
    capsys.readouterr()
    code, _ = started(folder, "outputs=[jsonl]")
    said = " ".join(capsys.readouterr().out.split())
    assert code == 0
    assert "2 finished documents still lack jsonl" in said
    assert "overwrite=true" in said
    assert "Nothing to do" not in said


def test_documents_of_which_only_a_part_is_asked_for_stay_as_they_are(folder: Path) -> None:
    started(folder, "outputs=[jsonl]", "include=[a.pdf]")
    assert {path.name for path in (folder / "out").glob("*.jsonl")} == {"a.jsonl"}


class Pool:
    """In place of a child process, which a source crashes when it is opened."""

    def submit(self, work: Callable[..., Any], *arguments: Any, with_source: bool, **options: Any) -> Future[Any]:
        ended: Future[Any] = Future()
        if with_source:
            ended.set_exception(BrokenProcessPool("The process died."))
        else:
            ended.set_result(work(*arguments, with_source=False, **options))
        return ended

    def shutdown(self) -> None: ...


def test_a_source_that_crashes_the_process_is_not_opened_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(missing_outputs, "single_process", Pool)
    code, _ = started(folder, "outputs=[clean_pdf,searchable_pdf]")
    assert code == 0
    made = {note.name: note.notes for note in manifests(folder)["a.pdf"].outputs}
    assert made.keys() == {"a.md", "a.clean.pdf"}
    assert made["a.clean.pdf"][0].startswith("Page sizes and page labels differ from the source")


@pytest.mark.parametrize(("outputs", "lacks"), [("outputs=[jsonl]", True), ("outputs=[markdown]", False)])
def test_a_watch_says_that_finished_documents_lack_an_output(
    folder: Path, capsys: pytest.CaptureFixture[str], outputs: str, lacks: bool
) -> None:
    options = [f"source={folder / 'in'}", f"dest={folder / 'out'}", "engine=textlayer", "mode=watch", outputs]
    config = compose(options, {})
    words = Run(config, plan(config), Secrets(), ConsoleTerminal("plain")).announcements
    words.find_other_settings()
    totals = DiscoveryTotals(found=2, finished=2)
    words.say_found(DiscoveryBatch(documents=(), totals=totals, exhausted=True, limit_reached=False))
    assert ("Finished documents lack an output that outputs= names." in capsys.readouterr().out) == lacks


def test_a_truncated_manifest_is_named_and_its_document_read_again_without_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = sorted((folder / "out" / ".rayocr" / "documents").glob("*/*.json"))[0]
    place.write_bytes(place.read_bytes()[:-20])
    started(folder, "outputs=[markdown]")
    said = " ".join(capsys.readouterr().out.split())
    assert f"{place.name} is not JSON" in said and "Delete it to have its document read again" in said
    place.unlink()
    assert started(folder, "outputs=[markdown]")[0] == 0
    assert len(manifests(folder)) == 2
    assert "is not JSON" not in capsys.readouterr().out
