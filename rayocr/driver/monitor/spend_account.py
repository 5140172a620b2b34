"""Records the spending of runs per day in the state: `.rayocr/spend/<month>/<run_id>.json`. Daily and monthly budgets count it.

The account is written during a run, because a killed run writes no closing record. Every run writes it, so that a budget that is
set later includes earlier days. Days are Google's, from midnight to midnight in California.
"""

from __future__ import annotations

import json
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from rayocr.errors import ObjectNotFound, RecordCorrupt, StorageError
from rayocr.limits.quota_day import quota_day
from rayocr.observe.logs import log_event
from rayocr.storage.base import Storage
from rayocr.untrusted_json import parse_as

log = logging.getLogger(__name__)

SPEND_PREFIX = ".rayocr/spend/"
_EVERY_S = 10.0
_MONTH_CHARS = len("2026-11")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """USD by day."""

    days: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]]


class SpendAccount:
    """Records the spending of one run. Calls block."""

    def __init__(self, state: Storage, run_id: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._state = state
        self._run_id = run_id
        self._clock = clock
        self._written: dict[str, dict[str, float]] = {}
        self._written_at = float("-inf")

    def spent_by_others(self, at: float) -> dict[str, float]:
        """Returns the spending of all other runs on this state by day, in the month of `at` (seconds since 1970). Raises
        StorageError."""
        days: defaultdict[str, float] = defaultdict(float)
        for entry in self._state.list(f"{SPEND_PREFIX}{quota_day(at)[:_MONTH_CHARS]}/"):
            if entry.name.endswith(f"/{self._run_id}.json"):
                continue
            try:
                record = parse_as(_Record, self._state.read(entry.name), name=entry.name)
                for day, usd in record.days.items():
                    days[day] += usd
            except (ObjectNotFound, RecordCorrupt):
                log_event(log, "spend_unreadable", "A spending record is damaged.", level=logging.WARNING, name=entry.name)
        return dict(days)

    def keep(self, spent_by_day: Mapping[str, float], *, now: bool = False) -> None:
        """Writes changes, at most every ten seconds unless `now`. Repeats a failed write later."""
        if not now and self._clock() < self._written_at + _EVERY_S:
            return
        months: defaultdict[str, dict[str, float]] = defaultdict(dict)
        for day, usd in spent_by_day.items():
            if usd > 0:
                months[day[:_MONTH_CHARS]][day] = round(usd, 9)
        for month, days in months.items():
            if self._written.get(month) == days:
                continue
            body = {"schema_version": 1, "run_id": self._run_id, "days": days}
            try:
                self._state.write(f"{SPEND_PREFIX}{month}/{self._run_id}.json", json.dumps(body).encode())
            except StorageError as error:
                log_event(log, "spend_not_written", "Cannot write the spending record.", level=logging.WARNING, error=str(error))
                continue
            self._written[month] = days
        self._written_at = self._clock()
