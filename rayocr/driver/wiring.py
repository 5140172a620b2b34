"""Builds the parts of a run from a plan: `start_actors` starts the actors, `wire` connects everything else to them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from rayocr.actors.discovery.actor import DiscoveryRules
from rayocr.actors.placement import Group
from rayocr.actors.rate_limiter.rules import LimiterRules
from rayocr.config import INPROCESS, Mode, RayocrConfig, Secrets
from rayocr.driver.cancellation import CancelWatch
from rayocr.driver.cluster.actors import RunActors, document_workers
from rayocr.driver.cluster.connect import Connection
from rayocr.driver.cluster.faults import Faults
from rayocr.driver.cluster.head_watch import HeadWatch
from rayocr.driver.cluster.nodes import Follower, watch_nodes
from rayocr.driver.cluster.pool_sizing import StagePool, local_stage, open_pool, pages_at_once, requests_at_once
from rayocr.driver.cluster.worker_settings import DocumentSettings
from rayocr.driver.lane_terms import lane_terms
from rayocr.driver.monitor.announcements import Announcements
from rayocr.driver.monitor.http_control import serve_http_api
from rayocr.driver.monitor.ray_metrics import Metrics, NoMetrics, RayMetrics
from rayocr.driver.monitor.snapshot import StatusCollector
from rayocr.driver.monitor.spend_account import SpendAccount
from rayocr.driver.monitor.stall import StallWatch
from rayocr.driver.monitor.telemetry import TelemetryWatch
from rayocr.driver.monitor.terminal import ConsoleTerminal
from rayocr.driver.monitor.watches.batch_watch import BatchWatch
from rayocr.driver.monitor.watches.lane_watch import LaneWatch
from rayocr.driver.monitor.watches.ledger_watch import LedgerWatch
from rayocr.driver.monitor.watches.limiter_watch import LimiterWatch
from rayocr.driver.plan import Plan
from rayocr.driver.scheduling.flow.document_flow import DocumentFlow
from rayocr.driver.scheduling.leases import Leases, compact_ledger
from rayocr.driver.scheduling.outages import Outages
from rayocr.driver.scheduling.progress import Progress
from rayocr.driver.scheduling.scheduler import Scheduler
from rayocr.driver.scheduling.window import Window
from rayocr.driver.signals import Shutdown
from rayocr.driver.watching.notifications import Notifications
from rayocr.driver.watching.watch import Watch, open_events, open_outages
from rayocr.gateway.server import StatusPage
from rayocr.limits.prices import STANDARD
from rayocr.locks.base import Locks

log = logging.getLogger(__name__)

CLOSING_S = 3.0  # the part of shutdown.grace_s for the end of the workers and the last records
_FOREVER_S = 10 * 365 * 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInputs:
    """The inputs from which `wire` builds a run. `owner`: the owner of the run's leases. `draining`: set when the run has to
    end."""

    config: RayocrConfig
    plan: Plan
    keys: Secrets
    rules: DiscoveryRules
    locks: Locks
    run_id: str
    owner: str
    terminal: ConsoleTerminal
    progress: Progress
    announcements: Announcements
    account: SpendAccount
    draining: asyncio.Event
    write_lines: Callable[[Sequence[str]], None]
    send_failure: Callable[[Mapping[str, Any]], None]
    drain: Callable[[str], None]
    opened: Callable[[StatusPage], None] = lambda page: None
    deadline_at: float | None = None  # deadline of objective=deadline, in seconds since 1970

    @property
    def watches(self) -> bool:
        return self.config.mode is Mode.watch


@dataclass(frozen=True, slots=True, kw_only=True)
class RunParts:
    """The parts of a run, connected and not yet started."""

    inputs: RunInputs
    actors: RunActors
    window: Window
    leases: Leases
    stages: tuple[StagePool, ...]
    flow: DocumentFlow
    scheduler: Scheduler
    cancel_watch: CancelWatch
    telemetry: TelemetryWatch
    collector: StatusCollector
    metrics: Metrics
    outages: Outages | None  # parts of mode=watch

    def background(self) -> dict[str, Coroutine[Any, Any, None]]:
        """Returns the tasks that run beside the documents until the run ends, by name."""
        inputs, actors = self.inputs, self.actors
        followers: list[Follower] = [*(stage.pool for stage in self.stages), actors.document_workers, self.window]
        found: dict[str, Coroutine[Any, Any, None]] = {
            "terminal": inputs.terminal.show(inputs.progress),
            "cancel requests": self.cancel_watch.run(),
            "idle workers": self._shrink_forever(),
            "nodes": watch_nodes(followers, actors.nodes, every_s=actors.nodes_every_s),
            "telemetry": self.telemetry.run(),
            "stalls": StallWatch(inputs.progress, self.window, warn=inputs.terminal.warn).run(),
            "compaction": compact_ledger(actors.ledger, self.leases, inputs.run_id),
            "HTTP API": serve_http_api(
                inputs.plan,
                inputs.config,
                inputs.keys,
                collector=self.collector,
                actors=actors,
                scheduler=self.scheduler,
                rules=inputs.rules,
                drain=inputs.drain,
                locks=inputs.locks,
                terminal=inputs.terminal,
                metrics=self.metrics,
                opened=inputs.opened,
            ),
        }
        if actors.head_address:
            say, warn = inputs.terminal.say, inputs.terminal.warn
            found["head"] = HeadWatch(actors.head_address, fail=self.scheduler.fail, warn=warn, say=say).run()
        found["ledger"] = LedgerWatch(actors.ledger, inputs.progress).run()
        if actors.limiter is not None:
            found["limiter"] = LimiterWatch(
                actors.limiter, inputs.progress, warn=inputs.terminal.warn, keep=inputs.account.keep
            ).run()
            if inputs.config.engine.lanes:
                found["lanes"] = LaneWatch(
                    actors.limiter,
                    actors.batch_queue,
                    inputs.progress,
                    inputs.config,
                    inputs.plan.prices,
                    deadline_at=inputs.deadline_at,
                    at_once=requests_at_once(inputs.config, inputs.plan.stages, cpus=actors.cpus, processes=actors.has_processes),
                    say=inputs.terminal.say,
                    local_pool=local.pool if (local := local_stage(inputs.config, self.stages)) is not None else None,
                    fail=self.scheduler.fail,
                ).run()
        if actors.batch_queue is not None:
            found["batches"] = BatchWatch(actors.batch_queue, say=inputs.terminal.say).run()
        return found

    def open_notifications(self) -> Notifications | None:
        """Opens notifications for a watch, if a subscription is configured. Raises CredentialsError."""
        inputs = self.inputs
        if self.outages is None:
            return None
        return open_events(inputs.config, inputs.plan, inputs.rules, self.scheduler, warn=inputs.terminal.warn)

    def documents(self, notifications: Notifications | None) -> Awaitable[None]:
        """Processes the documents until the last one has ended."""
        if self.outages is None:
            return self.scheduler.run()
        inputs = self.inputs
        watch = Watch(
            self.actors.discovery,
            self.scheduler,
            self.outages,
            inputs.progress,
            inputs.config,
            inputs.draining,
            events=notifications,
        )
        return watch.run()

    async def _shrink_forever(self) -> None:
        idle_s = self.inputs.config.workers.idle_timeout_s
        keep = 0 if self.inputs.watches else self.inputs.config.workers.min
        while True:
            await asyncio.sleep(max(1.0, idle_s / 4))
            _shrink(self.stages, self.actors, idle_s=idle_s, keep=keep)


def wire(inputs: RunInputs, actors: RunActors) -> RunParts:
    """Connects the parts without starting them."""
    config, plan, progress, draining = inputs.config, inputs.plan, inputs.progress, inputs.draining
    window = Window(config.window, held_on=actors.documents_group)
    stages = tuple(open_pool(config, plan, inputs.keys, actors, stage) for stage in plan.stages)
    leases = _leases(inputs)
    # On a shared cluster, the run that this one waits for may be waiting for idle workers.
    release_cpus = partial(_shrink, stages, actors, idle_s=0.0, keep=0)
    outages = open_outages(plan, window, progress, inputs.terminal, on_hold=release_cpus) if inputs.watches else None
    flow = DocumentFlow(
        actors,
        stages=stages,
        window=window,
        leases=leases,
        progress=progress,
        draining=draining,
        pages_at_once=pages_at_once(config, plan.stages, cpus=actors.cpus, processes=actors.has_processes),
    )
    scheduler = Scheduler(
        flow,
        actors.discovery,
        window,
        progress,
        draining,
        retry_s=leases.retry_s,
        on_waiting=release_cpus,
        on_push=actors.note_pushed,
        outages=outages,
        follow_versions=not (inputs.watches and plan.source.uri.startswith("file:")),
    )
    return RunParts(
        inputs=inputs,
        actors=actors,
        window=window,
        leases=leases,
        stages=stages,
        flow=flow,
        scheduler=scheduler,
        cancel_watch=CancelWatch(plan.state, partial(_cancel, scheduler, stages)),
        telemetry=TelemetryWatch(actors.take_telemetry, progress, write=inputs.write_lines, on_failure=inputs.send_failure),
        collector=StatusCollector(
            run_id=inputs.run_id,
            config=config,
            progress=progress,
            window=window,
            pools=[stage.pool for stage in stages],
            leases=leases,
            flow=flow,
        ),
        metrics=RayMetrics() if actors.has_processes else NoMetrics(),
        outages=outages,
    )


def _leases(inputs: RunInputs) -> Leases:
    """Creates the leases. A watch waits for the lock service without limit."""
    locks = inputs.config.locks
    return Leases(
        inputs.locks,
        ttl_s=locks.ttl_s,
        draining=inputs.draining,
        on_availability=inputs.announcements.say_locks,
        patience_s=None if inputs.watches else locks.patience_s,
    )


def _cancel(scheduler: Scheduler, stages: Sequence[StagePool], document_id: str) -> None:
    if (token := scheduler.cancel(document_id)) is not None:
        for stage in stages:
            stage.pool.cancel(document_id, token)


def _shrink(stages: Sequence[StagePool], actors: RunActors, *, idle_s: float, keep: int) -> None:
    for stage in stages:
        stage.pool.shrink(idle_s=idle_s, keep=keep)
    actors.document_workers.shrink(idle_s=idle_s)


async def start_actors(inputs: RunInputs, connection: Connection | None, *, faults: Faults | None = None) -> RunActors:
    """Starts the actors on the connected Ray, otherwise in this process, where tests inject `faults`. Raises StorageError."""
    config, plan, keys = inputs.config, inputs.plan, inputs.keys
    requests_per_s = config.storage.requests_per_s
    if requests_per_s is not None and connection is not None:  # each process has a fixed share, without any coordination
        requests_per_s /= document_workers(config, connection.cpus)
    settings = DocumentSettings(config, plan, keys, run_id=inputs.run_id, owner=inputs.owner, requests_per_s=requests_per_s)
    parts = config, plan.state, settings.assemble(), settings.fetch()
    limiter_rules = _limiter_rules(inputs)
    if connection is None:
        from rayocr.driver.cluster.local_actors import start_local

        return await start_local(*parts, rules=inputs.rules, limiter_rules=limiter_rules, keys=keys, faults=faults)
    from rayocr.driver.cluster.ray_actors import RayActors

    groups = frozenset(Group.COMPUTE if stage.kind == "compute" else Group.WAIT for stage in plan.stages)
    return RayActors(*parts, rules=inputs.rules, limiter_rules=limiter_rules, keys=keys, needed=groups, connection=connection)


def runs_in_process(config: RayocrConfig) -> bool:
    return config.cluster == INPROCESS


def _limiter_rules(inputs: RunInputs) -> LimiterRules | None:
    """Returns the limiter's rules; None if no engine waits for a server."""
    config, plan = inputs.config, inputs.plan
    if all(stage.kind != "wait" for stage in plan.stages):
        return None
    limits = config.limits
    if inputs.watches:  # a watch waits for Redis and for models without limit
        limits = replace(limits, shared_patience_s=_FOREVER_S, patience_s=None)
    budget = config.budget
    counts_others = any((limits.usd_per_month, budget.usd_per_day is not None, budget.usd_per_month is not None))
    return LimiterRules(
        limits=limits,
        prices=plan.prices,
        budget=budget,
        spent_before=inputs.account.spent_by_others(time.time()) if counts_others else {},
        lanes=lane_terms(config, plan.prices),
        tier="priority" if config.engine.gemini.tier == "priority" else STANDARD,
        fallback=config.engine.on_outage == "fallback",
    )


