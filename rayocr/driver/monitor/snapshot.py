"""Describes a run at one moment as plain data, for the HTTP API, Prometheus and the Ray dashboard."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rayocr import __version__
from rayocr.config import RayocrConfig
from rayocr.driver.scheduling.progress import Progress
from rayocr.driver.scheduling.window import Window
from rayocr.failure_reasons import rejects_document
from rayocr.messages import LedgerState, ModelQuota
from rayocr.observe.figures import of_group
from rayocr.storage.counted import storage_calls

if TYPE_CHECKING:
    from rayocr.driver.cluster.pools.page_worker_pool import PageWorkerPool
    from rayocr.driver.scheduling.flow.document_flow import DocumentFlow
    from rayocr.driver.scheduling.leases import Leases

_SHOWN = 200  # maximum number of documents in progress


@dataclass(slots=True, kw_only=True)
class StatusCollector:
    run_id: str
    config: RayocrConfig
    progress: Progress
    window: Window
    pools: list[PageWorkerPool]
    leases: Leases
    flow: DocumentFlow
    ledger: LedgerState = field(default_factory=LedgerState)
    draining: bool = False

    def take(self) -> dict[str, Any]:
        progress, limiter = self.progress, self.progress.limiter
        return {
            "run_id": self.run_id,
            "rayocr_version": __version__,
            "chain": list(self.config.engine.chain),
            "at": time.time(),
            "documents_total": progress.documents_total,
            "documents_finished_before": progress.totals.finished,
            "listing_done": progress.listing_done,
            "watching": self._watching(),
            "pages_done": progress.pages_read,
            "pages_total": progress.pages_total,
            "eta_s": progress.eta_s,
            **{figure.key: dict(figure.read(self)) for figure in of_group("labeled")},
            "totals": {figure.key: figure.read(self) for figure in of_group("totals")},
            "gauges": {figure.key: figure.read(self) for figure in of_group("gauges")},
            "rejections": {reason: count for reason, count in progress.reasons.items() if rejects_document(reason)},
            "models": [self._model(model) for model in (limiter.models if limiter else ())],
            "stages": progress.timings.as_dict(),
            "storage": self._storage(),
            "in_progress": self.flow.in_progress()[:_SHOWN],
        }

    def _watching(self) -> dict[str, Any] | None:
        """Returns the state of the watch; None if the run ends by itself."""
        progress = self.progress
        if not progress.watching:
            return None
        next_poll_s = None if progress.next_poll_at is None else round(max(0.0, progress.next_poll_at - progress.clock()), 1)
        return {"next_poll_s": next_poll_s, "waiting_for": progress.waiting_for, "settling": progress.settling}

    def _storage(self) -> list[tuple[str, str, int]]:
        """Returns the storage calls of all processes: operation, outcome, count."""
        calls = self.progress.storage_calls + Counter(storage_calls())
        return sorted((operation, outcome, count) for (operation, outcome), count in calls.items())

    def _model(self, model: ModelQuota) -> dict[str, Any]:
        figures = {figure.key: figure.read(model, self) for figure in of_group("models")}
        return {"model": model.model, "held_since": model.held_since, "held_words": model.held_words, **figures}
