"""`make bench-gemini`: compares the Gemini path with a bare loop around the SDK, and with quotas, in a few minutes.

Throughput: measures both sides at two lengths against a server that answers immediately, and computes the rate from the
difference. Quota: the server allows a number of requests in any sliding 60 s and answers after 2 to 8 s. The requests accepted
in a minute of the steady state are compared with the quota."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.gemini_pages import make_documents, make_text_documents
from benchmarks.measured import Comparison, clean_environment, compare, run_bare, run_rayocr
from benchmarks.processes import ProcessWatch
from benchmarks.simulated import Simulated
from rayocr.observe.console import plain_console

_OPTIONS = ("engine=gemini", "engine.chain=[gemini]", "outputs=[markdown]", "report.at_end=0")
# Start with one worker per core: workers that start later would count in the longer run.
_BUSY = (f"workers.min={os.cpu_count()}", f"workers.max={os.cpu_count()}", "limits=unlimited")
_FEW, _MANY = 500, 10_000
_WARM_S = 12.0  # seconds after the first request; longer than an answer takes, so that the maximum number is in flight
_STEADY_S = 62.0  # slightly more than a whole window of the quota


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaUse:
    what: str
    rpm: float
    share: float
    refused: int
    most_in_a_minute: int
    most_in_flight: int
    ours_cpu_ms: float
    rays_cpu_ms: float
    ours_peak_mb: float
    rays_peak_mb: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.bench_gemini", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1, help="rounds of the throughput measurement")
    parser.add_argument("--only", choices=["throughput", "quota"])
    arguments = parser.parse_args()
    console = plain_console(width=None if sys.stdout.isatty() else 150)
    with tempfile.TemporaryDirectory(prefix="rayocr-bench-") as folder:
        work = Path(folder)
        if arguments.only != "quota":
            console.print(_throughput_table(measure_throughput(work, arguments.rounds, console)))
            console.print(_throughput_table(measure_throughput(work, arguments.rounds, console, text=True)))
        if arguments.only != "throughput":
            console.print("quota: 600, 6,000 and 30,000 requests per minute, about 100 s each …")
            for use in measure_quotas(work):
                console.print(_quota_table([use]))


def measure_throughput(work: Path, rounds: int, console: Console, *, text: bool = False) -> Comparison:
    make, kind = (make_text_documents, "pages with a text layer") if text else (make_documents, "scanned pages of 80 KB")
    sources = {pages: make(work / f"in-{int(text)}-{pages}", pages) for pages in (_FEW, _MANY)}
    console.print(f"throughput: {_FEW} and {_MANY} {kind}, {rounds} rounds, 64 requests in flight in the bare loop …")
    with Simulated() as server:
        return compare(
            f"gemini, {kind}",
            lambda pages: run_bare(pages, "benchmarks.bare_gemini", [str(sources[pages]), "64"], server.variables),
            lambda pages: run_rayocr(pages, sources[pages], work, *_OPTIONS, *_BUSY, variables=server.variables),
            few=_FEW,
            many=_MANY,
            rounds=rounds,
            budget=0.6,
        )


def measure_quotas(work: Path) -> Iterator[QuotaUse]:
    seconds = _WARM_S + _STEADY_S + 10
    for rpm in (600, 6000):
        yield _rayocr_at(rpm, seconds, work)
    yield _rayocr_at(6000, seconds, work, text=True)
    yield _senders_at(30_000, seconds)


def _rayocr_at(rpm: int, seconds: float, work: Path, *, text: bool = False) -> QuotaUse:
    make, kind = (make_text_documents, "text pages") if text else (make_documents, "scans")
    source = make(work / f"quota-{rpm}-{int(text)}", int(rpm / 60 * seconds))
    with Simulated(rpm=rpm, latency_s=2, latency_jitter_s=6) as server:
        options = (f"source={source}", f"dest={work}/out-{source.name}", "cluster=local", "progress=none", f"limits.rpm={rpm}")
        command = [sys.executable, "-m", "rayocr", *options, *_OPTIONS]
        return _watch(f"{kind}, {rpm:,} rpm", rpm, server, command, work)


def _senders_at(rpm: int, seconds: float) -> QuotaUse:
    with Simulated(rpm=rpm, latency_s=2, latency_jitter_s=6) as server:
        command = [sys.executable, "-m", "benchmarks.slot_senders", str(rpm), str(seconds)]
        return _watch(f"limiter alone, {rpm:,} rpm", rpm, server, command, Path.cwd())


def _watch(what: str, rpm: int, server: Simulated, command: list[str], work: Path) -> QuotaUse:
    process = subprocess.Popen(command, cwd=work, env=clean_environment(server.variables), stdout=subprocess.DEVNULL)
    try:
        with ProcessWatch(process.pid) as watch:
            while not server.pace()["admitted"]:
                assert process.poll() is None, f"{what}: ended before its first request"
                time.sleep(0.2)
            time.sleep(_WARM_S)
            before, cpu_s, rays_cpu_s = server.pace(), watch.ours.total_cpu_s, watch.rays.total_cpu_s
            most = 0
            while (now := server.pace())["at"] < before["at"] + _STEADY_S:
                assert process.poll() is None, f"{what}: ended before it was measured"
                most = max(most, now["in_flight"])
                time.sleep(0.5)
            cpu_s, rays_cpu_s = watch.ours.total_cpu_s - cpu_s, watch.rays.total_cpu_s - rays_cpu_s
    finally:
        end_all(process)
    requests = now["admitted"] - before["admitted"]
    return QuotaUse(
        what=what,
        rpm=rpm,
        share=requests / (rpm / 60 * (now["at"] - before["at"])),
        refused=now["refused"],
        most_in_a_minute=now["most_in_a_minute"],
        most_in_flight=most,
        ours_cpu_ms=1000 * cpu_s / max(1, requests),
        rays_cpu_ms=1000 * rays_cpu_s / max(1, requests),
        ours_peak_mb=watch.ours.peak_bytes / 1e6,
        rays_peak_mb=watch.rays.peak_bytes / 1e6,
    )


def end_all(process: subprocess.Popen[bytes]) -> None:
    """Kills the process and its descendants; the remaining work is not needed."""
    try:
        below = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        below = []
    process.kill()
    for child in below:
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue
    process.wait()
    psutil.wait_procs(below, timeout=30)


def _throughput_table(c: Comparison) -> Table:
    table = Table(title="rayocr against a bare loop around google-genai, server answers at once", title_justify="left")
    for column in (
        "what",
        "bare pages/s",
        "rayocr pages/s",
        "ratio (≥ 0.6)",
        "CPU ms per page: bare",
        "ours (≤ 4)",
        "Ray's",
        "ours + Ray's",
    ):
        table.add_column(column, justify="left" if column == "what" else "right")
    numbers = (c.bare_per_s, c.ours_per_s, c.ratio, c.bare_cpu_ms, c.ours_cpu_ms, c.rays_cpu_ms, c.ours_cpu_ms + c.rays_cpu_ms)
    table.add_row(c.what, *(f"{number:.2f}" for number in numbers))
    return table


def _quota_table(uses: list[QuotaUse]) -> Table:
    table = Table(title="share of the quota that was used, answers after 2 to 8 s", title_justify="left")
    columns = (
        "what",
        "used (≥ 98 %)",
        "429s (0)",
        "most in any 60 s",
        "most in flight",
        "CPU ms per page: rayocr, Ray",
        "peak MB: rayocr, Ray",
    )
    for column in columns:
        table.add_column(column, justify="left" if column == "what" else "right")
    for use in uses:
        table.add_row(
            use.what,
            f"{100 * use.share:.1f} %",
            str(use.refused),
            f"{use.most_in_a_minute:,} of {use.rpm:,}",
            str(use.most_in_flight),
            f"{use.ours_cpu_ms:.1f}, {use.rays_cpu_ms:.1f}",
            f"{use.ours_peak_mb:.0f}, {use.rays_peak_mb:.0f}",
        )
    return table


if __name__ == "__main__":
    main()
