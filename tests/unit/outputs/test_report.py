from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from rayocr.actors.document_identity import document_id
from rayocr.composition import compose
from rayocr.config import ReportConfig
from rayocr.driver.commands.report import show_report
from rayocr.errors import UsageError
from rayocr.ledger.manifest import Manifest, build_manifest, manifest_name
from rayocr.messages import Attempt, Document, DocumentContext, DocumentOutcome, OutputFile, PageOutcome, PageSummary
from rayocr.outputs.report import pages
from rayocr.outputs.report.document import report_html
from rayocr.outputs.report.facts import ReportFacts
from rayocr.outputs.report.pages import pages_of_markdown
from rayocr.outputs.report.text import rendered
from rayocr.storage.local.storage import LocalStorage
from tests.e2e.support import make_pdf
from tests.unit.in_this_process import InThisProcess

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def manifest(
    name: str = "a.pdf",
    *,
    pages: tuple[PageSummary, ...] = (PageSummary(page_number=1, outcome=PageOutcome.DONE, engine="gemini", cost_usd=0.5),),
    outcome: DocumentOutcome = DocumentOutcome.COMPLETE,
    source: str = "file:///nowhere",
    version: str = "1",
    run_id: str = "run-1",
    seconds: int = 10,
    outputs: tuple[OutputFile, ...] = (),
) -> Manifest:
    uri = f"{source}/{name}"
    document = Document(
        document_id=document_id(uri, version), source_uri=uri, name=name, output_name=name[:-4], version=version, size_bytes=1
    )
    return build_manifest(
        DocumentContext(document=document, page_count=len(pages), title=None, fencing_token=1),
        outcome=outcome,
        summaries=pages,
        outputs=outputs,
        run_id=run_id,
        fingerprint="f",
        started_at=START.isoformat(),
        finished_at=(START + timedelta(seconds=seconds)).isoformat(),
    )


def html_of(*manifests: Manifest) -> str:
    """The report on these manifests, without pictures."""
    facts = ReportFacts(ReportConfig())
    for made in manifests:
        facts.add(made)
    return report_html(
        facts, title="t", dest="d", runs=(), doubtful=(), sample=(), link=lambda name: name, unreadable=0, now=START
    )


def failed(number: int) -> PageSummary:
    attempts = (Attempt(engine="gemini", reason="Refused", message="RECITATION"),)
    return PageSummary(page_number=number, outcome=PageOutcome.FAILED, attempts=attempts)


def doubtful(number: int) -> PageSummary:
    return PageSummary(page_number=number, outcome=PageOutcome.DONE, engine="rapidocr", doubts=("suspect",))


def test_documents_with_trouble_are_listed_first_when_not_all_are() -> None:
    facts = ReportFacts(ReportConfig(documents=2))
    for number in range(20):
        facts.add(manifest(f"{number:02}.pdf"))
    facts.add(manifest("bad.pdf", outcome=DocumentOutcome.REJECTED, pages=()))
    facts.add(manifest("part.pdf", outcome=DocumentOutcome.PARTIAL, pages=(failed(1),)))
    assert [row.name for row in facts.rows] == ["bad.pdf", "part.pdf"]
    assert facts.documents.total() == 22


def test_every_doubtful_and_failed_page_is_shown_up_to_the_limit() -> None:
    facts = ReportFacts(ReportConfig(pages=3))
    facts.add(manifest("a.pdf", pages=(doubtful(1), failed(2), doubtful(3), doubtful(4))))
    assert [(page.page_number, page.why) for page in facts.doubtful] == [(1, "suspect"), (2, "failed: Refused"), (3, "suspect")]
    assert facts.doubtful_count == 4
    assert facts.reasons == {"Refused": 1}


def test_pages_of_a_document_whose_failure_was_dismissed_are_not_shown() -> None:
    made = manifest("a.pdf", outcome=DocumentOutcome.PARTIAL, pages=(doubtful(1), failed(2)))
    facts = ReportFacts(ReportConfig(), dismissed=frozenset({made.document_id}))
    facts.add(made)
    assert (facts.doubtful, facts.doubtful_count, facts.sample) == ([], 0, [])


def test_the_sample_is_drawn_from_all_pages_alike() -> None:
    facts = ReportFacts(ReportConfig(sample=200))
    plain = tuple(PageSummary(page_number=n, outcome=PageOutcome.DONE, engine="e") for n in range(1, 1001))
    for name in ("a.pdf", "b.pdf", "c.pdf", "d.pdf"):
        facts.add(manifest(name, pages=plain))
    assert len(facts.sample) == 200
    by_document = [sum(page.manifest.name == name for page in facts.sample) for name in ("a.pdf", "b.pdf", "c.pdf", "d.pdf")]
    assert min(by_document) > 20


