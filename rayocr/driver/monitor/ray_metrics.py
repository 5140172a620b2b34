"""Publishes the run's metrics through Ray's own metrics, for its dashboard and for scrapers of the cluster.

Names have no `_total`, because Ray adds it. Only the driver reports metrics, because series of a dead process remain for a
minute.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Protocol

from rayocr.observe.figures import FIGURES, Figure
from rayocr.observe.logs import log_event

log = logging.getLogger(__name__)


class Metrics(Protocol):
    def push(self, snapshot: Mapping[str, Any]) -> None: ...


class NoMetrics:
    """Publishes nothing; used without Ray."""

    def push(self, snapshot: Mapping[str, Any]) -> None:
        pass


class RayMetrics:
    """Publishes metrics. Counters grow by the difference from the last push. Never raises, since the run does not need
    metrics."""

    def __init__(self) -> None:
        from ray.util import metrics

        self._figures: list[tuple[Figure, Any]] = []
        for figure in (figure for figure in FIGURES if figure.ray):
            # The cost is a gauge. Ray's counters add increments, whose rounding errors would accumulate.
            make = metrics.Counter if figure.group == "labeled" else metrics.Gauge
            labels = (figure.label,) if figure.label else ()
            self._figures.append((figure, make(figure.metric, figure.help, tag_keys=labels)))
        self._reported: dict[tuple[str, str], float] = {}

    def push(self, snapshot: Mapping[str, Any]) -> None:
        try:
            self._push(snapshot)
        except Exception as error:  # an error of Ray
            log_event(log, "ray_metrics_failed", "Ray did not accept the metrics.", error=str(error))

    def _push(self, snapshot: Mapping[str, Any]) -> None:
        for figure, metric in self._figures:
            if figure.group != "labeled":
                metric.set(snapshot[figure.group][figure.key])
                continue
            for value, count in snapshot[figure.key].items():
                new = count - self._reported.get((figure.key, value), 0)
                if new > 0:
                    metric.inc(new, tags={figure.label: value})
                    self._reported[figure.key, value] = count
