"""Implements mode=run, watch and retry, from a plan to an exit code: starts the parts of a run, drains and closes them, and
reports. The user sees output within one second. The source is listed while Ray starts, and Ray does not start if everything is
already finished.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rayocr.actors.discovery.actor import Discovery, DiscoveryRules
from rayocr.config import Mode, RayocrConfig, Secrets
from rayocr.driver.cluster.connect import Connection
from rayocr.driver.cluster.faults import Faults
from rayocr.driver.connecting import connected
from rayocr.driver.earlier.corrected_documents import CorrectedDocuments
from rayocr.driver.earlier.missing_outputs import MissingOutputs
from rayocr.driver.earlier.replaced_failures import ReplacedFailures
from rayocr.driver.engine_check import check_engines
from rayocr.driver.monitor.announcements import Announcements
from rayocr.driver.monitor.run_record import note_started
from rayocr.driver.monitor.spend_account import SpendAccount
from rayocr.driver.monitor.terminal import ConsoleTerminal
from rayocr.driver.plan import Plan, sweep_temp_files
from rayocr.driver.retry_selection import discovery_rules, source_words
from rayocr.driver.scheduling.leases import open_run_locks
from rayocr.driver.scheduling.progress import Progress
from rayocr.driver.server_probe import probe_servers
from rayocr.driver.signals import Shutdown
from rayocr.driver.wiring import (
    RunInputs,
    RunParts,
    logged,
    runs_in_process,
    start_actors,
    until_done_or_stopped,
    until_ended,
    wire,
)
from rayocr.errors import Interrupted, RayocrError
from rayocr.gateway.server import StatusPage
from rayocr.in_thread import in_thread
from rayocr.limits.deadline import parse_deadline
from rayocr.locks.base import Locks
from rayocr.locks.destination import DestinationLock
from rayocr.locks.factory import open_locks
from rayocr.messages import DiscoveryBatch
from rayocr.observe.logs import DailyFileHandler, configure_logs, log_event
from rayocr.observe.supabase.sink import SupabaseSink, open_sink
from rayocr.retry import RetryPolicy
from rayocr.storage.local.temp_files import remove_empty_state, remove_if_empty
from rayocr.storage.uri import parse_uri

log = logging.getLogger(__name__)

_LIMITER_CLOSE_S = 5.0
_LEDGER_CLOSE_S = 15.0  # seconds to write the last segment; the next run reads pages again that are not written by then


def new_run_id() -> str:
    """Returns an id that sorts by time and is unique even for runs that start in the same second."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ") + "-" + secrets.token_hex(3)


