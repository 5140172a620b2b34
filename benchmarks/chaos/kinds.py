"""The kinds of scenario: their environment, and the faults in order."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.chaos.faults import (
    ClockJump,
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

_FEW_AT_ONCE = ("window.documents=12",)  # leases are acquired all the time, and not only at the start
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
    clock_jumps: bool = False  # the drivers' time of day can be set
    documents: int = 0  # least number of documents, for faults that last long
    options: tuple[str, ...] = ()  # options of the command line, in addition to those that the seed selects


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


# 20 seeds contain each kind of fault that issue reports name twice. Seed 13 takes more than ten minutes.
KINDS = (
    Kind(
        name="hostile",
        hostile=True,
        faults=lambda chance: [
            HostileAnswers(seconds=2.0),
            HalfOpenSockets(count=1_500, seconds=3.0),
            KillActor(PAGE_WORKER),
            Refusals(status=503, seconds=1.0),
        ],
    ),
    Kind(
        name="redis kept",
        redis=True,
        options=_FEW_AT_ONCE,
        faults=lambda chance: [
            KillRedis(keep_data=True, away_ttls=chance.uniform(0, 0.3)),
            RedisTakesNoWrites(full=True, ttls=chance.uniform(0.3, 1.3)),
            KillRedis(keep_data=True, away_ttls=chance.uniform(1, 1.5)),
        ],
    ),
    Kind(
        name="redis lost",
        redis=True,
        drivers=2,
        options=_FEW_AT_ONCE,
        faults=lambda chance: [
            RedisTakesNoWrites(full=False, ttls=chance.uniform(0.3, 1.3)),
            KillRedis(keep_data=False, away_ttls=chance.uniform(0, 1.3)),
        ],
    ),
    Kind(name="actors", faults=_killed_actors),
    Kind(name="paused driver", drivers=2, faults=lambda chance: [Pause(), SlowStorage(seconds=20.0)]),
    Kind(
        name="two drivers",
        drivers=2,
        clock_jumps=True,
        faults=lambda chance: [ClockJump(hours=chance.choice((-7, 7))), ClockJump(hours=0), KillDriver(again=False)],
    ),
    Kind(
        name="own Ray",
        own_ray=True,
        clock_jumps=True,
        faults=lambda chance: [KillDriver(), ClockJump(hours=chance.choice((-30, 30))), DiskFull(seconds=3.0)],
    ),
    Kind(name="signals", faults=lambda chance: [TerminateTwice(), Terminate(), HalfOpenSockets(count=1_500, seconds=3.0)]),
    Kind(name="driver", faults=lambda chance: [KillDriver(), KillDriver()]),
    Kind(name="node", second_node=True, faults=lambda chance: [KillNode()]),
    Kind(name="paused machine", drivers=2, own_ray=True, faults=lambda chance: [Pause(whole=True)]),
    Kind(name="storm", drivers=2, redis=True, faults=_storm),
    Kind(name="slow storage", documents=2_000, faults=lambda chance: [SlowStorage(seconds=600.0)]),
)


def kind_of(seed: int) -> Kind:
    """Seeds start at 1. As many consecutive seeds as there are kinds cover each kind once."""
    return KINDS[(seed - 1) % len(KINDS)]
