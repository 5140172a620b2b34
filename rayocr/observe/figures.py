"""Contains the table of all figures of a run: name, kind, unit, meaning, and a function that reads each. The snapshot, the record
of a run, the closing table, Prometheus, Ray's metrics and docs/observability.md use it. `read` gets the run's StatusCollector, or
for figures of a model its ModelQuota and the collector.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Group = Literal["totals", "gauges", "labeled", "models"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure. `key`: its key in its group of the snapshot, or for `labeled` figures in the snapshot itself, with values by
    label. `name`: the name of the metric without `rayocr_`; defaults to the key. `record`: its name in the record of a run.
    `ray`, `prometheus`: whether Ray's metrics and Prometheus include the figure. `closing_row`, `closing_text`: the row of the
    closing table that shows a figure that is not 0, and its text there, with `{}` for the value."""

    key: str
    group: Group
    help: str
    read: Callable[..., Any]
    counter: bool = False
    unit: str = ""
    label: str = ""
    name: str = ""
    record: str = ""
    ray: bool = False
    prometheus: bool = True
    closing_row: str = ""
    closing_text: str = ""  # `[was|were]`: the singular and the plural form

    @property
    def metric(self) -> str:
        return f"rayocr_{self.name or self.key}"

    @property
    def exposed(self) -> str:
        """Returns the figure in Prometheus' format."""
        return self.metric + ("_total" if self.counter else "")


def _labeled(key: str, label: str, help: str, read: Callable[[Any], Any], **more: Any) -> Figure:
    return Figure(key=key, group="labeled", help=help, read=read, counter=True, label=label, **more)


def _total(key: str, help: str, read: Callable[[Any], Any], **more: Any) -> Figure:
    return Figure(key=key, group="totals", help=help, read=read, counter=True, **more)


def _gauge(key: str, help: str, read: Callable[[Any], Any], **more: Any) -> Figure:
    return Figure(key=key, group="gauges", help=help, read=read, **more)


def _of_limiter(name: str) -> Callable[[Any], float]:
    """Returns a sum of money in the limiter's state; 0 before it is known."""
    return lambda run: round(getattr(run.progress.limiter, name), 6) if run.progress.limiter else 0.0


def _model(key: str, help: str, read: Callable[[Any, Any], Any], **more: Any) -> Figure:
    return Figure(key=key, group="models", help=f"{help}, by model.", read=read, label="model", **more)


def _is_future(until: float | None) -> int:
    return int(until is not None and until > time.time())