async def until_done_or_stopped(parts: RunParts, documents: asyncio.Task[None], shutdown: Shutdown) -> None:
    draining = parts.inputs.draining
    stops = [asyncio.create_task(shutdown.requested.wait()), asyncio.create_task(draining.wait())]
    try:
        await asyncio.wait([documents, *stops], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for stop in stops:
            stop.cancel()
    if documents.done() and not draining.is_set() and not shutdown.requested.is_set():
        return
    draining.set()
    await parts.window.release_holds()
    for stage in parts.stages:
        await stage.pool.drain()
    grace_s = parts.inputs.config.shutdown.grace_s
    await parts.scheduler.settle(grace_s - min(CLOSING_S, grace_s / 4))


async def until_ended(parts: RunParts, documents: Awaitable[None]) -> None:
    """Waits for the documents. An error that stops the documents stops the run and is stored in `scheduler.failure`. A run that
    is already ending keeps its first error."""
    try:
        await documents
    except Exception as error:
        if not parts.inputs.draining.is_set():
            parts.scheduler.fail(error)


async def logged(name: str, part: Awaitable[None]) -> None:
    """Logs a bug in a background task. The run continues, because reading documents does not need the task."""
    try:
        await part
    except Exception as error:
        fields = {"action": "part_failed", "part": name}
        log.error("A bug in rayocr ended a background task.", exc_info=error, extra={"rayocr_fields": fields})
