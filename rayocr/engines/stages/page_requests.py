"""Sends the requests of pages: with a slot, in a lane if the run has lanes, and again after transient errors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from rayocr.engines.base import OfferedPage, WaitingEngine, account_of
from rayocr.engines.model_ladder import MAX_PAID_TRIES, POSSIBLY_BILLED, lost_in_batches
from rayocr.engines.stages.ports import LeftUnread, LocalEngines, OnRetry, ReadLocally, Slots
from rayocr.engines.stages.progress import PageProgress
from rayocr.engines.transient_failures import TransientFailures
from rayocr.errors import BatchIncomplete, EngineConnectionLost, EngineShed, EngineTimeout, EngineTransient
from rayocr.messages import LOCAL_LANE, PageText
from rayocr.retry import RetryPolicy, decide


class PageRequests:
    """Sends the requests of pages to servers. `local`: the local engines, if the run has the lane `local`."""

    def __init__(
        self,
        slots: Slots,
        *,
        policy: RetryPolicy,
        local: LocalEngines | None,
        sleep: Callable[[float], Awaitable[None]],
        on_retry: OnRetry,
    ) -> None:
        self._slots = slots
        self._policy = policy
        self._local = local
        self._sleep = sleep
        self._on_retry = on_retry

    async def send(
        self,
        engine: WaitingEngine,
        offered: OfferedPage,
        progress: PageProgress,
        model: str,
        remember: Callable[[], Awaitable[object]],
    ) -> PageText:
        """Sends the request and retries it until the server answers. `remember` records an attempt that the server may charge.
        Raises EngineTransient only if the page is the cause: the limiter waits until problems that affect all requests are over.
        Raises ReadLocally."""
        attempt = 0
        failures = TransientFailures(max_attempts=self._policy.max_attempts, max_timeouts=MAX_PAID_TRIES)
        while True:
            attempt += 1
            try:
                if not engine.lanes:
                    return await self._send_once(engine, offered, model)
                return await self._in_a_lane(engine, offered, progress, model)
            except EngineTransient as error:
                failure = error
                if isinstance(error, EngineTimeout | BatchIncomplete | EngineShed) and error.probably is not None:
                    progress.note(engine, error, model=model, answer=error.probably)
                    await remember()
                    if lost_in_batches(progress.attempts, model):
                        raise
                elif isinstance(error, EngineConnectionLost) and error.in_flight:
                    progress.note(engine, error, model=model, finish=POSSIBLY_BILLED)
                decision = decide(error, min(attempt, self._policy.max_attempts - 1), policy=self._policy)
                assert decision is not None, "transient, and not the last attempt"
                self._on_retry(progress, model, attempt, error, decision.delay_s)
            await self._sleep(decision.delay_s)
            # This comes after the wait, because the limiter then has the results of other requests.
            failures.add(failure, failing=self._slots.failing(account_of(engine, model)))
            if failures.blame_the_page:
                raise failure

    async def _in_a_lane(self, engine: WaitingEngine, offered: OfferedPage, progress: PageProgress, model: str) -> PageText:
        """Waits for a lane. Local engines may read a page that no engine has tried; raises ReadLocally when they have."""
        while True:
            local = self._local is not None and not progress.attempts and not progress.left_unread
            try:
                async with self._slots.lane(local=local) as grant:
                    offered.give_up_s = grant.give_up_s
                    if grant.lane != LOCAL_LANE:
                        return await self._send_once(engine.lanes[grant.lane], offered, model, may_shed=len(engine.lanes) > 1)
                    assert self._local is not None
                    offered.let_go()
                    if not await self._local.read(progress.document_id, progress.page_number):
                        raise LeftUnread
            except LeftUnread:
                progress.left_unread = True
                continue
            raise ReadLocally

    async def _send_once(self, engine: WaitingEngine, offered: OfferedPage, model: str, *, may_shed: bool = False) -> PageText:
        expected = engine.expected_input_tokens(offered, model)
        async with self._slots.slot(account_of(engine, model), may_shed=may_shed, input_tokens=expected):
            asking = engine.recognize_async(offered, model)
            return await (self._slots.unless_closing(asking) if engine.batched else asking)