@dataclass(slots=True)
class Run:
    """Executes one run. `faults`: faults that tests inject into a run in this process."""

    config: RayocrConfig
    plan: Plan
    keys: Secrets
    terminal: ConsoleTerminal
    run_id: str = field(default_factory=new_run_id)
    progress: Progress = field(default_factory=Progress)
    faults: Faults | None = None
    in_process: bool = False  # runs without Ray, regardless of cluster=
    log_file: DailyFileHandler | None = None
    sink: SupabaseSink | None = None
    destination: DestinationLock | None = None
    status_page: StatusPage | None = None
    announcements: Announcements = field(init=False)
    replaced: ReplacedFailures = field(init=False)
    corrected: CorrectedDocuments = field(init=False)
    missing: MissingOutputs = field(init=False)
    account: SpendAccount = field(init=False)

    def __post_init__(self) -> None:
        self.replaced = ReplacedFailures(self.plan.state)
        self.corrected = CorrectedDocuments(self.plan.state, RetryPolicy.from_config(self.config.retry))
        self.account = SpendAccount(self.plan.state, self.run_id)
        self.announcements = Announcements(
            config=self.config,
            plan=self.plan,
            terminal=self.terminal,
            progress=self.progress,
            run_id=self.run_id,
            corrections=self.corrected.found,
        )
        if self.config.mode is Mode.watch:
            self.progress.on_document = self.announcements.say_document

    def execute(self) -> int:
        """Executes the run and returns its exit code. Raises RayocrError for errors that stop a run."""
        self._configure_logs()
        self.sink = open_sink(self.config, self.keys, run_id=self.run_id, warn=self.terminal.warn)
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
            if self.sink is not None:
                self.sink.close()

    def _execute(self) -> int:
        check_engines(self.config, self.plan.links)
        sweep_temp_files(self.plan)
        rules = discovery_rules(self.config, self.plan)
        if rules.retried is not None and not rules.retried:
            return self.announcements.say_nothing_to_retry()
        self.announcements.dead_letters = len(rules.retried or ())
        self.missing = MissingOutputs(self.config, self.plan, rules)
        try:
            asyncio.run(self.run(rules))
            self._add_missing_outputs()
        except asyncio.CancelledError:
            raise Interrupted("Interrupted.") from None
        finally:
            if self.destination is not None:
                self.destination.release()
            sweep_temp_files(self.plan)  # checked again, since actors of a killed run may still have been running at the start
            if not self.progress.totals.found:
                for storage in (self.plan.state, self.plan.dest):
                    if storage.uri.startswith("file:"):
                        remove_empty_state(parse_uri(storage.uri).root)
                remove_if_empty(self.plan.new_folders)
        return self.announcements.exit_code()

    def _add_missing_outputs(self) -> None:
        """Adds the missing outputs of finished documents, and names damaged manifests. Raises RayocrError."""
        if not self.progress.totals.finished or not self.missing.exist():
            self.announcements.say_damaged_manifests(self.missing.damaged)
            return
        owner = f"{self.run_id}-outputs@{socket.gethostname()}:{os.getpid()}"
        if self.destination is not None:
            locks = open_locks(self.config.locks, self.plan.state.uri, owner=owner, redis_url=self.keys.redis_url)
        else:
            locks, self.destination = open_run_locks(self.config, self.plan, self.keys, run_id=self.run_id, owner=owner)
        try:
            with self.terminal.busy("Writing outputs of finished documents …"):
                addition = self.missing.add(locks)
        finally:
            locks.close()
        self.announcements.say_outputs_added(addition)
        self.announcements.say_damaged_manifests(self.missing.damaged)

    # -- start --------------------------------------------------------------------------------------------------------------

    async def run(self, rules: DiscoveryRules) -> None:
        """Runs until every document has ended. Raises RayocrError for errors that stop a run, and Interrupted after a signal."""
        shutdown = Shutdown(on_first=self.announcements.announce_drain, on_second=self.announcements.announce_stop)
        shutdown.install()
        scout = asyncio.create_task(in_thread(lambda: self._scout(rules)))
        done, _ = await asyncio.wait([scout], timeout=1.0)
        self.progress.on_document = self.corrected.watching(self.replaced.watching(self.progress.on_document))
        if done and not scout.result().documents and not rules.watch:
            self.announcements.say_nothing_to_do(scout.result(), lacking=await asyncio.to_thread(self.missing.exist))
            return
        if done:
            self.announcements.say_found(scout.result())
        for read in (self.replaced.read, self.corrected.read):
            asyncio.get_running_loop().run_in_executor(None, read)
        if not rules.watch:  # Ctrl-C is the normal end of a watch
            chosen = {"include": self.config.include, "exclude": self.config.exclude, "options": self.announcements.options}
            await asyncio.to_thread(
                note_started, self.plan.state, self.run_id, source=source_words(self.plan), mode=self.config.mode.value, **chosen
            )
        owner = f"{self.run_id}@{socket.gethostname()}:{os.getpid()}"
        locks, self.destination = open_run_locks(self.config, self.plan, self.keys, run_id=self.run_id, owner=owner)
        probing = asyncio.create_task(
            asyncio.to_thread(probe_servers, self.plan.links, self.config.engine, self.plan.prompts, self.keys)
        )
        probing.add_done_callback(lambda task: task.cancelled() or task.exception())  # always retrieves the exception
        needs_ray = not (self.in_process or runs_in_process(self.config))
        async with connected(self.config, shutdown, probing, self.terminal) if needs_ray else nullcontext() as connection:
            async with self._waiting_for_servers(probing):
                await probing
            shutdown.install()
            if connection is not None:
                self._announce(connection)
            if not scout.done():
                scout.add_done_callback(
                    lambda task: None if task.cancelled() or task.exception() else self.announcements.say_found(task.result())
                )
            if shutdown.requested.is_set():
                raise Interrupted("Interrupted before the first page.")
            inputs = self.inputs(rules, locks, owner, shutdown)
            async with self.terminal.waiting("Starting the workers …") if connection else nullcontext():
                actors = await start_actors(inputs, connection, faults=self.faults)
            await self.run_on(wire(inputs, actors), shutdown)

    def _scout(self, rules: DiscoveryRules) -> DiscoveryBatch:
        """Lists the beginning of the source before the cluster starts, to determine whether there is work, and how much."""
        beginning = replace(rules, order="listing", watch=False)
        batch = Discovery(self.plan.source, self.plan.state, beginning).next_batch(1)
        if batch.totals.finished and not rules.retried:
            self.announcements.find_other_settings()
        return batch

    def _waiting_for_servers(self, probing: asyncio.Task[None]) -> AbstractAsyncContextManager[None]:
        asked = [link.name for link in self.plan.links if link.kind == "wait"]
        if probing.done() or not asked:
            return nullcontext()
        return self.terminal.waiting(f"Waiting for {' and '.join(asked)} …")

    def _announce(self, connection: Connection) -> None:
        if connection.where:
            self.terminal.say(f"Running on the {connection.where}.")
        if connection.dashboard_url:
            self.terminal.say(f"Ray dashboard: {connection.dashboard_url}")

    def inputs(self, rules: DiscoveryRules, locks: Locks, owner: str, shutdown: Shutdown) -> RunInputs:
        return RunInputs(
            config=self.config,
            deadline_at=parse_deadline(self.config.deadline, now=time.time()) if self.config.deadline else None,
            plan=self.plan,
            keys=self.keys,
            rules=rules,
            locks=locks,
            run_id=self.run_id,
            owner=owner,
            terminal=self.terminal,
            progress=self.progress,
            announcements=self.announcements,
            account=self.account,
            draining=asyncio.Event(),
            write_lines=self._write_lines,
            send_failure=self._send_failure,
            drain=shutdown.request,
            opened=self._keep_page,
        )

    # -- work ---------------------------------------------------------------------------------------------------------------

    async def run_on(self, parts: RunParts, shutdown: Shutdown) -> None:
        scheduler = parts.scheduler
        try:
            await self._work(parts, shutdown)
        finally:
            finished = scheduler.failure is None and not parts.inputs.draining.is_set() and not shutdown.requested.is_set()
            await self._close(parts, finished=finished)
        if scheduler.failure is not None:
            raise scheduler.failure
        if shutdown.requested.is_set():
            raise Interrupted("Interrupted.")

    async def _work(self, parts: RunParts, shutdown: Shutdown) -> None:
        """Runs until the last document has ended, or the run was stopped and has drained."""
        await parts.cancel_watch.poll()
        parts.leases.start(parts.scheduler.lost)
        if not parts.inputs.watches:  # a watch may be idle for days
            for stage in parts.stages:
                stage.pool.prestart()
        notifications = parts.open_notifications()
        if parts.inputs.watches:
            self.announcements.say_watching()
        async with asyncio.TaskGroup() as group:
            documents = group.create_task(until_ended(parts, parts.documents(notifications)))
            beside = [group.create_task(logged(name, part)) for name, part in parts.background().items()]
            try:
                await until_done_or_stopped(parts, documents, shutdown)
            finally:
                for task in (documents, *beside):
                    task.cancel()
                if notifications is not None:
                    notifications.close()

    # -- end ----------------------------------------------------------------------------------------------------------------

    async def _close(self, parts: RunParts, *, finished: bool) -> None:
        actors = parts.actors
        await parts.scheduler.close()
        if parts.outages is not None:
            await parts.outages.close()
        if actors.limiter is not None:
            with suppress(Exception):  # the final spending; a dead limiter has reported its own failure
                self.progress.limiter = await asyncio.wait_for(actors.limiter.state(), _LIMITER_CLOSE_S)
                self.account.keep(self.progress.limiter.spent_by_day, now=True)
        await parts.telemetry.last()
        for stage in parts.stages:
            self.progress.workers = max(self.progress.workers, stage.pool.size)
            await stage.pool.close()
        if actors.batch_queue is not None:
            with suppress(Exception):  # the intents remain and expire later
                await asyncio.wait_for(actors.batch_queue.close(finished=finished), _LEDGER_CLOSE_S)
        with suppress(Exception):  # acknowledged pages are durable even if the ledger does not answer now
            report = await asyncio.wait_for(actors.ledger.close(), _LEDGER_CLOSE_S)
            for name in report.damaged_segments:
                self.terminal.warn(f"Ledger segment {name} is damaged; its pages are read again.")
        if actors.limiter is not None:
            with suppress(Exception):  # its shares in other clusters expire
                await asyncio.wait_for(actors.limiter.close(), _LIMITER_CLOSE_S)
        await asyncio.to_thread(self.replaced.remove)
        await parts.leases.close()
        await actors.close()

    def _keep_page(self, page: StatusPage) -> None:
        self.status_page = page

    # -- logs ---------------------------------------------------------------------------------------------------------------

    def _write_lines(self, lines: Sequence[str]) -> None:
        if self.log_file is not None:
            self.log_file.write(lines)

    def _send_failure(self, fields: Mapping[str, Any]) -> None:
        if self.sink is not None:
            self.sink.line(fields)

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
            self.terminal.warn(f"Cannot write logs to {self.config.logs.dir}: {error.strerror}. Set logs.dir= to another folder.")
