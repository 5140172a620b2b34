"""`make bench-nodes`: compares one node with four, on a server that takes two seconds to answer, with 16 pages in flight per
node.

Each node is a separate Ray node (`ray start`) with one waiting worker; the head has no CPUs, and the driver joins no worker's
node. It measures the request rate at the server after the start, the distribution over the nodes, and the driver's CPU.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.table import Table

from benchmarks.bench_gemini import end_all
from benchmarks.gemini_pages import make_documents
from benchmarks.measured import clean_environment
from benchmarks.ray_nodes import RayNodes
from benchmarks.simulated import Simulated
from rayocr.observe.console import plain_console

_LATENCY_S = 2.0
_IN_FLIGHT = 16  # pages in flight per worker
_WARM_S = 8.0
_STEADY_S = 25.0
_COUNTS = (1, 2, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    nodes: int
    pages_per_s: float
    allowed_per_s: float
    workers_by_node: tuple[int, ...]
    driver_cpu_ms: float  # a page
    memory_mb: dict[str, float]  # the largest process of each kind, unique set size


def main() -> None:
    console = plain_console(width=None if sys.stdout.isatty() else 130)
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="rayocr-nodes-") as folder:
        work = Path(folder)
        pages = int(max(_COUNTS) * _IN_FLIGHT / _LATENCY_S * (_WARM_S + _STEADY_S + 15))
        source = make_documents(work / "in", pages)
        (work / "home").mkdir()
        environment = clean_environment({"HOME": str(work / "home")})
        nodes = RayNodes(environment)
        paces = []
        try:
            for count in _COUNTS:
                while len(nodes.nodes) < count:
                    nodes.add(cpus=2, resources={"rayocr_wait": 1})
                with Simulated(latency_s=_LATENCY_S) as server:
                    paces.append(_run(count, nodes, server, source, work / str(count), environment))
                console.print(f"{paces[-1].nodes} nodes: {paces[-1].pages_per_s:.1f} pages/s")
        finally:
            nodes.close()
    console.print(f"load average {before:.1f} before, {os.getloadavg()[0]:.1f} after")
    console.print(_table(paces))
    console.print(_memory_table(paces[-1]))


def _run(count: int, nodes: RayNodes, server: Simulated, source: Path, work: Path, environment: dict[str, str]) -> Pace:
    work.mkdir()
    options = (
        *(f"source={source}", f"dest={work}/out", f"cluster={nodes.address}", "progress=none"),
        *("outputs=[markdown]", "report.at_end=0"),
        *("engine=gemini", "engine.chain=[gemini]", "dedup.pages=false", "gateway.enabled=false", "limits=unlimited"),
        *(f"workers.max={count}", f"workers.pages_in_flight={_IN_FLIGHT}", "workers.max_shard_pages=8"),
    )
    run = subprocess.Popen(
        [sys.executable, "-m", "rayocr", *options], cwd=work, env=environment | server.variables, stdout=subprocess.DEVNULL
    )
    try:
        while _workers(work) < count:
            assert run.poll() is None, "the run ended before all its workers were there"
            time.sleep(0.2)
        time.sleep(_WARM_S)
        before, cpu_s = server.pace(), _cpu_s(run.pid)
        time.sleep(_STEADY_S)
        assert run.poll() is None, "the run ended before it was measured"
        now, cpu_s = server.pace(), _cpu_s(run.pid) - cpu_s
        pages = now["admitted"] - before["admitted"]
        return Pace(
            nodes=count,
            pages_per_s=pages / (now["at"] - before["at"]),
            allowed_per_s=count * _IN_FLIGHT / _LATENCY_S,
            workers_by_node=tuple(sorted(_workers_of(node.process.pid) for node in nodes.nodes)),
            driver_cpu_ms=1000 * cpu_s / pages,
            memory_mb=_memory([run.pid, nodes.head.process.pid, *(node.process.pid for node in nodes.nodes)]),
        )
    finally:
        end_all(run)


def _workers(work: Path) -> int:
    lines = [line for file in (work / "logs" / "json").glob("*.jsonl") for line in file.read_text().splitlines()]
    return sum(json.loads(line)["action"] == "worker_started" for line in lines)


def _cpu_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def _workers_of(pid: int) -> int:
    return sum("PageWorker" in _title(process) or "page_worker" in _title(process) for process in _below(pid))


def _memory(pids: list[int]) -> dict[str, float]:
    """Returns memory by kind of process, so that a pod's request can be added up."""
    largest: dict[str, float] = {}
    for process in [found for pid in pids for found in [psutil.Process(pid), *_below(pid)]]:
        try:
            kind, used = _kind(_title(process)), process.memory_full_info().uss / 1e6
        except psutil.Error:
            continue
        largest[kind] = max(largest.get(kind, 0.0), used)
    return dict(sorted(largest.items()))


def _kind(title: str) -> str:
    for part, kind in {
        "page_worker": "page worker, gemini",
        "PageWorker": "page worker, gemini",
        "document_worker": "document worker",
        "DocumentWorker": "document worker",
        "ledger": "ledger",
        "Ledger": "ledger",
        "rate_limiter": "rate limiter",
        "RateLimiter": "rate limiter",
        "iscovery": "discovery",
        "-m rayocr": "driver",
        "gcs_server": "Ray: gcs_server",
        "raylet/raylet": "Ray: raylet (without its object store)",
        "dashboard/agent": "Ray: agents of a node",
        "runtime_env/agent": "Ray: agents of a node",
    }.items():
        if part in title:
            return kind
    return "Ray: others"


def _below(pid: int) -> list[psutil.Process]:
    try:
        return list(psutil.Process(pid).children(recursive=True))
    except psutil.Error:
        return []


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _table(paces: list[Pace]) -> Table:
    title = f"{_IN_FLIGHT} pages in flight per node, answers after {_LATENCY_S:g} s, {_STEADY_S:g} s of the steady state"
    table = Table(title=title, title_justify="left")
    for column in (
        "nodes",
        "pages/s",
        "share of what latency allows",
        "against one node",
        "workers on the nodes",
        "driver, CPU ms per page",
    ):
        table.add_column(column, justify="right")
    for pace in paces:
        table.add_row(
            str(pace.nodes),
            f"{pace.pages_per_s:.1f}",
            f"{100 * pace.pages_per_s / pace.allowed_per_s:.0f} %",
            f"{pace.pages_per_s / paces[0].pages_per_s:.2f}",
            ", ".join(map(str, pace.workers_by_node)),
            f"{pace.driver_cpu_ms:.2f}",
        )
    return table


def _memory_table(pace: Pace) -> Table:
    table = Table(title=f"the largest process of each kind, {pace.nodes} nodes", title_justify="left")
    table.add_column("process")
    table.add_column("MB, unique set size", justify="right")
    for kind, used in pace.memory_mb.items():
        table.add_row(kind, f"{used:.0f}")
    return table


if __name__ == "__main__":
    main()
