"""A head that never returns: the run ends by itself with 3 and a message, before Ray would end it with 1, and resumes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.ports import free_port
from benchmarks.ray_nodes import RayNodes
from benchmarks.valkey import Valkey
from tests.e2e.prefork import Prefork
from tests.e2e.support import PATIENCE_S, Cli, SimulatedGemini, end_tree, make_pdf, manifests, wait_until

PAGES = 100
OPTIONS = ("source=in", "dest=out", "engine=gemini", "engine.chain=[gemini]", "limits.max_in_flight=2", "progress=plain")


@pytest.fixture
def nodes(environment: dict[str, str], heads_home: dict[str, str], ray_commands: Prefork) -> Iterator[RayNodes]:
    """A head whose other processes continue when its control store is killed."""
    redis = Valkey(port=free_port())
    running = RayNodes(environment | heads_home, head_cpus=2, redis=f"127.0.0.1:{redis.port}", start_command=ray_commands.start)
    yield running
    running.close()
    redis.close()


@pytest.mark.slow
def test_a_run_whose_head_never_returns_ends_with_3_and_resumes(
    nodes: RayNodes, heads_home: dict[str, str], cli: Cli, gemini: SimulatedGemini
) -> None:
    gemini.set(latency_s=1.0)
    make_pdf(cli.folder / "in" / "big.pdf", PAGES)
    variables = {**gemini.variables, **heads_home, "RAY_gcs_rpc_server_reconnect_timeout_s": "30"}
    run = cli.start(*OPTIONS, f"cluster={nodes.address}", **variables)
    try:
        wait_until(lambda: gemini.answered >= 4 or run.poll() is not None, "pages are read")
        nodes.kill_control_store()
        gemini.set(latency_s=3.0)  # more pages are left than the run can read until it ends
        said, _ = run.communicate(timeout=PATIENCE_S)
    finally:
        end_tree(run.pid)
    assert run.returncode == 3, said
    assert "rayocr: Ray's head at " in said
    assert "Start the same command again when the cluster is available again. It resumes." in said
    assert "Traceback" not in said
    paid = gemini.answered
    assert paid < PAGES

    gemini.set(latency_s=0.0)
    again = cli.run(*OPTIONS, "cluster=inprocess", "limits.max_in_flight=16", **gemini.variables)
    assert again.returncode == 0, again.stdout
    assert manifests(cli.folder / "out")[0]["outcome"] == "complete"
    counts = gemini.counts()["answered"]
    assert sum(counts.values()) - len(counts) <= 4  # in flight, or not yet flushed
