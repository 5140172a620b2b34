"""Dead letters that are taken up again: the failed pages alone are paid for, and the letters tell how often it was tried."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.support import PROJECT, Cli, SimulatedGemini, make_pdf, manifests, page_texts

OPTIONS = ("source=in", "dest=out", "engine=gemini", "engine.chain=[gemini]")


def letters(cli: Cli) -> dict[str, dict[str, object]]:
    found = (json.loads(path.read_text()) for path in (cli.folder / "out" / ".rayocr" / "dead_letters").glob("*/*.json"))
    return {str(letter["name"]): letter for letter in found}


def outcomes(folder: Path) -> dict[object, object]:
    return {manifest["name"]: manifest["outcome"] for manifest in manifests(folder)}


def test_a_partial_document_becomes_complete_for_the_price_of_its_failed_pages(cli: Cli, gemini: SimulatedGemini) -> None:
    for name in ("a", "b"):
        make_pdf(cli.folder / "in" / f"{name}.pdf", 30, prefix=f"page of {name} with the")
    (cli.folder / "in" / "c.pdf").write_bytes((PROJECT / "samples" / "broken" / "encrypted.pdf").read_bytes())
    gemini.set(recitation_always_share=0.2)
    first = cli.run(*OPTIONS, **gemini.variables)
    assert first.returncode == 1, first.stdout + first.stderr
    assert outcomes(cli.folder / "out") == {"a.pdf": "partial", "b.pdf": "partial", "c.pdf": "rejected"}
    failed = [number for number, text in page_texts(cli.folder / "out" / "a.md").items() if "could not be read" in text]
    paid = gemini.answered

    none = cli.run("mode=retry", *OPTIONS, "retry.reason=Truncated", **gemini.variables)
    assert (none.returncode, "Nothing to retry" in none.stdout) == (0, True), none.stdout + none.stderr
    in_vain = cli.run("mode=retry", *OPTIONS, "document=a.pdf", **gemini.variables)
    assert in_vain.returncode == 1, in_vain.stdout + in_vain.stderr
    assert [letters(cli)[name]["tries"] for name in ("a.pdf", "b.pdf", "c.pdf")] == [2, 1, 1]
    assert 0 < gemini.answered - paid <= 2 * len(failed), "pages that were read are not asked for again"
    paid = gemini.answered

    gemini.set(recitation_always_share=0.0)
    cured = cli.run("mode=retry", *OPTIONS, "retry.engine=gemini", "document=a.pdf", **gemini.variables)
    assert cured.returncode == 0, cured.stdout + cured.stderr
    assert gemini.answered - paid == len(failed)
    assert outcomes(cli.folder / "out") == {"a.pdf": "complete", "b.pdf": "partial", "c.pdf": "rejected"}
    texts = page_texts(cli.folder / "out" / "a.md")
    assert all(f"page of a with the number {number} of" in texts[number] for number in range(1, 31))
    assert set(letters(cli)) == {"b.pdf", "c.pdf"}

    (cli.folder / "in" / "c.pdf").write_bytes(make_pdf(cli.folder / "c.pdf", 1).read_bytes())  # another version: another document
    rest = cli.run("mode=retry", *OPTIONS, "retry.rejected=true", **gemini.variables)
    assert rest.returncode == 0, rest.stdout + rest.stderr
    assert outcomes(cli.folder / "out")["b.pdf"] == "complete"
