"""How long the stages of a run take: counts by duration, small enough to be looked at every second."""

from __future__ import annotations

import bisect
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

BOUNDS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)


@dataclass(slots=True)
class Timing:
    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))
    sum_s: float = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect.bisect_left(BOUNDS_S, seconds)] += 1
        self.sum_s += seconds

    def as_dict(self) -> dict[str, Any]:
        """Cumulative, as Prometheus has them."""
        total, buckets = 0, []
        for bound, count in zip((*BOUNDS_S, "+Inf"), self.counts, strict=True):
            total += count
            buckets.append((bound, total))
        return {"buckets": buckets, "sum_s": self.sum_s}


@dataclass(slots=True)
class StageTimings:
    by_stage: dict[str, Timing] = field(default_factory=lambda: {s: Timing() for s in ("fetch", "recognize", "assemble")})

    @contextmanager
    def of(self, stage: str) -> Iterator[None]:
        """Only what ended well counts."""
        started = time.monotonic()
        yield
        self.by_stage[stage].add(time.monotonic() - started)

    def as_dict(self) -> dict[str, Any]:
        return {stage: timing.as_dict() for stage, timing in self.by_stage.items()}
