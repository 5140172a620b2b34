"""Converts a folder of PDFs to text, as a user does."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from subprocess import CompletedProcess

import pikepdf
import pytest

from tests.e2e.support import PROJECT, Cli, CliHere, SimulatedGemini, make_pdf, manifests, page_texts

SAMPLES = PROJECT / "samples"
ALL_OUTPUTS = (
    f"source={SAMPLES}",
    "exclude=[broken/*]",
    "engine=local",
    "outputs=[markdown,clean_pdf,searchable_pdf,jsonl]",
    "report.at_end=50",
)


@pytest.fixture(scope="module")
def samples_read(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Cli, CompletedProcess[str]]:
    """A run over samples/ in one process, in a new interpreter, with the status page."""
    cli = Cli(environment, tmp_path_factory.mktemp("samples"), "inprocess")
    done = cli.run(*ALL_OUTPUTS, "dest=out", "gateway.port=0")
    assert done.returncode == 0, done.stdout + done.stderr
    return cli, done


@pytest.mark.xdist_group("ray")  # in one process with the comparison with a run on Ray
def test_the_samples_are_read_and_every_one_has_its_text(samples_read: tuple[Cli, CompletedProcess[str]]) -> None:
    cli, done = samples_read
    truth = json.loads((SAMPLES / "truth.json").read_text())
    for sample in sorted(SAMPLES.glob("*.pdf")):
        pages = page_texts(cli.folder / "out" / f"{sample.stem}.md")
        assert len(pages) == len(truth[sample.name]), sample.name
        row = json.loads((cli.folder / "out" / f"{sample.stem}.jsonl").read_text())
        assert len(row["attributes"]["pdf_page_numbers"]) == len(pages)
        with pikepdf.open(cli.folder / "out" / f"{sample.stem}.clean.pdf") as clean, pikepdf.open(sample) as source:
            assert len(clean.pages) == len(source.pages)
    assert "Traceback" not in done.stderr
    assert "out/report.html" in done.stdout.replace("\n", "")
    report = (cli.folder / "out" / "report.html").read_text()
    assert all(sample.name in report for sample in SAMPLES.glob("*.pdf"))


def test_a_run_on_ray_and_one_in_one_process_have_the_same_outputs_byte_for_byte(
    samples_read: tuple[Cli, CompletedProcess[str]], ray_cli: Cli
) -> None:
    """A text layer, a scan, a rotated page, a blank one and a table."""
    names = ("letter", "scan", "rotated", "blank-and-ticket", "table")
    done = ray_cli.run(*ALL_OUTPUTS, f"include=[{','.join(f'{name}.pdf' for name in names)}]", "workers.max=1", "dest=out")
    assert done.returncode == 0, done.stdout + done.stderr
    ours, on_ray = outputs_without_times(samples_read[0].folder / "out"), outputs_without_times(ray_cli.folder / "out")
    assert len(ours) == 4 * len(list(SAMPLES.glob("*.pdf")))
    assert len(on_ray) == 4 * len(names)
    assert on_ray == {name: ours[name] for name in on_ray}


@pytest.mark.xdist_group("ray")  # in one process with the comparison with a run on Ray
def test_two_runs_in_one_process_have_the_same_outputs_byte_for_byte(
    samples_read: tuple[Cli, CompletedProcess[str]], cli: Cli
) -> None:
    done = cli.run(*ALL_OUTPUTS, "include=[scan.pdf,letter.pdf]", "dest=out")
    assert done.returncode == 0, done.stdout + done.stderr
    again, first = outputs_without_times(cli.folder / "out"), outputs_without_times(samples_read[0].folder / "out")
    assert len(again) == 2 * 4
    assert again == {name: first[name] for name in again}


def outputs_without_times(folder: Path) -> dict[str, bytes]:
    """The bytes of a run's outputs by name, without run ids and times, which differ between runs."""
    varies = re.compile(rb"\d{8}T\d{6}Z-[0-9a-f]{6}|\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)|D:\d{14}Z")
    files = [path for path in sorted(folder.iterdir()) if path.is_file() and path.name != "report.html"]
    return {path.name: varies.sub(b"", path.read_bytes()) for path in files}


def test_broken_documents_end_as_dead_letters_with_their_reasons(cli: Cli) -> None:
    done = cli.run(f"source={PROJECT / 'samples' / 'broken'}", "dest=out")
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr == ""
    letters = [
        json.loads(line)
        for path in (cli.folder / "logs" / "dead_letter").glob("*.jsonl")
        for line in path.read_text().splitlines()
    ]
    assert {letter["name"]: letter["reason"] for letter in letters} == {
        "cut-off.pdf": "CorruptPdf",
        "encrypted.pdf": "EncryptedPdf",
        "not-a-pdf.pdf": "NotAPdf",
    }
    assert all(letter["message"] and letter["retry"] for letter in letters)
    assert {m["outcome"] for m in manifests(cli.folder / "out")} == {"rejected"}
    assert len(list((cli.folder / "out" / ".rayocr" / "dead_letters").glob("*/*.json"))) == 3
    again = cli.run(f"source={PROJECT / 'samples' / 'broken'}", "dest=out")
    assert (again.returncode, "Nothing to do" in again.stdout) == (1, True)


