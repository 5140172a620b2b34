"""mode=run: from a plan to an exit code. Starts what is needed, feeds documents to flows, drains, closes, sums up.

The order at the start is for the user's eyes: something is said within a second, the source is listed while Ray starts, and Ray
is not started at all when everything is finished already.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rayocr.actors.discovery.actor import Discovery, DiscoveryRules
from rayocr.actors.rate_limiter.actor import LimiterRules
from rayocr.config import Mode, RayocrConfig, Secrets
from rayocr.driver.cancellation import CancelWatch
from rayocr.driver.cluster.connect import Connection, connect, disconnect
from rayocr.driver.cluster.worker_settings import DocumentSettings
from rayocr.driver.monitor.announcements import Announcements
from rayocr.driver.monitor.http_control import serve_http_api
from rayocr.driver.monitor.limiter_watch import LimiterWatch
from rayocr.driver.monitor.snapshot import StatusCollector
from rayocr.driver.monitor.spend_account import SpendAccount
from rayocr.driver.monitor.stall import StallWatch
from rayocr.driver.monitor.telemetry import TelemetryWatch
from rayocr.driver.monitor.terminal import ConsoleTerminal
from rayocr.driver.plan import Plan, sweep_temp_files
from rayocr.driver.retry_selection import documents_to_retry, is_narrowed
from rayocr.driver.scheduling.leases import LeaseKeeper, compact_ledger, open_run_locks
from rayocr.driver.scheduling.progress import Progress
from rayocr.driver.scheduling.scheduler import Scheduler
from rayocr.driver.scheduling.window import Window
from rayocr.driver.server_probe import probe_servers
from rayocr.driver.signals import Shutdown
from rayocr.driver.watching.notifications import Notifications
from rayocr.driver.watching.watch import Watch, open_events, open_outages
from rayocr.errors import Interrupted, RayocrError
from rayocr.locks.base import Locks
from rayocr.locks.destination import DestinationLock
from rayocr.messages import DiscoveryBatch
from rayocr.observe.logs import DailyFileHandler, configure_logs, log_event
from rayocr.observe.supabase.sink import SupabaseSink, open_sink

if TYPE_CHECKING:
    from rayocr.driver.cluster.actors import RayActors
    from rayocr.driver.cluster.page_worker_pool import PageWorkerPool

log = logging.getLogger(__name__)

_LIMITER_CLOSE_S = 5.0
_FOREVER_S = 10 * 365 * 86_400.0
_LEDGER_CLOSE_S = 15.0  # for the last segment; what is not written by then is read again by the next run


def new_run_id() -> str:
    """Sorts by time; unique among runs that start in the same second."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ") + "-" + secrets.token_hex(3)


