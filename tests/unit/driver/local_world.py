"""A whole run without Ray, servers or real time: the run's own parts on LocalActors, with an engine that a test controls."""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest

from rayocr.actors.discovery.actor import Discovery, DiscoveryRules
from rayocr.composition import compose
from rayocr.config import Secrets
from rayocr.driver.cluster.faults import Faults
from rayocr.driver.cluster.pool_sizing import StagePool
from rayocr.driver.monitor.terminal import ConsoleTerminal
from rayocr.driver.plan import plan
from rayocr.driver.retry_selection import discovery_rules
from rayocr.driver.run import Run
from rayocr.driver.scheduling.leases import open_run_locks
from rayocr.driver.signals import Shutdown
from rayocr.driver.wiring import RunParts, start_actors, wire
from rayocr.engines.base import WaitingEngine
from rayocr.errors import RayocrError
from rayocr.ledger.manifest import Manifest
from rayocr.messages import PageText
from tests.unit.pdf import pdfs
from tests.unit.virtual_time import run_virtually


class Server(WaitingEngine):
    """Answers with the page's place, unless `answer(document, page_number)` says otherwise. `asked` counts its requests."""

    name: ClassVar[str] = "gemini"

    def __init__(self) -> None:
        self.asked: Counter[tuple[str, int]] = Counter()
        self.names: dict[str, str] = {}  # of documents, by id
        self.in_flight = self.most_in_flight = 0
        self.answer: Callable[[str, int], Awaitable[str]] = self.at_once
        self.input_tokens = 600

    async def at_once(self, document: str, page_number: int) -> str:
        return f"This is page {page_number} of {document}."

    def open(self) -> None:
        pass

    @property
    def models(self) -> tuple[str, ...]:
        return ("gemini-3.1-flash-lite",)

    async def probe(self, model: str) -> None: ...

    async def recognize_async(self, page: Any, model: str) -> PageText:
        document = self.names[page._progress.document_id]
        self.asked[document, page.page_number] += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            text = await self.answer(document, page.page_number)
        finally:
            self.in_flight -= 1
        return PageText(text=text, engine=self.name, model=model, input_tokens=self.input_tokens, output_tokens=10)


@dataclass
class World:
    """`documents`: pages by name. Each call of `run` is a separate run on the same folders."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    documents: dict[str, int]
    options: tuple[str, ...] = ()
    faults: Faults = field(default_factory=Faults)
    server: Server = field(default_factory=Server)
    beside: Callable[[RunParts, Shutdown], Awaitable[None]] | None = None  # called while the run is in progress

    def __post_init__(self) -> None:
        for name, pages in self.documents.items():
            (self.folder / "in").mkdir(exist_ok=True)
            (self.folder / "in" / name).write_bytes(pdfs.pages_of(("",) * pages))
        self.monkeypatch.setattr("rayocr.actors.page_worker.actor.build_engine", lambda *_, **__: self.server)

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def run(self, *more: str) -> Run:
        """Raises the error that ends the run."""
        options = [
            *(f"source={self.folder / 'in'}", f"dest={self.out}", f"logs.dir={self.folder / 'logs'}", "cluster=inprocess"),
            *("engine=gemini", "engine.chain=[gemini]", "outputs=[markdown]", "gateway.enabled=false", "progress=none"),
            *("doubt.sample=0", "dedup.pages=false", "retry.base_s=0.01"),
            *self.options,
            *more,
        ]
        config = compose(options, {})
        run = Run(config, plan(config), Secrets(gemini_api_key="k"), ConsoleTerminal("none"), faults=self.faults)
        listed = Discovery(run.plan.source, run.plan.state, DiscoveryRules(overwrite=True)).next_batch(1000)
        self.server.names = {document.document_id: document.name for document in listed.documents}
        run_virtually(self._run(run))
        return run

    async def _run(self, run: Run) -> None:
        shutdown = Shutdown(on_first=lambda why: None, on_second=lambda: None)
        owner = f"{run.run_id}@host:{os.getpid()}"
        locks, _ = open_run_locks(run.config, run.plan, run.keys, run_id=run.run_id, owner=owner)
        inputs = run.inputs(discovery_rules(run.config, run.plan), locks, owner, shutdown)
        parts = wire(inputs, await start_actors(inputs, None, faults=self.faults))
        beside = asyncio.create_task(self.beside(parts, shutdown)) if self.beside else None  # type: ignore[arg-type]
        await run.run_on(parts, shutdown)
        if beside is not None:
            await beside

    def failure(self, *more: str) -> RayocrError:
        with pytest.raises(RayocrError) as raised:
            self.run(*more)
        return raised.value

    def manifests(self) -> dict[str, Manifest]:
        paths = (self.out / ".rayocr" / "documents").glob("*/*.json")
        found = [Manifest.from_json(path.read_bytes(), name=str(path)) for path in paths]
        return {manifest.name: manifest for manifest in found}

    def outcomes(self) -> dict[str, str]:
        return {name: manifest.outcome.value for name, manifest in self.manifests().items()}

    def text(self, name: str) -> str:
        return (self.out / name).with_suffix(".md").read_text()

    def assert_whole(self, name: str) -> None:
        """Every page's text is in the output, once and in order."""
        numbers = range(1, self.documents[name] + 1)
        places = [self.text(name).index(f"This is page {number} of {name}.") for number in numbers]
        assert places == sorted(places)
        assert self.text(name).count("This is page") == len(places)

    def actions(self) -> Counter[str]:
        """Of the log."""
        lines = [line for path in (self.folder / "logs" / "json").glob("*") for line in path.read_text().splitlines()]
        return Counter(json.loads(line)["action"] for line in lines)


def pool_of(parts: RunParts) -> StagePool:
    (stage,) = parts.stages
    return stage
