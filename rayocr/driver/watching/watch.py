"""Implements mode=watch: polls the source and reads new documents until it is stopped. It lists everything at the start. Then,
every `poll_interval_s`, it asks the source's feed of changes, or lists everything again if the source has no feed. With a
subscription, notifications arrive by themselves. With a feed or a subscription it also lists everything every `watch.relist_s`,
so that a lost notification does not lose a document. Files that were still being written are checked sooner. `Scheduler` retries
unfinished documents; a listing never does.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Protocol

from rayocr.actors.discovery.actor import DiscoveryRules
from rayocr.config import RayocrConfig
from rayocr.driver.monitor.terminal import ConsoleTerminal
from rayocr.driver.plan import Plan
from rayocr.driver.scheduling.outages import Outages
from rayocr.driver.scheduling.progress import Progress
from rayocr.driver.scheduling.scheduler import Scheduler
from rayocr.driver.scheduling.window import Window
from rayocr.driver.watching.notifications import Notifications
from rayocr.errors import StorageUnavailable
from rayocr.messages import Poll
from rayocr.observe.logs import log_event

log = logging.getLogger(__name__)

_AFTER_FAILURE_S = 1.0
_RECHECK_S = 1.0  # interval of checks whether notifications still arrive


class Poller(Protocol):
    async def poll(self, what: Poll) -> None: ...


class Live(Protocol):
    live: bool


class Watch:
    """Polls the source for a scheduler. `events.live`: whether a subscription announces new documents; None: there is no
    subscription."""

    def __init__(
        self,
        poller: Poller,
        scheduler: Scheduler,
        outages: Outages,
        progress: Progress,
        config: RayocrConfig,
        draining: asyncio.Event,
        *,
        events: Live | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._poller = poller
        self._scheduler = scheduler
        self._outages = outages
        self._progress = progress
        self._config = config
        self._draining = draining
        self._events = events
        self._clock = clock
        self._polled_at = self._listed_at = float("-inf")  # times at which the last poll and the last complete listing ended
        self._took_s = 0.0  # duration of the last complete listing
        self._first = True
        self._failed = False

    async def run(self) -> None:
        """Runs until the run drains, or `limit` documents were admitted and have ended."""
        self._progress.watching = True
        retrying = asyncio.create_task(self._scheduler.retry_when_due())
        try:
            what = Poll.ALL
            while not self._draining.is_set():
                await self._outages.over()
                if await self._poll(what):
                    await self._scheduler.until_ended()
                    return
                what = await self._until_next(what)
        finally:
            retrying.cancel()
            await asyncio.gather(retrying, return_exceptions=True)

    async def _poll(self, what: Poll) -> bool:
        """Returns whether the watch is permanently done."""
        self._progress.next_poll_at = None
        started, found = self._clock(), self._progress.totals.found
        try:
            if not self._first:
                await self._poller.poll(what)
            self._first = False
            batch = await self._scheduler.admit_listed()
        except StorageUnavailable as error:
            self._failed = True
            log_event(log, "poll_failed", "The source could not be listed.", level=logging.WARNING, error=str(error))
            self._polled_at = self._clock()
            self._outages.storage_failed()
            return False
        self._failed = False
        if what is not Poll.SETTLING:
            self._polled_at = self._clock()
        if what is Poll.ALL:
            self._listed_at, self._took_s = self._clock(), self._clock() - started
        if batch is None:
            return False
        self._progress.settling = batch.totals.settling
        if new := batch.totals.found - found:
            log_event(log, "documents_found", "The source has new documents.", count=new, poll=what.value)
        return batch.limit_reached

    async def _until_next(self, what: Poll) -> Poll:
        """Waits for the next poll and returns its kind."""
        settle_at = self._clock() + self._config.watch.settle_s
        while not self._draining.is_set():
            now, due = self._clock(), self._due()
            self._progress.next_poll_at = due
            if now >= due:
                return Poll.ALL if self._failed or now >= self._relist_at() else Poll.CHANGES
            if self._progress.settling and settle_at <= min(now, due):
                return Poll.SETTLING
            until = min(due, settle_at) if self._progress.settling else due
            await self._sleep(min(until - now, _RECHECK_S))
        return what

    def _due(self) -> float:
        """Returns when the next poll is due, except polls that only check settling files. Listing takes at most half of the
        time."""
        if self._failed:
            return self._polled_at + min(self._config.poll_interval_s, _AFTER_FAILURE_S)
        if self._events is not None and self._events.live:
            return self._relist_at()
        return self._polled_at + max(self._config.poll_interval_s, self._took_s)

    def _relist_at(self) -> float:
        return self._listed_at + max(self._config.watch.relist_s, self._took_s)

    async def _sleep(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._draining.wait(), max(0.0, seconds))
        except TimeoutError:
            pass


def open_outages(
    plan: Plan, window: Window, progress: Progress, terminal: ConsoleTerminal, *, on_hold: Callable[[], None]
) -> Outages:
    """Creates the outages. Storage counts as available if the source can be listed and the destination is writable."""

    def probe() -> None:
        next(plan.source.list(), None)
        for place in {plan.dest.uri: plan.dest, plan.state.uri: plan.state}.values():
            place.check_writable(outputs_only=place.uri != plan.state.uri)

    return Outages(window, progress, probe=probe, say=terminal.say, warn=terminal.warn, on_hold=on_hold)


def open_events(
    config: RayocrConfig, plan: Plan, rules: DiscoveryRules, scheduler: Scheduler, *, warn: Callable[[str], None]
) -> Notifications | None:
    """Starts notifications, if a subscription is configured. Call it on the run's loop. Raises CredentialsError."""
    if config.watch.subscription is None:
        return None
    from rayocr.storage.gcs.pubsub import Subscription

    loop = asyncio.get_running_loop()
    events = Notifications(
        Subscription(config.watch.subscription, config.storage.source, endpoint=config.watch.endpoint),
        plan.source,
        rules,
        push=lambda document: loop.call_soon_threadsafe(scheduler.push, document),
        waiting=lambda: scheduler.waiting,
        fail=lambda error: loop.call_soon_threadsafe(scheduler.fail, error),
        warn=lambda text: loop.call_soon_threadsafe(warn, text),
    )
    events.start()
    return events
