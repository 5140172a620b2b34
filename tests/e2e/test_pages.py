"""Single pages of finished documents: corrected and read again from the command line, over a folder and over a bucket."""

from __future__ import annotations

import json
from pathlib import Path

import pypdfium2
import pytest

import rayocr
from rayocr.api.review.finding import find_document
from rayocr.composition import compose
from rayocr.config import Secrets
from rayocr.ledger.manifest import Spent
from rayocr.storage.factory import open_storage
from rayocr.view.command import open_results_view
from tests.e2e.support import PROJECT, CliHere, SimulatedGemini, make_pdf, page_texts
from tests.e2e.test_view_remote import places

__all__ = ["places"]
FAST = "engine.rapidocr.speed=fast"
LOCAL = ("cluster=inprocess", "engine=local", FAST, "outputs=[markdown,clean_pdf,searchable_pdf,jsonl]")


def done(cli: CliHere, *arguments: str, code: int = 0, **environment: str) -> str:
    found = cli.run(*arguments, **environment)
    assert found.returncode == code, found.stdout + found.stderr
    return found.stdout


def text_of(pdf: Path, number: int) -> str:
    with pypdfium2.PdfDocument(pdf) as document:
        return str(document[number - 1].get_textpage().get_text_range())


def shown_in_view(folder: Path, name: str, number: int) -> tuple[str, str]:
    """Text and engine of a page in the results view."""
    config = compose([f"dest={folder}"], environment={})
    storage = open_storage(str(folder))
    results = open_results_view(config, Secrets(), dest=storage, state=storage)
    try:
        page = results.page(find_document(storage, name).document_id, number)
        return page["text"], page["engine"]
    finally:
        results.reviewer.rewriter.locks.close()
        results.index.close()


