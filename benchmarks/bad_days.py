"""`make bad-days`: fault scripts over 2,000 pages each, against the simulator on an accelerated clock.

Each script runs rayocr (cluster=inprocess) with its faults, resumes it after the run has ended, and then counts pages that a
later engine read, pages that were billed twice, missing pages, and the difference between the manifests and the server's bill.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.gemini_pages import make_documents
from benchmarks.measured import clean_environment
from benchmarks.simulated import Simulated

PAGES = 2000
_OPTIONS = (
    "engine=gemini",
    "outputs=[jsonl]",
    "report.at_end=0",
    "cluster=inprocess",
    "progress=plain",
    "limits.max_in_flight=64",
)
# The chain has a local engine, so that a page that is given up is downgraded and visible.
_CHAIN = ("engine.chain=[gemini,rapidocr]",)


@dataclass(frozen=True, slots=True, kw_only=True)
class BadDay:
    """`exits`: the exit codes of the runs in order. Before the second run, the server is repaired and budgets are removed.
    `said`: text that must appear on the terminal."""

    name: str
    script: tuple[dict[str, Any], ...] = ()
    server: dict[str, float] = field(default_factory=dict)
    batches: dict[str, float] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    exits: tuple[int, ...] = (0,)
    said: tuple[str, ...] = ()


_BATCHES = ("engine.batch=true", "batch.max_pages=400", "batch.linger_s=2", "batch.poll_interval_s=1")

_USD_FOR_HALF = 0.1  # the approximate cost of 1,200 of the 2,000 pages

DAYS = (
    BadDay(name="a good day", server={"latency_s": 0.2}),
    BadDay(
        name="503 for an hour (at 100 times the speed)",
        script=({"what": "503", "at_request": 500, "for_s": 3600},),
        server={"speed": 100, "latency_s": 20},
        options=("limits.patience_s=900",),
        said=("has answered no request since", "overloaded", "answers again"),
    ),
    BadDay(
        name="503 for longer than the patience",
        script=({"what": "503", "at_request": 500},),
        server={"latency_s": 0.2},
        options=("limits.patience_s=15",),
        exits=(3, 0),
        said=("has answered no request since", "overloaded"),
    ),
    BadDay(
        name="network cut for 60 s at three moments (at 6 times the speed)",
        script=tuple({"what": "cut", "at_request": at, "for_s": 60} for at in (300, 900, 1500)),
        server={"speed": 6, "latency_s": 1.2},
    ),
    BadDay(
        name="a proxy's web page for 60 s (at 6 times the speed)",
        script=({"what": "html", "at_request": 500, "for_s": 60},),
        server={"speed": 6, "latency_s": 1.2},
    ),
    BadDay(
        name="three requests of ten answered with 503",
        server={"error_status": 503, "error_share": 0.3, "latency_s": 0.1},
        options=("retry.base_s=0.1",),
    ),
    BadDay(
        name="credits exhausted",
        script=({"what": "credits", "at_request": 700},),
        server={"latency_s": 0.2},
        exits=(3, 0),
        said=("prepayment credits are depleted",),
    ),
    BadDay(
        name="monthly spend cap reached",
        script=({"what": "spend_cap", "at_request": 700},),
        server={"latency_s": 0.2},
        exits=(3, 0),
        said=("monthly spending cap",),
    ),
    BadDay(
        name="no quota for the model (limit: 0)",
        script=({"what": "limit_0"},),
        exits=(3, 0),
        said=("limit: 0",),
    ),
    BadDay(
        name="flex sheds 30 % (at 100 times the speed)",
        server={"speed": 100, "flex_latency_s": 60, "flex_latency_jitter_s": 840, "flex_shed_share": 0.3},
        options=("engine.gemini.tier=flex", "limits.max_in_flight=512"),
    ),
    BadDay(
        name="flex sheds everything, tier=auto (at 100 times the speed)",
        server={"speed": 100, "latency_s": 20, "flex_latency_s": 60, "flex_shed_share": 1.0},
        options=("engine.gemini.tier=auto", "limits.max_in_flight=512", "retry.base_s=0.1"),
    ),
    BadDay(
        name="batch queue full for six hours (at 1,000 times the speed)",
        server={"speed": 1000},
        batches={"job_s": 10_000, "max_jobs": 2},
        options=_BATCHES,
    ),
    BadDay(
        name="uploaded files expired",
        batches={"job_s": 5, "uploads_gone": 3},
        options=_BATCHES,
    ),
    BadDay(
        name="answers inside the job",
        batches={"job_s": 5, "inline": 1},
        options=_BATCHES,
    ),
    BadDay(
        name="results named an hour after the end (at 1,000 times the speed)",
        server={"speed": 1000},
        batches={"job_s": 3600, "late_file_s": 3600},
        options=_BATCHES,
    ),
    BadDay(
        name="daily budget reached",
        server={"latency_s": 0.1},
        options=("budget.usd_per_day={usd}",),
        exits=(3, 0),
        said=("budget.usd_per_day",),
    ),
)


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
        counts = (self.downgraded, self.paid_twice, self.lost)
        cents = abs(self.manifests_usd - self.bill_usd) < Decimal("0.01") and abs(self.runs_usd - self.bill_usd) < Decimal("0.01")
        return not any(counts) and self.exits == self.day.exits and not self.unsaid and cents


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.bad_days", description=__doc__)
    parser.add_argument("--pages", type=int, default=PAGES)
    parser.add_argument("--only", default="", help="part of a name")
    arguments = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 170)
    failed = False
    with tempfile.TemporaryDirectory(prefix="rayocr-bad-days-") as folder:
        work = Path(folder)
        source = make_documents(work / "in", arguments.pages, page_bytes=2000)
        table = _table()
        for number, day in enumerate(DAYS):
            if arguments.only not in day.name:
                continue
            result = live_through(day, source, work / f"day-{number}", arguments.pages)
            failed |= not result.passed
            _add(table, result)
            console.print(f"{day.name}: {'as it should be' if result.passed else 'NOT as it should be'}, {result.seconds:.0f} s")
        console.print(table)
    sys.exit(failed)


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
            options = tuple(option.format(usd=_USD_FOR_HALF * pages / PAGES) for option in day.options)
            if number:  # the server is repaired
                _post(server, "/script", [])
                options = tuple(option for option in options if not option.startswith("budget."))
            done = _run(source, work, server, *options)
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
    """Pages by outcome, and the cost."""
    from rayocr.ledger.runs import runs_of

    outcomes: dict[str, int] = {}
    usd = Decimal(0)
    for path in (out / ".rayocr" / "documents").rglob("*.json"):
        manifest = json.loads(path.read_text())
        usd += Decimal(str(manifest["cost_usd"]))
        for outcome, pages in manifest["pages"].items():
            outcomes[outcome] = outcomes.get(outcome, 0) + sum(map(len, runs_of(pages)))
    return outcomes, usd


def _table() -> Table:
    table = Table(title="bad days", title_justify="left")
    for column in ("day", "exit codes", "downgraded", "paid twice", "lost", "manifests $", "runs $", "bill $", "s"):
        table.add_column(column, justify="left" if column == "day" else "right")
    return table


def _add(table: Table, result: Result) -> None:
    exits = ", ".join(map(str, result.exits))
    unsaid = f" (not said: {', '.join(result.unsaid)})" if result.unsaid else ""
    money = (f"{usd:.4f}" for usd in (result.manifests_usd, result.runs_usd, result.bill_usd))
    counts = (str(result.downgraded), str(result.paid_twice), str(result.lost))
    table.add_row(result.day.name, exits + unsaid, *counts, *money, f"{result.seconds:.0f}")


if __name__ == "__main__":
    main()
