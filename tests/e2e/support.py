"""Helpers for the end-to-end tests: the command line, a simulated Gemini, PDFs, processes."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psutil
import pytest

from benchmarks.ray_nodes import start_command
from tests.e2e.prefork import Prefork

PROJECT = Path(__file__).parents[2]
_HEAD_STARTS = 2
PATIENCE_S = 300  # for operations that take seconds: only a hang takes longer, on any machine


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Checks often at first, then less often, because many checks ask a server or read all logs."""
    started = time.monotonic()
    while not condition():
        waited_s = time.monotonic() - started
        assert waited_s < PATIENCE_S, f"timed out while waiting until {what}"
        time.sleep(min(max(0.02, waited_s / 20), 0.1))


@dataclass
class Cluster:
    address: str
    pid: int  # of its head


def end_tree(pid: int) -> None:
    """Ends a process that a test started, and its descendants."""
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        processes = [*root.children(recursive=True), root]
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, timeout=20)


@contextlib.contextmanager
def ray_head(
    options: Sequence[str], environment: dict[str, str], log: Path, start: Callable[..., Any] = start_command
) -> Iterator[int]:
    """A separate head while the block runs, and its process id. Retries once, because a free port may be in use by then."""
    command = [sys.executable, "-m", "benchmarks.patient_ray", "start", "--head", "--block", "--num-cpus=2"]
    command += ["--node-ip-address=127.0.0.1", "--object-store-memory=500000000", *options]
    for _ in range(_HEAD_STARTS):
        with _process(start, command, environment, log) as head:
            wait_until(lambda head=head: "Ray runtime started" in _text(log) or head.poll() is not None, "the Ray head is up")  # type: ignore[misc]
            if head.poll() is None:
                yield head.pid
                return
    raise AssertionError(_text(log))


