"""All outputs of one run, and detection of a model that invents text."""

from __future__ import annotations

import json
import shutil

import pikepdf
from pyarrow import parquet

from rayocr.ledger.note_ranges import unfolded
from tests.e2e.support import PROJECT, Cli, SimulatedGemini, make_pdf, manifests, page_texts

PAGES = 60


def test_pages_that_a_model_made_up_are_named_in_every_output_and_in_the_report(cli: Cli, gemini: SimulatedGemini) -> None:
    make_pdf(cli.folder / "in" / "a.pdf", PAGES)
    shutil.copy(PROJECT / "samples" / "scan.pdf", cli.folder / "in" / "scan.pdf")
    gemini.set(invent_share=0.2, fenced=1)
    run = cli.run(
        *(
            "source=in",
            "dest=out",
            "engine=gemini",
            "engine.chain=[gemini]",
            "doubt.sample=1",
            "output.markdown.front_matter=true",
        ),
        "outputs=[markdown,clean_pdf,searchable_pdf,jsonl,parquet]",
        **gemini.variables,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    out = cli.folder / "out"
    texts = page_texts(out / "a.md")
    invented = {number for number, text in texts.items() if "This is page number" not in text}
    assert 3 < len(invented) < 30
    assert all("<!-- doubtful: suspect -->" in texts[number] for number in invented)

    whole, scan = sorted(manifests(out), key=lambda manifest: str(manifest["name"]))
    notes = {note["page_number"]: note for note in unfolded(whole["notes"])}
    assert {number for number, note in notes.items() if note["doubts"] == ["suspect"]} == invented
    assert all(note["agreement"] < 0.6 for note in notes.values())
    assert whole["compared"] == PAGES
    # The simulator's text for a scan is wrong, which a few locally read lines reveal.
    assert (scan["compared"], len(unfolded(scan["notes"]))) == (2, 2)

    row = json.loads((out / "a.jsonl").read_text())
    assert {number for number, doubts, _ in row["attributes"]["page_doubts"] if doubts == ["suspect"]} == invented
    table = parquet.read_table(out / "a.parquet").to_pylist()
    assert {page["page_number"] for page in table if page["doubts"] == ["suspect"]} == invented
    for name, pages in (("a", PAGES), ("scan", 2)):
        for kind in ("clean", "searchable"):
            with pikepdf.open(out / f"{name}.{kind}.pdf") as pdf:
                assert len(pdf.pages) == pages
    assert f"suspect_pages: {json.dumps('1-2')}" in (out / "scan.md").read_text()
    assert f"{len(invented) + 2} of {PAGES + 2} pages compared" in " ".join(run.stdout.split())

    report = cli.run("mode=report", "dest=out")
    assert report.returncode == 0, report.stderr
    html = (out / "report.html").read_text()
    assert html.count("suspect, ") == len(invented) + 2
    assert "data:image/jpeg;base64," in html
