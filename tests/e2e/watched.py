"""A monitored run: one document with failed pages, and another that takes as long as a test needs."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.support import PATIENCE_S, Cli, SimulatedGemini, end_tree, make_pdf, wait_until

TOKEN = "a-token-that-nobody-may-see"


@dataclass
class Watched:
    cli: Cli
    gemini: SimulatedGemini
    run: subprocess.Popen[str]
    url: str
    log: Path

    def ask(self, path: str, method: str = "GET", token: str = TOKEN) -> Any:
        request = urllib.request.Request(self.url + path, method=method, headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            text = answer.read().decode()
        return json.loads(text) if answer.headers["content-type"].startswith("application/json") else text

    def outcomes(self) -> dict[str, str]:
        return {d["name"]: d["outcome"] for d in self.ask("/documents")["documents"]}

    def end(self) -> str:
        self.gemini.set(latency_s=0.0)
        self.run.wait(PATIENCE_S)
        return self.log.read_text()


@contextmanager
def watched_run(cli: Cli, gemini: SimulatedGemini, *more: str) -> Iterator[Watched]:
    """The first run leaves `a.pdf` partial; the second one has read some of `b.pdf`'s 400 pages, two at a time."""
    make_pdf(cli.folder / "in" / "a.pdf", 8, prefix="page of a with the")
    gemini.set(recitation_always_share=0.5)
    log = cli.folder / "run.log"
    options = [
        *("source=in", "dest=out", "engine=gemini", "engine.chain=[gemini]"),
        *("limits.max_in_flight=2", "limits.rpm=6000", "gateway.port=0"),
        *("window.pages=48", "workers.max_shard_pages=4"),  # so that retries do not wait behind hundreds of pages
    ]
    first = cli.run(*options, **gemini.variables)
    assert first.returncode == 1, first.stdout + first.stderr
    gemini.set(recitation_always_share=0.0, latency_s=0.5)
    make_pdf(cli.folder / "in" / "b.pdf", 400, prefix="page of b with the")
    with log.open("w") as file:
        run = cli.launch(
            [*options, "progress=plain", *more],
            gemini.variables | {"RAYOCR_API_TOKEN": TOKEN},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until(lambda: "Status page: " in log.read_text() or run.poll() is not None, "the page is there")
        found = re.search(r"Status page: (\S+)", log.read_text())
        assert found, log.read_text()
        watched = Watched(cli, gemini, run, found[1], log)
        wait_until(lambda: _answers(watched), "the page answers")
        yield watched
    finally:
        if run.poll() is None:
            end_tree(run.pid)
            run.wait()


def _answers(watched: Watched) -> bool:
    try:
        return bool(watched.ask("/status").get("run_id"))
    except OSError:  # does not exist yet, or busy
        assert watched.run.poll() is None, watched.log.read_text()
        return False
