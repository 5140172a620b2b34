"""A file with several names is paid for once; equal names from two sources do not collide."""

from __future__ import annotations

import shutil

from tests.e2e.support import Cli, SimulatedGemini, make_pdf, manifests, page_texts

PAGES = 6
OPTIONS = ("engine=gemini", "engine.chain=[gemini]", "outputs=[markdown,jsonl]", "dedup.pages=false", "dedup.documents=true")


def test_copies_are_written_for_themselves_and_not_read(cli: Cli, gemini: SimulatedGemini) -> None:
    original = make_pdf(cli.folder / "in" / "a.pdf", PAGES)
    for name in ("b.pdf", "sub/c.pdf"):
        (cli.folder / "in" / name).parent.mkdir(exist_ok=True)
        shutil.copy(original, cli.folder / "in" / name)
    done = cli.run("source=in", "dest=out", *OPTIONS, **gemini.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert gemini.answered == PAGES
    assert "2 documents are the same file as another" in done.stdout

    make_pdf(cli.folder / "more" / "a.pdf", PAGES)  # another source: the same bytes, and a name that already exists
    done = cli.run("source=more", "dest=out", *OPTIONS, **gemini.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert gemini.answered == PAGES

    found = manifests(cli.folder / "out")
    originals = [manifest for manifest in found if manifest["copy_of"] is None]
    assert (len(found), len(originals)) == (4, 1)
    assert {str(m["copy_of"]["document_id"]) for m in found if m["copy_of"]} == {originals[0]["document_id"]}  # type: ignore[index]
    outputs = {str(output["name"]) for m in found for output in m["outputs"] if output["name"].endswith(".md")}  # type: ignore[attr-defined, index]
    assert len(outputs) == 4
    assert {"a.md", "b.md", "sub/c.md"} < outputs
    for name in outputs:
        assert sorted(page_texts(cli.folder / "out" / name)) == list(range(1, PAGES + 1))