def test_throughput_counts_every_page_once() -> None:
    facts = ReportFacts(ReportConfig())
    for seconds in (1, 5, 5, 600, 3600):
        facts.add(manifest(f"{seconds}.pdf", seconds=seconds))
    bins = facts.throughput()
    assert sum(bin_.pages for bin_ in bins) == 5
    assert bins[0].start == START
    assert len(bins) <= 61


def test_pages_of_markdown_are_distinguished() -> None:
    text = "---\ntitle: x\n---\n<!-- page 1 -->\n\nA\n\n<!-- page 2 -->\n\n<!-- page 3 -->\n\n"
    text = text.replace("A", "<!-- doubtful: suspect -->\n\nA")
    own, joined = "C \\<!-- page 9 -->,", "half a sentence <!-- page 4 --> and the rest"
    assert pages_of_markdown(f"{text}{own} {joined}") == {1: "A", 2: "", 3: f"{own} half a sentence", 4: "and the rest"}


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    """A destination with two runs. The last run has a complete document with a doubtful, hostile page and a partial document."""
    make_pdf(tmp_path / "in" / "a.pdf", 2)
    source = LocalStorage(str(tmp_path / "in"))
    out = LocalStorage(str(tmp_path / "out"), create=True)
    text = "<!-- page 1 -->\n\n# Good\n\n<!-- page 2 -->\n\n<script>alert(1)</script> ![x](https://example.org/x.png)\n"
    out.write("a.md", text.encode())
    outputs = (OutputFile(name="a.md", size_bytes=1, sha256="0", notes=("No font has U+13000.",)),)
    pages = (PageSummary(page_number=1, outcome=PageOutcome.DONE, engine="gemini"), doubtful(2))
    whole = manifest(source=source.uri, version=source.stat("a.pdf").version, pages=pages, outputs=outputs)
    gone = manifest("gone & lost.pdf", outcome=DocumentOutcome.PARTIAL, pages=(failed(1),))
    for made in (whole, gone, manifest("other.pdf", run_id="run-0")):
        out.write(manifest_name(made.document_id), made.to_json())
    out.write(".rayocr/documents/ff/" + "ff" * 16 + ".json", b"torn")
    for run_id in ("run-0", "run-1"):
        out.write(f".rayocr/runs/{run_id}.json", json.dumps({"run_id": run_id, "elapsed_s": 10}).encode())
    return tmp_path / "out"


def test_the_report_is_one_file_that_loads_nothing(destination: Path) -> None:
    assert show_report(compose([f"dest={destination}", "mode=report"])) == 0
    html = (destination / "report.html").read_text()
    assert not re.search(r"""src=["']?https?:|<link|@import|url\((?!data:)""", html)
    (script,) = re.findall(r"<script[^>]*>(.*?)</script>", html, re.S)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; script-src 'sha256-{digest}'\"" in html
    assert "&lt;script&gt;" in html


def test_the_report_shows_doubtful_pages_beside_their_pictures(destination: Path) -> None:
    show_report(compose([f"dest={destination}", "mode=report"]))
    html = (destination / "report.html").read_text()
    pictured, unpictured = html.split("<h2>Doubtful pages")[1].split("</article>")[:2]
    if "gone" in pictured.split("</h3>")[0]:
        pictured, unpictured = unpictured, pictured
    assert "data:image/jpeg;base64," in pictured
    assert "alert(1)" in pictured
    assert "No picture." in unpictured
    assert "RECITATION" in unpictured
    assert 'href="a.md"' in html
    assert "gone &amp; lost.pdf" in html
    assert "1 manifest could not be read and is not counted." in html
    assert "No font has U+13000." in html


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rayocr.outputs.report.pages.ProcessPoolExecutor", InThisProcess)


@pytest.mark.usefixtures("in_this_process")
def test_the_report_covers_all_runs_of_the_destination_by_default(destination: Path) -> None:
    show_report(compose([f"dest={destination}", "mode=report"]))
    html = (destination / "report.html").read_text()
    assert "<title>All runs</title>" in html
    assert "other.pdf" in html and "a.pdf" in html
    assert "run-0" in html and "run-1" in html


@pytest.mark.usefixtures("in_this_process")
def test_a_run_without_a_record_is_covered_too(destination: Path) -> None:
    for record in (destination / ".rayocr" / "runs").iterdir():
        record.unlink()
    show_report(compose([f"dest={destination}", "mode=report"]))
    assert "other.pdf" in (destination / "report.html").read_text()


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize("run", ["last", "run-1"])
def test_one_run_alone_can_be_reported_on(destination: Path, run: str) -> None:
    show_report(compose([f"dest={destination}", "mode=report", f"report.run={run}"]))
    html = (destination / "report.html").read_text()
    assert "a.pdf" in html
    assert "other.pdf" not in html


