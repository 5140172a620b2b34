"""mode=watch: looks at the source again and again, and reads what is new, until it is told to stop.

How it looks: everything is listed at the start. Then, every `poll_interval_s`, the source's feed of changes is asked, or
everything is listed again where it has none; with a subscription the notifications come by themselves. With a feed or a
subscription everything is listed every `watch.relist_s` besides, so that what a notification lost is found. Files that were being
written are listed by themselves, sooner. Documents that could not be finished are retried from here (`Scheduler`), never from
a listing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

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

if TYPE_CHECKING:
    from rayocr.driver.scheduling.document_flow import DocumentFlow

log = logging.getLogger(__name__)

_AFTER_FAILURE_S = 1.0
_RECHECK_S = 1.0  # whether notifications still come


class Poller(Protocol):
    async def look(self, what: Poll) -> None: ...


class Live(Protocol):
    live: bool


class Watch:
    """`events.live`: whether a subscription tells what is new; without events nobody does."""

    def __init__(
        self,
        looker: Poller,
        feed: Scheduler,
        outages: Outages,
        progress: Progress,
        config: RayocrConfig,
        draining: asyncio.Event,
        *,
        events: Live | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._looker = looker
        self._feed = feed
        self._outages = outages
        self._progress = progress
        self._config = config
        self._draining = draining
        self._events = events
        self._clock = clock
        self._looked_at = self._listed_at = float("-inf")  # when looks ended: any, and those that listed everything
        self._took_s = 0.0  # the last listing of everything
        self._first = True
        self._failed = False

    async def run(self, flow: DocumentFlow) -> None:
        """Until the run drains, or `limit` documents were taken up and have ended."""
        self._progress.watching = True
        again = asyncio.create_task(self._feed.ask_again_when_due(flow))
        try:
            look = Poll.ALL
            while not self._draining.is_set():
                await self._outages.over()
                if await self._look(flow, look):
                    await self._feed.until_ended(flow)
                    return
                look = await self._until_next(look)
        finally:
            again.cancel()
            await asyncio.gather(again, return_exceptions=True)

    async def _look(self, flow: DocumentFlow, look: Poll) -> bool:
        """Whether there is nothing more to do, ever."""
        self._progress.next_look_at = None
        started, found = self._clock(), self._progress.totals.found
        try:
            if not self._first:
                await self._looker.look(look)
            self._first = False
            batch = await self._feed.take(flow)
        except StorageUnavailable as error:
            self._failed = True
            log_event(log, "look_failed", "The source could not be looked at.", level=logging.WARNING, error=str(error))
            self._looked_at = self._clock()
            self._outages.storage_failed()
            return False
        self._failed = False
        if look is not Poll.SETTLING:
            self._looked_at = self._clock()
        if look is Poll.ALL:
            self._listed_at, self._took_s = self._clock(), self._clock() - started
        if batch is None:
            return False
        self._progress.settling = batch.totals.settling
        if new := batch.totals.found - found:
            log_event(log, "documents_found", "There is something new.", count=new, look=look.value)
        return batch.limit_reached

    async def _until_next(self, look: Poll) -> Poll:
        """Waits; gives how to look then."""
        settle_at = self._clock() + self._config.watch.settle_s
        while not self._draining.is_set():
            now, due = self._clock(), self._due()
            self._progress.next_look_at = due
            if now >= due:
                return Poll.ALL if self._failed or now >= self._relist_at() else Poll.CHANGES
            if self._progress.settling and settle_at <= min(now, due):
                return Poll.SETTLING
            until = min(due, settle_at) if self._progress.settling else due
            await self._sleep(min(until - now, _RECHECK_S))
        return look

    def _due(self) -> float:
        """When the next look is due that is not for settling files alone. Of a source that takes long to list, half of the time
        goes into listing it at the most."""
        if self._failed:
            return self._looked_at + min(self._config.poll_interval_s, _AFTER_FAILURE_S)
        if self._events is not None and self._events.live:
            return self._relist_at()
        return self._looked_at + max(self._config.poll_interval_s, self._took_s)

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
    """Storage is there when the source can be listed, and the destination written to."""

    def probe() -> None:
        next(plan.source.list(), None)
        for place in {plan.dest.uri: plan.dest, plan.state.uri: plan.state}.values():
            place.check_writable()

    return Outages(window, progress, probe=probe, say=terminal.say, warn=terminal.warn, on_hold=on_hold)


def open_events(
    config: RayocrConfig, plan: Plan, rules: DiscoveryRules, feed: Scheduler, flow: DocumentFlow, *, warn: Callable[[str], None]
) -> Notifications | None:
    """Notifications, where a subscription is configured. To be called on the run's loop. Raises CredentialsError."""
    if config.watch.subscription is None:
        return None
    from rayocr.storage.gcs.pubsub import Subscription

    loop = asyncio.get_running_loop()
    events = Notifications(
        Subscription(config.watch.subscription, config.storage.source, endpoint=config.watch.endpoint),
        plan.source,
        rules,
        push=lambda document: loop.call_soon_threadsafe(feed.push, flow, document),
        waiting=lambda: feed.waiting,
        fail=lambda error: loop.call_soon_threadsafe(feed.fail, error),
        warn=lambda text: loop.call_soon_threadsafe(warn, text),
    )
    events.start()
    return events
