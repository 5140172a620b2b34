"""The bill of the server equals what rayocr records and shows, to the cent; faults of the protocol downgrade no page."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.support import Cli, CliHere, SimulatedGemini, make_pdf, manifests

CENT = Decimal("0.01")
OPTIONS = ("source=in", "dest=out", "engine=gemini", "progress=plain", "limits.max_in_flight=8", "retry.base_s=0.05")
GOOGLES_400 = {"error": {"code": 400, "message": "Request contains an invalid argument.", "status": "INVALID_ARGUMENT"}}


def costs(out: Path) -> dict[str, Decimal]:
    runs = [json.loads(path.read_text()) for path in (out / ".rayocr" / "runs").glob("*.json")]
    return {
        "manifests": sum((Decimal(str(manifest["cost_usd"])) for manifest in manifests(out)), Decimal(0)),
        "runs": sum((Decimal(str(run["cost_usd"])) for run in runs), Decimal(0)),
    }


def shown(text: str) -> list[Decimal]:
    return [Decimal(amount.replace(",", "")) for amount in re.findall(r"\$\s?([\d,]+\.\d+)", text)]


def test_manifests_runs_terminal_and_report_equal_the_bill_over_failed_answers_and_a_retry(
    cli: Cli, gemini: SimulatedGemini
) -> None:
    """Thinking, recitations and truncated answers are billed; the retry adds to the manifest of its document."""
    make_pdf(cli.folder / "in" / "a.pdf", 40)
    model = "engine.gemini.model=gemini-3.8-flash"
    gemini.set(thought_tokens=20_000, recitation_share=0.2, cut_off_share=0.3)
    first = cli.run(*OPTIONS, "engine.chain=[gemini]", model, "report.at_end=1000", **gemini.variables)
    assert first.returncode == 1, first.stdout + first.stderr
    bill = Decimal(gemini.bill()["usd"])
    assert bill > 3
    assert min(abs(amount - bill) for amount in shown(first.stdout + first.stderr)) < CENT
    assert all(abs(cost - bill) < CENT for cost in costs(cli.folder / "out").values())

    gemini.set(recitation_share=0.0, cut_off_share=0.0)
    again = cli.run("mode=retry", *OPTIONS, "engine.chain=[gemini]", model, "report.at_end=1000", **gemini.variables)
    assert again.returncode == 0, again.stdout + again.stderr
    whole = Decimal(gemini.bill()["usd"])
    assert whole > bill
    assert {name: abs(cost - whole) < CENT for name, cost in costs(cli.folder / "out").items()} == {
        "manifests": True,
        "runs": True,
    }
    told = cli.run("mode=report", "dest=out")
    assert told.returncode == 0, told.stdout + told.stderr
    amounts = shown((cli.folder / "out" / "report.html").read_text())
    assert min(abs(amount - whole) for amount in amounts) < CENT
    assert min(abs(amount - bill) for amount in amounts) < CENT, "the first run, in the list of runs"


@pytest.mark.parametrize(
    "event",
    [
        {"what": "reply", "status": 400, "body": GOOGLES_400, "at_request": 10, "for_s": 2},
        {"what": "no_candidate", "at_request": 10, "for_s": 2},
    ],
    ids=["every request is rejected", "no answer has content"],
)
def test_a_fault_that_meets_every_page_downgrades_none(cli: Cli, gemini: SimulatedGemini, event: dict[str, Any]) -> None:
    make_pdf(cli.folder / "in" / "a.pdf", 40)
    gemini.play(event)
    done = cli.run(*OPTIONS, "engine.chain=[gemini,textlayer]", **gemini.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    (manifest,) = manifests(cli.folder / "out")
    assert manifest["engines"] == {"gemini": 40}
    bill = Decimal(gemini.bill()["usd"])
    assert all(abs(cost - bill) < Decimal("0.0001") for cost in costs(cli.folder / "out").values())
    assert gemini.counts()["outages"]


def test_refusals_of_the_pages_of_all_documents_are_waited_out(cli_without_ray: CliHere, gemini: SimulatedGemini) -> None:
    """Truncated answers: tests/unit/driver/test_refusal_burst.py."""
    for number in range(6):
        make_pdf(cli_without_ray.folder / "in" / f"{number}.pdf", 10, prefix=f"document {number},")
    gemini.set(latency_s=0.05)
    gemini.play({"what": "finish", "finish": "SAFETY", "at_request": 10, "for_s": 4})
    options = (*OPTIONS, "cluster=inprocess", "engine.chain=[gemini,textlayer]")
    done = cli_without_ray.run(*options, **gemini.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "refuses the pages of all documents" in done.stdout + done.stderr
    found = manifests(cli_without_ray.folder / "out")
    assert [manifest["engines"] for manifest in found] == [{"gemini": 10}] * 6
    assert abs(costs(cli_without_ray.folder / "out")["manifests"] - Decimal(gemini.bill()["usd"])) < CENT


RETIRED = {"error": {"code": 404, "message": "This model is no longer available.", "status": "NOT_FOUND"}}


def test_when_a_model_is_retired_the_next_of_the_ladder_reads_the_rest(cli_without_ray: CliHere, gemini: SimulatedGemini) -> None:
    make_pdf(cli_without_ray.folder / "in" / "a.pdf", 40)
    gemini.play({"what": "reply", "status": 404, "body": RETIRED, "at_request": 10, "model": "gemini-3.1"})
    options = (*OPTIONS, "cluster=inprocess", "engine.chain=[gemini,textlayer]")
    ladder = "engine.gemini.models=[gemini-3.1-flash-lite,gemini-3.5-flash-lite]"
    done = cli_without_ray.run(*options, ladder, **gemini.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    (manifest,) = manifests(cli_without_ray.folder / "out")
    assert manifest["engines"] == {"gemini": 40}
    counts = gemini.counts()
    assert sorted(counts["answered"].values()) == [1] * 40, "no page is paid for twice"
    assert set(counts["models"]) == {"gemini-3.1-flash-lite", "gemini-3.5-flash-lite"}
    assert counts["outages"]["reply"] <= 16, "the retired model is not asked for every page"
    assert abs(costs(cli_without_ray.folder / "out")["manifests"] - Decimal(gemini.bill()["usd"])) < CENT


def test_a_retired_model_without_another_ends_the_run_with_the_next_step(
    cli_without_ray: CliHere, gemini: SimulatedGemini
) -> None:
    make_pdf(cli_without_ray.folder / "in" / "a.pdf", 40)
    gemini.play({"what": "reply", "status": 404, "body": RETIRED, "at_request": 10, "model": "gemini-3.1"})
    options = (*OPTIONS, "cluster=inprocess", "engine.chain=[gemini,textlayer]")
    stopped = cli_without_ray.run(*options, **gemini.variables)
    assert stopped.returncode == 3, stopped.stdout + stopped.stderr
    assert re.search("gemini-3.1-flash-lite.*no longer available", stopped.stderr), stopped.stderr
    assert "start the same command again" in stopped.stderr
    done = cli_without_ray.run(*options, "engine.gemini.model=gemini-3.5-flash-lite", **gemini.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(gemini.counts()["answered"].values()) == [1] * 40


def test_a_pause_of_an_hour_ends_the_run_at_once_and_the_next_run_resumes(cli: Cli, gemini: SimulatedGemini) -> None:
    make_pdf(cli.folder / "in" / "a.pdf", 20)
    delay = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3600s"}
    error = {"code": 429, "message": "You exceeded your current quota.", "status": "RESOURCE_EXHAUSTED", "details": [delay]}
    gemini.play({"what": "reply", "status": 429, "body": {"error": error}, "at_request": 5})
    stopped = cli.run(*OPTIONS, "engine.chain=[gemini,textlayer]", **gemini.variables)
    assert stopped.returncode == 3, stopped.stdout + stopped.stderr
    assert "requests a pause until" in stopped.stderr
    gemini.play()
    done = cli.run(*OPTIONS, "engine.chain=[gemini,textlayer]", **gemini.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert max(gemini.counts()["answered"].values()) == 1
    (manifest,) = manifests(cli.folder / "out")
    assert manifest["engines"] == {"gemini": 20}


def test_a_model_without_a_price_is_unknown_everywhere_and_never_free(cli: Cli, gemini: SimulatedGemini) -> None:
    make_pdf(cli.folder / "in" / "a.pdf", 3)
    options = (*OPTIONS, "engine.chain=[gemini]", "engine.gemini.model=gemini-99", "report.at_end=1000")
    done = cli.run(*options, **gemini.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    status = cli.run("mode=status", "dest=out")
    estimate = cli.run("mode=estimate", "source=in", "dest=other", "engine=gemini", "engine.gemini.model=gemini-99")
    report = (cli.folder / "out" / "report.html").read_text()
    for text in (done.stdout + done.stderr, status.stdout, estimate.stdout, report):
        assert not re.search(r"\$\s?0", text), re.findall(r".{60}\$\s?0.{20}", text)
    for text in (done.stdout + done.stderr, estimate.stdout, report):
        assert "unknown" in text
