"""Local engines read pages beside Gemini: rapidocr itself, a simulated Gemini, and its bill."""

from __future__ import annotations

import pytest

from rayocr.ledger.runs import parse_runs
from tests.e2e.support import Cli, SimulatedGemini, make_pdf, manifests, page_texts

PAGES = 24
OPTIONS = (
    *("source=in", "dest=out", "engine=gemini", "engine.chain=[gemini,rapidocr]", "engine.rapidocr.speed=auto"),
    *("objective=speed", "engine.lanes=[local,standard]", "limits.rpm=30", "retry.base_s=0.1"),
)


@pytest.mark.parametrize("where", ["cli", "ray_cli"])
def test_both_read_pages_and_the_bill_has_those_of_gemini(
    where: str, gemini: SimulatedGemini, request: pytest.FixtureRequest
) -> None:
    cli: Cli = request.getfixturevalue(where)
    make_pdf(cli.folder / "in" / "a.pdf", PAGES, prefix="a", height_pt=200)
    done = cli.run(*OPTIONS, **gemini.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    texts = page_texts(cli.folder / "out" / "a.md")
    assert all(f"This is a number {number} of" in texts[number] for number in range(1, PAGES + 1))
    (manifest,) = manifests(cli.folder / "out")
    assert manifest["outcome"] == "complete"
    pages: dict[str, str] = manifest["engine_pages"]  # type: ignore[assignment]
    assert pages.keys() == {"gemini", "rapidocr"}
    bill = gemini.bill()
    assert bill["pages"] == len(list(parse_runs(pages["gemini"])))
    assert bill["pages_billed_twice"] == 0
    assert float(bill["usd"]) == pytest.approx(manifest["cost_usd"], abs=1e-6)
    assert "Reading pages in the local lane." in done.stdout + done.stderr


def test_pages_that_the_local_engine_is_not_sure_of_are_read_by_gemini(cli: Cli, gemini: SimulatedGemini) -> None:
    make_pdf(cli.folder / "in" / "a.pdf", 6, prefix="a", height_pt=200)
    done = cli.run(*OPTIONS, "limits.rpm=600", "engine.local_confidence=1.0", **gemini.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    (manifest,) = manifests(cli.folder / "out")
    assert (manifest["outcome"], manifest["engine_pages"]) == ("complete", {"gemini": "1-6"})
    assert gemini.bill()["pages"] == 6
