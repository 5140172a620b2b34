"""A run at one moment, as plain data for the HTTP API, Prometheus and the Ray dashboard."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rayocr import __version__
from rayocr.config import RayocrConfig
from rayocr.driver.scheduling.progress import Progress
from rayocr.driver.scheduling.window import Window
from rayocr.messages import DocumentOutcome, LedgerState
from rayocr.storage.counted import storage_calls

if TYPE_CHECKING:
    from rayocr.driver.cluster.page_worker_pool import PageWorkerPool
    from rayocr.driver.scheduling.document_flow import DocumentFlow
    from rayocr.driver.scheduling.leases import LeaseKeeper

_SHOWN = 200  # documents under way, at most


@dataclass(slots=True, kw_only=True)
class StatusCollector:
    run_id: str
    config: RayocrConfig
    progress: Progress
    window: Window
    pools: list[PageWorkerPool]
    leases: LeaseKeeper
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
            "documents": {outcome.value: progress.documents[outcome] for outcome in DocumentOutcome},
            "documents_total": progress.documents_total,
            "documents_finished_before": progress.totals.finished,
            "listing_done": progress.listing_done,
            "watching": self._watching(),
            "pages": {outcome.value: count for outcome, count in progress.outcomes.items()},
            "pages_done": progress.pages_done,
            "pages_total": progress.pages_total,
            "eta_s": progress.eta_s,
            "engines": dict(progress.engines),
            "reasons": dict(progress.reasons),
            "tokens": {"input": progress.input_tokens, "output": progress.output_tokens},
            "totals": self._totals(),
            "gauges": self._gauges(),
            "models": [self._model(model) for model in (limiter.models if limiter else ())],
            "stages": progress.timings.as_dict(),
            "storage": self._storage(),
            "under_way": self.flow.in_progress()[:_SHOWN],
        }

    def _watching(self) -> dict[str, Any] | None:
        """None where the run ends by itself."""
        progress = self.progress
        if not progress.watching:
            return None
        next_poll_s = None if progress.next_poll_at is None else round(max(0.0, progress.next_poll_at - progress.clock()), 1)
        return {"next_poll_s": next_poll_s, "waiting_for": progress.waiting_for, "settling": progress.settling}

    def _totals(self) -> dict[str, float]:
        progress = self.progress
        return {
            "pages_resumed": progress.pages_resumed,
            "pages_copied": progress.pages_copied,
            "pages_doubtful": progress.doubtful_pages,
            "pages_suspect": progress.suspect_pages,
            "pages_compared": progress.compared_pages,
            "cost_usd": round(progress.spent_usd, 6),
            "pages_unpriced": progress.unpriced_pages,
            "leases_lost": self.leases.lost,
            "documents_elsewhere": progress.elsewhere,
            "documents_deferred": 0 if progress.watching else progress.deferred,
            "documents_cancelled": progress.cancelled,
            "documents_gone": progress.gone,
            "documents_renamed": progress.renamed,
            "documents_copied": progress.documents_copied,
        }

    def _storage(self) -> list[tuple[str, str, int]]:
        """Calls of all processes: operation, outcome, how many."""
        calls = self.progress.storage_calls + Counter(storage_calls())
        return sorted((operation, outcome, count) for (operation, outcome), count in calls.items())

    def _gauges(self) -> dict[str, float]:
        progress, limiter = self.progress, self.progress.limiter
        return {
            "documents_found": progress.totals.found,
            "documents_backlog": max(0, progress.documents_total - progress.documents_done),
            "documents_in_window": self.window.documents,
            "pages_in_window": self.window.pages,
            "bytes_in_window": self.window.bytes,
            "pages_known": progress.pages_known,
            "pages_per_s": round(progress.pages_per_s, 3),
            "workers": sum(pool.size for pool in self.pools),
            "elapsed_s": round(progress.elapsed_s, 1),
            "last_page_age_s": round(progress.clock() - (progress.last_page_at or progress.started), 1),
            "locks_unavailable": int(progress.locks_unavailable),
            "paused": int(self.window.paused),
            "draining": int(self.draining),
            "budget_usd": self.config.budget.usd or 0.0,
            "limits_unavailable_s": limiter.away_for_s if limiter else 0.0,
            "ledger_segments": self.ledger.segments,
            "ledger_bytes": self.ledger.bytes,
            "ledger_flush_s": round(self.ledger.flush_s, 4),
            "ledger_pending_pages": self.ledger.pending_pages,
        }

    def _model(self, model: Any) -> dict[str, Any]:
        now = time.time()
        return {
            "model": model.model,
            "granted": model.granted,
            "waited_s": round(model.waited_s, 2),
            "throttled": model.throttled,
            "rate_rpm": model.rate_rpm,
            "limit_rpm": self.config.limits.of(model.model).rpm,
            "in_flight": model.in_flight,
            "requests_today": model.requests_today,
            "paused": int(model.paused_until is not None and model.paused_until > now),
            "held": int(model.held_since is not None),
            "held_since": model.held_since,
            "held_words": model.held_words,
            "parked": int(model.parked_until is not None and model.parked_until > now),
        }
