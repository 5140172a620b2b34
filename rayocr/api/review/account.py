"""Counts the cost of reading single pages in the same records as runs: budgets, `rayocr status` and the report."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rayocr.driver.monitor.run_record import write_record
from rayocr.driver.monitor.spend_account import SPEND_PREFIX, SpendAccount
from rayocr.ledger.manifest import Spent
from rayocr.limits.quota_day import quota_day
from rayocr.storage.base import Storage
from rayocr.untrusted_json import parse_object

REREAD = "reread"  # the `mode` in the record of such a reading
_OTHERS = "others"  # the record of what runs have spent, in the state of a reading


class PageAccount:
    """The cost of one reading, whose state is in a temporary folder. `spent` is known after the reading has ended."""

    def __init__(self, state: Storage) -> None:
        self._state = state
        self.spent = Spent()

    def begin(self, out: Path) -> None:
        """Copies the spending of the runs on this destination, which budgets of days and months include. Raises StorageError."""
        now = time.time()
        days = SpendAccount(self._state, run_id="").spent_by_others(now)
        if days:
            path = out / SPEND_PREFIX / quota_day(now)[: len("2026-11")] / f"{_OTHERS}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"schema_version": 1, "run_id": _OTHERS, "days": days}))

    def end(self, out: Path, record: Mapping[str, Any]) -> None:
        """Records the cost of the reading in the destination's state. Raises StorageError."""
        cost_usd = 0.0
        for path in (out / SPEND_PREFIX).glob("*/*.json"):
            if path.stem != _OTHERS:
                data = path.read_bytes()
                cost_usd += sum(parse_object(data, name=path.name)["days"].values())
                self._state.write(f"{SPEND_PREFIX}{path.parent.name}/{path.name}", data)
        self.spent = Spent(
            input_tokens=int(record.get("input_tokens") or 0),
            output_tokens=int(record.get("output_tokens") or 0),
            cached_tokens=int(record.get("cached_tokens") or 0),
            cost_usd=cost_usd or float(record.get("cost_usd") or 0.0),  # the cost in the record is rounded
            unpriced=bool(record.get("unpriced_pages")),
        )
        if self.spent != Spent():
            # A reading finishes no document of this destination.
            write_record(self._state, {**record, "mode": REREAD, "documents": {}, "finished_before": 0})
