"""Connects the run to the HTTP API: pushes snapshots, executes commands, and sends metrics to Ray's dashboard."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from rayocr.actors.discovery.actor import DiscoveryRules
from rayocr.actors.document_identity import document_at
from rayocr.config import RayocrConfig, Secrets
from rayocr.driver.cancellation import write_cancel
from rayocr.driver.cluster.actors import RunActors
from rayocr.driver.monitor.ray_metrics import Metrics
from rayocr.driver.monitor.readiness import Readiness
from rayocr.driver.monitor.snapshot import StatusCollector
from rayocr.driver.monitor.terminal import ConsoleTerminal
from rayocr.driver.plan import Plan
from rayocr.driver.scheduling.scheduler import Scheduler
from rayocr.errors import StorageUnavailable
from rayocr.gateway.channel import Setup
from rayocr.gateway.process import GatewayProcess, new_token
from rayocr.gateway.run_api import Commands
from rayocr.gateway.server import StatusPage
from rayocr.ledger.manifest import Manifest
from rayocr.locks.base import Locks
from rayocr.masking import masked_data
from rayocr.messages import Document
from rayocr.observe.logs import log_event
from rayocr.outputs.output_paths import output_name
from rayocr.outputs.report.pages import Drawing
from rayocr.overrides import for_shell
from rayocr.storage.base import Entry

log = logging.getLogger(__name__)

_PUSH_EVERY_S = 1.0
_LEDGER_EVERY = 5  # number of pushed documents; each requires a call to the ledger
_MOST_WAITING = 10_000  # number of pushed documents that have no room in the window yet
_DPI = 110  # resolution of a page image next to its text, which is readable and has about 100 KB


async def serve_http_api(
    plan: Plan,
    config: RayocrConfig,
    keys: Secrets,
    *,
    collector: StatusCollector,
    actors: RunActors,
    scheduler: Scheduler,
    rules: DiscoveryRules,
    drain: Callable[[str], None],
    locks: Locks,
    terminal: ConsoleTerminal,
    metrics: Metrics,
    opened: Callable[[StatusPage], None],
) -> None:
    """Runs until cancelled. `opened` receives the status page's address. Never raises errors of the API itself, since the run
    does not need it."""
    server = _start_api(
        plan,
        config,
        keys,
        CommandHandler(plan, actors, scheduler, collector, rules, drain).commands(),
        Readiness(plan, config.engine, keys, locks, collector.progress).wrong,
        terminal,
        opened,
    )
    if server is not None:
        server.push(collector.take())
    pushes = 0
    asking: asyncio.Task[None] | None = None
    try:
        while True:
            await asyncio.sleep(_PUSH_EVERY_S)
            pushes += 1
            if pushes % _LEDGER_EVERY == 0 and (asking is None or asking.done()):
                # This call may take minutes while the ledger restarts.
                asking = asyncio.create_task(_read_ledger(actors, collector))
            snapshot = collector.take()
            if server is not None:
                server.push(snapshot)
            metrics.push(snapshot)
    finally:
        if asking is not None:
            asking.cancel()
        if server is not None:
            server.push({**collector.take(), "ended": True, "view_command": f"rayocr view {for_shell(config.dest or '')}"})
            await asyncio.to_thread(server.close)


def _start_api(
    plan: Plan,
    config: RayocrConfig,
    keys: Secrets,
    commands: Commands,
    readiness: Callable[[], dict[str, str]],
    terminal: ConsoleTerminal,
    opened: Callable[[StatusPage], None],
) -> GatewayProcess | None:
    """Starts the API. Returns None if it is disabled or cannot start, which it reports."""
    if not config.gateway.enabled:
        return None
    setup = Setup(
        gateway=config.gateway,
        token=keys.api_token or new_token(),
        source=(plan.source.uri, config.storage.source),
        dest=(plan.dest.uri, config.storage.dest),
        state=(plan.state.uri, config.storage.dest if config.state is None else config.storage.state),
        config=shown_config(config),
        logs=config.logs.dir,
        drawing=Drawing(dpi=max(_DPI, config.report.dpi), limits=config.limits, access=config.storage.source),
    )
    server = GatewayProcess(setup, commands, readiness)
    try:
        address = server.start()
    except OSError as error:
        server.close()
        terminal.warn(
            f"Cannot start the status page on {config.gateway.host}:{config.gateway.port}: {error.strerror}."
            " Set gateway.port=… or gateway.enabled=false."
        )
        return None
    opened(StatusPage(address, setup.token))
    # The fragment (#) of the URL contains the token, as in Jupyter. Browsers do not send the fragment. A token that the user
    # chose is not printed.
    terminal.say_address("Status page:", address if keys.api_token else f"{address}/#token={setup.token}")
    return server


async def _read_ledger(actors: RunActors, collector: StatusCollector) -> None:
    with contextlib.suppress(Exception):  # the actor's process died; the next call succeeds
        collector.ledger = await actors.ledger.state()


class CommandHandler:
    """Executes the commands of the HTTP API on the run's loop. The API's threads call it."""

    def __init__(
        self,
        plan: Plan,
        actors: RunActors,
        scheduler: Scheduler,
        collector: StatusCollector,
        rules: DiscoveryRules,
        drain: Callable[[str], None],
    ) -> None:
        self._plan = plan
        self._actors = actors
        self._scheduler = scheduler
        self._collector = collector
        self._rules = rules
        self._drain = drain
        self._loop = asyncio.get_running_loop()

    def commands(self) -> Commands:
        return Commands(
            pause=lambda: self._soon(self._pause, True),
            resume=lambda: self._soon(self._pause, False),
            drain=lambda: self._soon(self._drain_run),
            cancel=self._cancel,
            retry=lambda manifest: self._soon(self._retry, manifest),
            add=self._add,
            notice=self._notice,
        )

    def _soon(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._loop.call_soon_threadsafe(function, *arguments)

    def _pause(self, paused: bool) -> None:
        log_event(log, *(("run_paused", "Run paused over HTTP.") if paused else ("run_resumed", "Run resumed over HTTP.")))
        self._pausing = asyncio.ensure_future(self._collector.window.pause(paused))

    def _drain_run(self) -> None:
        self._collector.draining = True
        self._drain("Requested over HTTP")

    def _cancel(self, wanted: str) -> None:
        write_cancel(self._plan.state, wanted, wanted)  # every run on the destination reads this request

    def _retry(self, manifest: Manifest) -> None:
        log_event(
            log,
            "document_retried",
            "Document retried over HTTP.",
            document_id=manifest.document_id,
            name=manifest.name,
        )
        self._actors.retried.add(manifest.document_id)
        if self._scheduler.push(_document_of(manifest), asked=True):
            of_this_run = manifest.run_id == self._collector.run_id
            self._collector.progress.note_retry(manifest.outcome, of_this_run=of_this_run)

    def _add(self, name: str) -> str:
        return self._push(self._plan.source.stat(name), asked=True)

    def _notice(self, name: str) -> str | None:
        """Does the same as `_add`, unless a listing would exclude the document."""
        if not self._rules.admits(name):
            return None
        entry = self._plan.source.stat(name)
        return self._push(entry, asked=False) if self._rules.admits_entry(entry) else None

    def _push(self, entry: Entry, *, asked: bool) -> str:
        if self._scheduler.waiting > _MOST_WAITING:
            raise StorageUnavailable("Too many documents are waiting; send it again later.")
        document = document_at(self._plan.source, entry)
        self._soon(partial(self._scheduler.push, document, asked=asked))
        return document.document_id


def shown_config(config: RayocrConfig) -> dict[str, Any]:
    """Returns the effective configuration without keys and with masked credentials in addresses."""
    from omegaconf import OmegaConf

    plain = OmegaConf.to_container(OmegaConf.structured(config), enum_to_str=True)
    shown: dict[str, Any] = masked_data(plain)
    return shown


def _document_of(manifest: Manifest) -> Document:
    return Document(
        document_id=manifest.document_id,
        source_uri=manifest.source_uri,
        name=manifest.name,
        output_name=output_name(manifest.name),
        version=manifest.version,
        size_bytes=manifest.size_bytes,
    )
