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
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rayocr.actors.assemble import AssembleSettings
from rayocr.actors.commit import LeaseSettings
from rayocr.actors.discovery import Discovery, DiscoveryRules
from rayocr.actors.fetch import FetchSettings
from rayocr.actors.rate_limiter import LimiterRules
from rayocr.config import Mode, RayocrConfig, Secrets
from rayocr.driver.again import documents_to_retry
from rayocr.driver.cluster import Connection, connect, disconnect
from rayocr.driver.control import CancelWatch
from rayocr.driver.face import show_face
from rayocr.driver.feed import Feed
from rayocr.driver.housekeeping import keep_house
from rayocr.driver.leases import LeaseKeeper
from rayocr.driver.preflight import Plan
from rayocr.driver.probe import probe_servers
from rayocr.driver.progress import Progress
from rayocr.driver.quota_watch import QuotaWatch
from rayocr.driver.record import run_record, write_record
from rayocr.driver.shutdown import Shutdown
from rayocr.driver.snapshot import Snapshooter
from rayocr.driver.telemetry import TelemetryWatch
from rayocr.driver.terminal import ConsoleTerminal, closing_table, printable, unseen
from rayocr.driver.window import Window
from rayocr.errors import Interrupted, RayocrError, StorageUnavailable
from rayocr.locks.base import Locks
from rayocr.locks.claim import Claim, ClaimedLocks
from rayocr.messages import DiscoveryBatch, DocumentOutcome
from rayocr.observe.logs import DailyFileHandler, configure_logs, log_event
from rayocr.observe.supabase.sink import SupabaseSink, open_sink
from rayocr.retry import RetryPolicy

if TYPE_CHECKING:
    from rayocr.driver.handles import Actors
    from rayocr.driver.pool import WorkerPool

log = logging.getLogger(__name__)

