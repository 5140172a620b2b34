"""Reports the remaining pages of a run with an objective to the limiter every second, and cancels batches that would miss the
deadline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from rayocr.config import RayocrConfig
from rayocr.driver.cluster.pools.page_worker_pool import PageWorkerPool
from rayocr.driver.lane_terms import LOCAL_PAGES
from rayocr.driver.scheduling.progress import Progress
from rayocr.engines.registry import parse_chain
from rayocr.errors import ActorFailed
from rayocr.limits.forecast import ANSWER_S, forecast
from rayocr.limits.lanes import LOCAL, STANDARD, LaneOutlook
from rayocr.limits.prices import PriceTable
from rayocr.messages import LanesState

_EVERY_S = 1.0
_FEW_PAGES = 50  # until this many pages are read, all pages are assumed to need the server


class ExpectingLimiter(Protocol):
    async def expect(self, outlook: LaneOutlook) -> LanesState: ...


class WithdrawingQueue(Protocol):
    async def withdraw(self) -> int: ...


class LaneWatch:
    """Watches the lanes. `deadline_at` is in seconds since 1970. `at_once`: requests that all workers can have in flight."""

    def __init__(
        self,
        limiter: ExpectingLimiter,
        batch_queue: WithdrawingQueue | None,
        progress: Progress,
        config: RayocrConfig,
        prices: PriceTable,
        *,
        deadline_at: float | None,
        at_once: float,
        say: Callable[[str], None],
        local_pool: PageWorkerPool | None = None,
        fail: Callable[[Exception], None] = lambda error: None,
        wall_clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._limiter = limiter
        self._batch_queue = batch_queue
        self._progress = progress
        self._config = config
        self._prices = prices
        self._deadline_at = deadline_at
        self._at_once = at_once
        self._links = parse_chain(config.engine.chain)
        self._say = say
        self._local_pool = local_pool
        self._fail = fail
        self._wall_clock = wall_clock
        self._sleep = sleep
        self._used: set[str] = set()

    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            try:
                await self.check()
            except ActorFailed:
                pass  # Ray is restarting an actor
            await self._sleep(_EVERY_S)

    async def check(self) -> None:
        now = self._wall_clock()
        left = self._pages_left()
        state = await self._limiter.expect(
            LaneOutlook(
                pages_left=left,
                seconds_left=None if self._deadline_at is None else self._deadline_at - now,
                pages_per_s=self._pages_per_s(now, max(1.0, left)),
                local_room=self._local_room(left),
            )
        )
        for lane, pages in state.in_flight.items():
            if pages and lane not in self._used:
                self._used.add(lane)
                cheaper = set(state.in_flight) - {lane, LOCAL}
                reason = " to meet the deadline" if lane == STANDARD and cheaper else ""
                self._say(f"Reading pages in the {lane} lane{reason}.")
        if state.withdraw and self._batch_queue is not None and (jobs := await self._batch_queue.withdraw()):
            self._say(f"Cancelled {jobs} batch {'job' if jobs == 1 else 'jobs'}: their pages would miss the deadline.")

    def _local_room(self, pages_left: float) -> int | None:
        """Returns the maximum number of pages in flight in local engines. Pages get this lane only once a worker can read them.
        Keeps one worker ready."""
        pool = self._local_pool
        if pool is None:
            return None
        if isinstance(pool.failure, Exception):
            self._fail(pool.failure)
        pool.prestart(at_least=int(pages_left >= 1))
        return LOCAL_PAGES * pool.size

    def _pages_left(self) -> float:
        """Returns the number of pages that still need a lane, if the others are like those read so far."""
        progress = self._progress
        left = max(0.0, float(progress.pages_total - progress.pages_read))
        read = progress.pages_done - progress.pages_resumed
        in_lanes = progress.engines["gemini"]
        if self._local_pool is not None:
            in_lanes += sum(progress.engines[link.name] for link in self._links if link.is_local)
        return left if read < _FEW_PAGES else left * min(1.0, in_lanes / read)

    def _pages_per_s(self, now: float, pages: float) -> float:
        """Returns the pace of the shared quota, according to the limits and to the requests that the workers can have in
        flight."""
        progress, limits = self._progress, self._config.limits
        model = self._config.engine.gemini.ladder[0]
        read = progress.engines["gemini"]
        known = read >= _FEW_PAGES and progress.input_tokens > 0
        input_tokens = progress.input_tokens / read if known else float(limits.expected_input_tokens)
        output_tokens = progress.output_tokens / read if known else float(limits.expected_output_tokens)
        cost_usd = self._prices.cost_usd(model, input_tokens=pages * input_tokens, output_tokens=pages * output_tokens, at=now)
        found = forecast(
            pages,
            input_tokens=pages * input_tokens,
            limits=limits.of(model),
            headroom=limits.headroom,
            cost_usd=cost_usd,
            usd_per_10min=limits.usd_per_10min,
        )
        pace = self._at_once / ANSWER_S
        return min(pace, pages / found.seconds) if found.seconds else pace
