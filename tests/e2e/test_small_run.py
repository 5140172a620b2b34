"""A small local job with default options: no Ray, and everything else as with Ray. test_default_runs.py has a document that ends
the process."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.e2e.prefork import Forked, Prefork
from tests.e2e.support import PATIENCE_S, PROJECT, end_tree, make_pdf, manifests, wait_until

Start = Callable[..., Forked]


@pytest.fixture
def start(environment: dict[str, str], prefork: Prefork, tmp_path: Path) -> Start:
    def start(*options: str) -> Forked:
        command = [sys.executable, "-m", "rayocr", "in", "out", "gateway.enabled=false", *options]
        variables = environment | {"XDG_RUNTIME_DIR": str(tmp_path)}
        return prefork.start(command, env=variables, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    return start


def test_a_few_documents_are_read_without_ray(start: Start, tmp_path: Path) -> None:
    make_pdf(tmp_path / "in" / "a.pdf", 2)
    (tmp_path / "in" / "b.pdf").write_bytes(b"%PDF-1.4 truncated")
    run = start("engine=textlayer")
    said = run.communicate(timeout=PATIENCE_S)[0]
    assert run.returncode == 1, said
    assert "1 complete, 0 partial, 1 rejected" in said
    assert "Ray" not in said
    assert (tmp_path / "out" / "report.html").exists()
    assert not (tmp_path / "logs" / "ray-driver.log").exists()


def scans_to_read(folder: Path, count: int) -> None:
    (folder / "in").mkdir()
    for number in range(count):
        (folder / "in" / f"{number}.pdf").write_bytes((PROJECT / "samples" / "scan.pdf").read_bytes())


def reading(process: Forked, folder: Path) -> psutil.Process:
    """The child process, once its ledger exists."""
    wait_until(lambda: (folder / "out" / ".rayocr" / "leases").exists() or process.poll() is not None, "the run has a document")
    (child,) = psutil.Process(process.pid).children()
    return child


def test_an_interrupted_run_drains_and_resumes(start: Start, tmp_path: Path) -> None:
    scans_to_read(tmp_path, 12)  # more than a run can read before a busy machine delivers the signal
    run = start("engine=rapidocr", "dedup.pages=false")
    try:
        reading(run, tmp_path)
        run.send_signal(signal.SIGINT)
        said = run.communicate(timeout=PATIENCE_S)[0]
    finally:
        end_tree(run.pid)
    assert run.returncode == 130, said
    assert "SIGINT: pages in progress will finish" in said
    assert "Start the same command again to resume." in said
    finished = {m["name"] for m in manifests(tmp_path / "out")}
    one, *others = sorted(path for path in (tmp_path / "in").iterdir() if path.name not in finished)
    for path in others:
        path.unlink()
    again = start("engine=rapidocr", "dedup.pages=false")
    said = again.communicate(timeout=PATIENCE_S)[0]
    assert again.returncode == 0, said
    assert {m["name"] for m in manifests(tmp_path / "out")} == finished | {one.name}


def test_the_child_ends_with_a_parent_that_is_killed(start: Start, tmp_path: Path) -> None:
    scans_to_read(tmp_path, 2)
    run = start("engine=rapidocr", "dedup.pages=false")
    child = reading(run, tmp_path)
    run.kill()
    run.communicate(timeout=PATIENCE_S)
    child.wait(PATIENCE_S)
