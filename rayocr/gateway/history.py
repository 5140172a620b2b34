"""How a run went so far, small enough to be drawn: every second of the last minutes, and the whole run in some hundred points."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

_RECENT = 300  # samples, a second apart
_WHOLE = 400  # points at most; one more, and every other goes

Sample = tuple[float, int, float]  # seconds since 1970, pages done, money spent


class History:
    """Filled by one thread, read by others: what is read is a copy."""

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
        """Points of `[at, pages_done, cost_usd]`, the oldest first; `run` ends with the newest."""
        recent, whole = list(self._recent), self._whole
        return {"recent": recent, "run": whole + recent[-1:] if recent and recent[-1:] != whole[-1:] else whole}
