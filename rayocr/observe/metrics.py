"""A run's figures for Prometheus, made from its snapshot when somebody asks. Names and meanings: docs/observability.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST

Snapshot = Mapping[str, Any]


def exposition(snapshot: Snapshot) -> tuple[bytes, str]:
    """The text format of Prometheus, and its content type. Empty before the first snapshot."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(snapshot))
    return generate_latest(registry), CONTENT_TYPE_LATEST


class _Collector:
    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        if not self._snapshot:
            return
        yield from _work(self._snapshot)
        yield from _state(self._snapshot)
        yield from _quota(self._snapshot)
        yield from _stages(self._snapshot)
        yield _storage(self._snapshot)


def _work(s: Snapshot) -> Iterator[Metric]:
    yield _counters("rayocr_documents", "Documents that ended, by outcome.", "outcome", s["documents"])
    yield _counters("rayocr_pages", "Pages that ended, by outcome.", "outcome", s["pages"])
    yield _counters("rayocr_engine_pages", "Pages that ended, by the engine that read them.", "engine", s["engines"])
    yield _counters("rayocr_failures", "Failed pages and rejected documents, by reason.", "reason", s["reasons"])
    yield _counters("rayocr_tokens", "Tokens of this run, by direction.", "direction", s["tokens"])
    for key, words in {
        "pages_resumed": "Pages found in the ledger of an earlier run.",
        "pages_copied": "Pages whose like had been read before.",
        "pages_doubtful": "Pages with a doubt.",
        "pages_suspect": "Of them, pages that another reading does not agree with.",
        "pages_compared": "Pages whose agreement with another reading was measured.",
        "cost_usd": "Money spent by this run, in US dollars.",
        "leases_lost": "Leases that another run had taken over.",
        "documents_elsewhere": "Documents that another run finished first.",
        "documents_deferred": "Documents whose storage was away.",
        "documents_cancelled": "Documents dropped on request.",
    }.items():
        family = CounterMetricFamily(f"rayocr_{key}", words)
        family.add_metric([], s["totals"][key])
        yield family


def _state(s: Snapshot) -> Iterator[Metric]:
    for key, words in {
        "documents_found": "Documents that the listing has come across.",
        "documents_backlog": "Documents known and not yet ended.",
        "documents_in_window": "Documents admitted and not yet ended.",
        "pages_in_window": "Pages sent to workers and not yet back.",
        "bytes_in_window": "Bytes of the documents admitted and not yet ended.",
        "pages_known": "Pages of the documents fetched so far.",
        "pages_per_s": "Pages a second since the first one.",
        "workers": "Worker processes that are ready.",
        "elapsed_s": "Seconds since the start of the run.",
        "last_page_age_s": "Seconds since the last page ended.",
        "locks_unavailable": "1 while the lock service cannot be reached.",
        "paused": "1 while somebody has paused the run.",
        "draining": "1 while the run finishes what is under way.",
        "budget_usd": "What the run may spend; 0: no limit.",
        "limits_unavailable_s": "Seconds since the shared limits were last reached.",
        "ledger_segments": "Segments that the ledger has written.",
        "ledger_bytes": "Bytes of those segments.",
        "ledger_flush_s": "Seconds that the last segment took to be written.",
        "ledger_pending_pages": "Pages that wait for their segment.",
    }.items():
        yield _gauge(f"rayocr_{key}", words, s["gauges"][key])


def _quota(s: Snapshot) -> Iterator[Metric]:
    counters = {
        "granted": ("rayocr_slots_granted", "Requests that the limiter let go, by model."),
        "waited_s": ("rayocr_slots_waited_seconds", "Seconds that pages waited for their slot, by model."),
        "throttled": ("rayocr_throttled", "Refusals by the server, by model."),
    }
    gauges = {
        "rate_rpm": ("rayocr_rate_rpm", "Requests a minute that the limiter allows now; learned, by model."),
        "limit_rpm": ("rayocr_limit_rpm", "Requests a minute that were configured, by model."),
        "in_flight": ("rayocr_in_flight", "Requests under way, by model."),
        "requests_today": ("rayocr_requests_today", "Requests of this quota day, by model."),
        "paused": ("rayocr_model_paused", "1 while the server asked for a pause, by model."),
        "held": ("rayocr_model_held", "1 while the server answers nothing and one probe at a time is sent, by model."),
        "parked": ("rayocr_model_parked", "1 while the quota of the day is used up, by model."),
    }
    for key, (name, words) in counters.items():
        yield _counters(name, words, "model", {model["model"]: model[key] for model in s["models"]})
    for key, (name, words) in gauges.items():
        family = GaugeMetricFamily(name, words, labels=["model"])
        for model in s["models"]:
            if model[key] is not None:
                family.add_metric([model["model"]], model[key])
        yield family


def _stages(s: Snapshot) -> Iterator[Metric]:
    family = HistogramMetricFamily(
        "rayocr_stage_seconds",
        "Seconds that a document (fetch, assemble) or a shard of pages (recognize) took.",
        labels=["stage"],
    )
    for stage, timing in s["stages"].items():
        buckets = [(str(bound), count) for bound, count in timing["buckets"]]
        family.add_metric([stage], buckets=buckets, sum_value=timing["sum_s"])
    yield family


def _storage(s: Snapshot) -> Metric:
    family = CounterMetricFamily(
        "rayocr_storage_calls",
        "Calls to storage of all processes, by what was asked and what came of it.",
        labels=["op", "outcome"],
    )
    for operation, outcome, count in s["storage"]:
        family.add_metric([operation, outcome], count)
    return family


def _counters(name: str, words: str, label: str, values: Mapping[str, float]) -> Metric:
    family = CounterMetricFamily(name, words, labels=[label])
    for value, count in values.items():
        family.add_metric([value], count)
    return family


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)