def test_a_second_start_on_finished_work_does_nothing_and_needs_no_ray(cli: Cli, cli_without_ray: CliHere) -> None:
    for number in range(12):
        make_pdf(cli.folder / "in" / f"{number}.pdf", 1)
    assert cli.run("source=in", "dest=out", "engine=textlayer").returncode == 0
    before = {path: path.stat().st_mtime_ns for path in (cli.folder / "out").rglob("*.md")}
    again = cli_without_ray.run("source=in", "dest=out", "engine=textlayer")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "Nothing to do: all 12 documents are finished" in again.stdout
    assert {path: path.stat().st_mtime_ns for path in (cli.folder / "out").rglob("*.md")} == before


def test_a_changed_document_is_a_new_one_and_new_documents_are_read(cli: Cli) -> None:
    make_pdf(cli.folder / "in" / "a.pdf", 1, prefix="old")
    make_pdf(cli.folder / "in" / "b.pdf", 1)
    assert cli.run("source=in", "dest=out", "engine=textlayer").returncode == 0
    make_pdf(cli.folder / "in" / "a.pdf", 2, prefix="new")
    make_pdf(cli.folder / "in" / "c.pdf", 1)
    done = cli.run("source=in", "dest=out", "engine=textlayer")
    assert done.returncode == 0
    assert "1 finished earlier and skipped" in done.stdout
    assert "new number 2" in (cli.folder / "out" / "a.md").read_text()
    assert (cli.folder / "out" / "c.md").exists()


def test_overwrite_reads_finished_documents_again(cli: Cli) -> None:
    make_pdf(cli.folder / "in" / "a.pdf", 1)
    assert cli.run("source=in", "dest=out", "engine=textlayer").returncode == 0
    (cli.folder / "out" / "a.md").write_text("spoilt")
    assert cli.run("source=in", "dest=out", "engine=textlayer", "overwrite=true").returncode == 0
    assert "page number 1" in (cli.folder / "out" / "a.md").read_text()
    assert len(manifests(cli.folder / "out")) == 1


def test_odd_names_folders_and_links_are_taken_as_they_are(cli: Cli) -> None:
    source = cli.folder / "in put (1)"
    names = [
        "plain.pdf",
        "sub/deep/é ü ñ.pdf",
        "मराठी अहवाल.pdf",
        "two  spaces .pdf",
        "line\nbreak.pdf",
        "SHOUT.PDF",
        "q'u\"o$te.pdf",
    ]
    names += ["x" * 251 + ".pdf", "日" * 80 + ".pdf", "{a: b}, [c].pdf", "-dash.pdf", "a.b.pdf", os.fsdecode(b"latin-\xe9.pdf")]
    for name in names:
        _make(source, name)
    (source / "folder.pdf").mkdir()
    make_pdf(source / "folder.pdf" / "inside.pdf", 1)
    (source / "sub" / "loop").symlink_to(source)
    (source / "dangling.pdf").symlink_to(source / "nowhere")
    (source / "notes.txt").write_text("not a PDF")
    done = cli.run(f"source={source}", "dest=out", "engine=textlayer", "outputs=[markdown]")
    assert "Traceback" not in done.stderr
    found = sorted(os.fsencode(str(p.relative_to(cli.folder / "out"))) for p in (cli.folder / "out").rglob("*.md"))
    kept = [name for name in names if len(os.fsencode(name)) < 240 and "\n" not in name]
    expected = {os.fsencode(str(Path(name).with_suffix(".md"))) for name in kept}
    assert expected <= set(found), expected - set(found)
    assert len(found) == len(names) + 1
    assert b"folder.pdf/inside.md" in found


def _make(source: Path, name: str) -> None:
    (source / name).parent.mkdir(parents=True, exist_ok=True)
    make_pdf(source.parent / "made.pdf", 1).rename(source / name)


def test_neighbours_that_differ_by_suffix_alone_keep_apart(cli: Cli) -> None:
    make_pdf(cli.folder / "in" / "a.pdf", 1, prefix="lower")
    make_pdf(cli.folder / "in" / "a.PDF", 1, prefix="upper")
    assert cli.run("source=in", "dest=out", "engine=textlayer", "outputs=[markdown]").returncode == 0
    texts = [path.read_text() for path in (cli.folder / "out").glob("*.md")]
    assert len(texts) == 2
    assert sum("lower number" in text for text in texts) == sum("upper number" in text for text in texts) == 1


def test_one_file_can_be_named_as_the_source(cli: Cli) -> None:
    make_pdf(cli.folder / "in" / "a[1].pdf", 1)
    make_pdf(cli.folder / "in" / "b.pdf", 1)
    assert cli.run("source=in/a[1].pdf", "dest=out", "engine=textlayer").returncode == 0
    assert sorted(path.name for path in (cli.folder / "out").glob("*.md")) == ["a[1].md"]


