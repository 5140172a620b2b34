"""The kinds of scenario: their environment, and the faults in order."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.chaos.faults import (
    DiskFull,
    Fault,
    HalfOpenSockets,
    HostileAnswers,
    KillActor,
    KillDriver,
    KillNode,
    KillRedis,
    Pause,
    RedisTakesNoWrites,
    Refusals,
    SlowStorage,
    Terminate,
    TerminateTwice,
)
from benchmarks.processes import DISCOVERY, DOCUMENT_WORKER, LEDGER, PAGE_WORKER, RATE_LIMITER

_OWN_RESTART = (LEDGER, RATE_LIMITER, DISCOVERY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """`own_ray`: each driver starts its own Ray instead of sharing the harness's."""

    name: str
    faults: Callable[[random.Random], list[Fault]]
    drivers: int = 1
    own_ray: bool = False
    redis: bool = False
    second_node: bool = False
    hostile: bool = False  # PDFs among the documents that have to be rejected


def _killed_actors(chance: random.Random) -> list[Fault]:
    # A worker process of each kind dies only once: a document that is on a second dying worker is quarantined, which is correct.
    titles = [*_OWN_RESTART, chance.choice(_OWN_RESTART), DOCUMENT_WORKER]
    chance.shuffle(titles)
    return [KillActor(title) for title in titles]


def _storm(chance: random.Random) -> list[Fault]:
    faults: list[Fault] = [
        KillActor(PAGE_WORKER),
        KillActor(chance.choice(_OWN_RESTART)),
        KillRedis(keep_data=chance.random() < 0.5, away_ttls=chance.uniform(0.1, 1.3)),
        Pause(number=chance.randrange(2)),
        KillDriver(number=chance.randrange(2)),
        Refusals(status=503, seconds=1.0),
    ]
    chance.shuffle(faults)
    return faults


KINDS = (
    Kind(name="driver", faults=lambda chance: [KillDriver(), KillDriver()]),
    Kind(name="workers", faults=lambda chance: [KillActor(PAGE_WORKER), Refusals(status=503, seconds=1.0)]),
    Kind(
        name="redis kept",
        redis=True,
        faults=lambda chance: [KillRedis(keep_data=True, away_ttls=t) for t in (chance.uniform(0, 0.3), chance.uniform(1, 1.5))],
    ),
    Kind(name="actors", faults=_killed_actors),
    Kind(name="paused driver", drivers=2, faults=lambda chance: [Pause()]),
    Kind(name="two drivers", drivers=2, faults=lambda chance: [KillDriver(again=False)]),
    Kind(name="own Ray", own_ray=True, faults=lambda chance: [KillDriver(), KillDriver()]),
    Kind(name="signals", faults=lambda chance: [Terminate(), TerminateTwice()]),
    Kind(
        name="redis lost",
        redis=True,
        drivers=2,
        faults=lambda chance: [KillRedis(keep_data=False, away_ttls=chance.uniform(0, 1.3))],
    ),
    Kind(name="node", second_node=True, faults=lambda chance: [KillNode()]),
    Kind(name="paused machine", drivers=2, own_ray=True, faults=lambda chance: [Pause(whole=True)]),
    Kind(name="storm", drivers=2, redis=True, faults=_storm),
    Kind(name="services", redis=True, drivers=2, faults=lambda chance: _troubles(chance)),
    Kind(name="hostile", hostile=True, faults=lambda chance: [HostileAnswers(seconds=2.0), KillActor(PAGE_WORKER)]),
    Kind(name="disk full", faults=lambda chance: [DiskFull(seconds=3.0)]),
    Kind(name="slow storage", faults=lambda chance: [SlowStorage(seconds=20.0)]),
)


def _troubles(chance: random.Random) -> list[Fault]:
    faults: list[Fault] = [
        RedisTakesNoWrites(full=False, ttls=chance.uniform(0.3, 1.3)),
        RedisTakesNoWrites(full=True, ttls=chance.uniform(0.3, 1.3)),
        HalfOpenSockets(count=1_500, seconds=3.0),
        SlowStorage(seconds=5.0),
    ]
    chance.shuffle(faults)
    return faults


def kind_of(seed: int) -> Kind:
    """Seeds start at 1. As many consecutive seeds as there are kinds cover each kind once."""
    return KINDS[(seed - 1) % len(KINDS)]
