"""`make bench-shared`: two runs, each on its own cluster, share a quota of 1,200 requests per minute in Redis.

Measures the requests that the simulator accepted while both run, then kills one run with its child processes and measures how
soon the other uses the whole quota.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.table import Table

from benchmarks.bench_gemini import end_all
from benchmarks.gemini_pages import make_documents
from benchmarks.measured import clean_environment
from benchmarks.simulated import Simulated
from benchmarks.valkey import Valkey
from rayocr.observe.console import plain_console

_RPM = 1200
_TOGETHER_S = 61.0
_GRACE_S = 10.0  # time after the kill that does not count
_ALONE_S = 30.0


def main() -> None:
    console = plain_console(width=None if sys.stdout.isatty() else 120)
    redis = Valkey()
    with tempfile.TemporaryDirectory(prefix="rayocr-bench-") as folder, Simulated(rpm=_RPM, latency_s=2) as server:
        runs: list[subprocess.Popen[bytes]] = []
        try:
            runs += [_start(Path(folder) / name, redis.url, server) for name in ("one", "two")]
            _wait_for_both(server, runs)
            together = _share(server, _TOGETHER_S)
            refused = server.pace()["refused"]
            end_all(runs[0])
            time.sleep(_GRACE_S)
            alone = _share(server, _ALONE_S)
            refused_later = server.pace()["refused"] - refused
        finally:
            for run in runs:
                end_all(run)
            redis.close()
    table = Table(title=f"one quota of {_RPM:,} requests per minute for two runs", title_justify="left")
    for column in ("what", "used", "429s"):
        table.add_column(column, justify="left" if column == "what" else "right")
    table.add_row("both, 60 s (≥ 97 %, ≤ 100 %)", f"{100 * together:.1f} %", str(refused))
    table.add_row(f"one, from {_GRACE_S:g} s after the other was killed", f"{100 * alone:.1f} %", str(refused_later))
    console.print(table)


def _start(work: Path, redis_url: str, server: Simulated) -> subprocess.Popen[bytes]:
    source = make_documents(work / "in", 3000)
    options = (
        *(
            f"source={source}",
            f"dest={work}/out",
            "cluster=local",
            "cpus=1",
            "progress=none",
            "outputs=[markdown]",
            "report.at_end=0",
            "engine=gemini",
        ),
        *("engine.chain=[gemini]", f"limits.rpm={_RPM}", "limits.shared=redis", "dedup.pages=false"),
    )
    environment = clean_environment(server.variables) | {"REDIS_URL": redis_url}
    return subprocess.Popen([sys.executable, "-m", "rayocr", *options], cwd=work, env=environment, stdout=subprocess.DEVNULL)


def _wait_for_both(server: Simulated, runs: list[subprocess.Popen[bytes]]) -> None:
    """Waits until the rate is steady: at the latest, until a whole minute has as many accepted requests as the previous one."""
    while not server.pace()["admitted"]:
        assert all(run.poll() is None for run in runs), "a run ended before its first request"
        time.sleep(0.2)
    time.sleep(30)
    assert all(run.poll() is None for run in runs), "a run ended before it was measured"


def _share(server: Simulated, seconds: float) -> float:
    before = server.pace()
    time.sleep(seconds)
    now = server.pace()
    return float((now["admitted"] - before["admitted"]) / (_RPM / 60 * (now["at"] - before["at"])))


if __name__ == "__main__":
    main()
