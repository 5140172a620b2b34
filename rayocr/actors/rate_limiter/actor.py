"""The RateLimiter actor decides when a request may be sent, for all workers of the run.

Slots come from a bucket (`rayocr.limits`), in this process or shared with other clusters. The actor adds the holders of slots,
the learned rate of the server, the daily quota and the budget. It has no durable state. After a restart it begins at half the
rate, once the slots of its predecessor have started. With a budget or a daily quota it also waits until the driver has reported
the spending. Invariant: no request is sent without a slot, and no slot is given twice.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TypeVar

from rayocr.actors.rate_limiter.lane_allocator import LaneAllocator
from rayocr.actors.rate_limiter.model_quota import QuotaTracker
from rayocr.actors.rate_limiter.money import BUCKET, Money, both
from rayocr.actors.rate_limiter.rules import LimiterRules, money_limits
from rayocr.actors.rate_limiter.shared_limits import SharedLimits
from rayocr.errors import SharedLimitsUnavailable
from rayocr.limits.base import HORIZON_S, Blocked, Bucket, Taken
from rayocr.limits.budget import Budget
from rayocr.limits.lanes import LaneOutlook, LaneReport
from rayocr.limits.memory import MemoryBucket
from rayocr.limits.quota_day import next_reset, quota_day
from rayocr.messages import LaneGrant, LanesState, LimiterState, SlotReply, SlotReturn, Throttle, ThrottleKind
from rayocr.observe.logs import log_event

log = logging.getLogger(__name__)

T = TypeVar("T")

_RECHECK_S = 1.0  # a fallback, since waiting callers are normally woken
_DAY_PAUSE_S = 60.0  # pause after a refusal for the daily quota that states no delay
_MINUTE_PAUSE_S = 1.0  # pause after a refusal for the quota per minute that states no delay


class RateLimiter:
    """Grants slots for requests to the workers of a run. `clock` is monotonic seconds, `wall_clock` seconds since 1970.
    `wait(event, timeout_s)` returns at the event or after the timeout. `open_bucket(model)` returns the shared bucket of a model;
    None: buckets in this process. `restarted`: a predecessor died.
    """

    def __init__(
        self,
        rules: LimiterRules,
        *,
        open_bucket: Callable[[str], Bucket] | None = None,
        restarted: bool = False,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        wait: Callable[[asyncio.Event, float], Awaitable[None]] | None = None,
    ) -> None:
        self._rules = rules
        self._open_bucket = open_bucket
        self._restarted = restarted
        self._clock = clock
        self._wall_clock = wall_clock
        self._wait = wait or _wait
        self._models: dict[str, QuotaTracker] = {}
        self._gone: set[str] = set()
        self._budget = Budget(money_limits(rules), earlier=rules.spent_before)
        self._money = Money(
            self._budget,
            lambda: open_bucket(BUCKET) if open_bucket is not None else MemoryBucket(clock=clock, wall_clock=wall_clock),
            usd_per_10min=rules.limits.usd_per_10min,
            usable=1.0 - rules.limits.headroom,
            wall_clock=wall_clock,
        )
        self._lanes = LaneAllocator(rules.lanes, clock=clock, wait=self._wait) if rules.lanes else None
        self._forgetful = restarted
        self._remembered = asyncio.Event()
        self._earlier: LimiterState | None = None
        self._shared_limits = SharedLimits(rules.limits, self._money, clock=clock)

    async def lease(self, model: str, worker: str, wanted: int, input_tokens: tuple[float, ...] = ()) -> tuple[float, ...]:
        """Returns 1 to `wanted` slots, each as seconds to wait from now; none only for a worker that was forgotten.

        Waits while the pace, the requests in flight or the money reserved for them do not allow one. A caller holds each slot
        until it releases it, is forgotten, or the slot expires. While the model is held it lends one slot at a time.
        `input_tokens`: the expected number for each wanted request, in order, if the worker can estimate it from the request's
        shape. Raises DayQuotaExhausted, BudgetExhausted, ModelUnavailable, UnknownModel, QuotaDenied, SharedLimitsUnavailable.
        """
        quota = self._quota(model)
        arrived = self._clock()
        async with quota.turn:  # callers are served in order of arrival
            while worker not in self._gone:
                await self._remember(quota)
                self._expire(quota)
                quota.check_stopped(self._clock())
                wanted = 1 if quota.gone_words else wanted
                probes = not quota.is_batch and quota.health.held(self._clock())
                if probes and (wait_s := quota.until_probe(self._clock(), fallback=self._rules.fallback)) > 0:
                    await self._freed(quota, min(wait_s, _RECHECK_S))
                    continue
                in_flight = any(other.held.in_flight for other in self._models.values())
                cost_usd = quota.expected_cost_usd(input_tokens)
                allowed = self._money.affordable(1 if probes else wanted, cost_usd, in_flight=in_flight)
                if not allowed:
                    await self._freed(quota, _RECHECK_S)
                    continue
                paced = await self._patiently(quota, partial(self._money.pace, allowed, 0.0 if quota.is_batch else cost_usd))
                if paced is not None and not paced.delays_s:
                    await self._freed(quota, paced.wait_s)
                    continue
                taken = both(paced, await self._take(quota, allowed if paced is None else len(paced.delays_s), input_tokens))
                if paced is not None:
                    self._money.give_back(len(paced.delays_s) - len(taken.delays_s), cost_usd)
                if taken.delays_s:
                    if probes:
                        quota.health.probing(worker)
                    quota.lend(worker, taken, cost_usd=cost_usd, money=self._money, now=self._clock(), arrived=arrived)
                    return taken.delays_s
                if taken.blocked is Blocked.DAY and not quota.held.in_flight:  # some may otherwise be returned unsent
                    quota.park(next_reset(quota.bucket.wall_clock()))
                    continue
                await self._freed(quota, taken.wait_s or _RECHECK_S)
        return ()

    async def release(self, model: str, worker: str, returned: SlotReturn) -> SlotReply:
        """Takes slots back."""
        quota = self._quota(model)
        quota.settle(quota.held.give_back(worker, returned.slots), returned, money=self._money)
        if returned.unsent and quota.limits.rpd is not None:
            with suppress(SharedLimitsUnavailable):  # these slots then count as sent
                await quota.bucket.return_unsent(returned.unsent)
        if returned.throttle is not None and returned.throttle.kind is ThrottleKind.GONE:
            self._note_gone(quota, returned.throttle.words)
            self._wake()
            return SlotReply()
        if returned.answered or returned.replied:
            quota.gone_words = ""
        if quota.is_batch:  # answers of batches take hours, and the batch queue tracks the jobs
            quota.health.note_refusals(returned)
        else:
            self._note_health(quota, worker, returned)
        self._wake()
        if returned.throttle is not None and returned.throttle.kind not in (ThrottleKind.UNAVAILABLE, ThrottleKind.DENIED):
            await self._throttled(quota, returned.throttle)
        now, health = self._clock(), quota.health
        return SlotReply(
            pause_s=quota.pause_left_s(now),
            failing=health.failing(now),
            refused_in_a_row=health.refused_in_a_row,
            refusing=health.suspicious,
        )

    async def lanes(self, worker: str, wanted: int, local: bool = True) -> tuple[LaneGrant, ...]:
        """Returns lanes for 1 to `wanted` pages of a run with an objective; none for a worker that was forgotten. `local`:
        whether local engines may read the pages."""
        assert self._lanes is not None
        return await self._lanes.lanes(worker, wanted, local=local, gone=lambda: worker in self._gone)

    async def report_lanes(self, worker: str, reports: tuple[LaneReport, ...]) -> None:
        assert self._lanes is not None
        self._lanes.report(worker, reports)

    async def expect(self, outlook: LaneOutlook) -> LanesState:
        """Passes the remaining pages and time of a run with an objective to the planner, once a second. Lowers the pace to the
        one that the model's server allows now."""
        assert self._lanes is not None
        return self._lanes.expect(replace(outlook, pages_per_s=min([outlook.pages_per_s, *self._paces()])))

    def _paces(self) -> list[float]:
        """Returns the pages per second of the first model, for each limit that only the limiter has."""
        quota = next((quota for quota in self._models.values() if not quota.is_batch), None)
        if quota is None:
            return []
        rpm = quota.rate.rpm(self._clock())
        paces = [rpm * quota.usable / 60.0] if rpm else []
        if quota.limits.tpm and quota.expected.input_tokens:
            paces.append(quota.limits.tpm * quota.usable / 60.0 / quota.expected.input_tokens)
        return paces

    async def forget(self, worker: str) -> None:
        """Frees the slots of a dead worker. Uses the expected cost of its requests, since the actual cost is unknown."""
        self._gone.add(worker)
        for quota in self._models.values():
            quota.give_up(quota.held.forget(worker), money=self._money)
            quota.health.returned(worker)
        if self._lanes is not None:
            self._lanes.forget(worker)
        self._wake()

    async def state(self) -> LimiterState:
        now = self._clock()
        return LimiterState(
            models=tuple(quota.state(now, quota.bucket.wall_clock()) for quota in self._models.values()),
            spent_usd=self._budget.spent_usd,
            promised_usd=self._budget.promised_usd,
            budget_usd=self._rules.budget.usd,
            spent_by_day=dict(self._budget.spent_by_day),
            spent_today_usd=self._budget.spent("day", self._money.day),
            spent_month_usd=self._budget.spent("month", self._money.day),
            spent_10min_usd=self._money.spent_10min_usd,
            possibly_billed=sum(quota.possibly_billed for quota in self._models.values()),
            unavailable_s=self._shared_limits.unavailable_s,
            forgetful=self._forgetful,
        )

    async def restore(self, earlier: LimiterState | None) -> None:
        """Restores the last state of the predecessor of a restarted limiter. Requests of the predecessor that were in flight
        count as paid for."""
        if not self._forgetful:
            return
        if earlier is not None:
            self._earlier = earlier
            self._budget.spent_usd += earlier.spent_usd + earlier.promised_usd
            self._budget.spent_by_day.update(earlier.spent_by_day)
            self._budget.spent_by_day[self._money.day] += earlier.promised_usd
        self._forgetful = False
        self._remembered.set()

    async def close(self) -> None:
        """Releases all slots at the end of the run, so that others that share a bucket need not wait until they expire."""
        await self._shared_limits.close()
        for quota in self._models.values():
            await quota.bucket.close()
        await self._money.close()

    # -- one model ----------------------------------------------------------------------------------------------------------

    def _quota(self, model: str) -> QuotaTracker:
        quota = self._models.get(model)
        if quota is None:
            if self._open_bucket is not None:
                bucket = self._open_bucket(model)
            else:
                bucket = MemoryBucket(clock=self._clock, wall_clock=self._wall_clock, quiet_s=self._quiet_s(model))
            quota = QuotaTracker(
                model,
                bucket,
                self._rules.limits,
                expected_cost_usd=self._rules.expected_cost_usd(model, at=self._wall_clock()),
                now=self._clock(),
                share=0.5 if self._restarted else 1.0,
                input_token_usd=self._rules.input_token_usd(model, at=self._wall_clock()),
            )
            self._models[model] = quota
            if bucket.shared:
                self._shared_limits.report(quota)
        return quota

    def _quiet_s(self, model: str) -> float:
        """Returns, after a restart, the seconds until the last slot of the predecessor has started, plus an interval."""
        limits, rules = self._rules.limits.of(model), self._rules.limits
        if not self._restarted:
            return 0.0
        request_s = 60.0 / limits.rpm if limits.rpm else 0.0
        tokens_s = 60.0 * rules.expected_input_tokens / limits.tpm if limits.tpm else 0.0
        return HORIZON_S + max(request_s, tokens_s) / (1.0 - rules.headroom)

    async def _remember(self, quota: QuotaTracker) -> None:
        """Waits once, after a restart, for the state that must not be lost."""
        if not self._restarted or quota.remembers or (not self._budget.limits and quota.limits.rpd is None):
            return
        await self._remembered.wait()
        quota.remembers = True
        known = next((m for m in self._earlier.models if m.model == quota.model), None) if self._earlier else None
        if known is not None:
            quota.parked_until = known.parked_until
            await quota.bucket.restore_today(quota_day(quota.bucket.wall_clock()), known.requests_today)

    def _expire(self, quota: QuotaTracker) -> None:
        for expired in quota.held.expire(self._clock()):
            quota.give_up(expired, money=self._money)
            quota.health.returned(None)

    def _note_gone(self, quota: QuotaTracker, words: str) -> None:
        if not quota.gone_words:
            log_event(log, "model_gone", "The server has no such model.", level=logging.WARNING, model=quota.model, reason=words)
        quota.gone(words, now=self._clock())

    def _note_health(self, quota: QuotaTracker, worker: str, returned: SlotReturn) -> None:
        now, health = self._clock(), quota.health
        was_held, overloaded = health.held(now), health.overloaded
        if returned.throttle is not None and returned.throttle.kind is not ThrottleKind.DAY:
            health.failed(returned.throttle, worker, now=now, count=max(1, returned.failed))
        health.note_refusals(returned)
        if usable := returned.answered + returned.replied - returned.unusable - returned.refused:
            health.answered(usable)
        elif returned.unusable or returned.refused:
            health.unusable(returned.unusable + returned.refused, returned.words, worker, refused=returned.refused, now=now)
        elif returned.throttle is None:
            health.returned(worker)
        if health.held(now) is was_held:
            return
        if was_held:
            if overloaded:
                quota.rate.forget(now)
            log_event(log, "model_recovered", "The model is no longer held.", model=quota.model, refused=health.refused_in_a_row)
        else:
            log_event(
                log, "model_held", "The model does not answer.", level=logging.WARNING, model=quota.model, reason=health.words
            )

    async def _take(self, quota: QuotaTracker, wanted: int, input_tokens: tuple[float, ...]) -> Taken:
        take = quota.wish(wanted, now=self._clock(), input_tokens=input_tokens)
        taken = await self._patiently(quota, partial(quota.bucket.take, take))
        quota.wished(take, taken)
        return taken

    async def _patiently(self, quota: QuotaTracker, call: Callable[[], Awaitable[T]]) -> T:
        return await self._shared_limits.patiently(call, partial(self._freed, quota))

    async def _throttled(self, quota: QuotaTracker, throttle: Throttle) -> None:
        now = self._clock()
        quota.throttled += 1
        delay_s = throttle.retry_after_s or 0.0
        if throttle.kind is ThrottleKind.DAY:
            delay_s = delay_s or _DAY_PAUSE_S
            strikes = quota.struck_for_the_day(sent_at=now - throttle.age_s, now=now)
            if strikes > self._rules.limits.day_quota_tries or delay_s > quota.health.patience_s:
                quota.park(next_reset(quota.bucket.wall_clock()), throttle.words)
                log_event(log, "model_parked", "The daily quota is used up.", level=logging.WARNING, model=quota.model)
                return
        else:
            quota.refused(throttle, now=now)
            if throttle.kind is ThrottleKind.MINUTE:
                delay_s = delay_s or _MINUTE_PAUSE_S
        if delay_s:
            quota.pause(delay_s, now=now)
            try:
                await quota.bucket.pause(delay_s)
            except SharedLimitsUnavailable as error:  # no slot is granted meanwhile, and the lower rate is kept
                self._shared_limits.note_unavailable(error)

    # -- waiting ------------------------------------------------------------------------------------------------------------

    async def _freed(self, quota: QuotaTracker, timeout_s: float) -> None:
        quota.freed.clear()
        await self._wait(quota.freed, timeout_s)

    def _wake(self) -> None:
        for quota in self._models.values():  # all models, since they share the budget
            quota.freed.set()


async def _wait(event: asyncio.Event, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        pass
