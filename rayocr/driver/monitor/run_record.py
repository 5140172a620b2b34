"""The record of a run beside the state, `.rayocr/runs/<run_id>.json`: the closing table as data."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from rayocr import __version__
from rayocr.driver.scheduling.progress import Progress
from rayocr.errors import StorageError
from rayocr.messages import DocumentOutcome
from rayocr.storage.base import Storage

RUNS_PREFIX = ".rayocr/runs/"


def run_record(progress: Progress, *, run_id: str, fingerprint: str) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "run_id": run_id,
        "rayocr_version": __version__,
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "elapsed_s": round(progress.elapsed_s, 3),
        "documents": {outcome.value: progress.documents[outcome] for outcome in DocumentOutcome},
        "finished_before": progress.totals.finished,
        "elsewhere": progress.elsewhere,
        "cancelled": progress.cancelled,
        "deferred": progress.deferred,
        "pages": {outcome.value: count for outcome, count in progress.outcomes.items()},
        "pages_resumed": progress.pages_resumed,
        "doubtful_pages": progress.doubtful_pages,
        "suspect_pages": progress.suspect_pages,
        "compared_pages": progress.compared_pages,
        "engines": dict(progress.engines),
        "reasons": dict(progress.reasons),
        "input_tokens": progress.input_tokens,
        "output_tokens": progress.output_tokens,
        "cost_usd": round(progress.spent_usd, 6),
        "unpriced_pages": progress.unpriced_pages,
        "settings_fingerprint": fingerprint,
    }


def write_record(state: Storage, record: dict[str, Any]) -> str | None:
    """Its name; None when storage refuses, which the run's own failure says already."""
    name = f"{RUNS_PREFIX}{record['run_id']}.json"
    try:
        state.write(name, json.dumps(record, indent=1).encode())
    except StorageError:
        return None
    return name
