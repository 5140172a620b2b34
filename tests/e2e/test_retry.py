"""Retrying dead letters: only the failed pages are paid for, and the letters record the number of attempts."""

from __future__ import annotations

import json
from pathlib import Path

from rayocr.ledger.runs import format_runs
from rayocr.observe.supabase.rows import FIELDS
from tests.e2e.support import PROJECT, Cli, SimulatedGemini, make_pdf, manifests, page_texts
from tests.servers.postgrest import serve_postgrest

OPTIONS = ("source=in", "dest=out", "engine=gemini", "engine.chain=[gemini]")


def letters(cli: Cli) -> dict[str, dict[str, object]]:
    found = (json.loads(path.read_text()) for path in (cli.folder / "out" / ".rayocr" / "dead_letters").glob("*/*.json"))
    return {str(letter["name"]): letter for letter in found}


def outcomes(folder: Path) -> dict[object, object]:
    return {manifest["name"]: manifest["outcome"] for manifest in manifests(folder)}


def test_a_partial_document_becomes_complete_for_the_price_of_its_failed_pages(cli: Cli, gemini: SimulatedGemini) -> None:
    for name in ("a", "b"):
        make_pdf(cli.folder / "in" / f"{name}.pdf", 20, prefix=f"page of {name} with the")
    (cli.folder / "in" / "c.pdf").write_bytes((PROJECT / "samples" / "broken" / "encrypted.pdf").read_bytes())
    gemini.set(recitation_always_share=0.08)
    first = cli.run(*OPTIONS, **gemini.variables)
    assert first.returncode == 1, first.stdout + first.stderr
    assert outcomes(cli.folder / "out") == {"a.pdf": "partial", "b.pdf": "partial", "c.pdf": "rejected"}
    failed = [number for number, text in page_texts(cli.folder / "out" / "a.md").items() if "could not be read" in text]
    assert len(failed) < 4, "of a fourth on, a run waits to see whether the model refuses everything"
    paid = gemini.answered

    none = cli.run("mode=retry", *OPTIONS, "retry.reason=Truncated", **gemini.variables)
    assert (none.returncode, "Nothing to retry" in none.stdout) == (0, True), none.stdout + none.stderr
    in_vain = cli.run("mode=retry", *OPTIONS, "document=a.pdf", **gemini.variables)
    assert in_vain.returncode == 1, in_vain.stdout + in_vain.stderr
    assert [letters(cli)[name]["tries"] for name in ("a.pdf", "b.pdf", "c.pdf")] == [2, 1, 1]
    assert 0 < gemini.answered - paid <= 2 * len(failed), "pages that were read are not requested again"
    paid = gemini.answered

    gemini.set(recitation_always_share=0.0)
    cured = cli.run("mode=retry", *OPTIONS, "retry.engine=gemini", "document=a.pdf", **gemini.variables)
    assert cured.returncode == 0, cured.stdout + cured.stderr
    assert gemini.answered - paid == len(failed)
    assert outcomes(cli.folder / "out") == {"a.pdf": "complete", "b.pdf": "partial", "c.pdf": "rejected"}
    texts = page_texts(cli.folder / "out" / "a.md")
    assert all(f"page of a with the number {number} of" in texts[number] for number in range(1, 21))
    assert set(letters(cli)) == {"b.pdf", "c.pdf"}

    (cli.folder / "in" / "c.pdf").write_bytes(make_pdf(cli.folder / "c.pdf", 1).read_bytes())  # another version: another document
    rest = cli.run("mode=retry", *OPTIONS, "retry.rejected=true", **gemini.variables)
    assert rest.returncode == 0, rest.stdout + rest.stderr
    assert outcomes(cli.folder / "out")["b.pdf"] == "complete"


SUPABASE_KEY = "a-key-of-supabase"


def test_errors_of_a_run_come_to_supabase_once_also_when_it_was_unavailable(cli: Cli, gemini: SimulatedGemini) -> None:
    """It accepts connections but never answers during the first run, which still ends. It works during the second run."""
    make_pdf(cli.folder / "in" / "a.pdf", 30, prefix="page of a with the")
    (cli.folder / "in" / "c.pdf").write_bytes((PROJECT / "samples" / "broken" / "encrypted.pdf").read_bytes())
    gemini.set(recitation_always_share=0.2)
    with serve_postgrest(key=SUPABASE_KEY, table="Activity_Error_Log", columns=FIELDS) as database:
        variables = gemini.variables | {"SUPABASE_URL": database.url, "SUPABASE_API_KEY": SUPABASE_KEY}
        database.mode = "hang"
        first = cli.run(*OPTIONS, **variables)
        assert first.returncode == 1, first.stdout + first.stderr
        assert "Traceback" not in first.stdout + first.stderr
        database.mode = "up"
        database.released.set()
        gemini.set(recitation_always_share=0.0)
        second = cli.run("mode=retry", *OPTIONS, **variables)
        assert second.returncode == 1, "c.pdf is still rejected: " + second.stdout + second.stderr
    failed = [number for number, text in page_texts(cli.folder / "out" / "a.md").items() if "could not be read" in text]
    assert failed == [], "cured by the second run"
    rows = database.rows
    assert len({row["event_id"] for row in rows}) == len(rows)
    by_action = {action: [row for row in rows if row["action"] == action] for action in {row["action"] for row in rows}}
    assert set(by_action) == {"page_failed", "document_partial", "document_rejected"}
    (partial,), (rejected,) = by_action["document_partial"], by_action["document_rejected"]
    assert (partial["document_name"], partial["error"]) == ("a.pdf", "Refused")
    pages = sorted(row["page_number"] for row in by_action["page_failed"])
    assert format_runs(pages) == partial["pages"]
    assert (rejected["document_name"], rejected["error"]) == ("c.pdf", "EncryptedPdf")
    assert all(row["run_id"] and row["occurred_at"] and row["message"] for row in rows)
    assert not list((cli.folder / "logs" / "supabase").glob("*.jsonl")), "nothing waits"