@dataclass(slots=True)
class Run:
    config: RayocrConfig
    plan: Plan
    keys: Secrets
    terminal: ConsoleTerminal
    run_id: str = field(default_factory=new_run_id)
    progress: Progress = field(default_factory=Progress)
    log_file: DailyFileHandler | None = None
    errors_out: SupabaseSink | None = None
    claim: DestinationLock | None = None
    words: Announcements = field(init=False)
    account: SpendAccount = field(init=False)

    def __post_init__(self) -> None:
        self.account = SpendAccount(self.plan.state, self.run_id)
        self.words = Announcements(
            config=self.config, plan=self.plan, terminal=self.terminal, progress=self.progress, run_id=self.run_id
        )

    @property
    def watches(self) -> bool:
        return self.config.mode is Mode.watch

    def execute(self) -> int:
        """The exit code. Raises RayocrError for what stops a run."""
        self._configure_logs()
        self.errors_out = open_sink(self.config, self.keys, run_id=self.run_id, warn=self.terminal.warn)
        try:
            return self._execute()
        except RayocrError as error:
            if not isinstance(error, Interrupted):
                log_event(
                    log,
                    "run_stopped",
                    "The run had to stop.",
                    level=logging.ERROR,
                    error=error.reason,
                    reason=str(error),
                    hint=error.hint,
                )
            raise
        finally:
            if self.errors_out is not None:
                self.errors_out.close()

    def _execute(self) -> int:
        sweep_temp_files(self.plan)
        rules = DiscoveryRules(
            only=self.plan.only,
            include=self.plan.include,
            exclude=self.plan.exclude,
            min_bytes=self.config.min_bytes,
            max_bytes=self.config.max_bytes,
            order=self.config.order,
            limit=self.config.limit,
            overwrite=self.config.overwrite,
            retried=documents_to_retry(self.plan.state, self.config) if self.config.mode is Mode.retry else None,
            narrowed=is_narrowed(self.config),
            watch=self.watches,
            settle_s=self.config.watch.settle_s,
        )
        if rules.retried is not None and not rules.retried:
            self.terminal.say("Nothing to retry: no dead letter passes the filters; see mode=status.")
            return 0
        self.words.letters = len(rules.retried or ())
        try:
            asyncio.run(self._run(rules))
        except asyncio.CancelledError:
            raise Interrupted("Interrupted.") from None
        finally:
            if self.claim is not None:
                self.claim.release()
            sweep_temp_files(self.plan)  # once more: at the start, actors of a run that had been killed may still have been dying
        return self.words.exit_code()

    # -- start --------------------------------------------------------------------------------------------------------------

    async def _run(self, rules: DiscoveryRules) -> None:
        draining = asyncio.Event()
        shutdown = Shutdown(on_first=self.words.announce_drain, on_second=lambda: None)
        shutdown.install()
        scout = asyncio.create_task(asyncio.to_thread(self._scout, rules))
        done, _ = await asyncio.wait([scout], timeout=1.0)
        if done and not scout.result().documents and not self.watches:
            self.words.say_nothing_to_do(scout.result())
            return
        if done:
            self.words.say_found(scout.result())
        locks, self.claim = open_run_locks(self.config, self.plan, self.keys, run_id=self.run_id, owner=self._owner())
        probing = asyncio.create_task(
            asyncio.to_thread(probe_servers, self.plan.links, self.config.engine, self.plan.prompts, self.keys)
        )
        probing.add_done_callback(lambda task: task.cancelled() or task.exception())  # heard of, also where Ray does not start
        # Ray is started beside the listing, on a thread that must outlive it: Linux ends the children of a thread that ends.
        ray_thread = ThreadPoolExecutor(1, thread_name_prefix="ray")
        loop = asyncio.get_running_loop()
        connection = await self._connected(ray_thread, shutdown)
        try:
            await probing
            shutdown.install()
            if connection.where:
                self.terminal.say(f"Running on the {connection.where}.")
            if connection.dashboard_url:
                self.terminal.say(f"Ray dashboard: {connection.dashboard_url}")
            if not scout.done():
                scout.add_done_callback(
                    lambda task: None if task.cancelled() or task.exception() else self.words.say_found(task.result())
                )
            if shutdown.requested.is_set():
                raise Interrupted("Interrupted before the first page.")
            await self._run_on(connection, rules, locks, draining, shutdown)
        finally:
            await loop.run_in_executor(ray_thread, disconnect)
            ray_thread.shutdown()

    async def _connected(self, thread: ThreadPoolExecutor, shutdown: Shutdown) -> Connection:
        """Raises Interrupted as soon as a signal comes: Ray itself would go on for minutes."""
        cancelled = threading.Event()
        connecting = asyncio.get_running_loop().run_in_executor(thread, connect, self.config, cancelled)
        stop = asyncio.create_task(shutdown.requested.wait())
        try:
            both: list[asyncio.Future[Any]] = [connecting, stop]
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if not connecting.done():
                cancelled.set()
            return await connecting
        finally:
            stop.cancel()

    def _scout(self, rules: DiscoveryRules) -> DiscoveryBatch:
        """The listing's beginning, before there is a cluster: is there anything to do, and how much?"""
        beginning = replace(rules, order="listing", watch=False)
        return Discovery(self.plan.source, self.plan.state, beginning).next_batch(1)

    async def _run_on(
        self, connection: Connection, rules: DiscoveryRules, locks: Locks, draining: asyncio.Event, shutdown: Shutdown
    ) -> None:
        from rayocr.driver.cluster import actors as handles
        from rayocr.driver.cluster.nodes import watch_nodes
        from rayocr.driver.cluster.pool_sizing import open_pool, place_on
        from rayocr.driver.scheduling.document_flow import DocumentFlow

        requests_per_s = self.config.storage.requests_per_s
        if requests_per_s is not None:  # each process keeps to its share, without a word between them
            requests_per_s /= handles.document_workers(self.config, connection.cpus)
        settings = DocumentSettings(
            self.config, self.plan, self.keys, run_id=self.run_id, owner=self._owner(), requests_per_s=requests_per_s
        )
        actors = handles.start(
            self.config,
            run_id=self.run_id,
            state=self.plan.state,
            source_uri=self.plan.source.uri,
            assemble_settings=settings.assemble(),
            fetch_settings=settings.fetch(),
            rules=rules,
            cpus=connection.cpus,
            limiter_rules=self._limiter_rules(),
            keys=self.keys,
            place=place_on(self.config, self.plan),
        )
        stages = [
            (stage, *open_pool(self.config, self.plan, self.keys, actors, index, cpus=connection.cpus, run_id=self.run_id))
            for index, stage in enumerate(self.plan.stages)
        ]
        pools = [pool for _, pool, _ in stages]
        window = Window(self.config.window, held_on=actors.place.documents_group)

        def give_up() -> None:
            """A run that waits for another gives up its CPUs: on one cluster the other may be waiting for them."""
            _shrink(pools, actors, idle_s=0.0, keep=0)

        leases = LeaseKeeper(
            locks,
            ttl_s=self.config.locks.ttl_s,
            draining=draining,
            on_lost=lambda document_id: feed.lost(document_id),
            on_away=self.words.say_locks,
        )
        outages = open_outages(self.plan, window, self.progress, self.terminal, on_hold=give_up) if self.watches else None
        feed = Scheduler(
            actors,
            window,
            self.progress,
            draining,
            retry_s=leases.retry_s,
            on_waiting=give_up,
            outages=outages,
            follow_versions=not (self.watches and self.plan.source.uri.startswith("file:")),
        )
        flow = DocumentFlow(actors, stages=stages, window=window, leases=leases, progress=self.progress, draining=draining)
        leases.start()
        for pool in pools if not self.watches else ():  # a watch may have nothing to do for days
            pool.prestart()
        showing = asyncio.create_task(self.terminal.show(self.progress))
        watch = CancelWatch(self.plan.state, lambda document_id: self._cancel(document_id, feed, pools))
        await watch.look()
        watching = asyncio.create_task(watch.run())
        shrinking = asyncio.create_task(self._shrink_forever(pools, actors))
        following = asyncio.create_task(watch_nodes([*pools, actors.document_workers, window]))
        metering = asyncio.create_task(self._watch_quota(actors))
        telemetry = TelemetryWatch(actors, self.progress, write=self._write_lines, on_failure=self._send_failure)
        relaying = asyncio.create_task(telemetry.run())
        tidying = asyncio.create_task(compact_ledger(actors, leases, self.run_id))
        events: Notifications | None = None
        if outages is None:
            feeding = asyncio.create_task(feed.run(flow))
        else:
            events = open_events(self.config, self.plan, rules, feed, flow, warn=self.terminal.warn)
            self.words.say_watching()
            watched = Watch(actors, feed, outages, self.progress, self.config, draining, events=events)
            feeding = asyncio.create_task(watched.run(flow))
        facing = asyncio.create_task(
            serve_http_api(
                self.plan,
                self.config,
                self.keys,
                snapshooter=StatusCollector(
                    run_id=self.run_id,
                    config=self.config,
                    progress=self.progress,
                    window=window,
                    pools=pools,
                    leases=leases,
                    flow=flow,
                ),
                actors=actors,
                feed=feed,
                rules=rules,
                drain=shutdown.request,
                locks=locks,
                terminal=self.terminal,
            )
        )
        stalls = asyncio.create_task(StallWatch(self.progress, window, warn=self.terminal.warn).run())
        beside = (stalls, showing, watching, shrinking, following, metering, tidying, facing, relaying)
        try:
            await self._until_done_or_stopped(feed, feeding, pools, window, draining, shutdown)
        finally:
            for task in (feeding, *beside):
                task.cancel()
            await asyncio.gather(feeding, *beside, return_exceptions=True)
            if events is not None:
                events.close()
            await feed.close()
            if outages is not None:
                await outages.close()
            with contextlib.suppress(Exception):  # the last word on the money; a limiter that is gone has said its own
                if actors.limiter is not None:
                    self.progress.limiter = await asyncio.wait_for(actors.limiter_state(), _LIMITER_CLOSE_S)
                    self.account.keep(self.progress.limiter.spent_by_day, now=True)
            await telemetry.last()
            finished = feed.failure is None and not draining.is_set() and not shutdown.requested.is_set()
            await self._close(actors, pools, leases, finished=finished)
        if feed.failure is not None:
            raise feed.failure
        if shutdown.requested.is_set():
            raise Interrupted("Interrupted.")

    async def _shrink_forever(self, pools: list[PageWorkerPool], actors: RayActors) -> None:
        idle_s = self.config.workers.idle_timeout_s
        while True:
            await asyncio.sleep(max(1.0, idle_s / 4))
            _shrink(pools, actors, idle_s=idle_s, keep=0 if self.watches else self.config.workers.min)

    def _cancel(self, document_id: str, feed: Scheduler, pools: list[PageWorkerPool]) -> None:
        if (token := feed.cancel(document_id)) is not None:
            for pool in pools:
                pool.cancel(document_id, token)

    def _limiter_rules(self) -> LimiterRules | None:
        """None where no engine waits for a server: nothing to limit."""
        if all(stage.kind != "wait" for stage in self.plan.stages):
            return None
        limits = self.config.limits
        if self.watches:  # a watch waits for Redis and for models without limit
            limits = replace(limits, shared_patience_s=_FOREVER_S, patience_s=None)
        budget = self.config.budget
        counts_others = any((limits.usd_per_month, budget.usd_per_day is not None, budget.usd_per_month is not None))
        return LimiterRules(
            limits=limits,
            prices=self.plan.prices,
            budget=budget,
            spent_before=self.account.spent_by_others(time.time()) if counts_others else {},
            fallback=self.config.engine.on_outage == "fallback",
        )

    async def _watch_quota(self, actors: RayActors) -> None:
        from rayocr.driver.cluster.failures import ACTOR_FAILED

        if actors.limiter is not None:
            await LimiterWatch(actors, self.progress, warn=self.terminal.warn, died=ACTOR_FAILED, keep=self.account.keep).run()

    # -- the end ---------------------------------------------------------------------------------------------------------

    async def _until_done_or_stopped(
        self,
        feed: Scheduler,
        feeding: asyncio.Task[None],
        pools: list[PageWorkerPool],
        window: Window,
        draining: asyncio.Event,
        shutdown: Shutdown,
    ) -> None:
        stops = [asyncio.create_task(shutdown.requested.wait()), asyncio.create_task(draining.wait())]
        try:
            await asyncio.wait([feeding, *stops], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for stop in stops:
                stop.cancel()
        if feeding.done() and not draining.is_set():
            if (error := feeding.exception()) is not None:
                feed.fail(error)
            elif not shutdown.requested.is_set():
                return
        draining.set()
        await window.release_holds()
        for pool in pools:
            await pool.drain()
        await feed.settle(self.config.shutdown.grace_s)

    async def _close(self, actors: RayActors, pools: list[PageWorkerPool], leases: LeaseKeeper, *, finished: bool) -> None:
        for pool in pools:
            self.progress.workers = max(self.progress.workers, pool.size)
            await pool.close()
        with contextlib.suppress(Exception):  # its intents stay, and age
            await asyncio.wait_for(actors.close_desk(finished=finished), _LEDGER_CLOSE_S)
        with contextlib.suppress(Exception):  # what it had acknowledged is durable whether or not it answers now
            report = await asyncio.wait_for(actors.close_ledger(), _LEDGER_CLOSE_S)
            for name in report.damaged_segments:
                self.terminal.warn(f"A ledger segment is damaged, and its pages are read again: {name}")
        with contextlib.suppress(Exception):  # what it shares with other clusters expires by itself
            await asyncio.wait_for(actors.close_limiter(), _LIMITER_CLOSE_S)
        await leases.close()

    # -- files and names ----------------------------------------------------------------------------------------------------

    def _owner(self) -> str:
        return f"{self.run_id}@{socket.gethostname()}:{os.getpid()}"

    def _write_lines(self, lines: Sequence[str]) -> None:
        if self.log_file is not None:
            self.log_file.write(lines)

    def _send_failure(self, line: dict[str, Any]) -> None:
        if self.errors_out is not None:
            self.errors_out.line(line)

    def _configure_logs(self) -> None:
        try:
            self.log_file = configure_logs(
                Path(self.config.logs.dir),
                run_id=self.run_id,
                retention_days=self.config.logs.retention_days,
                echo=sys.stdout if self.config.logs.stdout == "json" else None,
            )
            if self.log_file.folder is None:
                self.terminal.warn(f"Cannot create {self.config.logs.dir}: logs go to standard output only.")
        except OSError as error:
            self.terminal.warn(f"No logs are written: {self.config.logs.dir}: {error.strerror}. Choose another logs.dir=")


def _shrink(pools: list[PageWorkerPool], actors: RayActors, *, idle_s: float, keep: int) -> None:
    for pool in pools:
        pool.shrink(idle_s=idle_s, keep=keep)
    actors.document_workers.shrink(idle_s=idle_s)
