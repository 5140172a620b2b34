"""Keeps the history of a run for charts: every second of the last minutes, and the whole run in a few hundred points."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

_RECENT = 300  # number of samples, one per second
_WHOLE = 400  # maximum number of points, above which every other point is dropped

Sample = tuple[float, int, float]  # seconds since 1970, pages done, cost


class History:
    """Samples of a run. One thread adds samples; others read copies."""

    def __init__(self) -> None:
        self._recent: deque[Sample] = deque(maxlen=_RECENT)
        self._whole: list[Sample] = []
        self._every_s = 1.0

    def add(self, snapshot: Mapping[str, Any]) -> None:
        sample = (snapshot["at"], snapshot["pages_done"], snapshot["totals"]["cost_usd"])
        self._recent.append(sample)
        if self._whole and sample[0] - self._whole[-1][0] < self._every_s * 0.9:
            return
        whole = [*self._whole, sample]
        if len(whole) > _WHOLE:
            whole, self._every_s = whole[::2], 2 * self._every_s
        self._whole = whole

    def as_dict(self) -> dict[str, Any]:
        """Returns points `[at, pages_done, cost_usd]`, oldest first. `run` ends with the newest point."""
        recent, whole = list(self._recent), self._whole
        return {"recent": recent, "run": whole + recent[-1:] if recent and recent[-1:] != whole[-1:] else whole}
