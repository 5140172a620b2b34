"""A head that never returns: the run ends by itself with 3 and a message, before Ray would end it with 1, and resumes."""

from __future__ import annotations

import psutil
import pytest

from benchmarks.chaos.nodes import end
from tests.e2e.support import PATIENCE_S, Cli, SimulatedGemini, end_tree, make_pdf, manifests, wait_until

PAGES = 200
OPTIONS = ("source=in", "dest=out", "engine=gemini", "engine.chain=[gemini]", "limits.max_in_flight=2", "progress=plain")


@pytest.mark.slow
def test_a_run_whose_head_never_returns_ends_with_3_and_resumes(cli: Cli, gemini: SimulatedGemini) -> None:
    gemini.set(latency_s=1.0)
    make_pdf(cli.folder / "in" / "big.pdf", PAGES)
    variables = {**gemini.variables, "RAY_gcs_rpc_server_reconnect_timeout_s": "30"}
    run = cli.start(*OPTIONS, "cluster=local", **variables)
    try:
        wait_until(lambda: gemini.answered >= 4 or run.poll() is not None, "pages are read")
        of_ray = psutil.Process(run.pid).children(recursive=True)
        (head,) = (process for process in of_ray if "gcs_server" in process.name())
        # Without its control store the dashboard, which this test does not need, works continuously until it ends.
        (dashboard,) = (process for process in of_ray if any(part.endswith("/dashboard.py") for part in process.cmdline()))
        end_tree(dashboard.pid)
        head.kill()
        said, _ = run.communicate(timeout=PATIENCE_S)
        end(of_ray)  # they would wait for the head
    finally:
        end_tree(run.pid)
    assert run.returncode == 3, said
    assert "rayocr: Ray's head at " in said
    assert "Start the same command again when the cluster is back: it resumes." in said
    assert "Traceback" not in said
    paid = gemini.answered
    assert paid < PAGES

    gemini.set(latency_s=0.0)
    again = cli.run(*OPTIONS, "cluster=inprocess", "limits.max_in_flight=16", **gemini.variables)
    assert again.returncode == 0, again.stdout
    assert manifests(cli.folder / "out")[0]["outcome"] == "complete"
    counts = gemini.counts()["answered"]
    assert sum(counts.values()) - len(counts) <= 4  # in flight, or not yet flushed
