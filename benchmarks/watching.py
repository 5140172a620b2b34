"""`make bench-watch MINUTES=30`: checks that mode=watch reads every document once and that its memory stays constant.

Runs a watch with a short interval over a folder, and then one over a bucket of fake-gcs-server. Documents are continuously added,
replaced and removed, so that the source keeps about the same size while the number of all versions grows. At the end, every
version that existed for long enough must have been finished exactly once. Reports the memory of all rayocr processes over time.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.measured import clean_environment
from benchmarks.memory import folder_of
from benchmarks.ports import free_port
from benchmarks.processes import ACTOR_TITLES
from rayocr.actors.document_identity import document_id
from rayocr.config import AccessConfig
from rayocr.observe.console import plain_console
from rayocr.storage.base import Storage
from rayocr.storage.local.storage import LocalStorage
from tests.e2e.support import ray_head

_LIVE = 200  # documents in the source at one time
_LEFT_ALONE_S = 45.0  # minimum lifetime of a version before it is replaced or removed
_SAMPLE_S = 5.0
_POLL_S = 1.0


@dataclass(slots=True)
class Source:
    """The source's history: `versions` by document_id, with the names; `removed`: number of removed documents."""

    storage: Storage
    data: bytes
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    live: dict[str, float] = field(default_factory=dict)  # name -> time at which its version was added
    versions: dict[str, str] = field(default_factory=dict)
    added: int = 0
    replaced: int = 0
    removed: int = 0

    def put(self, name: str) -> None:
        entry = self.storage.write(name, self.data + b"\n%% %d" % len(self.versions))
        self.versions[document_id(f"{self.storage.uri}/{name}", entry.version)] = name
        self.live[name] = time.monotonic()

    def change(self) -> None:
        """Adds a document, sometimes replaces one, and removes the oldest if there are too many."""
        self.put(f"{self.added // 1000:03}/{self.added:06}.pdf")
        self.added += 1
        settled = [name for name, at in self.live.items() if time.monotonic() - at > _LEFT_ALONE_S]
        if settled and self.added % 3 == 0:
            self.put(self.chance.choice(settled))
            self.replaced += 1
        elif len(self.live) > _LIVE and settled:
            oldest = min(settled, key=lambda name: self.live[name])
            self.storage.delete(oldest)
            del self.live[oldest]
            self.removed += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    after_s: float
    finished: int
    driver_bytes: int
    ours_bytes: int
    rays_bytes: int


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.watching", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="for both sources together")
    parser.add_argument("--every", type=float, default=0.5, help="seconds between two changes of the source")
    parser.add_argument("--backend", nargs="+", default=["folder", "bucket"])
    options = parser.parse_args()
    console = plain_console()
    if not console.is_terminal:
        console.width = 160  # wide enough for the table in a log
    for backend in options.backend:
        with tempfile.TemporaryDirectory(prefix="rayocr-bench-") as folder:
            seconds = options.minutes * 60 / len(options.backend)
            watched(console, backend, Path(folder), seconds=seconds, every_s=options.every)


def watched(console: Console, backend: str, work: Path, *, seconds: float, every_s: float) -> None:
    data = next(folder_of(1, work / "page").glob("*/*.pdf")).read_bytes()
    with contextlib.ExitStack() as stack:
        variables: dict[str, str] = {}
        if backend == "bucket":
            from rayocr.storage.gcs.storage import GcsStorage
            from tests.servers.gcs import GcsServer

            server = GcsServer()
            stack.callback(server.close)
            server.make_bucket("scans")
            storage: Storage = GcsStorage("scans", "in", access=AccessConfig(endpoint=server.url))
            variables["STORAGE_EMULATOR_HOST"] = server.url
        else:
            storage = LocalStorage(work / "in", create=True, fsync=False)
        source = Source(storage, data)
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ro", dir="/tmp")))  # sockets have short paths
        port = free_port()
        environment = clean_environment(variables) | {"HOME": str(home)}
        options = (f"--port={port}", "--include-dashboard=false", f"--temp-dir={home / 't'}")
        stack.enter_context(ray_head(options, environment, home / "head.log"))
        command = [
            *(sys.executable, "-m", "rayocr", "mode=watch", f"source={storage.uri}", "dest=out", "engine=textlayer"),
            *("outputs=[markdown]", f"poll_interval_s={_POLL_S}", "watch.settle_s=1", "progress=plain"),
            *("gateway.port=0", f"cluster=127.0.0.1:{port}"),
        ]
        log = stack.enter_context((work / "said.txt").open("wb"))
        process = subprocess.Popen(command, cwd=work, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            samples = kept_busy(process, source, work, seconds=seconds, every_s=every_s)
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(120)
    show(console, backend, source, assembled(work), samples, code)


def kept_busy(process: subprocess.Popen[bytes], source: Source, work: Path, *, seconds: float, every_s: float) -> list[Sample]:
    samples: list[Sample] = []
    source.put("first.pdf")
    while not assembled(work):
        assert process.poll() is None, (work / "said.txt").read_text()
        time.sleep(0.2)
    started = last = time.monotonic()
    while time.monotonic() - started < seconds:
        assert process.poll() is None, (work / "said.txt").read_text()
        source.change()
        if time.monotonic() - last >= _SAMPLE_S:
            last = time.monotonic()
            samples.append(sample(process.pid, last - started, len(assembled(work))))
        time.sleep(every_s)
    deadline = time.monotonic() + 120
    while len(assembled(work)) < len(source.versions) and time.monotonic() < deadline:
        time.sleep(1.0)
    return samples


def sample(pid: int, after_s: float, finished: int) -> Sample:
    driver = ours = rays = 0
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            unique = process.memory_full_info().uss
            if process.pid == pid:
                driver = unique
            elif " ".join(process.cmdline()[:1]).startswith(ACTOR_TITLES):
                ours += unique
            elif any("ray" in part for part in process.cmdline()[:4]):
                rays += unique
    return Sample(after_s=after_s, finished=finished, driver_bytes=driver, ours_bytes=driver + ours, rays_bytes=rays)


def assembled(work: Path) -> Counter[str]:
    """Returns the number of times each document was finished, according to the run's log."""
    found: Counter[str] = Counter()
    for path in (work / "logs" / "json").glob("*.jsonl"):
        for line in path.read_text(errors="replace").splitlines():
            if '"document_assembled"' in line:
                found[json.loads(line)["document_id"]] += 1
    return found


def show(console: Console, backend: str, source: Source, done: Counter[str], samples: list[Sample], code: int) -> None:
    console.print(
        f"{backend}: {source.added + 1:,} added, {source.replaced:,} replaced, {source.removed:,} removed;"
        f" {len(source.versions):,} versions, of which {sum(v in done for v in source.versions):,} were finished,"
        f" {sum(times > 1 for times in done.values()):,} more than once;"
        f" {len(done.keys() - source.versions.keys()):,} others were finished;"
        f" exit code {code}"
    )
    table = Table(title=f"A watch over a {backend}", title_justify="left")
    for column in ("minutes", "documents finished", "driver MB", "all rayocr processes MB", "Ray's processes MB"):
        table.add_column(column, justify="right")
    for share in (0.0, 0.1, 0.25, 0.5, 0.75, 1.0):
        picked = samples[min(len(samples) - 1, int(share * len(samples)))]
        memory = (picked.driver_bytes, picked.ours_bytes, picked.rays_bytes)
        table.add_row(f"{picked.after_s / 60:.1f}", f"{picked.finished:,}", *(f"{used / 1e6:.0f}" for used in memory))
    console.print(table)


if __name__ == "__main__":
    main()
