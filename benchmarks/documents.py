"""`make bench-documents`: reads 20,000 small documents in one run, and prints how pace and memory of its processes change.

Each document is one page of about 480 characters, with different words and a text layer. Rates depend on what else the machine
does, so the table also shows the CPU time per page of all processes of the run, which includes Ray's."""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import psutil
from reportlab.pdfgen.canvas import Canvas
from rich.table import Table

from benchmarks.measured import clean_environment
from benchmarks.processes import ACTOR_TITLES, unique_bytes
from rayocr.observe.console import plain_console

_PROJECT = Path(__file__).parents[1]
_EVERY_S = 2.0


@dataclass(slots=True)
class Moment:
    """`cpu_s`: of all processes since the start; `mb`: unique set size by kind of process (the largest of its kind)."""

    finished: int
    at_s: float
    cpu_s: float
    mb: dict[str, float] = field(default_factory=dict)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--rows", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rayocr-bench-") as folder:
        work = Path(folder)
        small_documents(work / "in", args.documents)
        moments = _watched_run(work, args.documents)
    _print(moments, args.documents, args.rows)


def small_documents(folder: Path, documents: int) -> None:
    """Creates one-page PDFs, a thousand per sub-folder."""
    words = re.findall(r"[A-Za-z]{2,14}", (_PROJECT / "docs" / "architecture.md").read_text("utf-8"))
    for number in range(documents):
        path = folder / f"{number // 1000:03}" / f"{number:06}.pdf"
        path.parent.mkdir(parents=True, exist_ok=True)
        chance = random.Random(number)
        canvas = Canvas(str(path), pagesize=(595, 842), pageCompression=1, invariant=1)
        for line in range(8):
            at = chance.randrange(len(words) - 9)
            canvas.drawString(60, 800 - 16 * line, f"{number}.{line} {' '.join(words[at : at + 9])}.")
        canvas.save()


def _watched_run(work: Path, documents: int) -> list[Moment]:
    """Runs rayocr, which must end with exit code 0, and samples it. Counts finished documents by their files below the
    destination."""
    command = [
        sys.executable,
        "-m",
        "rayocr",
        f"source={work / 'in'}",
        f"dest={work / 'out'}",
        "engine=textlayer",
        "cluster=local",
    ]
    command += ["outputs=[markdown]", "progress=none", "report.at_end=0"]
    process = subprocess.Popen(command, cwd=work, env=clean_environment(), stdout=subprocess.DEVNULL)
    started, root, cpu = time.monotonic(), psutil.Process(process.pid), dict[int, float]()
    moments: list[Moment] = []
    while process.poll() is None:
        time.sleep(_EVERY_S)
        moment = Moment(_files(work / "out"), time.monotonic() - started, 0.0)
        for member in _members(root):
            try:
                times, title = member.cpu_times(), _kind(member, root)
            except psutil.Error:
                continue
            cpu[member.pid] = times.user + times.system
            moment.mb[title] = max(moment.mb.get(title, 0.0), unique_bytes(member.pid) / 1e6)
        moment.cpu_s = sum(cpu.values())
        moments.append(moment)
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, command)
    if (finished := _files(work / "out")) != documents:
        raise SystemExit(f"{finished:,} of {documents:,} documents have an output")
    return moments


def _members(root: psutil.Process) -> list[psutil.Process]:
    try:
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _kind(process: psutil.Process, root: psutil.Process) -> str:
    if process.pid == root.pid:
        return "driver"
    title = " ".join(process.cmdline()[:1])
    ours = next((actor for actor in ACTOR_TITLES if title.startswith(actor)), None)
    return ours.removeprefix("ray::").removesuffix("Actor") if ours else f"Ray: {process.name()[:15]}"


def _files(folder: Path) -> int:
    counts: dict[str, int] = defaultdict(int)
    for _, _, names in os.walk(folder):
        for name in names:
            counts[Path(name).suffix] += 1
    return counts[".md"]


def _print(moments: list[Moment], documents: int, rows: int) -> None:
    console = plain_console(width=160)
    marks = [_at(moments, documents * (row + 0.5) / (rows + 0.5)) for row in range(rows + 1)]
    marks = list({mark.at_s: mark for mark in marks}.values())  # a short run has few moments, so that rows coincide
    pace = Table("documents", "pages/s", "CPU ms per page", title="Pace", title_justify="left")
    for before, after in pairwise(marks):
        pages = max(1, after.finished - before.finished)
        ms = 1000 * (after.cpu_s - before.cpu_s) / pages
        pace.add_row(f"{before.finished:,} to {after.finished:,}", f"{pages / (after.at_s - before.at_s):.1f}", f"{ms:.1f}")
    memory = Table(
        "MB, unique set size, after documents", *(f"{mark.finished:,}" for mark in marks), title="Memory", title_justify="left"
    )
    for title in sorted({title for mark in marks for title in mark.mb}):
        memory.add_row(title, *(f"{mark.mb[title]:.0f}" if title in mark.mb else "" for mark in marks))
    console.print(pace)
    console.print(memory)


def _at(moments: list[Moment], finished: float) -> Moment:
    return next((moment for moment in moments if moment.finished >= finished), moments[-1])


if __name__ == "__main__":
    main()
