"""The run's side of the HTTP face: pushes snapshots, does what is asked, and tells Ray's dashboard the figures."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rayocr.actors.discovery import DiscoveryRules, document_at
from rayocr.config import RayocrConfig, Secrets
from rayocr.driver.control import write_cancel
from rayocr.driver.preflight import Plan
from rayocr.driver.ray_metrics import RayMetrics
from rayocr.driver.snapshot import Snapshooter
from rayocr.driver.terminal import ConsoleTerminal
from rayocr.errors import RayocrError, StorageUnavailable
from rayocr.gateway.face import Commands, Face
from rayocr.gateway.server import GatewayServer
from rayocr.ledger.manifest import Manifest
from rayocr.locks.base import Locks
from rayocr.messages import Document
from rayocr.observe.logs import log_event
from rayocr.outputs.report.pages import Drawing, draw_page
from rayocr.outputs.stems import output_stem
from rayocr.storage.base import Entry

if TYPE_CHECKING:
    from rayocr.driver.feed import Feed
    from rayocr.driver.handles import Actors

log = logging.getLogger(__name__)

_PUSH_EVERY_S = 1.0
_LEDGER_EVERY = 5  # pushes: a call to an actor that has better things to do
_LIMITS_AWAY_S = 10.0
_MOST_WAITING = 10_000  # documents that were pushed, and have no room in the window yet
_CREDENTIALS = re.compile(r"(://)[^/@\s]+@")


async def show_face(
    plan: Plan,
    config: RayocrConfig,
    keys: Secrets,
    *,
    snapshooter: Snapshooter,
    actors: Actors,
    feed: Feed,
    rules: DiscoveryRules,
    drain: Callable[[str], None],
    locks: Locks,
    terminal: ConsoleTerminal,
) -> None:
    """Until cancelled. Never raises for the face's own troubles: the run does not need it."""
    steering = _Steering(plan, actors, feed, snapshooter, rules, drain)
    drawing = Drawing(dpi=config.report.dpi, limits=config.limits, access=config.storage.source)
    face = Face(
        source=plan.source,
        dest=plan.dest,
        state=plan.state,
        commands=steering.commands(),
        config=shown_config(config),
        logs=Path(config.logs.dir),
        draw=lambda manifest, number: draw_page(manifest, number, drawing),
        readiness=lambda: _wrong(plan, locks, snapshooter),
    )
    face.push(snapshooter.take())
    server = GatewayServer(face, config.gateway, token=keys.api_token) if config.gateway.enabled else None
    if server is not None:
        try:
            terminal.say(f"Page: {server.start()}")
        except OSError as error:
            terminal.warn(f"There is no page: {config.gateway.host}:{config.gateway.port}: {error.strerror}. Give gateway.port=")
    metrics = RayMetrics()
    pushes = 0
    try:
        while True:
            await asyncio.sleep(_PUSH_EVERY_S)
            pushes += 1
            if pushes % _LEDGER_EVERY == 0:
                with contextlib.suppress(Exception):  # it is being restarted
                    snapshooter.ledger = await actors.ledger_state()
            snapshot = snapshooter.take()
            face.push(snapshot)
            try:
                metrics.push(snapshot)
            except Exception as error:  # Ray's own business, and no reason to end
                log_event(log, "ray_metrics_failed", "Ray did not take the metrics.", error=str(error))
                metrics = RayMetrics()
    finally:
        if server is not None:
            await asyncio.to_thread(server.close)


class _Steering:
    """Commands of the face, which come from its threads, on the run's loop."""

    def __init__(
        self,
        plan: Plan,
        actors: Actors,
        feed: Feed,
        snapshooter: Snapshooter,
        rules: DiscoveryRules,
        drain: Callable[[str], None],
    ) -> None:
        self._plan = plan
        self._actors = actors
        self._feed = feed
        self._snapshooter = snapshooter
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
        log_event(log, "run_paused" if paused else "run_resumed", "Somebody asked for it.")
        self._pausing = asyncio.ensure_future(self._snapshooter.window.pause(paused))

    def _drain_run(self) -> None:
        self._snapshooter.draining = True
        self._drain("Asked for over HTTP")

    def _cancel(self, wanted: str) -> None:
        write_cancel(self._plan.state, wanted, wanted)  # every run on the destination looks there

    def _retry(self, manifest: Manifest) -> None:
        log_event(log, "document_retried", "Somebody asked for it.", document_id=manifest.document_id, name=manifest.name)
        self._actors.retried.add(manifest.document_id)
        if self._feed.push(self._snapshooter.flow, _document_of(manifest)):
            of_this_run = manifest.run_id == self._snapshooter.run_id
            self._snapshooter.progress.taken_up_again(manifest.outcome, of_this_run=of_this_run)

    def _add(self, name: str) -> str:
        return self._push(self._plan.source.stat(name))

    def _notice(self, name: str) -> str | None:
        """As `_add`, for what a listing would take up, too."""
        if not self._rules.admits(name):
            return None
        entry = self._plan.source.stat(name)
        return self._push(entry) if self._rules.admits_entry(entry) else None

    def _push(self, entry: Entry) -> str:
        if self._feed.waiting > _MOST_WAITING:
            raise StorageUnavailable("Too many documents wait for room already; send it again later.")
        document = document_at(self._plan.source, entry)
        self._soon(self._feed.push, self._snapshooter.flow, document)
        return document.document_id


def shown_config(config: RayocrConfig) -> dict[str, Any]:
    """As it is in force. Keys are no part of a configuration; credentials inside of addresses are masked."""
    from omegaconf import OmegaConf

    plain = OmegaConf.to_container(OmegaConf.structured(config), enum_to_str=True)
    masked: dict[str, Any] = _masked(plain)
    return masked


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _masked(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner) for inner in value]
    return _CREDENTIALS.sub(r"\1***@", value) if isinstance(value, str) else value


def _document_of(manifest: Manifest) -> Document:
    return Document(
        document_id=manifest.document_id,
        source_uri=manifest.source_uri,
        name=manifest.name,
        output_stem=output_stem(manifest.name),
        version=manifest.version,
        size_bytes=manifest.size_bytes,
    )


def _wrong(plan: Plan, locks: Locks, snapshooter: Snapshooter) -> dict[str, str]:
    """What cannot be reached, by part. Blocks."""
    wrong = {}
    checks: dict[str, Callable[[], object]] = {
        "source": plan.source.check_readable,
        "destination": plan.dest.check_readable,
        "locks": lambda: locks.holders(()),
    }
    for part, check in checks.items():
        try:
            check()
        except RayocrError as error:
            wrong[part] = _CREDENTIALS.sub(r"\1***@", str(error))
    limiter = snapshooter.progress.limiter
    if limiter is not None and limiter.away_for_s > _LIMITS_AWAY_S:
        wrong["limits"] = "The Redis that holds the shared limits is away."
    if limiter is not None and limiter.models and all(model.parked_until for model in limiter.models):
        wrong["engine"] = "The quota of the day is used up."
    return wrong
