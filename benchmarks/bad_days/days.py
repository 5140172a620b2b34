"""The bad days: what the server does, the options of the run, and how its runs end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

USD_FOR_HALF = 0.1  # the approximate cost of 1,200 of 2,000 pages
BATCHES = ("engine.batch=true", "batch.max_pages=400", "batch.linger_s=2", "batch.poll_interval_s=1")


@dataclass(frozen=True, slots=True, kw_only=True)
class BadDay:
    """`exits`: the exit codes of the runs in order. Before the second run, the server is repaired and budgets are removed.
    `said`: text that must appear on the terminal. `pays_again`: the server bills answers without content, and their pages have to
    be read again. `guesses`: the server does not say what it bills. `then`: options of the second run."""

    name: str
    script: tuple[dict[str, Any], ...] = ()
    server: dict[str, float] = field(default_factory=dict)
    batches: dict[str, float] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    exits: tuple[int, ...] = (0,)
    said: tuple[str, ...] = ()
    pays_again: bool = False
    guesses: bool = False
    then: tuple[str, ...] = ()
    pages_a_document: int = 20


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
        name="credits exhausted, with the status 429",
        script=({"what": "credits_429", "at_request": 700},),
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
        options=BATCHES,
    ),
    BadDay(
        name="uploaded files expired",
        batches={"job_s": 5, "uploads_gone": 3},
        options=BATCHES,
    ),
    BadDay(
        name="answers inside the job",
        batches={"job_s": 5, "inline": 1},
        options=BATCHES,
    ),
    BadDay(
        name="results named an hour after the end (at 1,000 times the speed)",
        server={"speed": 1000},
        batches={"job_s": 3600, "late_file_s": 3600},
        options=BATCHES,
    ),
    BadDay(
        name="daily budget reached",
        server={"latency_s": 0.1},
        options=("budget.usd_per_day={usd}",),
        exits=(3, 0),
        said=("budget.usd_per_day",),
    ),
)
