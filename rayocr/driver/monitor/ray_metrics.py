"""The run's figures through Ray's own metrics, so that they appear in its dashboard and in whatever scrapes the cluster.

Names have no `_total`: Ray adds it. The driver alone tells them, since series of a process that died go on for a minute.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class RayMetrics:
    """Counters are fed by what came since the last push."""

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
        for name, tag in (("pages", "outcome"), ("documents", "outcome"), ("tokens", "direction")):
            for value, count in snapshot[name].items():
                new = count - self._told.get((name, value), 0)
                if new > 0:
                    self._counters[name].inc(new, tags={tag: value})
                    self._told[name, value] = count
        for name, gauge in self._gauges.items():
            gauge.set(snapshot["gauges"][name])
        self._cost.set(snapshot["totals"]["cost_usd"])
