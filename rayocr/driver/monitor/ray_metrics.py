"""The run's figures through Ray's own metrics, for its dashboard and for whatever scrapes the cluster.

Names have no `_total`: Ray adds it. Only the driver reports them, since series of a dead process remain for a minute.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Protocol

from rayocr.observe.logs import log_event

log = logging.getLogger(__name__)


class Metrics(Protocol):
    def push(self, snapshot: Mapping[str, Any]) -> None: ...


class NoMetrics:
    """Where there is no Ray."""

    def push(self, snapshot: Mapping[str, Any]) -> None:
        pass


class RayMetrics:
    """Counters grow by the difference to the last push. Never raises: the run does not need them."""

    def __init__(self) -> None:
        from ray.util.metrics import Counter, Gauge

        self._counters = {
            "pages": Counter("rayocr_pages", "Pages that ended.", tag_keys=("outcome",)),
            "documents": Counter("rayocr_documents", "Documents that ended.", tag_keys=("outcome",)),
            "tokens": Counter("rayocr_tokens", "Tokens.", tag_keys=("direction",)),
        }
        self._gauges = {
            name: Gauge(f"rayocr_{name}", words)
            for name, words in {
                "pages_per_s": "Pages a second since the first one.",
                "documents_backlog": "Documents known and not yet ended.",
                "pages_in_window": "Pages sent to workers and not yet back.",
                "workers": "Worker processes that are ready.",
            }.items()
        }
        self._cost = Gauge("rayocr_cost_usd", "Money spent by this run.")
        self._told: dict[tuple[str, str], float] = {}

    def push(self, snapshot: Mapping[str, Any]) -> None:
        try:
            self._push(snapshot)
        except Exception as error:  # Ray's own problem
            log_event(log, "ray_metrics_failed", "Ray did not accept the metrics.", error=str(error))

    def _push(self, snapshot: Mapping[str, Any]) -> None:
        for name, tag in (("pages", "outcome"), ("documents", "outcome"), ("tokens", "direction")):
            for value, count in snapshot[name].items():
                new = count - self._told.get((name, value), 0)
                if new > 0:
                    self._counters[name].inc(new, tags={tag: value})
                    self._told[name, value] = count
        for name, gauge in self._gauges.items():
            gauge.set(snapshot["gauges"][name])
        self._cost.set(snapshot["totals"]["cost_usd"])
