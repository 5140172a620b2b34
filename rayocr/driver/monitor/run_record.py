"""Writes the record of a run to the state, `.rayocr/runs/<run_id>.json`: the closing table as data."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from rayocr import __version__
from rayocr.driver.scheduling.progress import Progress
from rayocr.errors import StorageError
from rayocr.observe.figures import FIGURES
from rayocr.storage.base import Storage

RUNS_PREFIX = ".rayocr/runs/"
# Contains one object per run until it or a later run has ended; `rayocr status` names those that remain.
STARTED_PREFIX = ".rayocr/started/"


def run_record(progress: Progress, *, run_id: str, fingerprint: str) -> dict[str, Any]:
    run = SimpleNamespace(progress=progress)  # the record takes its figures only from the progress
    return {
        "schema_version": 1,
        "run_id": run_id,
        "rayocr_version": __version__,
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "elapsed_s": round(progress.elapsed_s, 3),
        "documents": progress.documents_by_outcome,
        "finished_before": progress.totals.finished,
        "pages": progress.pages_by_outcome,
        "engines": dict(progress.engines),
        "reasons": dict(progress.reasons),
        "input_tokens": progress.input_tokens,
        "output_tokens": progress.output_tokens,
        "cached_tokens": progress.cached_tokens,
        **{figure.record: figure.read(run) for figure in FIGURES if figure.record},
        "settings_fingerprint": fingerprint,
    }


def note_started(
    state: Storage, run_id: str, *, source: str, mode: str = "run", include: Sequence[str] = (), exclude: Sequence[str] = ()
) -> None:
    """Notes that the run has started. `source`: as the user writes it. `include`, `exclude`: the user's patterns. Never raises,
    since the run itself reports storage failures."""
    facts = {
        "schema_version": 1,
        "run_id": run_id,
        "mode": mode,
        "source": source,
        "include": list(include),
        "exclude": list(exclude),
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    with contextlib.suppress(StorageError):
        state.write(f"{STARTED_PREFIX}{run_id}.json", json.dumps(facts).encode())


def forget_started(state: Storage, run_id: str) -> None:
    """Removes the notes of this run and of earlier ones, whose work it has finished. Never raises."""
    with contextlib.suppress(StorageError):
        for name in [entry.name for entry in state.list(STARTED_PREFIX)]:
            if name <= f"{STARTED_PREFIX}{run_id}.json":
                state.delete(name)


def write_record(state: Storage, record: dict[str, Any]) -> str | None:
    """Writes the record and returns its name; None if storage fails, which the run already reports."""
    name = f"{RUNS_PREFIX}{record['run_id']}.json"
    try:
        state.write(name, json.dumps(record, indent=1).encode())
    except StorageError:
        return None
    return name
