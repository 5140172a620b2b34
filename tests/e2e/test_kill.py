"""Kills at any moment: acknowledged pages are kept, and only pages in flight are paid for twice."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator

import psutil
import pytest

from benchmarks.processes import DISCOVERY, DOCUMENT_WORKER, LEDGER, PAGE_WORKER, RATE_LIMITER
from tests.e2e.support import (
    PATIENCE_S,
    Cli,
    Cluster,
    SimulatedGemini,
    children_named,
    end_tree,
    make_pdf,
    manifests,
    page_texts,
    wait_until,
)

PAGES = 300
IN_FLIGHT = 16
OPTIONS = (
    "source=in",
    "dest=out",
    "engine=gemini",
    "engine.chain=[gemini]",
    f"limits.max_in_flight={IN_FLIGHT}",
    "progress=plain",
)
# Pages that a kill can cost: those in flight, and those between an answer and their segment (at most a flush interval and the
# recorder's linger time at this rate).
RATE = IN_FLIGHT / 0.1
UNFLUSHED = int(RATE * 1.6) + IN_FLIGHT


def started(cli: Cli, gemini: SimulatedGemini) -> subprocess.Popen[str]:
    """A run that the test interrupts after 150 of its pages were answered."""
    make_pdf(cli.folder / "in" / "big.pdf", PAGES)
    process = cli.start(*OPTIONS, **gemini.variables)
    answered(gemini, process, 150)
    return process


def answered(gemini: SimulatedGemini, process: subprocess.Popen[str], pages: int) -> None:
    wait_until(lambda: gemini.answered >= pages or process.poll() is not None, f"{pages} pages are answered")
    assert process.poll() is None, process.communicate()[0]


@pytest.fixture
def run(ray_cli: Cli, gemini: SimulatedGemini) -> Iterator[subprocess.Popen[str]]:
    process = started(ray_cli, gemini)
    yield process
    if process.poll() is None:
        end_tree(process.pid)
    process.communicate()


def output_is_complete(cli: Cli) -> None:
    texts = page_texts(cli.folder / "out" / "big.md")
    assert sorted(texts) == list(range(1, PAGES + 1))
    for number, text in texts.items():
        assert re.search(rf"page number {number} of", text), (number, text)
    (manifest,) = manifests(cli.folder / "out")
    assert manifest["outcome"] == "complete"


def paid_twice(gemini: SimulatedGemini) -> int:
    answered = gemini.counts()["answered"]
    assert len(answered) == PAGES
    return sum(answered.values()) - PAGES


def finish(cli: Cli, gemini: SimulatedGemini) -> str:
    """The next start, on the same folders. It needs no Ray, whatever the first one ran on."""
    done = cli.run(*OPTIONS, "cluster=inprocess", **gemini.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_driver_killed_in_the_middle_resumes_where_it_stopped(
    ray_cli: Cli, cluster: Cluster, gemini: SimulatedGemini, run: subprocess.Popen[str]
) -> None:
    run.kill()
    run.wait(PATIENCE_S)
    wait_until(lambda: not children_named(cluster.pid, PAGE_WORKER), "the actors of the dead driver have ended")
    said = finish(ray_cli, gemini)
    assert "were read by an earlier run" in said
    output_is_complete(ray_cli)
    assert paid_twice(gemini) <= IN_FLIGHT + UNFLUSHED


def test_actors_killed_in_the_middle_are_replaced_in_the_same_run(
    ray_cli: Cli, cluster: Cluster, gemini: SimulatedGemini, run: subprocess.Popen[str]
) -> None:
    kill_all(cluster, PAGE_WORKER)
    answered(gemini, run, gemini.answered + 30)
    for title in (LEDGER, RATE_LIMITER, DISCOVERY, DOCUMENT_WORKER):
        kill_all(cluster, title)
    out, _ = run.communicate(timeout=PATIENCE_S)
    assert run.returncode == 0, out
    output_is_complete(ray_cli)
    assert paid_twice(gemini) <= 2 * (IN_FLIGHT + UNFLUSHED)


def kill_all(cluster: Cluster, title: str) -> None:
    victims = children_named(cluster.pid, title)
    assert victims, [p.cmdline() for p in psutil.Process(cluster.pid).children(recursive=True)]
    for victim in victims:
        victim.kill()


def test_sigterm_drains_and_exits_with_130_and_the_next_start_resumes(cli: Cli, gemini: SimulatedGemini) -> None:
    """On Ray: test_jobs.py."""
    run = started(cli, gemini)
    try:
        run.send_signal(signal.SIGTERM)
        out, _ = run.communicate(timeout=PATIENCE_S)
    finally:
        end_tree(run.pid)
    assert run.returncode == 130, out
    assert "Traceback" not in out
    assert gemini.answered < PAGES
    assert not list((cli.folder / "out").glob("*.md"))
    finish(cli, gemini)
    output_is_complete(cli)
    assert paid_twice(gemini) == 0


def test_a_second_signal_ends_at_once_and_the_next_start_resumes(cli: Cli, gemini: SimulatedGemini) -> None:
    run = started(cli, gemini)
    try:
        gemini.set(latency_s=30.0)
        run.send_signal(signal.SIGINT)
        wait_until(lambda: gemini.counts()["in_flight"] >= 0, "the signal was sent")  # type: ignore[operator]
        run.send_signal(signal.SIGINT)
        run.wait(PATIENCE_S)
    finally:
        end_tree(run.pid)
    run.communicate()
    assert run.returncode == 130
    gemini.set(latency_s=0.1)
    finish(cli, gemini)
    output_is_complete(cli)
    assert paid_twice(gemini) <= IN_FLIGHT + UNFLUSHED