FIGURES: tuple[Figure, ...] = (
    _labeled("documents", "outcome", "Finished documents, by outcome.", lambda run: run.progress.documents_by_outcome, ray=True),
    _labeled("pages", "outcome", "Finished pages, by outcome.", lambda run: run.progress.pages_by_outcome, ray=True),
    _labeled(
        "engines",
        "engine",
        "Finished pages, by the engine that read them.",
        lambda run: run.progress.engines,
        name="engine_pages",
    ),
    _labeled(
        "reasons", "reason", "Failed pages and rejected documents, by reason.", lambda run: run.progress.reasons, name="failures"
    ),
    _labeled("tokens", "direction", "Tokens of this run, by direction.", lambda run: run.progress.tokens, ray=True),
    _total(
        "pages_resumed",
        "Pages read by an earlier run.",
        lambda run: run.progress.pages_resumed,
        record="pages_resumed",
        closing_row="Pages",
        closing_text="{:,} of them [was|were] read by an earlier run",
    ),
    _total(
        "pages_copied",
        "Pages copied from an identical page.",
        lambda run: run.progress.pages_copied,
        closing_row="Pages",
        closing_text="{:,} of them [is|are] identical to another and [was|were] not paid for",
    ),
    _total("pages_doubtful", "Pages whose text is in doubt.", lambda run: run.progress.doubtful_pages, record="doubtful_pages"),
    _total(
        "pages_suspect",
        "Doubtful pages whose text does not agree with another reading.",
        lambda run: run.progress.suspect_pages,
        record="suspect_pages",
        closing_row="Suspect",
        closing_text=(
            "{:,} of {run.progress.compared_pages:,} pages compared: their text does not agree with another reading of the page"
            " and may be made up. `rayocr report` shows them beside their pictures"
        ),
    ),
    _total(
        "pages_compared",
        "Pages whose text was compared with another reading.",
        lambda run: run.progress.compared_pages,
        record="compared_pages",
    ),
    _total(
        "pages_outage",
        "Doubtful pages read by a later engine because the server was unavailable or refused the pages of several documents.",
        lambda run: run.progress.outage_pages,
        closing_row="Outage",
        closing_text=(
            "{:,} [page was|pages were] read by a later engine because the server was unavailable or refused the pages of several"
            " documents;"
            " `rayocr retry` reads [it|them] again"
        ),
    ),
    _total(
        "pages_unsure",
        "Doubtful pages that no engine read with high confidence.",
        lambda run: run.progress.doubtful_pages - run.progress.suspect_pages - run.progress.outage_pages,
        prometheus=False,
        closing_row="Doubtful",
        closing_text=(
            "{:,} (no engine read [it|them] with high confidence; "
            "[it is|they are] marked in the outputs. For another script, try engine=gemini, or tesseract with its language pack)"
        ),
    ),
    _total(
        "cost_usd",
        "Money spent by this run.",
        lambda run: round(run.progress.spent_usd, 6),
        unit="USD",
        record="cost_usd",
        ray=True,
    ),
    _total(
        "pages_unpriced",
        "Pages read by a model without a known price.",
        lambda run: run.progress.unpriced_pages,
        record="unpriced_pages",
        prometheus=False,
    ),
    _total("leases_lost", "Leases that this run lost.", lambda run: run.leases.lost),
    _total(
        "documents_elsewhere",
        "Documents that another run finished.",
        lambda run: run.progress.elsewhere,
        record="elsewhere",
        closing_row="Documents",
        closing_text="{:,} by another run",
    ),
    _total(
        "documents_cancelled",
        "Cancelled documents.",
        lambda run: run.progress.cancelled,
        record="cancelled",
        closing_row="Documents",
        closing_text="{:,} cancelled",
    ),
    _total(
        "documents_deferred",
        "Documents left for the next run because their storage was unavailable.",
        lambda run: 0 if run.progress.watching else run.progress.deferred,
        record="deferred",
        closing_row="Documents",
        closing_text="{:,} left for the next run",
    ),
    _gauge(
        "documents_waiting",
        "Documents of a watch that wait for a retry, because their storage was unavailable.",
        lambda run: run.progress.deferred if run.progress.watching else 0,
        closing_row="Documents",
        closing_text="{:,} left for the next run",
    ),
    _total(
        "documents_gone",
        "Documents removed from the source before they were read.",
        lambda run: run.progress.gone,
        prometheus=False,
        closing_row="Documents",
        closing_text="{:,} removed before they were read",
    ),
    _total(
        "documents_renamed",
        "Documents whose outputs have a hash in their names.",
        lambda run: run.progress.renamed,
        prometheus=False,
        closing_row="Names",
        closing_text="{:,} with a hash in the names of the outputs: another document has the plain name",
    ),
    _total(
        "documents_copied",
        "Documents with the same bytes as another document, which were not read.",
        lambda run: run.progress.documents_copied,
        prometheus=False,
        closing_row="Pages",
        closing_text="{:,} [document is|documents are] the same file as another and [was|were] not read",
    ),
    _total(
        "requests_possibly_billed",
        "Requests that were in flight when the connection broke; the server may bill them, and their pages were sent again.",
        lambda run: run.progress.limiter.possibly_billed if run.progress.limiter else 0,
        record="requests_possibly_billed",
        closing_row="Possibly billed",
        closing_text=(
            "{:,} [request was|requests were] in flight when the connection broke; the server may bill [it|them] besides the cost"
            " above"
        ),
    ),
    _gauge("documents_found", "Documents listed so far.", lambda run: run.progress.totals.found),
    _gauge(
        "documents_backlog",
        "Documents known and not yet finished.",
        lambda run: max(0, run.progress.documents_total - run.progress.documents_done),
        ray=True,
    ),
    _gauge("documents_in_window", "Documents admitted and not yet finished.", lambda run: run.window.documents),
    _gauge("pages_in_window", "Pages sent to workers and not yet returned.", lambda run: run.window.pages, ray=True),
    _gauge("bytes_in_window", "Size of the documents in the window.", lambda run: run.window.bytes, unit="bytes"),
    _gauge("pages_known", "Pages of the documents fetched so far.", lambda run: run.progress.pages_known),
    _gauge(
        "pages_per_s",
        "Throughput since the first page.",
        lambda run: round(run.progress.pages_per_s, 3),
        unit="pages/s",
        ray=True,
    ),
    _gauge("workers", "Page workers that are ready.", lambda run: sum(pool.size for pool in run.pools), ray=True),
    _gauge("elapsed_s", "Time since the start of the run.", lambda run: round(run.progress.elapsed_s, 1), unit="s"),
    _gauge(
        "last_page_age_s",
        "Time since the last page finished.",
        lambda run: round(run.progress.clock() - (run.progress.last_page_at or run.progress.started), 1),
        unit="s",
    ),
    _gauge("locks_unavailable", "1 while the lock service is unavailable.", lambda run: int(run.progress.locks_unavailable)),
    _gauge("paused", "1 while the run is paused.", lambda run: int(run.window.paused)),
    _gauge("draining", "1 while the run drains.", lambda run: int(run.draining or run.progress.stops_at is not None)),
    _gauge("budget_usd", "Budget of the run; 0: no limit.", lambda run: run.config.budget.usd or 0.0, unit="USD"),
    _gauge(
        "budget_usd_per_day",
        "Budget of the day for all runs; 0: no limit.",
        lambda run: run.config.budget.usd_per_day or 0.0,
        unit="USD",
    ),
    _gauge(
        "budget_usd_per_month",
        "Budget of the month for all runs; 0: no limit.",
        lambda run: run.config.budget.usd_per_month or 0.0,
        unit="USD",
    ),
    _gauge(
        "limit_usd_per_10min",
        "Google's limit on spending in ten minutes, as configured; 0: no limit.",
        lambda run: run.config.limits.usd_per_10min or 0.0,
        unit="USD",
    ),
    _gauge(
        "limit_usd_per_month",
        "Google's limit on spending in a month, as configured; 0: no limit.",
        lambda run: run.config.limits.usd_per_month or 0.0,
        unit="USD",
    ),
    _gauge("spent_10min_usd", "Money spent by this run in the last ten minutes.", _of_limiter("spent_10min_usd"), unit="USD"),
    _gauge("spent_today_usd", "Money spent today in California, by all known runs.", _of_limiter("spent_today_usd"), unit="USD"),
    _gauge(
        "spent_month_usd",
        "Money spent this month in California, by all known runs.",
        _of_limiter("spent_month_usd"),
        unit="USD",
    ),
    _gauge(
        "limits_unavailable_s",
        "Time since the shared limits were last available.",
        lambda run: run.progress.limiter.unavailable_s if run.progress.limiter else 0.0,
        unit="s",
    ),
    _gauge("ledger_segments", "Segments written by the ledger.", lambda run: run.ledger.segments),
    _gauge("ledger_bytes", "Size of the segments written by the ledger.", lambda run: run.ledger.bytes, unit="bytes"),
    _gauge("ledger_flush_s", "Time to write the last segment.", lambda run: round(run.ledger.flush_s, 4), unit="s"),
    _gauge("ledger_pending_pages", "Pages waiting for their segment.", lambda run: run.ledger.pending_pages),
    _model("granted", "Requests granted by the limiter", lambda model, run: model.granted, counter=True, name="slots_granted"),
    _model(
        "waited_s",
        "Time that pages waited for their slot",
        lambda model, run: round(model.waited_s, 2),
        counter=True,
        unit="s",
        name="slots_waited_seconds",
    ),
    _model("throttled", "Requests refused by the server", lambda model, run: model.throttled, counter=True),
    _model("rate_rpm", "Current learned rate limit", lambda model, run: model.rate_rpm, unit="requests/min"),
    _model("limit_rpm", "Configured rate limit", lambda model, run: run.config.limits.of(model.model).rpm, unit="requests/min"),
    _model("in_flight", "Requests in flight", lambda model, run: model.in_flight),
    _model("requests_today", "Requests of this quota day", lambda model, run: model.requests_today),
    _model(
        "paused", "1 while the server requests a pause", lambda model, run: _is_future(model.paused_until), name="model_paused"
    ),
    _model(
        "held",
        "1 while rayocr sends only probes to the model, because its answers are missing or unusable",
        lambda model, run: int(model.held_since is not None),
        name="model_held",
    ),
    _model(
        "parked", "1 while the daily quota is used up", lambda model, run: _is_future(model.parked_until), name="model_parked"
    ),
)
STAGE_SECONDS = ("rayocr_stage_seconds", "Time per document (fetch, assemble) or per shard of pages (recognize), by stage.")
STORAGE_CALLS = ("rayocr_storage_calls", "Calls to storage by all processes, by operation and outcome (ok, or an error class).")


def of_group(group: Group) -> list[Figure]:
    return [figure for figure in FIGURES if figure.group == group]


def table() -> str:
    """Returns the table in docs/observability.md."""
    rows = [
        (f"`{figure.exposed}`" + (f"{{{figure.label}}}" if figure.label else ""), figure.unit, figure.help)
        for figure in FIGURES
        if figure.prometheus
    ]
    rows.append((f"`{STAGE_SECONDS[0]}`{{stage}}", "s", f"Histogram. {STAGE_SECONDS[1]}"))
    rows.append((f"`{STORAGE_CALLS[0]}_total`{{op,outcome}}", "", STORAGE_CALLS[1]))
    return "\n".join(["| metric | unit | meaning |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)])