def test_a_scan_is_corrected_and_read_again_with_another_engine_and_survives_overwrite(
    cli_without_ray: CliHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli = cli_without_ray
    monkeypatch.setenv("XDG_CACHE_HOME", str(cli.folder / "cache"))
    source, out, new = cli.folder / "in", cli.folder / "out", cli.folder / "page.md"
    source.mkdir()
    (source / "scan.pdf").write_bytes((PROJECT / "samples" / "scan.pdf").read_bytes())
    make_pdf(source / "letter.pdf", 2, height_pt=200)
    done(cli, f"source={source}", f"dest={out}", *LOCAL)
    new.write_text("# Corrected by hand\n\n7. seven\n8. eight\n")
    done(cli, "mode=correct", f"dest={out}", "document=scan.pdf", "correct.page=1", f"correct.file={new}")
    assert "Corrected by hand" in text_of(out / "scan.searchable.pdf", 1)
    second = text_of(out / "scan.searchable.pdf", 2)
    assert "storm" in second

    reread = ("mode=reread", f"dest={out}", "document=letter.pdf", "reread.pages=1-2", "engine=rapidocr", FAST)
    kept = json.loads(done(cli, *reread, "reread.keep=true", "progress=json"))
    assert [page["new"]["engine"] for page in kept["pages"]] == ["rapidocr"] * 2
    assert shown_in_view(out, "letter.pdf", 1)[1] == "textlayer"
    new.write_text("# By hand\n")
    done(cli, "mode=correct", f"dest={out}", "document=letter.pdf", "correct.page=2", f"correct.file={new}")
    accepted = json.loads(done(cli, *reread, "reread.accept=true", "progress=json"))
    changed = [page["page"] for page in accepted["pages"] if page["accepted"]]
    assert 2 in changed
    expected = {
        **{("letter.pdf", page["page"]): page["new"]["text"] for page in accepted["pages"] if page["accepted"]},
        ("scan.pdf", 1): "# Corrected by hand\n\n7. seven\n8. eight",
    }
    for overwrite in (False, True):
        if overwrite:
            done(cli, f"source={source}", f"dest={out}", *LOCAL, "overwrite=true")
        for (name, number), text in expected.items():
            assert shown_in_view(out, name, number)[0] == page_texts(out / name.replace(".pdf", ".md"))[number] == text
        assert shown_in_view(out, "letter.pdf", 2)[1] == "rapidocr"
        assert "Corrected by hand" in text_of(out / "scan.clean.pdf", 1)
        assert "Corrected by hand" in text_of(out / "scan.searchable.pdf", 1)
        assert text_of(out / "scan.searchable.pdf", 2).split() == second.split()
    assert "Nothing to do" in done(cli, f"source={source}", f"dest={out}", *LOCAL), "a resumed run reads nothing"

    done(cli, "mode=correct", f"dest={out}", "document=scan.pdf", "correct.page=1", "correct.undo=true")
    assert "Corrected by hand" not in (out / "scan.md").read_text() + text_of(out / "scan.searchable.pdf", 1)
    assert "Lighthouse" in text_of(out / "scan.searchable.pdf", 1)


def test_pages_elsewhere_are_corrected_and_read_again(cli_without_ray: CliHere, places: tuple[str, str, list[str]]) -> None:
    """In a bucket and in Drive."""
    cli = cli_without_ray
    source, dest, at = places
    done(cli, f"source={source}", f"dest={dest}", *at, "cluster=inprocess", "engine=textlayer", "outputs=[markdown,jsonl]")
    access = compose([f"dest={dest}", *at]).storage.dest
    stored = open_storage(dest, access)
    name = "2024/form ü" if dest.startswith("gs:") else "form ü"
    text = cli.folder / "page.md"
    text.write_text("By hand")
    chosen = (f"dest={dest}", *at, f"document={name}.pdf")
    said = done(cli, "mode=correct", *chosen, "correct.page=2", f"correct.file={text}", "correct.author=Ada")
    assert f"  Written: {name}.md, {name}.jsonl" in said
    assert b"By hand" in stored.read(f"{name}.md")
    done(cli, "mode=reread", *chosen, "reread.pages=2", "reread.accept=true", "engine=textlayer")
    assert b"By hand" not in stored.read(f"{name}.jsonl")
    page = rayocr.open_results(dest, access=access)[f"{name}.pdf"].page(2)
    assert page.correct("From Python", author="Bob").text == "From Python"
    assert b"From Python" in stored.read(f"{name}.md")
    done(cli, "mode=correct", *chosen, "correct.page=2", "correct.undo=true")
    assert b"signal street, page" in stored.read(f"{name}.md")


def test_what_a_server_charges_for_a_page_that_is_read_again_is_on_every_account(
    cli_without_ray: CliHere, gemini: SimulatedGemini
) -> None:
    """Accepted or not."""
    cli = cli_without_ray
    source, out = cli.folder / "in", cli.folder / "out"
    make_pdf(source / "a.pdf", 3)
    done(cli, f"source={source}", f"dest={out}", "cluster=inprocess", "engine=textlayer", "outputs=[markdown]")
    reread = ("mode=reread", f"dest={out}", "document=a.pdf", "engine=gemini", "engine.chain=[gemini]", "progress=json")
    kept = json.loads(done(cli, *reread, "reread.pages=1,3", "reread.keep=true", **gemini.variables))
    taken = json.loads(done(cli, *reread, "reread.pages=2", "reread.accept=true", **gemini.variables))
    cost = kept["cost_usd"] + taken["cost_usd"]
    assert cost == pytest.approx(float(gemini.bill()["usd"]), abs=1e-8)
    assert cost > 0
    spent = Spent.of(find_document(open_storage(str(out)), "a.pdf"))
    assert spent.cost_usd == pytest.approx(cost, abs=1e-8)
    assert json.loads(done(cli, "mode=status", f"dest={out}", "progress=json"))["cost_usd"] == pytest.approx(cost, abs=1e-5)
    days = [json.loads(path.read_text())["days"] for path in (out / ".rayocr" / "spend").glob("*/*.json")]
    assert sum(sum(found.values()) for found in days) == pytest.approx(cost, abs=1e-8)
    refused = cli.run(*reread, "reread.pages=1", "reread.keep=true", f"budget.usd_per_day={cost:.9f}", **gemini.variables)
    assert refused.returncode == 3, refused.stdout + refused.stderr
