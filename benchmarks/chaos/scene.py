"""Plays one scenario: sets up documents, servers and drivers, applies the faults, and runs everything to its end."""

from __future__ import annotations

import os
import random
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.chaos.corpus import Corpus
from benchmarks.chaos.driver import PATIENCE_S, Driver
from benchmarks.chaos.durable import Durable
from benchmarks.chaos.faults import Fault
from benchmarks.chaos.kinds import Kind
from benchmarks.chaos.nodes import Nodes, carrying, titled
from benchmarks.chaos.witness import Witness, file_leases, redis_leases
from benchmarks.measured import clean_environment
from benchmarks.simulated import Simulated
from benchmarks.valkey import Valkey

MARK = "RAYOCR_CHAOS"  # marks the environment of processes that a scenario starts
_STARTS = 6  # starts of a driver after the last fault; one or two are usually enough


@dataclass(slots=True)
class Scene:
    seed: int
    kind: Kind
    folder: Path
    corpus: Corpus
    server: Simulated
    nodes: Nodes | None  # None: the drivers start their own
    redis: Valkey | None
    ttl_s: float
    options: tuple[str, ...]  # options of the command line, selected by the seed
    mark: str = field(default_factory=lambda: secrets.token_hex(8))
    drivers: list[Driver] = field(default_factory=list)
    struck: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)  # faults without a target
    witness: Witness = field(init=False)

    def __post_init__(self) -> None:
        redis = self.redis
        leases = (lambda: redis_leases(redis.url)) if redis else (lambda: file_leases(self.dest))
        self.witness = Witness(self.server, Durable(self.dest, self.corpus), leases)
        for number in range(self.kind.drivers):
            success = 1 if self.kind.hostile else 0
            self.drivers.append(
                Driver(
                    number,
                    self.folder,
                    self._arguments(),
                    self._environment(),
                    success=success,
                    clock_jumps=self.kind.clock_jumps,
                    patience_s=PATIENCE_S * (3 if self.kind.documents else 1),
                )
            )

    @property
    def dest(self) -> Path:
        return self.folder / "out"

    @property
    def scratch(self) -> Path:
        """Folder in which the scenario's processes put temporary files."""
        return self.folder / "tmp"

    def play(self, faults: list[Fault], chance: random.Random) -> None:
        """Returns when every driver has ended with 0, or has been given up."""
        moments = sorted(chance.uniform(0.05, 0.2 if self.kind.documents else 0.8) for _ in faults)
        with self.witness:
            for driver in self.drivers:
                driver.start()
            for fault, moment in zip(faults, moments, strict=True):
                self._until_answered(moment * self.corpus.page_total)
                if not any(driver.runs for driver in self.drivers):
                    self.struck.append(f"({fault.name}: too late)")
                    continue
                self.struck.append(fault.name)
                self.witness.fault(fault.name, may_lose=fault.may_lose)
                fault.strike(self, chance)
            self._finish()
            self.witness.poll()

    def actors(self, title: str) -> list[psutil.Process]:
        if self.nodes is not None:
            return self.nodes.actors((title,))
        return titled(carrying(MARK, self.mark), (title,))

    def close(self) -> None:
        for driver in self.drivers:
            driver.close()

    def _until_answered(self, pages: float) -> None:
        """Waits until this many pages are answered, and restarts drivers that did not finish when none runs."""
        while self.witness.pages_answered < pages:
            if not any(driver.runs for driver in self.drivers):
                unfinished = [driver for driver in self.drivers if not driver.has_finished]
                if not unfinished or max(len(driver.codes) for driver in unfinished) > _STARTS:
                    return
                for driver in unfinished:
                    driver.start()
            time.sleep(0.02)

    def _finish(self) -> None:
        """Runs all drivers until exit code 0. Survivors end by themselves; killed drivers are restarted."""
        for driver in self.drivers:
            driver.wait()
        for _ in range(_STARTS):
            unfinished = [driver for driver in self.drivers if not driver.has_finished]
            for driver in unfinished:
                driver.start()
            for driver in unfinished:
                driver.wait()

    def _arguments(self) -> tuple[str, ...]:
        return (
            f"source={self.corpus.folder}",
            f"dest={self.dest}",
            "report.at_end=0",
            "outputs=[markdown,jsonl]",  # outputs that the verdict reads
            "engine=gemini",
            "engine.chain=[gemini]",
            "progress=plain",
            f"cluster={self.nodes.address if self.nodes else 'local'}",
            f"locks={'redis' if self.redis else 'file'}",
            f"locks.ttl_s={self.ttl_s:g}",
            "retry.base_s=0.2",
            *self.options,
            *self.kind.options,
        )

    def _environment(self) -> dict[str, str]:
        # Ray's socket paths must be short, so its files are not in TMPDIR.
        rays = {name: value for name, value in os.environ.items() if name.startswith("RAY_")}
        variables = {**rays, MARK: self.mark, "TMPDIR": str(self.scratch), **self.server.variables}
        if self.redis is not None:
            variables["REDIS_URL"] = self.redis.url
        return clean_environment(variables)


def draw_options(chance: random.Random) -> tuple[str, ...]:
    """Draws settings that change the amount of work in progress and its location."""
    return (
        f"limits.max_in_flight={chance.choice((8, 16, 32))}",
        f"window.documents={chance.choice((12, 48, 256))}",
        f"workers.max={chance.choice((1, 2, 3))}",
        f"ledger.flush_interval_s={chance.choice((0.2, 1.0, 1.0))}",
        f"ledger.memory_bytes={chance.choice((20_000, 268_435_456))}",
        f"dedup.pages={chance.choice(('true', 'false'))}",
    )
