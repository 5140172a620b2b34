"""Runs rayocr through a bad day: with its faults, then again after the run has ended, against the repaired server.

Then it counts pages that a later engine read, pages that were billed twice, missing pages, and the difference between the
manifests and the server's bill.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks.bad_days.days import USD_FOR_HALF, BadDay
from benchmarks.measured import clean_environment
from benchmarks.simulated import Simulated

PAGES = 2000
_OPTIONS = (
    "engine=gemini",
    "outputs=[jsonl]",
    "report.at_end=0",
    "cluster=inprocess",
    "progress=plain",
)
# The chain has a local engine, so that a page that is given up is downgraded and visible.
_CHAIN = ("engine.chain=[gemini,rapidocr]",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    day: BadDay
    exits: tuple[int, ...]
    unsaid: tuple[str, ...]
    seconds: float
    downgraded: int
    paid_twice: int
    lost: int
    manifests_usd: Decimal
    bill_usd: Decimal
    runs_usd: Decimal

    @property
    def passed(self) -> bool:
        counts = (self.downgraded, 0 if self.day.pays_again else self.paid_twice, self.lost)
        cents = abs(self.manifests_usd - self.bill_usd) < Decimal("0.01") and abs(self.runs_usd - self.bill_usd) < Decimal("0.01")
        return not any(counts) and self.exits == self.day.exits and not self.unsaid and (cents or self.day.guesses)


def live_through(day: BadDay, source: Path, work: Path, pages: int) -> Result:
    work.mkdir()
    started = time.monotonic()
    exits: list[int] = []
    said = ""
    with Simulated(**day.server) as server:
        _post(server, "/script", [event | _scaled(event, pages) for event in day.script])
        if day.batches:
            _post(server, "/batch-settings", day.batches)
        for number, _ in enumerate(day.exits):
            options = tuple(option.format(usd=USD_FOR_HALF * pages / PAGES) for option in day.options)
            if number:  # the server is repaired
                _post(server, "/script", [])
                options = (*(option for option in options if not option.startswith("budget.")), *day.then)
            in_flight = f"limits.max_in_flight={max(2, min(64, pages // 8))}"  # so few that an event still meets later requests
            done = _run(source, work, server, in_flight, *options)
            exits.append(done.returncode)
            said += done.stdout + done.stderr
        with urllib.request.urlopen(f"{server.url}/bill", timeout=60) as answer:
            bill = json.load(answer)
    (work / "said.txt").write_text(said)
    outcomes, manifests_usd = _manifests(work / "out")
    runs = [json.loads(path.read_text()) for path in (work / "out" / ".rayocr" / "runs").glob("*.json")]
    return Result(
        day=day,
        exits=tuple(exits),
        unsaid=tuple(words for words in day.said if words not in said),
        seconds=time.monotonic() - started,
        downgraded=outcomes.get("fallback", 0) + outcomes.get("failed", 0),
        paid_twice=bill["pages_billed_twice"],
        lost=pages - outcomes.get("done", 0),
        manifests_usd=manifests_usd,
        bill_usd=Decimal(bill["usd"]),
        runs_usd=sum((Decimal(str(run["cost_usd"])) for run in runs), Decimal(0)),
    )


def _scaled(event: dict[str, Any], pages: int) -> dict[str, int]:
    """Scales the script to fewer pages."""
    return {"at_request": event["at_request"] * pages // PAGES} if "at_request" in event else {}


def _run(source: Path, work: Path, server: Simulated, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rayocr", f"source={source}", f"dest={work}/out", *_OPTIONS, *_CHAIN, *options]
    environment = clean_environment(server.variables)
    return subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, timeout=900, check=False)


def _post(server: Simulated, path: str, body: object) -> None:
    request = urllib.request.Request(f"{server.url}{path}", data=json.dumps(body).encode(), method="POST")
    urllib.request.urlopen(request, timeout=60).close()


def _manifests(out: Path) -> tuple[dict[str, int], Decimal]:
    """Returns the pages by outcome, and the cost."""
    from rayocr.ledger.runs import runs_of

    outcomes: dict[str, int] = {}
    usd = Decimal(0)
    for path in (out / ".rayocr" / "documents").rglob("*.json"):
        manifest = json.loads(path.read_text())
        usd += Decimal(str(manifest["cost_usd"]))
        for outcome, pages in manifest["pages"].items():
            outcomes[outcome] = outcomes.get(outcome, 0) + sum(map(len, runs_of(pages)))
    return outcomes, usd
