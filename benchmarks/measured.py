"""Times a run of rayocr and a bare loop over a number of pages, and compares them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.processes import ProcessWatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds from start to end, CPU seconds of the measured processes, peak bytes of memory."""

    pages: int
    wall_s: float
    cpu_s: float
    peak_bytes: int
    rays_peak_bytes: int = 0
    driver_peak_bytes: int = 0
    worker_peak_bytes: int = 0  # the largest page worker
    rays_cpu_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    what: str
    bare_per_s: float
    ours_per_s: float
    ratio: float
    lowest: float
    highest: float
    budget: float | None
    bare_cpu_ms: float
    ours_cpu_ms: float
    rays_cpu_ms: float
    bare_start_s: float
    ours_start_s: float
    ours_peak_mb: float
    worker_peak_mb: float
    rays_peak_mb: float


def compare(
    what: str,
    bare: Callable[[int], Timing],
    ours: Callable[[int], Timing],
    *,
    few: int,
    many: int,
    rounds: int,
    budget: float | None,
) -> Comparison:
    """Computes rates from the difference between a run over `few` and one over `many` pages."""
    pairs = []
    for _ in range(rounds):
        bare_few, ours_few, bare_many, ours_many = bare(few), ours(few), bare(many), ours(many)
        pairs.append((_Marginal(bare_few, bare_many), _Marginal(ours_few, ours_many)))
    ratios = sorted(mine.per_s / theirs.per_s for theirs, mine in pairs)
    return Comparison(
        what=what,
        bare_per_s=median(theirs.per_s for theirs, _ in pairs),
        ours_per_s=median(mine.per_s for _, mine in pairs),
        ratio=median(ratios),
        lowest=ratios[0],
        highest=ratios[-1],
        budget=budget,
        bare_cpu_ms=median(theirs.cpu_ms for theirs, _ in pairs),
        ours_cpu_ms=median(mine.cpu_ms for _, mine in pairs),
        rays_cpu_ms=median(mine.rays_cpu_ms for _, mine in pairs),
        bare_start_s=median(theirs.start_s for theirs, _ in pairs),
        ours_start_s=median(mine.start_s for _, mine in pairs),
        ours_peak_mb=max(mine.many.peak_bytes for _, mine in pairs) / 1e6,
        worker_peak_mb=max(mine.many.worker_peak_bytes for _, mine in pairs) / 1e6,
        rays_peak_mb=max(mine.many.rays_peak_bytes for _, mine in pairs) / 1e6,
    )


class _Marginal:
    def __init__(self, few: Timing, many: Timing) -> None:
        pages = many.pages - few.pages
        self.many = many
        self.per_s = pages / max(1e-9, many.wall_s - few.wall_s)
        self.cpu_ms = 1000 * (many.cpu_s - few.cpu_s) / pages
        self.start_s = few.wall_s - few.pages / self.per_s
        self.rays_cpu_ms = 1000 * (many.rays_cpu_s - few.rays_cpu_s) / pages


def run_rayocr(
    pages: int,
    source: Path,
    work: Path,
    *options: str,
    variables: Mapping[str, str] | None = None,
    list_every_s: float = 1.0,
) -> Timing:
    """Runs the command line as a user starts it, with its own local Ray and these environment variables; reads the memory of its
    processes every `list_every_s` seconds. Raises CalledProcessError."""
    dest = work / "out"
    shutil.rmtree(dest, ignore_errors=True)
    command = [
        sys.executable,
        "-m",
        "rayocr",
        f"source={source}",
        f"dest={dest}",
        "cluster=local",
        "progress=none",
        "report.at_end=0",
        *options,
    ]
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=work, env=clean_environment(variables), stdout=subprocess.DEVNULL)
    with ProcessWatch(process.pid, list_every_s) as watch:
        code = process.wait()
    wall_s = time.monotonic() - started
    if code != 0:
        raise subprocess.CalledProcessError(code, command)
    return Timing(
        pages=pages,
        wall_s=wall_s,
        cpu_s=watch.ours.total_cpu_s,
        peak_bytes=watch.ours.peak_bytes,
        rays_peak_bytes=watch.rays.peak_bytes,
        driver_peak_bytes=watch.driver_peak_bytes,
        worker_peak_bytes=watch.worker_peak_bytes,
        rays_cpu_s=watch.rays.total_cpu_s,
    )


def run_bare(
    pages: int,
    module: str,
    arguments: Sequence[str],
    variables: Mapping[str, str] | None = None,
    list_every_s: float = 1.0,
) -> Timing:
    """Runs a bare loop: `python -m module arguments`."""
    started = time.monotonic()
    command = [sys.executable, "-m", module, *arguments]
    process = subprocess.Popen(command, env=clean_environment(variables), stdout=subprocess.DEVNULL)
    with ProcessWatch(process.pid, list_every_s) as watch:
        code = process.wait()
    if code != 0:
        raise subprocess.CalledProcessError(code, module)
    return Timing(pages=pages, wall_s=time.monotonic() - started, cpu_s=watch.ours.total_cpu_s, peak_bytes=watch.ours.peak_bytes)


def clean_environment(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """Returns the environment without variables that would redirect a run or make it recompile its modules each time, and
    without the event loop that Ray would find only among the development dependencies."""
    project = str(Path(__file__).parents[1])
    dropped = ("GEMINI", "GOOGLE", "RAY_", "REDIS", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return kept | {"PYTHONPATH": project, "RAY_USAGE_STATS_ENABLED": "0", "RAY_USE_UVLOOP": "0"} | dict(variables or {})
