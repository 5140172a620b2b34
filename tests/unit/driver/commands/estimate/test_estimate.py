from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas

from rayocr.actors.document_worker.fetch import FetchSettings
from rayocr.cli import main
from rayocr.composition import samples_dir
from rayocr.config import LimitsConfig, RetryConfig
from rayocr.driver.commands.estimate import command, page_counts
from rayocr.driver.commands.estimate.command import earlier_tokens
from rayocr.driver.commands.estimate.page_counts import count_pages
from rayocr.driver.monitor.run_record import RUNS_PREFIX
from rayocr.messages import DiscoveryTotals, Document
from rayocr.storage.local.storage import LocalStorage
from tests.unit.in_this_process import InThisProcess


def make_pdf(path: Path, pages: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    canvas = Canvas(str(path), invariant=1)
    for number in range(pages):
        canvas.drawString(72, 720, f"page {number}")
        canvas.showPage()
    canvas.save()


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_counts, "ProcessPoolExecutor", InThisProcess)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for number in range(4):
        make_pdf(tmp_path / "in" / f"{number}.pdf", number + 1)
    (tmp_path / "in" / "broken.pdf").write_bytes(b"no pdf at all")
    return tmp_path


def test_pages_tokens_money_and_time_are_reported_without_a_key_and_nothing_is_made(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mode=estimate", "source=in", "dest=out", "engine=gemini", "limits.rpm=10", "limits.headroom=0"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"Documents 5 to read into {here}/out, none is finished there (all opened; 1 of them cannot be read)" in said
    assert "Pages 10 " in said
    assert "Tokens 10,000 in, 10,000 out" in said
    assert re.search(r"Cost \$0\.02 \(\$0\.\d+ to \$0\.\d+\) with gemini-3\.1-flash-lite in standard", said)
    assert "Lanes standard $0.02" in said
    assert "flex $0.0088" in said
    assert "batch $0.0088 (up to a day)" in said
    assert "about 65 s: limited by rpm (assuming 5 s per answer)" in said
    assert "verified locally" not in said
    assert not (here / "out").exists()


@pytest.mark.usefixtures("in_this_process")
def test_the_estimate_comes_as_json(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", "in", "out", "engine=gemini", "limits.rpm=10", "limits.headroom=0", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["documents"], facts["unreadable"], facts["pages"], facts["pages_error"]) == (5, 1, 10, 0)
    (unreadable,) = facts["unreadable_documents"]
    assert unreadable["reason"] in ("NotAPdf", "CorruptPdf")
    assert (facts["input_tokens"], facts["output_tokens"], facts["limited_by"]) == (10_000, 10_000, "rpm")
    assert facts["cost_usd_range"][0] < facts["cost_usd"] < facts["cost_usd_range"][1]
    assert facts["lanes_usd"]["standard"] == facts["cost_usd"]
    assert facts["lanes_usd"]["batch"] == facts["lanes_usd"]["flex"] == facts["cost_usd"] / 2
    assert main(["estimate", "in", "out", "engine=local", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cost_usd"] == 0


@pytest.mark.usefixtures("in_this_process")
def test_batches_are_limited_by_enqueued_tokens_and_not_by_requests_per_minute(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["estimate", "in", "out", "engine=gemini", "engine.batch=true", "limits.rpm=1"]
    assert main([*options, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["seconds"] == 86_400
    assert main([*options, "batch.enqueued_tokens=5000"]) == 0
    assert "up to 2 d" in " ".join(capsys.readouterr().out.split())


@pytest.mark.usefixtures("in_this_process")
def test_a_budget_that_is_too_small_is_pointed_out(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["mode=estimate", "source=in", "dest=out", "engine=gemini", "budget.usd=1"]
    assert main([*options, "engine.gemini.input_usd_per_million=1000", "engine.gemini.output_usd_per_million=1"]) == 0
    assert "budget.usd=1 would stop it after about 1 pages" in " ".join(capsys.readouterr().out.split())


@pytest.mark.usefixtures("in_this_process")
def test_a_chain_without_gemini_costs_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mode=estimate", "source=in", "dest=out", "engine=local"]) == 0
    assert "nothing is sent to Gemini" in capsys.readouterr().out


def documents(folder: Path) -> list[Document]:
    source = LocalStorage(str(folder))
    return [
        Document(document_id=entry.name, source_uri="", name=entry.name, output_name="", version=entry.version, size_bytes=1)
        for entry in source.list()
    ]


def test_the_estimate_is_the_result_and_is_shown_by_a_quiet_command_too(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", "in", "-q", "engine=local"]) == 0
    assert capsys.readouterr().out.startswith("Source")


@pytest.mark.usefixtures("in_this_process")
def test_the_time_of_a_local_chain_depends_on_the_pages_without_text(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = Path(__file__).parents[5] / "samples"
    for name in ("scan", "letter"):
        (here / "mixed").mkdir(exist_ok=True)
        (here / "mixed" / f"{name}.pdf").write_bytes((samples / f"{name}.pdf").read_bytes())
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert main(["estimate", "mixed", "engine=local", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["pages_with_text"], facts["pages"]) == (2, 4)
    assert facts["seconds_range"][0] < facts["seconds"] < facts["seconds_range"][1]
    assert main(["estimate", "mixed", "engine=local"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "on 2 cores of this machine: 2 pages with their own text, 2 to recognize at 1 s of a core each" in said
    assert main(["estimate", "mixed", "engine=rapidocr", "workers.max=1", "--json"]) == 0
    slower = json.loads(capsys.readouterr().out)
    assert slower["pages_with_text"] == 0
    assert slower["seconds"] > facts["seconds"]
    assert main(["estimate", "mixed", "engine=openai"]) == 0
    assert "Time depends on the server of openai" in " ".join(capsys.readouterr().out.split())


@pytest.mark.usefixtures("in_this_process")
def test_an_estimate_without_a_source_names_the_samples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)  # the project may have an output folder in which all samples are finished
    assert main(["estimate", "engine=textlayer"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"No IN was given: estimating the bundled samples in {samples_dir()}." in said
    assert f"Source {samples_dir()} Documents" in said


def test_a_document_that_crashes_its_process_is_found_and_the_others_are_counted(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashes = partial(InThisProcess, crashes=lambda document, settings: document.name == "1.pdf")
    monkeypatch.setattr(page_counts, "ProcessPoolExecutor", crashes)
    settings = FetchSettings(source_uri=LocalStorage(str(here / "in")).uri, limits=LimitsConfig(), retry=RetryConfig())
    counted = count_pages(documents(here / "in"), settings)
    assert (counted.pages, counted.opened, counted.unreadable) == (1 + 3 + 4, 5, 2)
    assert len(counted.unreadable_documents) == 2
    assert "Quarantined" in {reason for _, reason in counted.unreadable_documents}


@pytest.mark.usefixtures("in_this_process")
def test_of_many_documents_a_sample_is_opened_and_its_error_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(30):
        make_pdf(tmp_path / f"{number}.pdf", 1 + number % 3)
    monkeypatch.setattr(page_counts, "SAMPLE", 10)
    settings = FetchSettings(source_uri=LocalStorage(str(tmp_path)).uri, limits=LimitsConfig(), retry=RetryConfig())
    counted = count_pages(documents(tmp_path), settings)
    assert counted.opened == 10
    assert counted.error > 0
    assert abs(counted.pages - 60) < 4 * counted.error


def test_what_earlier_pages_took_is_believed_once_they_are_enough(tmp_path: Path) -> None:
    state = LocalStorage(str(tmp_path))
    expected = LimitsConfig(expected_input_tokens=700, expected_output_tokens=800)
    record = {"engines": {"gemini": 40, "rapidocr": 9}, "input_tokens": 40 * 1200, "output_tokens": 40 * 300}
    state.write(f"{RUNS_PREFIX}a.json", json.dumps(record).encode())
    assert earlier_tokens(state, expected).known_from == 0
    assert earlier_tokens(state, expected).output == 800
    state.write(f"{RUNS_PREFIX}b.json", json.dumps(record).encode())
    state.write(f"{RUNS_PREFIX}c.json", b'{"torn')
    known = earlier_tokens(state, expected)
    assert (known.known_from, known.input, known.output) == (80, 1200, 300)


@pytest.mark.usefixtures("in_this_process")
def test_the_estimate_names_the_destination_with_which_it_compares(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["estimate", "in"]) == 0
    assert f"5 to read into {here}/output, none is finished there" in " ".join(capsys.readouterr().out.split())
    monkeypatch.setattr(command, "_unfinished", lambda *_: ([], DiscoveryTotals(found=5, finished=5)))
    assert main(["estimate", "in", "out"]) == 0
    assert f"Nothing to do: all 5 documents are finished in {here}/out." in capsys.readouterr().out
    (here / "empty").mkdir()
    monkeypatch.undo()
    monkeypatch.chdir(here)
    assert main(["estimate", "empty"]) == 0
    assert f"There are no PDFs to read in {here}/empty." in " ".join(capsys.readouterr().out.split())


@pytest.mark.usefixtures("in_this_process")
def test_the_estimate_divides_the_pages_between_local_engines_and_gemini(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["estimate", "in", "out", "engine=gemini", "limits.rpm=60", "limits.headroom=0", "workers.max=1"]
    assert main([*options, "--json"]) == 0
    alone = json.loads(capsys.readouterr().out)
    speed = [*options, "objective=speed", "engine.lanes=[local,standard]"]
    assert main([*speed, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["pages_local"] == 6, "10 pages: 15 s for Gemini alone, 10 s for a core alone"
    assert facts["cost_usd"] == pytest.approx(0.4 * alone["cost_usd"])
    assert facts["seconds"] < alone["seconds"]
    assert facts["lanes_usd"]["local"] == 0.0
    assert main(speed) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Local about 6 pages at no cost" in said
    assert re.search(r"Lanes .*; local \$0\.00 \(15 s on 1 core of this machine\)", said)


@pytest.mark.usefixtures("in_this_process")
def test_the_estimate_gives_local_engines_all_pages_that_they_read_before_the_deadline(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["estimate", "in", "out", "engine=gemini", "limits.rpm=60", "workers.max=1", "objective=deadline"]
    assert main([*options, "engine.lanes=[local,flex,standard]", "deadline=1h", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["pages_local"], facts["cost_usd"], facts["seconds"]) == (10, 0.0, pytest.approx(15.0, abs=1))


@pytest.mark.usefixtures("in_this_process")
def test_the_estimate_names_what_it_cannot_read(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "pictures").mkdir()
    (here / "pictures" / "photo.png").touch()
    assert main(["estimate", "pictures"]) == 2
    assert "1 file was skipped; 1 is not named .pdf (photo.png)." in capsys.readouterr().err
    (here / "in" / "link.pdf").symlink_to("gone.pdf")
    assert main(["estimate", "in"]) == 0
    assert "1 folder or link of the source cannot be read: link.pdf." in capsys.readouterr().out