_LIMITER_CLOSE_S = 5.0
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
    claim: Claim | None = None

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
        self._sweep()
        rules = DiscoveryRules(
            include=self.plan.include,
            exclude=self.plan.exclude,
            limit=self.config.limit,
            overwrite=self.config.overwrite,
            retried=self._retried(),
        )
        if rules.retried is not None and not rules.retried:
            self.terminal.say("Nothing to retry: no dead letter passes the filters; see mode=status.")
            return 0
        try:
            asyncio.run(self._run(rules))
        except asyncio.CancelledError:
            raise Interrupted("Interrupted.") from None
        finally:
            if self.claim is not None:
                self.claim.release()
            self._sweep()  # once more: at the start, actors of a run that had been killed may still have been dying
        return self._exit_code()

    def _retried(self) -> frozenset[str] | None:
        return documents_to_retry(self.plan.state, self.config) if self.config.mode is Mode.retry else None

    # -- start --------------------------------------------------------------------------------------------------------------

    async def _run(self, rules: DiscoveryRules) -> None:
        draining = asyncio.Event()
        shutdown = Shutdown(on_first=self._announce_drain, on_second=lambda: None)
        shutdown.install()
        scout = asyncio.create_task(asyncio.to_thread(self._scout, rules))
        done, _ = await asyncio.wait([scout], timeout=1.0)
        if done and not scout.result().documents:
            self._say_nothing_to_do(scout.result())
            return
        if done:
            self._say_found(scout.result())
        locks = self._locks()
        probing = asyncio.create_task(
            asyncio.to_thread(probe_servers, self.plan.links, self.config.engine, self.plan.prompts, self.keys)
        )
        probing.add_done_callback(lambda task: task.cancelled() or task.exception())  # heard of, also where Ray does not start
        # Ray is started beside the listing, on a thread that must outlive it: Linux ends the children of a thread that ends.
        ray_thread = ThreadPoolExecutor(1, thread_name_prefix="ray")
        loop = asyncio.get_running_loop()
        connection = await loop.run_in_executor(ray_thread, connect, self.config)
        try:
            await probing
            shutdown.install()
            if connection.dashboard_url:
                self.terminal.say(f"Ray dashboard: {connection.dashboard_url}")
            if not scout.done():
                scout.add_done_callback(
                    lambda task: None if task.cancelled() or task.exception() else self._say_found(task.result())
                )
            if shutdown.requested.is_set():
                raise Interrupted("Interrupted before the first page.")
            await self._run_on(connection, rules, locks, draining, shutdown)
        finally:
            await loop.run_in_executor(ray_thread, disconnect)
            ray_thread.shutdown()

    def _scout(self, rules: DiscoveryRules) -> DiscoveryBatch:
        """The listing's beginning, before there is a cluster: is there anything to do, and how much?"""
        return Discovery(self.plan.source, self.plan.state, rules).next_batch(1)

    async def _run_on(
        self, connection: Connection, rules: DiscoveryRules, locks: Locks, draining: asyncio.Event, shutdown: Shutdown
    ) -> None:
        from rayocr.driver import handles
        from rayocr.driver.flow import DocumentFlow
        from rayocr.driver.nodes import watch_nodes
        from rayocr.driver.stage_pool import open_pool, place_on

        requests_per_s = self.config.storage.requests_per_s
        if requests_per_s is not None:  # each process keeps to its share, without a word between them
            requests_per_s /= handles.document_workers(self.config, connection.cpus)
        assemble_settings = AssembleSettings(
            dest_uri=self.plan.dest.uri,
            state_uri=self.plan.state.uri,
            outputs=self.plan.outputs,
            run_id=self.run_id,
            fingerprint=self.config.fingerprint(self.plan.prompts),
            retry=self.config.retry,
            output=self.config.output,
            lease=LeaseSettings(
                config=self.config.locks,
                state_uri=self.plan.state.uri,
                owner=self._owner(),
                redis_url=self.keys.redis_url,
            ),
            requests_per_s=requests_per_s,
            access=self.config.storage.dest,
            state_access=self.config.storage.state,
            replace_manifest=self.config.overwrite or self.config.mode is Mode.retry,
        )
        fetch_settings = FetchSettings(
            source_uri=self.plan.source.uri,
            limits=self.config.limits,
            retry=self.config.retry,
            requests_per_s=requests_per_s,
            access=self.config.storage.source,
        )
        actors = handles.start(
            self.config,
            run_id=self.run_id,
            state=self.plan.state,
            source_uri=self.plan.source.uri,
            assemble_settings=assemble_settings,
            fetch_settings=fetch_settings,
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
        window = Window(self.config.window)
        leases = LeaseKeeper(
            locks,
            ttl_s=self.config.locks.ttl_s,
            draining=draining,
            on_lost=lambda document_id: feed.lost(document_id),
            on_away=self._say_locks,
        )
        # A run that waits for another gives up its CPUs: on one cluster the other may be waiting for them.
        feed = Feed(
            actors,
            window,
            self.progress,
            draining,
            retry_s=leases.retry_s,
            on_waiting=lambda: _shrink(pools, actors, idle_s=0.0, keep=0),
        )
        flow = DocumentFlow(actors, stages=stages, window=window, leases=leases, progress=self.progress, draining=draining)
        leases.start()
        for pool in pools:
            pool.prestart()
        showing = asyncio.create_task(self.terminal.show(self.progress))
        watch = CancelWatch(self.plan.state, lambda document_id: self._cancel(document_id, feed, pools))
        await watch.look()
        watching = asyncio.create_task(watch.run())
        shrinking = asyncio.create_task(self._shrink_forever(pools, actors))
        following = asyncio.create_task(watch_nodes([*pools, actors.document_workers]))
        metering = asyncio.create_task(self._watch_quota(actors))
        telemetry = TelemetryWatch(actors, self.progress, write=self._write_lines, on_failure=self._send_failure)
        relaying = asyncio.create_task(telemetry.run())
        tidying = asyncio.create_task(keep_house(actors, leases, self.run_id))
        feeding = asyncio.create_task(feed.run(flow))
        facing = asyncio.create_task(
            show_face(
                self.plan,
                self.config,
                self.keys,
                snapshooter=Snapshooter(
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
                drain=shutdown.request,
                locks=locks,
                terminal=self.terminal,
            )
        )
        beside = (showing, watching, shrinking, following, metering, tidying, facing, relaying)
        try:
            await self._until_done_or_stopped(feed, feeding, pools, draining, shutdown)
        finally:
            for task in (feeding, *beside):
                task.cancel()
            await asyncio.gather(feeding, *beside, return_exceptions=True)
            await feed.close()
            with contextlib.suppress(Exception):  # the last word on the money; a limiter that is gone has said its own
                if actors.limiter is not None:
                    self.progress.limiter = await asyncio.wait_for(actors.limiter_state(), _LIMITER_CLOSE_S)
            await telemetry.last()
            finished = feed.failure is None and not draining.is_set() and not shutdown.requested.is_set()
            await self._close(actors, pools, leases, finished=finished)
        if feed.failure is not None:
            raise feed.failure
        if shutdown.requested.is_set():
            raise Interrupted("Interrupted.")

    async def _shrink_forever(self, pools: list[WorkerPool], actors: Actors) -> None:
        idle_s = self.config.workers.idle_timeout_s
        while True:
            await asyncio.sleep(max(1.0, idle_s / 4))
            _shrink(pools, actors, idle_s=idle_s, keep=self.config.workers.min)

    def _cancel(self, document_id: str, feed: Feed, pools: list[WorkerPool]) -> None:
        feed.cancel(document_id)
        for pool in pools:
            pool.cancel(document_id)

    def _limiter_rules(self) -> LimiterRules | None:
        """None where no engine waits for a server: nothing to limit."""
        if all(stage.kind != "wait" for stage in self.plan.stages):
            return None
        return LimiterRules(limits=self.config.limits, prices=self.plan.prices, budget_usd=self.config.budget.usd)

    async def _watch_quota(self, actors: Actors) -> None:
        from rayocr.driver import handles

        if actors.limiter is not None:
            await QuotaWatch(actors, self.progress, warn=self.terminal.warn, died=handles.PROCESS_DIED).run()

    # -- the end ---------------------------------------------------------------------------------------------------------

    async def _until_done_or_stopped(
        self, feed: Feed, feeding: asyncio.Task[None], pools: list[WorkerPool], draining: asyncio.Event, shutdown: Shutdown
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
        for pool in pools:
            await pool.drain()
        await feed.settle(self.config.shutdown.grace_s)

    async def _close(self, actors: Actors, pools: list[WorkerPool], leases: LeaseKeeper, *, finished: bool) -> None:
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

    def _exit_code(self) -> int:
        progress = self.progress
        if progress.deferred:
            raise StorageUnavailable(
                f"Storage was away for {progress.deferred} of the documents.",
                hint="Start the same command again to take them up.",
            )
        failed = progress.documents[DocumentOutcome.PARTIAL] + progress.documents[DocumentOutcome.REJECTED]
        left = progress.totals.dead_letters > progress.taken_up
        return 1 if failed or left or progress.totals.unreadable else 0

    def summarize(self) -> None:
        """The closing table, and the run's record beside the state."""
        if not self.progress.documents_started and not self.progress.documents_done:
            return
        fingerprint = self.config.fingerprint(self.plan.prompts)
        record = write_record(self.plan.state, run_record(self.progress, run_id=self.run_id, fingerprint=fingerprint))
        places = {"Outputs": _place(self.plan.dest.uri)}
        if record:
            places["Report"] = f"{_place(self.plan.state.uri)}/{record}"
        failed = self.progress.documents[DocumentOutcome.PARTIAL] + self.progress.documents[DocumentOutcome.REJECTED]
        if failed:
            logs = Path(self.config.logs.dir) / "dead_letter"
            places["Dead letters"] = str(logs) if logs.is_dir() else f"{_place(self.plan.state.uri)}/.rayocr/dead_letters"
        self.terminal.table(closing_table(self.progress, places))

    # -- words and files ----------------------------------------------------------------------------------------------------

    def _owner(self) -> str:
        return f"{self.run_id}@{socket.gethostname()}:{os.getpid()}"

    def _locks(self) -> Locks:
        """Raises LocksUnavailable at once where there are none: better said before the first page than waited for."""
        from rayocr.locks.factory import open_locks

        locks = open_locks(self.config.locks, self.plan.state.uri, owner=self._owner(), redis_url=self.keys.redis_url)
        locks.holders(())
        if self.config.locks.backend == "redis" or self.plan.state.has_atomic_create:
            return locks
        return ClaimedLocks(locks, self._claimed())

    def _claimed(self) -> Claim:
        """The whole destination: its storage cannot tell two runs apart. Raises LockError when another run has it."""
        claim = Claim(
            self.plan.state,
            run_id=self.run_id,
            owner=self._owner(),
            ttl_s=self.config.locks.ttl_s,
            policy=RetryPolicy.from_config(self.config.retry),
        )
        claim.acquire()
        self.claim = claim
        claim.keep()
        return claim

    def _say_locks(self, away: bool) -> None:
        self.progress.locks_away = away
        if away:
            self.terminal.warn("The lock service is away: what is under way goes on, nothing new is taken until it is back.")
        else:
            self.terminal.say("The lock service is back.")

    def _write_lines(self, lines: Sequence[str]) -> None:
        if self.log_file is not None:
            self.log_file.write(lines)

    def _send_failure(self, line: dict[str, Any]) -> None:
        if self.errors_out is not None:
            self.errors_out.line(line)

    def _configure_logs(self) -> None:
        try:
            self.log_file = configure_logs(
                Path(self.config.logs.dir), run_id=self.run_id, retention_days=self.config.logs.retention_days
            )
        except OSError as error:
            self.terminal.warn(f"No logs are written: {self.config.logs.dir}: {error.strerror}. Choose another logs.dir=")

    def _sweep(self) -> None:
        for storage in {self.plan.dest.uri: self.plan.dest, self.plan.state.uri: self.plan.state}.values():
            sweep = getattr(storage, "sweep_temp", None)
            if sweep is not None:
                sweep()

    def _say_found(self, batch: DiscoveryBatch) -> None:
        totals = batch.totals
        more = "" if batch.exhausted or totals.found < 20_000 else " so far"
        skipped = f"; {totals.finished:,} finished earlier are skipped" if totals.finished else ""
        if not self.progress.totals.found:  # until the run's own listing tells more
            self.progress.totals = totals
        documents = "document" if totals.found == 1 else "documents"
        self.terminal.say(f"Found {totals.found:,} {documents}{more}{skipped}.")
        self._say_strange(batch)

    def _say_strange(self, batch: DiscoveryBatch) -> None:
        if names := ", ".join(printable(name) for name in batch.totals.strange):
            self.terminal.warn(f"Damaged or foreign, and taken as if they were not there: {names}")

    def _say_nothing_to_do(self, batch: DiscoveryBatch) -> None:
        totals = self.progress.totals = batch.totals
        self._say_strange(batch)
        if totals.unreadable:
            self.terminal.warn(f"There are {unseen(totals)}")
        if not totals.found:
            passing = " that include= and exclude= let pass" if self.config.include or self.config.exclude else ""
            self.terminal.warn(f"There are no PDFs{passing} in {_place(self.plan.source.uri)}.")
            return
        self.terminal.say(
            f"Nothing to do: all {totals.found:,} documents are finished (outputs in {_place(self.plan.dest.uri)})."
        )
        if totals.dead_letters:
            self.terminal.warn(
                f"{totals.dead_letters:,} of them were rejected or have failed pages; their reasons are in"
                f" {_place(self.plan.state.uri)}/.rayocr/dead_letters. mode=retry takes them up again."
            )

    def _announce_drain(self, signal_name: str) -> None:
        self.terminal.warn(
            f"{signal_name}: finishing what is under way (at most {self.config.shutdown.grace_s:g} s); again to stop at once."
        )


def _shrink(pools: list[WorkerPool], actors: Actors, *, idle_s: float, keep: int) -> None:
    for pool in pools:
        pool.shrink(idle_s=idle_s, keep=keep)
    actors.document_workers.shrink(idle_s=idle_s)


def _place(uri: str) -> str:
    from rayocr.storage.uri import parse_uri

    return parse_uri(uri).display
