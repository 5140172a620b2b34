"""Nodes join and leave the cluster during a run: nothing is lost, nothing is paid for twice, and the workers follow."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.ports import free_port
from benchmarks.ray_nodes import RayNodes
from benchmarks.valkey import Valkey
from tests.e2e.prefork import Prefork
from tests.e2e.support import PATIENCE_S, PROJECT, Cli, SimulatedGemini, make_pdf, manifests, page_texts, wait_until

DOCUMENTS, PAGES = 12, 20
WAITS = {"rayocr_wait": 1.0}


@pytest.fixture
def nodes(environment: dict[str, str], heads_home: dict[str, str], ray_commands: Prefork) -> Iterator[RayNodes]:
    running = RayNodes(environment | heads_home, head_cpus=2, start_command=ray_commands.start)
    try:
        for _ in range(2):
            running.add(cpus=1, resources=WAITS)  # room for two workers
        yield running
    finally:
        running.close()


def events(folder: Path, action: str) -> list[dict[str, Any]]:
    lines = [line for file in (folder / "logs" / "json").glob("*.jsonl") for line in file.read_text().splitlines()]
    return [event for event in map(json.loads, lines) if event["action"] == action]


@pytest.mark.slow
def test_nodes_are_drained_lost_and_added_and_every_page_is_paid_once(
    nodes: RayNodes,
    environment: dict[str, str],
    heads_home: dict[str, str],
    prefork: Prefork,
    gemini: SimulatedGemini,
    tmp_path: Path,
) -> None:
    gemini.set(latency_s=1.5)  # with four pages in flight this takes a minute and a half
    for number in range(DOCUMENTS):
        make_pdf(tmp_path / "in" / f"{number}.pdf", PAGES, prefix=f"page of {number} with the")
    cli = Cli(environment | heads_home, tmp_path, nodes.address, prefork=prefork)
    options = (
        "source=in",
        "dest=out",
        "engine=gemini",
        "engine.chain=[gemini]",
        "workers.pages_in_flight=2",
        "gateway.enabled=false",
    )
    run = cli.start(*options, "outputs=[markdown]", "workers.max_shard_pages=4", "limits.max_in_flight=4", **gemini.variables)
    try:
        started = lambda: {event["node"] for event in events(tmp_path, "worker_started")}  # noqa: E731
        wait_until(lambda: (len(started()) >= 2 and gemini.answered > 4) or run.poll() is not None, "two nodes have workers")
        leaving = lambda: {event["worker"] for event in events(tmp_path, "worker_leaving")}  # noqa: E731
        retired = lambda: {event["worker"] for event in events(tmp_path, "worker_retired")}  # noqa: E731
        first, second = [event["node"] for event in events(tmp_path, "worker_started")][:2]
        gone = next(node for node in nodes.nodes if first in node_ids(node.process.pid))
        nodes.drain(first, seconds=60)
        wait_until(lambda: (bool(leaving()) and leaving() <= retired()) or run.poll() is not None, "the workers have left")
        assert run.poll() is None, "the run ended too early for this test"
        gone.kill()  # unless it has ended by itself, as an idle draining node does
        gemini.set(latency_s=10.0)  # the run must not end before the new node has started, which can take minutes
        nodes.add(cpus=1, resources=WAITS)
        # The other node is removed, too: otherwise Ray may put the next worker on it, since it has room for two.
        nodes.drain(second, seconds=60)
        wait_until(lambda: started() - {first, second} or run.poll() is not None, "the new node has a worker")
        gemini.set(latency_s=0.0)
        out, _ = run.communicate(timeout=PATIENCE_S)
    finally:
        run.kill()
    assert run.returncode == 0, out
    assert len(started()) >= 3, "the pool did not grow"
    assert not events(tmp_path, "worker_failed")
    assert not started() & node_ids(nodes.head.process.pid), "a waiting engine runs on a node of the other group"
    assert [m["outcome"] for m in manifests(tmp_path / "out")].count("complete") == DOCUMENTS
    for number in range(DOCUMENTS):
        assert sorted(page_texts(tmp_path / "out" / f"{number}.md")) == list(range(1, PAGES + 1))
    assert gemini.answered == DOCUMENTS * PAGES


def node_ids(pid: int) -> set[str]:
    """The raylet among the process's children."""
    import re

    import psutil

    found = set()
    for process in psutil.Process(pid).children(recursive=True):
        found |= set(re.findall(r"--node[_-]id=([0-9a-f]+)", " ".join(process.cmdline())))
    return found


@pytest.mark.slow
def test_the_images_driver_joins_a_cluster_and_outlives_its_control_store(
    environment: dict[str, str],
    heads_home: dict[str, str],
    ray_commands: Prefork,
    gemini: SimulatedGemini,
    tmp_path: Path,
) -> None:
    """As in kuberay/: docker/bin/rayocr-driver on its own node, and a head whose state is in Redis. The driver's `ray` starts
    nodes without the dashboard's agents, with preset ports."""
    gemini.set(latency_s=0.5)
    make_pdf(tmp_path / "in" / "a.pdf", PAGES, prefix="page of a with the")
    redis = Valkey(port=free_port())
    nodes = RayNodes(environment | heads_home, head_cpus=2, redis=f"127.0.0.1:{redis.port}", start_command=ray_commands.start)
    commands = tmp_path / "bin"
    commands.mkdir()
    starts, asks = f"{sys.executable} -m benchmarks.patient_ray", f"{sys.executable} -m ray.scripts.scripts"
    (commands / "ray").write_text(f'#!/bin/sh\n[ "$1" != start ] || exec {starts} "$@"\nexec {asks} "$@"\n')
    (commands / "ray").chmod(0o755)
    ours = environment | heads_home | gemini.variables
    ours |= {
        "PATH": f"{commands}:{Path(sys.executable).parent}:{environment['PATH']}",
        "RAYOCR_HEAD": nodes.address,
        "RAYOCR_NODE_TRIES": "8",
        "RAYOCR_NODE_OPTIONS": "--node-ip-address=127.0.0.1",
        "RAY_enable_worker_prestart": "0",
    }
    options = ("source=in", "dest=out", "engine=gemini", "engine.chain=[gemini]", "limits.max_in_flight=1", "workers.max=1")
    script = PROJECT / "docker" / "bin" / "rayocr-driver"
    try:
        run = subprocess.Popen(
            [script, *options, "outputs=[markdown]", "gateway.enabled=false", "report.at_end=0"],
            cwd=tmp_path,
            env=ours,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        wait_until(lambda: gemini.answered > 2 or run.poll() is not None, "pages are read")
        nodes.replace_control_store()
        seen = gemini.answered
        wait_until(lambda: gemini.answered > seen + 2 or run.poll() is not None, "pages are read with the new one")
        gemini.set(latency_s=0.0)
        out, _ = run.communicate(timeout=PATIENCE_S)
        assert run.returncode == 0, out
    finally:
        nodes.close()
        redis.close()
    assert gemini.answered == PAGES
