"""The command as a job of a Ray cluster: `ray job submit`, mode=submit, and a stop in the middle."""

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
    commands: Prefork

    def details(self, job_id: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.environment['RAY_AUTH_TOKEN']}"}
        request = urllib.request.Request(f"{self.address}/api/jobs/{job_id}", headers=headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def ray(self, log: Path, *arguments: str) -> int:
        """The exit code of `ray job`. Its output is in the log."""
        command = [*RAY, "job", arguments[0], f"--address={self.address}", *arguments[1:]]
        with log.open("wb") as output:
            return self.commands.start(command, env=self.environment, cwd=PROJECT, stdout=output, stderr=subprocess.STDOUT).wait(
                PATIENCE_S
            )


@pytest.fixture(scope="module")
def job_cluster(prefork: Prefork, ray_commands: Prefork, environment: dict[str, str], home: Path) -> Iterator[JobCluster]:
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
        with ray_head(options, ours, home / "job-head.log", ray_commands.start):
            yield JobCluster(f"http://127.0.0.1:{port}", environment | token | {"RAY_TMPDIR": str(temp)}, gemini, ray_commands)
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
        *(
            "engine=gemini",
            "engine.chain=[gemini]",
            "limits.max_in_flight=4",
            "outputs=[markdown]",
            "gateway.enabled=false",
            "workers.documents=1",
        ),
    ]


@pytest.mark.slow
def test_a_job_drains_when_it_is_stopped_the_next_one_resumes_and_exit_codes_are_passed_on(
    job_cluster: JobCluster, prefork: Prefork, folders: Path, tmp_path: Path
) -> None:
    """The first job is submitted by mode=submit and stopped by its Ctrl-C, which asks the cluster as `ray job stop` does. The
    second one is submitted by `ray job submit`, ends with a document that it rejects, and is followed by mode=submit."""
    gemini, before = job_cluster.gemini, job_cluster.gemini.answered
    cli = Cli(job_cluster.environment, tmp_path, job_cluster.address, prefork=prefork)
    command = ("mode=submit", *options(folders))
    run = cli.start(*command, "submit.job_id=first", GEMINI_API_KEY="a-key-that-stays-here")
    wait_until(lambda: gemini.answered - before > 12 or run.poll() is not None, "pages are read")
    gemini.set(latency_s=_SLOW_S)
    run.send_signal(signal.SIGINT)
    out, _ = run.communicate(timeout=PATIENCE_S)
    gemini.set(latency_s=0.0)
    assert run.returncode == 130, out
    assert "asking the job to drain" in out
    assert "rayocr: Interrupted." in out  # so it was not killed
    assert "\r" not in out
    assert job_cluster.details("first")["status"] == "STOPPED"
    assert 12 < gemini.answered - before < DOCUMENTS * PAGES

    (folders / "in" / "broken.pdf").write_bytes(b"no PDF")
    log = tmp_path / "second.log"
    code = job_cluster.ray(log, "submit", "--submission-id", "second", "--", "exec", "python", "-m", "rayocr", *options(folders))
    assert code == 1, log.read_text()
    assert job_cluster.details("second")["driver_exit_code"] == 1
    followed = cli.run(*command, "submit.job_id=second")
    assert (followed.returncode, "exists already" in followed.stdout) == (1, True), followed.stdout + followed.stderr

    outcomes = [manifest["outcome"] for manifest in manifests(folders / "out")]
    assert (outcomes.count("complete"), outcomes.count("rejected")) == (DOCUMENTS, 1)
    for number in range(DOCUMENTS):
        assert sorted(page_texts(folders / "out" / f"{number}.md")) == list(range(1, PAGES + 1))
    assert gemini.answered - before == DOCUMENTS * PAGES, "no page is paid for twice"
    details = json.dumps([job_cluster.details(job) for job in ("first", "second")])
    assert gemini.key not in details and "a-key-that-stays-here" not in details


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
