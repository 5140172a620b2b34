"""The faults that a run can suffer. Each fault strikes once, at a moment that the scenario chooses."""

from __future__ import annotations

import contextlib
import random
import resource
import signal
import socket
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Protocol

import psutil
import redis

from benchmarks.chaos.driver import Driver
from benchmarks.chaos.nodes import Nodes
from benchmarks.processes import DISCOVERY, DOCUMENT_WORKER, LEDGER, RATE_LIMITER
from benchmarks.simulated import Simulated
from benchmarks.valkey import Valkey

_LONG_S = 60.0  # a scenario takes about as long
_TRIES = 5
_PATIENCE_S = 60.0  # how long a fault waits for a target process; every run has each kind within seconds


class Target(Protocol):
    """The part of a scenario that faults act on."""

    server: Simulated
    nodes: Nodes | None
    redis: Valkey | None
    ttl_s: float
    drivers: list[Driver]
    missed: list[str]  # faults without a target

    def actors(self, title: str) -> list[psutil.Process]: ...


class Fault(ABC):
    """A fault. `may_lose`: pages that are in flight or not yet flushed when it strikes may be paid for again."""

    name: ClassVar[str]
    may_lose: ClassVar[bool] = True

    @abstractmethod
    def strike(self, scene: Target, chance: random.Random) -> None: ...


@dataclass(frozen=True, slots=True)
class KillActor(Fault):
    """Sends SIGKILL to one process whose actor has this class."""

    title: str

    @property
    def name(self) -> str:  # type: ignore[override]
        return "kill " + self.title.removeprefix("ray::").strip("_").removesuffix("Actor")

    @property
    def may_lose(self) -> bool:  # type: ignore[override]
        return self.title not in (RATE_LIMITER, DISCOVERY)

    def strike(self, scene: Target, chance: random.Random) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while not (victims := scene.actors(self.title)):  # a run that has just started, or one that replaces a killed run
            if not any(driver.runs for driver in scene.drivers):
                return
            if time.monotonic() > deadline:
                scene.missed.append(self.name)
                return
            time.sleep(0.05)
        with contextlib.suppress(psutil.NoSuchProcess):
            chance.choice(victims).kill()


@dataclass(frozen=True, slots=True)
class KillDriver(Fault):
    """Sends SIGKILL to the driver. `again`: the same command is restarted immediately, before Ray has ended the dead run's
    actors."""

    number: int = 0
    again: bool = True
    name = "kill driver"

    def strike(self, scene: Target, chance: random.Random) -> None:
        driver = scene.drivers[self.number]
        if driver.runs:
            driver.kill()
        if self.again and not driver.has_finished:
            driver.start()


@dataclass(frozen=True, slots=True)
class Terminate(Fault):
    """Sends SIGTERM to the driver, and starts the same command again when the run has drained."""

    number: int = 0
    name = "SIGTERM"
    may_lose = False

    def strike(self, scene: Target, chance: random.Random) -> None:
        driver = scene.drivers[self.number]
        if driver.runs:
            driver.terminate()
            driver.wait()
        if not driver.has_finished:
            driver.start()


@dataclass(frozen=True, slots=True)
class TerminateTwice(Fault):
    """Sends a second SIGTERM while the run is still draining. If it drains too fast for that, the next start gets both
    signals."""

    number: int = 0
    name = "SIGTERM twice"

    def strike(self, scene: Target, chance: random.Random) -> None:
        driver = scene.drivers[self.number]
        for _ in range(_TRIES):
            if not driver.runs:
                break
            driver.terminate()
            time.sleep(chance.uniform(0.01, 0.1))
            still_draining = driver.runs
            if still_draining:
                driver.terminate()
            driver.wait()
            if driver.has_finished:
                break
            driver.start()
            if still_draining:
                return
        scene.missed.append(self.name)


@dataclass(frozen=True, slots=True)
class KillNode(Fault):
    name = "kill node"

    def strike(self, scene: Target, chance: random.Random) -> None:
        assert scene.nodes is not None
        scene.nodes.kill_added()


@dataclass(frozen=True, slots=True)
class KillRedis(Fault):
    """Sends SIGKILL to Redis, and starts it again after a part or a multiple of the leases' time limit."""

    keep_data: bool
    away_ttls: float

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"kill redis {'keeping' if self.keep_data else 'losing'} its data"

    def strike(self, scene: Target, chance: random.Random) -> None:
        assert scene.redis is not None
        scene.redis.kill(keep_data=self.keep_data)
        time.sleep(self.away_ttls * scene.ttl_s)
        scene.redis.start()