@contextlib.contextmanager
def _process(start: Callable[..., Any], command: Sequence[str], environment: dict[str, str], log: Path) -> Iterator[Any]:
    quick = {"RAY_enable_worker_prestart": "0", "RAY_prestart_worker_first_driver": "0"}
    with log.open("wb") as written:
        process = start(command, env=environment | quick, cwd=PROJECT, stdout=written, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        end_tree(process.pid)
        process.wait(60)


def _text(log: Path) -> str:
    return log.read_text(errors="replace")


_QUICK = ("outputs=[markdown]", "report.at_end=0", "gateway.enabled=false")


@dataclass
class Cli:
    """`prefork`: forks the commands from a process that has imported rayocr; without it, each starts a new interpreter."""

    environment: dict[str, str]
    folder: Path
    cluster: str
    prefork: Prefork | None = field(default=None, kw_only=True)

    def command(self, arguments: Sequence[str]) -> list[str]:
        given = list(arguments)
        if not any(a.startswith("cluster=") for a in given):
            given.append(f"cluster={self.cluster}")
        if not any(a.startswith("mode=") and a not in ("mode=watch", "mode=retry") for a in given):
            # These take most of the time, and have their own tests.
            given += [option for option in _QUICK if not any(a.startswith(_group(option)) for a in given)]
        return [sys.executable, "-m", "rayocr", *given]

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = self.launch(arguments, environment, stdout=out, stderr=err)
            try:
                code = process.wait(PATIENCE_S)
            finally:
                if process.poll() is None:
                    end_tree(process.pid)
                    process.wait()
            said = []
            for file in (out, err):
                file.seek(0)
                said.append(file.read().decode(errors="replace"))
        return subprocess.CompletedProcess(process.args, code, *said)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return self.launch(arguments, environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def launch(
        self, arguments: Sequence[str], environment: dict[str, str], *, stdout: int | IO[Any], stderr: int | IO[Any]
    ) -> subprocess.Popen[str]:
        command, variables = self.command(arguments), self.environment | environment
        if self.prefork is not None:
            forked: Any = self.prefork.start(command, env=variables, cwd=self.folder, stdout=stdout, stderr=stderr)
            return forked  # the part of Popen that tests use
        return subprocess.Popen(
            command, env=variables, cwd=self.folder, stdout=stdout, stderr=stderr, text=True, start_new_session=True
        )


def _group(option: str) -> str:
    """The group of an option: `gateway` for `gateway.port=0` and `gateway.enabled=false`."""
    return re.split("[.=]", option)[0]


@dataclass
class CliHere(Cli):
    """`run` in this process, which is a second faster."""

    monkeypatch: pytest.MonkeyPatch
    captured: pytest.CaptureFixture[str]

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        from rayocr.cli import main

        command = self.command(arguments)
        with self.monkeypatch.context() as patched:
            for name, value in environment.items():
                patched.setenv(name, value)
            self.captured.readouterr()
            code = main(command[3:])
        out, err = self.captured.readouterr()
        return subprocess.CompletedProcess(command, code, out, err)


class SimulatedGemini:
    """The simulator in a separate process, and its counts."""

    key = "simulated-key"

    def __init__(self, prefork: Prefork, environment: dict[str, str], **settings: float) -> None:
        options = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
        command = [sys.executable, "-m", "benchmarks.gemini_simulator", *options]
        self.process = prefork.start(command, env=environment, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert self.process.stdout is not None
        self.url: str = json.loads(self.process.stdout.readline())["url"]

    @property
    def variables(self) -> dict[str, str]:
        return {"GEMINI_API_KEY": self.key, "GOOGLE_GEMINI_BASE_URL": self.url}

    def counts(self) -> dict[str, dict[str, int]]:
        with urllib.request.urlopen(f"{self.url}/counts", timeout=60) as answer:
            counted: dict[str, dict[str, int]] = json.load(answer)
        return counted

    def bill(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/bill", timeout=60) as answer:
            billed: dict[str, Any] = json.load(answer)
        return billed

    @property
    def answered(self) -> int:
        return sum(self.counts()["answered"].values())

    @property
    def in_flight(self) -> int:
        with urllib.request.urlopen(f"{self.url}/pace", timeout=60) as answer:
            pace: dict[str, int] = json.load(answer)
        return pace["in_flight"]

    def set(self, **settings: float | str) -> None:
        request = urllib.request.Request(f"{self.url}/settings", data=json.dumps(settings).encode(), method="POST")
        urllib.request.urlopen(request, timeout=60).close()

    def set_batches(self, **settings: float) -> None:
        request = urllib.request.Request(f"{self.url}/batch-settings", data=json.dumps(settings).encode(), method="POST")
        urllib.request.urlopen(request, timeout=60).close()

    def play(self, *events: dict[str, Any]) -> None:
        """A script of faults; none: the server is repaired."""
        request = urllib.request.Request(f"{self.url}/script", data=json.dumps(events).encode(), method="POST")
        urllib.request.urlopen(request, timeout=60).close()

    def end_batches(self) -> None:
        """Ends the running jobs now."""
        self.set_batches(end_now=1)

    def close(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()


def children_named(pid: int, title: str) -> list[psutil.Process]:
    """Ray's worker processes below this process whose title begins with this text; the titles are in benchmarks/processes.py."""
    found = []
    for process in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if " ".join(process.cmdline()).startswith(title):
                found.append(process)
    return found


def make_pdf(path: Path, pages: int, *, prefix: str = "page", height_pt: float | None = None) -> Path:
    """A born-digital PDF with a sentence on each page that names it. A local engine reads a low page much faster."""
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen.canvas import Canvas

    width, height = A4[0], height_pt or A4[1]
    path.parent.mkdir(parents=True, exist_ok=True)
    canvas = Canvas(str(path), pagesize=(width, height), pageCompression=1, invariant=1)
    for number in range(1, pages + 1):
        canvas.drawString(72, height - 122, f"This is {prefix} number {number} of a document that was made for a test of rayocr.")
        canvas.drawString(
            72, height - 142, "It has a second line so that the page carries enough words for its text layer to be trusted."
        )
        canvas.showPage()
    canvas.save()
    return path


def page_texts(markdown: Path) -> dict[int, str]:
    """The Markdown, split at its page breaks."""
    parts = re.split(r"<!-- page (\d+) -->", markdown.read_text())
    return {int(number): text.strip() for number, text in zip(parts[1::2], parts[2::2], strict=True)}


def manifests(dest: Path) -> list[dict[str, object]]:
    return [json.loads(path.read_text()) for path in sorted((dest / ".rayocr" / "documents").glob("*/*.json"))]
