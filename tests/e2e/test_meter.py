"""Everything that shows money agrees with the bill of the server to the cent: manifests, status page, metrics, spending account,
terminal, record of the run and report; with retries, thinking, cached input, flex, charged shed requests, priority and batches.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.support import PATIENCE_S, Cli, SimulatedGemini, end_tree, make_pdf, manifests, wait_until
from tests.e2e.test_bill import costs, shown
from tests.e2e.watched import TOKEN, Watched

PAGES = 60
OPTIONS = (
    *("source=in", "dest=out", "engine=gemini", "engine.chain=[gemini,textlayer]", "mode=watch", "poll_interval_s=1"),
    *("engine.gemini.models=[gemini-3.8-flash,gemini-3.5-flash-lite]", "limits.max_in_flight=8", "retry.base_s=0.05"),
    *("progress=plain", "gateway.port=0", "cluster=inprocess", "batch.linger_s=1", "batch.poll_interval_s=0.2"),
)


@pytest.mark.parametrize("lane", ["flex", "priority", "batch"])
def test_everything_that_shows_money_equals_the_bill(cli: Cli, gemini: SimulatedGemini, lane: str) -> None:
    make_pdf(cli.folder / "in" / "a.pdf", PAGES)
    gemini.set(thought_tokens=20_000, cached_tokens=400, recitation_share=0.1, cut_off_share=0.2)
    more: tuple[str, ...] = (f"engine.gemini.tier={lane}",)
    if lane == "flex":
        gemini.set(flex_latency_s=0.05, flex_latency_jitter_s=0.0, flex_shed_share=0.3, flex_shed_billed=1)
        more = ("engine.gemini.tier=auto", "engine.gemini.flex_tries=1")
    elif lane == "priority":
        gemini.set(priority_downgraded_share=0.5)
    else:
        gemini.set_batches(error_share=0.1, partially=1)
        more = ("engine.batch=true",)
    seen, said = watched_to_the_end(cli, gemini, *more)
    billed = gemini.bill()
    bill = Decimal(billed["usd"])
    tiers = {row.rpartition(" ")[2] for row in billed["requests"]}
    assert tiers == {"flex": {"flex", "standard"}, "priority": {"priority", "standard"}, "batch": {"batch"}}[lane]
    assert bill > 1
    told = {name: Decimal(str(usd)) for name, usd in seen.items()} | costs(cli.folder / "out") | spending(cli.folder / "out")
    report = cli.run("mode=report", "dest=out")
    assert report.returncode == 0, report.stdout + report.stderr
    for name, text in (("terminal", said), ("report", (cli.folder / "out" / "report.html").read_text())):
        told[name] = min(shown(text), key=lambda amount: abs(amount - bill))
    exact = {name: Decimal("0.01") if name in ("terminal", "report") else Decimal("0.0001") for name in told}
    assert {name: usd for name, usd in told.items() if abs(usd - bill) >= exact[name]} == {}, f"the bill is {bill}"
    assert {"status page", "today", "metric", "manifests", "runs", "account", "terminal", "report"} == set(told)
    (manifest,) = manifests(cli.folder / "out")
    assert manifest["input_tokens"] == sum(billed["input_tokens"].values())
    assert manifest["output_tokens"] == sum(billed["output_tokens"].values())


def watched_to_the_end(cli: Cli, gemini: SimulatedGemini, *more: str) -> tuple[dict[str, Any], str]:
    """The money that the HTTP API shows when all pages are read, and what the terminal said when the watch had ended."""
    log = cli.folder / "run.log"
    with log.open("w") as file:
        variables = gemini.variables | {"RAYOCR_API_TOKEN": TOKEN}
        run = cli.launch([*OPTIONS, *more], variables, stdout=file, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: "Status page: " in log.read_text() or run.poll() is not None, "the page is there")
        found = re.search(r"Status page: (\S+)", log.read_text())
        assert found, log.read_text()
        watched = Watched(cli, gemini, run, found[1], log)

        complete_at: list[float] = []

        def is_settled() -> bool:
            """The document is complete, and all states that the page shows are newer: they are read every second."""
            status = watched.ask("/status")
            in_flight = any(model["in_flight"] for model in status["models"])
            if status["documents"]["complete"] == 1 and not in_flight and not complete_at:
                complete_at.append(status["at"])
            return bool(complete_at) and status["at"] > complete_at[0] + 3.0

        wait_until(lambda: run.poll() is not None or is_settled(), "the document is complete")
        assert run.poll() is None, log.read_text()
        status, metrics = watched.ask("/status"), watched.ask("/metrics")
        run.send_signal(signal.SIGTERM)
        assert run.wait(PATIENCE_S) == 130, log.read_text()
    finally:
        if run.poll() is None:
            end_tree(run.pid)
            run.wait()
    metric = re.search(r"^rayocr_cost_usd_total (\S+)$", metrics, re.MULTILINE)
    assert metric, metrics
    seen = {
        "status page": status["totals"]["cost_usd"],
        "today": status["gauges"]["spent_today_usd"],
        "metric": metric[1],
    }
    return seen, log.read_text()


def spending(out: Path) -> dict[str, Decimal]:
    records = [json.loads(path.read_text()) for path in (out / ".rayocr" / "spend").rglob("*.json")]
    return {"account": sum((Decimal(str(usd)) for record in records for usd in record["days"].values()), Decimal(0))}
