"""Plays the scenarios of the given seeds, and prints whether the guarantees held."""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.chaos.corpus import Corpus
from benchmarks.chaos.kinds import KINDS, Kind, kind_of
from benchmarks.chaos.nodes import Nodes
from benchmarks.chaos.scene import Scene, draw_options
from benchmarks.chaos.verdict import Verdict, judge
from benchmarks.simulated import Simulated
from benchmarks.valkey import Valkey
from rayocr.observe.console import plain_console

_TTL_S = 6.0  # lifetime of leases: longer than renewals that a busy machine delays, shorter than a scenario


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code: 1 if any guarantee was violated."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=len(KINDS), help="number of scenarios, with the seeds 1, 2, 3 …")
    parser.add_argument("--seed", type=int, action="append", help="run only this seed; can be repeated")
    parser.add_argument("--kind", action="append", choices=[kind.name for kind in KINDS], help="replaces the kinds of the seeds")
    parser.add_argument("--documents", type=int, default=200, help="documents of each scenario")
    parser.add_argument("--keep", type=Path, help="folder to keep the files of the scenarios in; by default they are deleted")
    given = parser.parse_args(arguments)
    seeds = given.seed or range(1, given.seeds + 1)
    kinds = [kind for kind in KINDS if given.kind and kind.name in given.kind]
    scenarios = [(seed, kinds[i % len(kinds)] if kinds else kind_of(seed)) for i, seed in enumerate(seeds)]
    console = plain_console()
    if not console.is_terminal:
        console.width = 200  # wide enough for the table in a log
    with ExitStack() as stack:
        work = _work_folder(stack, given.keep)
        _settle_ray(stack)
        stage = _Stage(stack)
        verdicts = []
        for seed, kind in scenarios:
            verdicts.append(play(seed, kind, stage, work / f"{seed:04}", documents=given.documents))
            _tell(console, verdicts[-1])
    console.print(table_of(verdicts))
    struck = Counter(fault for verdict in verdicts for fault in verdict.faults.split(", "))
    console.print("Strikes: " + ", ".join(f"{fault} {count}" for fault, count in sorted(struck.items())))
    return 1 if any(verdict.violations for verdict in verdicts) else 0


class _Stage:
    """Resources shared by the scenarios. Starts Ray when the first scenario needs it."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._nodes: Nodes | None = None

    def nodes(self, *, second: bool) -> Nodes:
        if self._nodes is None:
            self._nodes = Nodes()
            self._stack.callback(self._nodes.close)
        if second:
            self._nodes.add()
        return self._nodes


def play(seed: int, kind: Kind, stage: _Stage, folder: Path, *, documents: int) -> Verdict:
    started = time.monotonic()
    chance = random.Random(seed)
    (folder / "tmp").mkdir(parents=True)
    corpus = Corpus.make(folder / "in", max(documents, kind.documents), chance)
    if kind.hostile:
        corpus.add_hostile()
    options = draw_options(chance)
    faults = kind.faults(chance)
    with ExitStack() as stack:
        redis = Valkey() if kind.redis else None
        if redis is not None:
            stack.callback(redis.close)
        scene = Scene(
            seed=seed,
            kind=kind,
            folder=folder,
            corpus=corpus,
            server=stack.enter_context(Simulated(latency_s=chance.choice((0.05, 0.1, 0.3)), latency_jitter_s=0.1)),
            nodes=None if kind.own_ray else stage.nodes(second=kind.second_node),
            redis=redis,
            ttl_s=_TTL_S,
            options=options,
        )
        stack.callback(scene.close)
        scene.play(faults, chance)
        return judge(scene, time.monotonic() - started)


def table_of(verdicts: list[Verdict]) -> Table:
    table = Table(title="Chaos", title_justify="left", caption="at risk: in flight + unflushed, at most, after each fault")
    words = ("scenario", "faults", "at risk")
    for column in ("scenario", "seed", "faults", "documents", "pages", "lost", "misplaced", "stale", "double-paid", "bound"):
        table.add_column(column, justify="left" if column in words else "right")
    for column in ("at risk", "left over", "s"):
        table.add_column(column, justify="left" if column in words else "right")
    for v in verdicts:
        cells = (v.seed, v.faults, v.documents, v.pages, v.lost, v.misplaced, v.stale, v.double_paid, v.bound, v.at_risk)
        style = "red" if v.violations else None
        table.add_row(v.scenario, *(str(cell) for cell in cells), str(v.leftovers), f"{v.seconds:.0f}", style=style)
    return table


def _tell(console: Console, verdict: Verdict) -> None:
    console.print(
        f"{verdict.scenario} (seed {verdict.seed}): {verdict.seconds:.0f} s, {verdict.faults}; lost {verdict.lost}, misplaced"
        f" {verdict.misplaced}, stale {verdict.stale}, double-paid {verdict.double_paid} of {verdict.bound}",
        highlight=False,
    )
    for violation in verdict.violations[:12]:
        console.print(f"  VIOLATION: {violation}", style="red")
    if len(verdict.violations) > 12:
        console.print(f"  and {len(verdict.violations) - 12} more", style="red")


def _work_folder(stack: ExitStack, keep: Path | None) -> Path:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        return keep.resolve()
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rayocr-chaos-", ignore_cleanup_errors=True)))


def _settle_ray(stack: ExitStack) -> None:
    """Puts Ray's files and its token into a separate folder, with a short path for its sockets."""
    home = tempfile.mkdtemp(prefix="rc", dir="/tmp")
    stack.callback(shutil.rmtree, home, ignore_errors=True)
    for name in [name for name in os.environ if name.startswith("RAY_")]:
        del os.environ[name]
    os.environ |= {
        "HOME": home,
        "RAY_TMPDIR": f"{home}/t",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_USE_UVLOOP": "0",  # a development dependency
        "RAY_enable_worker_prestart": "0",
        "RAY_prestart_worker_first_driver": "0",
        "RAY_health_check_period_ms": "1000",  # a dead node is detected after 4 s instead of 16 s
        "RAY_health_check_failure_threshold": "3",
        "PYTHONPATH": str(Path(__file__).parents[2]),  # the workers import this package
    }


if __name__ == "__main__":
    sys.exit(main())