@pytest.mark.usefixtures("in_this_process")
def test_a_report_in_another_folder_links_to_absolute_addresses(destination: Path, tmp_path: Path) -> None:
    show_report(compose([f"dest={destination}", "mode=report", f"report.file={tmp_path / 'r.html'}"]))
    html = (tmp_path / "r.html").read_text()
    assert f'href="file://{destination}/a.md"' in html
    assert not (destination / "report.html").exists()


def test_a_run_that_is_not_there_is_one_line(destination: Path) -> None:
    with pytest.raises(UsageError, match="no run xyz"):
        show_report(compose([f"dest={destination}", "mode=report", "report.run=xyz"]))


def test_an_empty_destination_has_nothing_to_report(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(UsageError, match="No run"):
        show_report(compose([f"dest={tmp_path / 'out'}", "mode=report"]))


def test_no_escape_sequence_of_a_document_reaches_a_terminal_that_shows_the_report() -> None:
    sequence = "\x1b]0;owned\x07\x1b[2J"
    assert "\x1b" not in rendered(f"a page {sequence}") and "\x07" not in rendered(f"a page {sequence}")
    html = html_of(manifest(f"name {sequence}.pdf"))
    assert "]0;owned" in html
    assert "\x1b" not in html and "\x07" not in html


def test_markup_in_a_name_or_a_note_is_text() -> None:
    output = OutputFile(name="<i>.clean.pdf", size_bytes=1, sha256="0", notes=('<img src="x">',))
    html = html_of(manifest('"><script>.pdf', outputs=(output,)))
    assert "&#34;&gt;&lt;script&gt;.pdf" in html
    assert html.count("<script") == 1 and "<img" not in html and "<i>" not in html


def test_a_name_that_is_not_unicode_can_be_reported_on() -> None:
    assert "name ?.pdf" in html_of(manifest("name \udcff.pdf"))


def test_notes_that_differ_in_every_document_take_bounded_memory() -> None:
    facts = ReportFacts(ReportConfig(documents=1))
    for number in range(1200):
        output = OutputFile(name="a.md", size_bytes=1, sha256="0", notes=(f"Pages {number}: x.", "Common."))
        facts.add(manifest(f"{number}.pdf", outputs=(output,)))
    assert len(facts.notes) == len(facts.note_documents) == 1000
    assert facts.notes["Common."] == 1200
    assert facts.notes_left_out == 201


def test_notes_name_their_documents() -> None:
    outputs = tuple(
        OutputFile(name=name, size_bytes=1, sha256="0", notes=("No font has U+13000.",)) for name in ("x.md", "x.pdf")
    )
    html = html_of(*(manifest(f"{number:02}.pdf", outputs=outputs) for number in range(12)), manifest("plain.pdf"))
    notes = html.split("could not show exactly")[1].split("</ul>")[0]
    assert notes.count("<li>") == 1
    assert f"12 documents: {', '.join(f'{number:02}.pdf' for number in range(10))}, …" in notes


def test_letters_that_a_machine_may_lack_come_with_their_font() -> None:
    html = html_of(manifest("संविधान.pdf"), manifest("report.pdf"))
    (face,) = re.findall(r"@font-face\{[^}]+\}", html)
    codes = {int(code, 16) for code in re.findall(r"U\+([0-9A-F]+)", face)}
    assert codes == {ord(c) for c in "संविधान"}
    (data,) = re.findall(r"data:font/woff;base64,([^)]+)\)", face)
    assert len(data) < 60_000
    with TTFont(io.BytesIO(base64.b64decode(data))) as font:
        assert codes <= set(font.getBestCmap())


def test_latin_greek_and_cyrillic_need_no_font() -> None:
    assert "@font-face" not in html_of(manifest("Übersicht Ελλάδα Россия ₹ → ①.pdf"))


def test_one_process_draws_the_pages_of_all_documents(destination: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pools: list[object] = []

    def pool(*arguments: object, **options: object) -> object:
        pools.append(arguments)
        return made(*arguments, **options)

    made = pages.ProcessPoolExecutor
    monkeypatch.setattr(pages, "ProcessPoolExecutor", pool)
    assert show_report(compose(["mode=report", f"dest={destination}"])) == 0
    assert (destination / "report.html").read_text().count("data:image/jpeg") > 1
    assert len(pools) == 1