@dataclass(frozen=True, slots=True)
class RedisTakesNoWrites(Fault):
    """Redis answers but refuses writes, as a replica after a failover (READONLY) or with full memory (OOM, noeviction).

    Lasts for `ttls` times the leases' time limit from the first refusal on. If Redis refuses nothing, the fault counts as not
    struck.
    """

    full: bool
    ttls: float

    @property
    def name(self) -> str:  # type: ignore[override]
        return "redis full" if self.full else "redis failover to a read-only replica"

    def strike(self, scene: Target, chance: random.Random) -> None:
        assert scene.redis is not None
        with redis.Redis.from_url(scene.redis.url) as client:
            before = self._refusals(client)
            if self.full:
                client.config_set("maxmemory", 1)
            else:
                client.replicaof("127.0.0.1", "1")
            deadline = time.monotonic() + _PATIENCE_S
            while self._refusals(client) == before and any(d.runs for d in scene.drivers) and time.monotonic() < deadline:
                time.sleep(0.05)
            if self._refusals(client) == before:
                scene.missed.append(self.name)
            else:
                time.sleep(self.ttls * scene.ttl_s)
            if self.full:
                client.config_set("maxmemory", 0)
            else:
                client.replicaof("NO", "ONE")

    def _refusals(self, client: redis.Redis) -> int:
        errors = client.info("errorstats")
        return int(errors.get(f"errorstat_{'OOM' if self.full else 'READONLY'}", {}).get("count", 0))


@dataclass(frozen=True, slots=True)
class ClockJump(Fault):
    """Makes the time of day of one run (its driver and the actors of its Ray) jump by hours."""

    hours: float
    number: int = 0
    may_lose = False

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"clock {self.hours:+.0f} h"

    def strike(self, scene: Target, chance: random.Random) -> None:
        scene.drivers[self.number].set_clock(self.hours * 3600)


@dataclass(frozen=True, slots=True)
class HalfOpenSockets(Fault):
    """Opens more idle connections to the HTTP API of every run than a process may have open files."""

    count: int
    seconds: float
    may_lose = False
    name = "half-open sockets"

    def strike(self, scene: Target, chance: random.Random) -> None:
        ports = [int(port) for driver in scene.drivers for port in driver.ports()]
        if not ports:
            scene.missed.append(self.name)
            return
        resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
        held: list[socket.socket] = []
        until = time.monotonic() + self.seconds
        while time.monotonic() < until:
            with contextlib.suppress(OSError):
                held.append(socket.create_connection(("127.0.0.1", chance.choice(ports)), timeout=1.0))
            if len(held) > self.count:
                held.pop(0).close()
        for connection in held:
            connection.close()


@dataclass(frozen=True, slots=True)
class DiskFull(Fault):
    """For a while no Python process can extend a file, which ends runs with exit code 3."""

    seconds: float
    name = "disk full"

    def strike(self, scene: Target, chance: random.Random) -> None:
        processes = [p for title in (LEDGER, DOCUMENT_WORKER) for p in scene.actors(title)]
        processes += [p for driver in scene.drivers if driver.runs for p in driver.processes(whole=False)]
        limits = []
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                limits.append((process, process.rlimit(psutil.RLIMIT_FSIZE)))
                process.rlimit(psutil.RLIMIT_FSIZE, (0, limits[-1][1][1]))
        time.sleep(self.seconds)
        for process, before in limits:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.rlimit(psutil.RLIMIT_FSIZE, before)


@dataclass(frozen=True, slots=True)
class SlowStorage(Fault):
    """Processes that read and write files run for a twentieth of the time, in slices of 10 ms.

    A scenario whose drivers end before a long one is over does not count: it had too few documents.
    """

    seconds: float
    may_lose = False

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"slow storage for {self.seconds:.0f} s"

    def strike(self, scene: Target, chance: random.Random) -> None:
        until = time.monotonic() + self.seconds
        while time.monotonic() < until:
            if not any(driver.runs for driver in scene.drivers):
                if self.seconds > _LONG_S:
                    scene.missed.append(self.name)
                return
            processes = [p for title in (LEDGER, DOCUMENT_WORKER, DISCOVERY) for p in scene.actors(title)]
            for _ in range(10):
                _signal(processes, signal.SIGSTOP)
                time.sleep(0.19)
                _signal(processes, signal.SIGCONT)
                time.sleep(0.01)


@dataclass(frozen=True, slots=True)
class HostileAnswers(Fault):
    """For a while every answer contains 300,000 blanks."""

    seconds: float
    may_lose = False
    name = "hostile answers"

    def strike(self, scene: Target, chance: random.Random) -> None:
        scene.server.set(blanks=300_000)
        time.sleep(self.seconds)
        scene.server.set(blanks=0)


@dataclass(frozen=True, slots=True)
class Pause(Fault):
    """Sends SIGSTOP to the driver, and SIGCONT after its leases have expired. `whole`: also to the Ray that the driver
    started."""

    number: int = 0
    whole: bool = False

    @property
    def name(self) -> str:  # type: ignore[override]
        return "pause driver with its Ray" if self.whole else "pause driver"

    def strike(self, scene: Target, chance: random.Random) -> None:
        driver = scene.drivers[self.number]
        if not driver.runs:
            return
        stopped = driver.processes(whole=self.whole)
        _signal(stopped, signal.SIGSTOP)
        time.sleep(chance.uniform(1.2, 1.8) * scene.ttl_s)
        _signal(stopped, signal.SIGCONT)


@dataclass(frozen=True, slots=True)
class Refusals(Fault):
    """For a while the server answers part of the requests with this status, without charge."""

    status: int
    seconds: float
    may_lose = False

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"{self.status}s"

    def strike(self, scene: Target, chance: random.Random) -> None:
        scene.server.set(error_status=self.status, error_share=0.4)
        time.sleep(self.seconds)
        scene.server.set(error_share=0.0)


def _signal(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)