def test_include_exclude_and_limit_choose_documents(cli: Cli) -> None:
    for name in ("keep/1.pdf", "keep/2.pdf", "keep/3.pdf", "drafts/4.pdf", "5.pdf"):
        make_pdf(cli.folder / "in" / name, 1)
    done = cli.run("source=in", "dest=out", "engine=textlayer", "include=['keep/*']", "exclude=['*/3.pdf']", "limit=1")
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (cli.folder / "out").rglob("*.md")] == ["1.md"]


def test_state_can_lie_elsewhere(cli: Cli) -> None:
    make_pdf(cli.folder / "in" / "a.pdf", 1)
    assert cli.run("source=in", "dest=out", "state=st", "engine=textlayer").returncode == 0
    assert list((cli.folder / "st" / ".rayocr" / "documents").glob("*/*.json"))
    assert not list((cli.folder / "out" / ".rayocr").rglob("*.json"))


def test_a_page_that_no_engine_can_read_is_marked_and_does_not_fail_its_document(cli: Cli, gemini: SimulatedGemini) -> None:
    make_pdf(cli.folder / "in" / "a.pdf", 2)
    gemini.set(finish_reason="RECITATION")
    done = cli.run("source=in", "dest=out", "engine=gemini", "engine.chain=[gemini]", **gemini.variables)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Page 1 could not be read (Refused)" in (cli.folder / "out" / "a.md").read_text()
    (manifest,) = manifests(cli.folder / "out")
    assert manifest["outcome"] == "partial"


def test_pages_that_gemini_refuses_are_read_by_the_next_engine(cli: Cli, gemini: SimulatedGemini) -> None:
    make_pdf(cli.folder / "in" / "a.pdf", 2)
    gemini.set(finish_reason="RECITATION")
    done = cli.run("source=in", "dest=out", "engine=gemini", "engine.chain=[gemini,textlayer]", **gemini.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "page number 2" in page_texts(cli.folder / "out" / "a.md")[2]
    (manifest,) = manifests(cli.folder / "out")
    (note,) = manifest["notes"]  # type: ignore[misc] - equal notes of both pages are stored once
    assert [attempt["reason"] for attempt in note["attempts"]] == ["Refused"] * 2


def test_gemini_is_paced_and_its_tokens_and_cost_are_on_record(cli: Cli, gemini: SimulatedGemini) -> None:
    make_pdf(cli.folder / "in" / "a.pdf", 30)
    done = cli.run("source=in", "dest=out", "engine=gemini", "limits.max_in_flight=4", "limits.rpm=6000", **gemini.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = gemini.counts()
    assert sorted(counts["answered"].values()) == [1] * 30
    assert counts["most_in_flight"] <= 4  # type: ignore[operator]
    (manifest,) = manifests(cli.folder / "out")
    assert manifest["input_tokens"] == 30 * 600
    assert manifest["cost_usd"] > 0  # type: ignore[operator]
    texts = page_texts(cli.folder / "out" / "a.md")
    assert all(f"page number {number} of" in texts[number] for number in range(1, 31))


def test_identical_pages_of_copied_documents_are_paid_for_once_and_counted(cli: Cli, gemini: SimulatedGemini) -> None:
    first = make_pdf(cli.folder / "in" / "a.pdf", 20)
    (cli.folder / "in" / "copy.pdf").write_bytes(first.read_bytes())
    options = ("source=in", "dest=out", "engine=gemini", "workers.max=1")
    done = cli.run(*options, **gemini.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(gemini.counts()["answered"].values()) == [1] * 20
    assert "20 of them are identical to another and were not paid for" in done.stdout
    assert page_texts(cli.folder / "out" / "a.md") == page_texts(cli.folder / "out" / "copy.md")
    assert sum(m["input_tokens"] for m in manifests(cli.folder / "out")) == 20 * 600  # type: ignore[misc]


def test_no_key_reaches_any_file_of_a_run(cli: Cli, gemini: SimulatedGemini) -> None:
    make_pdf(cli.folder / "in" / "a.pdf", 2)
    done = cli.run("source=in", "dest=out", "engine=gemini", **gemini.variables)
    assert done.returncode == 0
    assert gemini.key not in done.stdout + done.stderr
    for path in [*(cli.folder / "out").rglob("*"), *(cli.folder / "logs").rglob("*")]:
        if path.is_file():
            assert gemini.key.encode() not in path.read_bytes(), path


def test_an_engine_that_is_not_installed_ends_with_what_to_do(cli: Cli) -> None:
    make_pdf(cli.folder / "in" / "a.pdf", 1)
    done = cli.run("source=in", "dest=out", "engine=tesseract", "engine.tesseract.languages=[xyz]")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "tesseract" in done.stderr
    assert "Traceback" not in done.stderr
