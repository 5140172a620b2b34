"""Exports the figures of a run to Prometheus, from its snapshot, on request. `rayocr.observe.figures` defines their names and
meanings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from rayocr.observe.figures import FIGURES, STAGE_SECONDS, STORAGE_CALLS, Figure

Snapshot = Mapping[str, Any]


def exposition(snapshot: Snapshot) -> tuple[bytes, str]:
    """Returns the text format of Prometheus, and its content type. The text is empty before the first snapshot."""
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
        for figure in (figure for figure in FIGURES if figure.prometheus):
            yield _family(figure, self._snapshot)
        yield _stages(self._snapshot)
        yield _storage(self._snapshot)


def _family(figure: Figure, s: Snapshot) -> Metric:
    make = CounterMetricFamily if figure.counter else GaugeMetricFamily
    family = make(figure.metric, figure.help, labels=[figure.label] if figure.label else [])
    for labels, value in _values(figure, s):
        if value is not None:
            family.add_metric(labels, value)
    return family


def _values(figure: Figure, s: Snapshot) -> Iterator[tuple[list[str], float | None]]:
    if figure.group == "models":
        yield from (([model["model"]], model[figure.key]) for model in s["models"])
    elif figure.group == "labeled":
        yield from (([value], count) for value, count in s[figure.key].items())
    else:
        yield [], s[figure.group][figure.key]


def _stages(s: Snapshot) -> Metric:
    family = HistogramMetricFamily(*STAGE_SECONDS, labels=["stage"])
    for stage, timing in s["stages"].items():
        buckets = [(str(bound), count) for bound, count in timing["buckets"]]
        family.add_metric([stage], buckets=buckets, sum_value=timing["sum_s"])
    return family


def _storage(s: Snapshot) -> Metric:
    family = CounterMetricFamily(*STORAGE_CALLS, labels=["op", "outcome"])
    for operation, outcome, count in s["storage"]:
        family.add_metric([operation, outcome], count)
    return family
