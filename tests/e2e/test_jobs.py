"""The command as a job of a Ray cluster: `ray job submit`, `ray job stop` in the middle, and mode=submit."""

from __future__ import annotations

import json
import secrets
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks.ports import free_port
from tests.e2e.prefork import Prefork
from tests.e2e.support import (
    PATIENCE_S,
    PROJECT,
    Cli,
    CliHere,
    SimulatedGemini,
    make_pdf,
    manifests,
    page_texts,
    ray_head,
    wait_until,
)

DOCUMENTS, PAGES = 4, 20
_LATENCY_S = 0.4
_SLOW_S = 4.0  # while a job is stopping: a busy machine may need a minute to forward the stop, and the job must not end earlier
RAY = (sys.executable, "-m", "ray.scripts.scripts")


@dataclass(frozen=True)
class JobCluster:
    """A head whose dashboard requires its token and whose environment contains the key."""

    address: str
    environment: dict[str, str]
    gemini: SimulatedGemini

    def details(self, job_id: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.environment['RAY_AUTH_TOKEN']}"}
        request = urllib.request.Request(f"{self.address}/api/jobs/{job_id}", headers=headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def ray(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*RAY, "job", arguments[0], f"--address={self.address}", *arguments[1:]]
        return subprocess.run(
            command, env=self.environment, cwd=PROJECT, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )


@pytest.fixture(scope="module")
def job_cluster(prefork: Prefork, environment: dict[str, str], home: Path) -> Iterator[JobCluster]:
    gemini = SimulatedGemini(prefork, environment, latency_s=_LATENCY_S)
    temp, port = home / "j", free_port()
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    ours = environment | {
        **token,
        **gemini.variables,
        "PATH": f"{Path(sys.executable).parent}:{environment['PATH']}",
        "RAY_TMPDIR": str(temp),
    }
    options = [
        *(f"--port={free_port()}", "--include-dashboard=true", f"--dashboard-port={port}", "--dashboard-host=127.0.0.1"),
        *(f"--dashboard-agent-listen-port={free_port()}", f"--temp-dir={temp}"),
    ]
    try:
        with ray_head(options, ours, home / "job-head.log"):
            yield JobCluster(f"http://127.0.0.1:{port}", environment | token | {"RAY_TMPDIR": str(temp)}, gemini)
    finally:
        gemini.close()


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    for number in range(DOCUMENTS):
        make_pdf(tmp_path / "in" / f"{number}.pdf", PAGES, prefix=f"page of {number} with the")
    return tmp_path


def options(folders: Path) -> list[str]:
    return [
        *(f"source={folders}/in", f"dest={folders}/out", f"logs.dir={folders}/logs"),
        *("engine=gemini", "engine.chain=[gemini]", "limits.max_in_flight=4", "outputs=[markdown]", "gateway.enabled=false"),
    ]


@pytest.mark.slow
def test_jobs_drain_when_they_are_stopped_resume_when_they_are_submitted_again_and_pass_their_exit_code_on(
    job_cluster: JobCluster, folders: Path, tmp_path: Path
) -> None:
    """Stopped by `ray job stop`, then by Ctrl-C of mode=submit; the third job ends with a document that it rejects."""
    gemini, before = job_cluster.gemini, job_cluster.gemini.answered
    _stopped_by_ray(job_cluster, folders)

    cli = Cli(job_cluster.environment, tmp_path, job_cluster.address)
    command = ("mode=submit", *options(folders))
    resumed = gemini.answered
    run = cli.start(*command, "submit.job_id=second", GEMINI_API_KEY="a-key-that-stays-here")
    wait_until(lambda: gemini.answered - resumed > 12 or run.poll() is not None, "pages are read")
    gemini.set(latency_s=_SLOW_S)
    run.send_signal(signal.SIGINT)
    out, _ = run.communicate(timeout=PATIENCE_S)
    gemini.set(latency_s=0.0)
    assert run.returncode == 130, out
    assert "asking the job to drain" in out
    assert "rayocr: Interrupted." in out
    assert job_cluster.details("second")["status"] == "STOPPED"
    assert gemini.answered - before < DOCUMENTS * PAGES

    (folders / "in" / "broken.pdf").write_bytes(b"no PDF")
    partial = cli.run(*command, "submit.job_id=third")
    assert partial.returncode == 1, partial.stdout + partial.stderr
    assert job_cluster.details("third")["driver_exit_code"] == 1
    (folders / "in" / "broken.pdf").unlink()
    followed = cli.run(*command, "submit.job_id=third")
    assert (followed.returncode, "exists already" in followed.stdout) == (1, True)

    assert [m["outcome"] for m in manifests(folders / "out")].count("complete") == DOCUMENTS
    for number in range(DOCUMENTS):
        assert sorted(page_texts(folders / "out" / f"{number}.md")) == list(range(1, PAGES + 1))
    assert gemini.answered - before == DOCUMENTS * PAGES, "no page is paid for twice"
    details = json.dumps([job_cluster.details(job) for job in ("first", "second", "third")])
    assert gemini.key not in details and "a-key-that-stays-here" not in details


def _stopped_by_ray(job_cluster: JobCluster, folders: Path) -> None:
    gemini, before = job_cluster.gemini, job_cluster.gemini.answered
    command = ["python", "-m", "rayocr", *options(folders)]
    grace = json.dumps({"env_vars": {"RAY_JOB_STOP_WAIT_TIME_S": "120"}})
    given = ("--no-wait", "--working-dir", str(PROJECT), "--runtime-env-json", grace)
    submitted = job_cluster.ray("submit", "--submission-id", "first", *given, "--", "exec", *command)
    assert submitted.returncode == 0, submitted.stdout + submitted.stderr
    wait_until(lambda: gemini.answered - before > 12, "pages are read")
    gemini.set(latency_s=_SLOW_S)
    stopped = job_cluster.ray("stop", "first")
    gemini.set(latency_s=_LATENCY_S)
    assert stopped.returncode == 0, stopped.stdout + stopped.stderr
    log = job_cluster.ray("logs", "first").stdout
    assert job_cluster.details("first")["status"] == "STOPPED", log
    assert "rayocr: Interrupted." in log  # so it was not killed
    assert "\r" not in log
    assert 0 < gemini.answered - before < DOCUMENTS * PAGES


@pytest.mark.parametrize(
    ("address", "code", "words"),
    [
        ("auto", 2, "needs the address of the cluster's dashboard"),
        ("http://127.0.0.1:1", 3, "No Ray dashboard accepts jobs at http://127.0.0.1:1"),
    ],
)
def test_an_invalid_cluster_is_one_line(cli_without_ray: CliHere, address: str, code: int, words: str) -> None:
    done = cli_without_ray.run("mode=submit", "source=in", "dest=out", f"cluster={address}")
    assert done.returncode == code, done.stdout + done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
